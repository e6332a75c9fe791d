"""Polygons and points: missing, invalid, overlapping, apart, or elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from nsm.frame.findings import Finding, finding

if TYPE_CHECKING:
    import geopandas as gpd

    from nsm.frame.frame import Frame

# What is smaller than this share of the median polygon is rounding, not overlap or gap.
_TOLERANCE = 1e-4


def check_shapes(frame: Frame) -> list[Finding]:
    """Look at polygons and points: F401 to F412."""
    found = _points_alone(frame)
    shapes = frame.boundaries
    if shapes is None:
        return found
    found += _matching(frame, shapes)
    geometry = shapes.geometry.to_numpy()
    empty = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    codes = shapes[frame.key].to_numpy()
    surfaces = np.isin(shapely.get_type_id(geometry), (3, 6))
    valid = shapely.is_valid(geometry)
    reasons = [
        f"{c} ({shapely.is_valid_reason(g)})"
        for c, g in zip(codes[~valid & ~empty], geometry[~valid & ~empty], strict=True)
    ]
    found += [
        *finding("F404", "error", "boundaries", list(codes[empty]),
                 "{count} polygons are empty."),
        *finding("F405", "error", "boundaries", reasons,
                 "{count} polygons are invalid. Mend them before areas are merged or drawn."),
        *finding("F406", "error", "boundaries", list(codes[~empty & ~surfaces]),
                 "{count} shapes are no polygons."),
        *finding("F407", "info", "boundaries",
                 list(codes[surfaces & (shapely.get_num_geometries(geometry) > 1)]),
                 "{count} areas have more than one polygon."),
    ]  # fmt: skip
    good = valid & ~empty & surfaces
    found += _coverage(codes[good], geometry[good])
    return found + _points_inside(frame, codes[good], geometry[good])


def _matching(frame: Frame, shapes: gpd.GeoDataFrame) -> list[Finding]:
    areas, drawn = frame.table[frame.key], shapes[frame.key]
    return [
        *finding("F401", "error", "boundaries", list(areas[~areas.isin(drawn)]),
                 "{count} areas have no polygon."),
        *finding("F402", "warning", "boundaries", list(drawn[~drawn.isin(areas)]),
                 "{count} polygons have no area."),
        *finding("F403", "error", "boundaries", list(drawn[drawn.duplicated()].unique()),
                 "{count} areas stand more than once among the polygons."),
    ]  # fmt: skip


def _coverage(codes: np.ndarray, geometry: np.ndarray) -> list[Finding]:
    """Find overlaps, gaps that are closed in, and borders that do not match."""
    if len(geometry) < 2:
        return []
    least = _TOLERANCE * float(np.median(shapely.area(geometry)))
    torn = ~shapely.is_empty(shapely.coverage_invalid_edges(geometry))
    overlapping = _overlaps(geometry, torn, least) if torn.any() else np.empty((0, 3))
    pairs = [f"{codes[int(i)]} + {codes[int(j)]}" for i, j, _ in overlapping]
    ragged = torn.copy()
    ragged[overlapping[:, :2].astype(int).ravel()] = False
    union = shapely.union_all(geometry) if torn.any() else shapely.coverage_union_all(geometry)
    holes = [
        shapely.Polygon(ring)
        for part in shapely.get_parts(union)
        for ring in getattr(part, "interiors", [])
    ]
    gaps = [h for h in holes if h.area > least]
    return [
        *finding("F408", "error", "boundaries", pairs,
                 "{count} pairs of polygons overlap."),
        *finding("F409", "warning", "boundaries", [_place(g) for g in gaps],
                 "{count} gaps lie between polygons (some may be lakes)."),
        *finding("F410", "info", "boundaries", list(codes[ragged]),
                 "The borders of {count} polygons do not have the points of their neighbors'."),
    ]  # fmt: skip


def _overlaps(geometry: np.ndarray, torn: np.ndarray, least: float) -> np.ndarray:
    """Return (pairs, 3): two positions and the common area."""
    tree = shapely.STRtree(geometry)
    suspects = np.flatnonzero(torn)
    found = tree.query(geometry[suspects], predicate="intersects")
    one, other = suspects[found[0]], found[1]
    keep = one != other
    pairs = np.unique(np.sort(np.column_stack([one[keep], other[keep]]), axis=1), axis=0)
    common = shapely.area(shapely.intersection(geometry[pairs[:, 0]], geometry[pairs[:, 1]]))
    return np.column_stack([pairs, common])[common > least]


def _place(shape: shapely.Polygon) -> str:
    point = shape.representative_point()
    return f"({point.x:.5f}, {point.y:.5f})"


def _points(frame: Frame) -> tuple[pd.Series, pd.Series] | None:
    held = frame.description.get("geometry", {})
    lon, lat = held.get("lon", "lon"), held.get("lat", "lat")
    if lon not in frame.table.columns or lat not in frame.table.columns:
        return None
    return frame.table[lon], frame.table[lat]


def _points_alone(frame: Frame) -> list[Finding]:
    points = _points(frame)
    if points is None:
        return []
    lon, lat = points
    wrong = lon.isna() | lat.isna() | ((lon == 0) & (lat == 0))
    wrong |= (lon.abs() > 180) | (lat.abs() > 90)
    return finding(
        "F411", "error", "points", list(frame.table.loc[wrong, frame.key]),
        "The points of {count} areas are missing, zero or not on the globe.",
    )  # fmt: skip


def _points_inside(frame: Frame, codes: np.ndarray, geometry: np.ndarray) -> list[Finding]:
    points, shapes = _points(frame), frame.boundaries
    if points is None or shapes is None or shapes.crs is None or not shapes.crs.is_geographic:
        return []
    # Points rounded to six decimals may fall just outside: what lies within 0.1 m counts as inside.
    by_code = pd.Series(geometry, codes)
    by_code = by_code[~by_code.index.duplicated()]
    keys = frame.table[frame.key]
    known = keys.isin(by_code.index) & points[0].notna() & points[1].notna()
    mine = by_code[keys[known]].to_numpy()
    spots = shapely.points(points[0][known].to_numpy(float), points[1][known].to_numpy(float))
    outside = ~shapely.intersects(mine, spots)
    outside[outside] = shapely.distance(mine[outside], spots[outside]) > 1e-6
    return finding(
        "F412", "warning", "points", list(keys[known][outside]),
        "The points of {count} areas lie outside their polygons.",
    )  # fmt: skip
