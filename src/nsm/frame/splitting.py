"""Split areas that are too large into compact, contiguous pieces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from nsm.errors import FrameError, OptionError
from nsm.frame.contiguity import geometry_of
from nsm.frame.cutting import Ring, Seams, area, match, partition, with_seams
from nsm.frame.merging import inner_points

if TYPE_CHECKING:
    from nsm.frame.frame import Frame


def split(frame: Frame, maximum: int, *, size: str = "households") -> Frame:
    """Split areas above `maximum` into as few pieces as hold it, of equal area on the map.

    Nobody knows how households lie inside an area, so each piece gets nearly the same number; sums
    stay exact, and parts still add up to their wholes. The first piece keeps the code, the others
    take the next free ones of the unit above. The cuts are straight: they are to be moved to
    streets and paths before fieldwork.

    Returns
    -------
    The frame, its sums unchanged, with `.log`: `old, new, action (kept or split), share` (of
    `size`).

    Raises
    ------
    OptionError, ColumnError, KeyColumnError, ValueInColumnError
    FrameError
        The frame has no polygons to cut, or they are invalid.
    """
    if maximum < 1:
        raise OptionError("A maximum of {maximum} does not make sense.", maximum=maximum)
    frame.require_sound(*dict.fromkeys([size, *frame.sizes]))
    values = frame.table[size].to_numpy(dtype=np.int64)
    pieces = np.maximum(1, -(-values // maximum))
    if (pieces == 1).all():
        return frame.replaced(log=_log(frame, pieces, frame.table[frame.key], values, values))
    source = np.repeat(np.arange(len(frame)), pieces)
    table = frame.table.iloc[source].reset_index(drop=True)
    table[frame.key] = _codes(frame, source)
    for column, shared in _shared(frame, pieces, size).items():
        table[column] = shared
    log = _log(frame, pieces, table[frame.key], table[size].to_numpy(), values)
    return _cut(frame, table, pieces, log)


def _log(
    frame: Frame, pieces: np.ndarray, new: pd.Series, held: np.ndarray, values: np.ndarray
) -> pd.DataFrame:
    source = np.repeat(np.arange(len(frame)), pieces)
    whole = values[source]
    return pd.DataFrame(
        {
            "old": frame.table[frame.key].to_numpy()[source],
            "new": np.asarray(new),
            "action": np.where(pieces[source] > 1, "split", "kept"),
            "share": np.where(whole > 0, held / np.where(whole > 0, whole, 1), 1.0),
        }
    )


def _codes(frame: Frame, source: np.ndarray) -> list[str]:
    """Return the codes of the pieces: the old one, then the next free serials of the unit above.

    Areas of the same classes (zone ...) share a series, as in a code that has a digit for them.
    Where the series is full or no number, a dash and the number of the piece follow the old code.
    """
    codes = frame.table[frame.key]
    above = frame.table[frame.levels[-2]] if len(frame.levels) > 1 else codes.str[:0]
    classes = [frame.table[c] for c in frame.description.get("classes", {})]
    series = pd.DataFrame(dict(enumerate([above, *classes])))
    last = codes.groupby(series.groupby(list(series.columns)).ngroup()).transform("max")
    fixed = above.str.len() + _has_class_digit(codes, above, classes)
    free = dict(zip(last, zip(last, fixed, strict=True), strict=True))
    taken, out = set(codes), list(codes.iloc[source])
    for k in np.flatnonzero(source[1:] == source[:-1]) + 1:
        top, piece = str(last.iloc[source[k]]), k - int(np.searchsorted(source, source[k])) + 1
        code, width = free[top]
        new = _next(str(code), int(width))
        if new is None or new in taken:
            new = f"{out[k]}-{piece}"
        else:
            free[top] = (new, width)
        taken.add(new)
        out[k] = new
    return out


def _has_class_digit(codes: pd.Series, above: pd.Series, classes: list[pd.Series]) -> bool:
    """Say whether the first digit after the code above stands for the classes."""
    if not classes:
        return False
    start = above.str.len()
    digit = pd.Series([c[n : n + 1] for c, n in zip(codes, start, strict=True)], codes.index)
    kinds = digit.groupby(classes).nunique()
    return bool(kinds.max() == 1 and len(kinds) > 1 and digit.nunique() == len(kinds))


def _next(code: str, fixed: int) -> str | None:
    """Return the code after `code` with the same `fixed` first characters, if there is one."""
    serial = code[fixed:]
    if not serial.isdigit():
        return None
    following = str(int(serial) + 1).zfill(len(serial))
    return code[:fixed] + following if len(following) == len(serial) else None


def _shared(frame: Frame, pieces: np.ndarray, size: str) -> dict[str, np.ndarray]:
    """Return the sizes of all pieces, exact in sum; parts add up to their whole in each piece.

    The units of an area stand in a line, part after part, and are dealt to its pieces in turn.
    """
    parts: Mapping[str, list[str]] = frame.description.get("parts", {})
    source = np.repeat(np.arange(len(frame)), pieces)
    piece = np.arange(len(source)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    count = pieces[source]

    def dealt(start: np.ndarray, end: np.ndarray) -> np.ndarray:
        return _before(end, piece, count) - _before(start, piece, count)

    out = {}
    for column in dict.fromkeys([size, *frame.sizes]):
        values = frame.table[column].to_numpy(dtype=np.int64)[source]
        out[column] = dealt(np.zeros_like(values), values)
    for members in parts.values():
        end = np.zeros(len(source), dtype=np.int64)
        for member in members:
            start = end
            end = start + frame.table[member].to_numpy(dtype=np.int64)[source]
            out[member] = dealt(start, end)
    return out


def _before(units: np.ndarray, piece: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return how many of the first `units` in line the piece gets, when dealt in turn."""
    return np.maximum(0, (units - piece + count - 1) // count)


def _cut(frame: Frame, table: pd.DataFrame, pieces: np.ndarray, log: pd.DataFrame) -> Frame:
    """Cut the polygons, give neighbors the new points, and place the pieces' points."""
    import geopandas as gpd

    geometry = geometry_of(frame)
    source = np.repeat(np.arange(len(frame)), pieces)
    first = np.cumsum(pieces) - pieces
    drawn = geometry[source]
    seams: Seams = {}
    touched: list[int] = []
    for row in np.flatnonzero(pieces > 1):
        drawn[first[row] : first[row] + pieces[row]] = _pieces(
            geometry[row], int(pieces[row]), seams, frame.table[frame.key].iloc[row]
        )
        touched.extend(range(first[row], first[row] + pieces[row]))
    new = np.array(touched)
    around = np.unique(shapely.STRtree(drawn).query(drawn[new], predicate="intersects")[1])
    drawn[around] = _matched(drawn[around], seams)
    held = frame.description.get("geometry", {})
    lon, lat = held.get("lon", "lon"), held.get("lat", "lat")
    if lon in table.columns and lat in table.columns:
        spots = inner_points(drawn[new])
        table.loc[new, lon], table.loc[new, lat] = shapely.get_x(spots), shapely.get_y(spots)
    order = np.argsort(table[frame.key].to_numpy(str), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    crs = frame.require_boundaries().crs
    shapes = gpd.GeoDataFrame({frame.key: table[frame.key]}, geometry=drawn[order], crs=crs)
    return frame.replaced(table=table, shapes=shapes, log=log)


def _ring(points: np.ndarray) -> Ring:
    ring: Ring = [(float(x), float(y)) for x, y in points[:-1]]
    return ring if area(ring) > 0 else ring[::-1]


def _pieces(shape: shapely.Geometry, count: int, seams: Seams, code: str) -> np.ndarray:
    """Cut one polygon. Islands stay with the first piece; a hole goes to the pieces around it."""
    parts = sorted(shapely.get_parts(shape), key=lambda p: -p.area)
    main, others = parts[0], parts[1:]
    # A neighbor cut before may have left points on the common border.
    outline = with_seams(_ring(shapely.get_coordinates(main.exterior)), seams)
    height = (main.bounds[1] + main.bounds[3]) / 2
    aspect = 1 / max(0.1, float(np.cos(np.radians(height)))) if abs(height) <= 90 else 1.0
    try:
        rings = partition(outline, [1.0] * count, seams, aspect=aspect)
    except ValueError as error:
        raise FrameError(
            "The polygon of area {area!r} is too small or thin to be cut into {count} pieces.",
            area=code,
            count=count,
        ) from error
    cut = np.array([shapely.Polygon(r) for r in rings], dtype=object)
    if main.interiors:
        holes = shapely.union_all([shapely.Polygon(h) for h in main.interiors])
        cut = shapely.difference(cut, holes)
    if others:
        cut[0] = shapely.union_all([cut[0], *others])
    return cut


def _matched(geometry: np.ndarray, seams: Seams) -> np.ndarray:
    """Insert the points of neighbors' corners into the borders of these polygons."""
    rings, owners = shapely.get_rings(geometry, return_index=True)
    outlines: list[Ring] = [
        [(float(x), float(y)) for x, y in shapely.get_coordinates(r)[:-1]] for r in rings
    ]
    closed = [np.array([*ring, ring[0]]) for ring in match(outlines, seams)]
    out = geometry.copy()
    for k in np.unique(owners):
        mine = iter([closed[i] for i in np.flatnonzero(owners == k)])
        parts = [
            shapely.Polygon(next(mine), [next(mine) for _ in part.interiors])
            for part in shapely.get_parts(geometry[k])
        ]
        out[k] = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return out
