"""Merge areas that are too small with contiguous ones, within their municipality."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.errors import OptionError
from nsm.frame.contiguity import neighbors
from nsm.frame.rollup import collapse, lead_rows, unions

if TYPE_CHECKING:
    import geopandas as gpd

    from nsm.frame.frame import Frame


def merge(
    frame: Frame,
    minimum: int,
    *,
    size: str = "households",
    within: str | None = None,
    same: Sequence[str] | None = None,
    maximum: int | None = None,
) -> Frame:
    """Merge areas below `minimum` with contiguous ones until none is left that can be.

    The smallest goes first, to the neighbor with which it has the longest common border (so that
    the new area is compact), of the same unit just above the area if it has such a neighbor. The
    new area has the code of its largest part. Without polygons, points stand in for contiguity.

    Parameters
    ----------
    minimum
        Least `size` of an area.
    within
        Level that is never crossed: `municipality` if the frame has it, else the level just above.
    same
        Columns in which merged areas must agree: the described classes (zone ...) by default.
    maximum
        Most `size` of a merged area; none by default.

    Returns
    -------
    The frame, its sums unchanged, with `.log`: `old, new, action, share`. The action is `kept`,
    `merged`, or `short` for an area that stays below the minimum because it has no neighbor that
    it may join.

    Raises
    ------
    OptionError, ColumnError, KeyColumnError, ValueInColumnError, FrameError
    """
    if minimum < 1 or (maximum is not None and maximum < minimum):
        raise OptionError(
            "A minimum of {minimum} and a maximum of {maximum} do not make sense. Give a positive "
            "minimum, and a maximum above it.",
            minimum=minimum,
            maximum=maximum,
        )
    frame.require_sound(*dict.fromkeys([size, *frame.sizes]))
    unit = default_within(frame) if within is None else within
    classes = default_same(frame) if same is None else tuple(same)
    columns = [c for c in (unit, *classes) if c]
    frame.require_columns(columns)
    values = frame.table[size].to_numpy()
    if not (values < minimum).any():
        group = np.arange(len(frame))
    else:
        walls = frame.table.groupby(columns, dropna=False).ngroup() if columns else None
        pairs = neighbors(frame, None if walls is None else walls.to_numpy())
        near = frame.levels[-2] if len(frame.levels) > 1 else None
        home = np.zeros(len(frame)) if near is None else pd.factorize(frame.table[near])[0]
        group = _grow(values, pairs, home, minimum, maximum)
    return _merged(frame, group, values, minimum)


def default_within(frame: Frame) -> str | None:
    """Return the level that merging does not cross if nobody says."""
    if "municipality" in frame.levels[:-1]:
        return "municipality"
    return frame.levels[-2] if len(frame.levels) > 1 else None


def default_same(frame: Frame) -> tuple[str, ...]:
    """Return the classes in which merged areas agree if nobody says."""
    described = tuple(frame.description.get("classes", {}))
    return described or tuple(c for c in ("zone",) if c in frame.table.columns)


def _grow(
    values: np.ndarray,
    pairs: pd.DataFrame,
    home: np.ndarray,
    minimum: int,
    maximum: int | None,
) -> np.ndarray:
    """Return the group of each row after merging: positions of roots (areas,)."""
    size = values.astype(float).tolist()
    border: list[dict[int, float]] = [{} for _ in size]
    for one, other, length in pairs.itertuples(index=False):
        border[one][other] = border[other][one] = length
    parent = np.arange(len(size))
    alive = np.ones(len(size), dtype=bool)
    queue = [(s, k) for k, s in enumerate(size) if s < minimum]
    heapify(queue)
    while queue:
        held, small = heappop(queue)
        if not alive[small] or held != size[small]:
            continue
        room = np.inf if maximum is None else maximum - held
        found = [k for k in border[small] if size[k] <= room]
        if not found:
            continue
        best = max(found, key=lambda k: (home[k] == home[small], border[small][k], -size[k], -k))
        keep, gone = (best, small) if size[best] >= held else (small, best)
        _join(border, keep, gone)
        size[keep] += size[gone]
        alive[gone], parent[gone] = False, keep
        if size[keep] < minimum:
            heappush(queue, (size[keep], keep))
    return _roots(parent)


def _join(border: list[dict[int, float]], keep: int, gone: int) -> None:
    for k, length in border[gone].items():
        del border[k][gone]
        if k != keep:
            border[keep][k] = border[k][keep] = border[keep].get(k, 0.0) + length
    border[gone] = {}


def _roots(parent: np.ndarray) -> np.ndarray:
    while not (parent == parent[parent]).all():
        parent = parent[parent]
    return parent


def _merged(frame: Frame, roots: np.ndarray, values: np.ndarray, minimum: int) -> Frame:
    group, _ = pd.factorize(roots, sort=False)
    count = int(group.max()) + 1 if len(group) else 0
    lead = lead_rows(frame, group, count)
    parts, held = np.bincount(group, minlength=count), np.bincount(group, values, count)
    table = frame.table.iloc[lead].reset_index(drop=True)
    together = collapse(frame, group, count).drop(columns=[frame.key], errors="ignore")
    for column in together.columns:
        table[column] = together[column].where(parts > 1, table[column])
    action = np.where(parts > 1, "merged", "kept")
    action = np.where(held < minimum, "short", action)
    old = frame.table[frame.key].to_numpy()
    log = pd.DataFrame({"old": old, "new": old[lead][group], "action": action[group], "share": 1.0})
    shapes = None
    if frame.shapes is not None:
        drawn = _drawn(frame, group, count, table[frame.key])
        shapes, table = drawn, _moved(frame, table, drawn, parts > 1)
    order = table[frame.key].argsort(kind="stable")
    return frame.replaced(table=table.iloc[order].reset_index(drop=True), shapes=shapes, log=log)


def _drawn(frame: Frame, group: np.ndarray, count: int, codes: pd.Series) -> gpd.GeoDataFrame:
    import geopandas as gpd

    from nsm.frame.contiguity import geometry_of

    shapes = unions(geometry_of(frame), group, count)
    crs = frame.require_boundaries().crs
    return gpd.GeoDataFrame({frame.key: codes}, geometry=shapes, crs=crs)


def _moved(
    frame: Frame, table: pd.DataFrame, drawn: gpd.GeoDataFrame, which: np.ndarray
) -> pd.DataFrame:
    """Put the points of the areas `which` (areas,) inside their new polygons."""
    import shapely

    held = frame.description.get("geometry", {})
    lon, lat = held.get("lon", "lon"), held.get("lat", "lat")
    if lon not in table.columns or lat not in table.columns or not which.any():
        return table
    spots = inner_points(np.asarray(drawn.geometry)[which])
    table = table.copy()
    table.loc[which, lon], table.loc[which, lat] = shapely.get_x(spots), shapely.get_y(spots)
    return table


def inner_points(geometry: np.ndarray) -> np.ndarray:
    """Return centroids, or a point inside where the centroid lies outside."""
    import shapely

    points = shapely.centroid(geometry)
    outside = ~shapely.contains_properly(geometry, points)
    points[outside] = shapely.point_on_surface(geometry[outside])
    return points
