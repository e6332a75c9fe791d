"""Which areas touch, and along how long a border."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from nsm.errors import FrameError

if TYPE_CHECKING:
    from nsm.frame.frame import Frame


def neighbors(frame: Frame, within: np.ndarray | None = None) -> pd.DataFrame:
    """Return the pairs of areas that touch along a line.

    Without polygons, points are neighbors that a Delaunay triangulation of their group joins: a
    stand-in, whose border counts as the inverse of the distance.

    Parameters
    ----------
    within
        Group of each row (areas,): pairs across groups are left out.

    Returns
    -------
    `one, other` (positions of rows, one < other) and `length` (in units of the coordinates).

    Raises
    ------
    FrameError
        The frame has neither boundaries nor points.
    """
    group = np.zeros(len(frame), dtype=int) if within is None else pd.factorize(within)[0]
    if frame.boundaries is not None:
        return _by_border(frame, group)
    held = frame.description.get("geometry", {})
    lon, lat = held.get("lon", "lon"), held.get("lat", "lat")
    if lon not in frame.table.columns or lat not in frame.table.columns:
        raise FrameError(
            "The frame has neither boundaries nor points, so nobody knows which areas touch. Name "
            "a file of boundaries under [files] of frame.toml, or add columns lon and lat."
        )
    return _by_points(frame.table[[lon, lat]].to_numpy(dtype=float), group)


def neighbor_pairs(frame: Frame) -> pd.DataFrame:
    """Return the codes of areas that touch: `area, neighbor`, each pair once.

    It is what adaptive sampling needs (`nsm.selection.to_visit`).

    Raises
    ------
    FrameError
        The frame has neither boundaries nor points.
    """
    pairs, codes = neighbors(frame), frame.table[frame.key].to_numpy()
    return pd.DataFrame({"area": codes[pairs["one"]], "neighbor": codes[pairs["other"]]})


def geometry_of(frame: Frame) -> np.ndarray:
    """Return the polygons in the order of the rows.

    Raises
    ------
    FrameError
        An area has no polygon, or an invalid or empty one.
    """
    shapes = frame.require_boundaries().drop_duplicates(frame.key).set_index(frame.key)
    geometry = np.asarray(shapes.geometry[frame.table[frame.key]])
    invalid = ~shapely.is_valid(geometry)
    if invalid.any():
        raise FrameError(
            "The polygons of {count} areas are invalid: {areas}. Mend them; `check` says why.",
            count=int(invalid.sum()),
            areas=list(frame.table.loc[invalid, frame.key]),
        )
    empty = shapely.is_empty(geometry)
    if empty.any():
        raise FrameError(
            "The polygons of {count} areas are empty: {areas}. Draw them, or leave the areas out.",
            count=int(empty.sum()),
            areas=list(frame.table.loc[empty, frame.key]),
        )
    return geometry


def _by_border(frame: Frame, group: np.ndarray) -> pd.DataFrame:
    geometry = geometry_of(frame)
    one, other = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    keep = (one < other) & (group[one] == group[other])
    one, other = one[keep], other[keep]
    length = shapely.length(shapely.intersection(geometry[one], geometry[other]))
    found = pd.DataFrame({"one": one, "other": other, "length": length})
    return found[found["length"] > 0].sort_values(["one", "other"], ignore_index=True)


def _by_points(points: np.ndarray, group: np.ndarray) -> pd.DataFrame:
    from scipy.spatial import Delaunay, QhullError

    parts = []
    for g in np.unique(group):
        mine = np.flatnonzero(group == g)
        try:
            corners = Delaunay(points[mine], qhull_options="QJ").simplices
            local = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
        except (QhullError, ValueError):
            # Fewer than three points, or all on a line: each is the neighbor of the next.
            order = np.lexsort(points[mine].T)
            local = np.column_stack([order[:-1], order[1:]])
        parts.append(np.sort(mine[local], axis=1))
    pairs = np.unique(np.concatenate(parts), axis=0) if parts else np.empty((0, 2), dtype=int)
    distance = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    length = 1 / np.maximum(distance, 1e-9)
    return pd.DataFrame({"one": pairs[:, 0], "other": pairs[:, 1], "length": length})
