"""Filled polygons on a map: tens of thousands of areas as one shape for each color."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes


def fill(axes: Axes, shapes: GeoDataFrame, group: np.ndarray, colors: Sequence[Any]) -> None:
    """Fill polygons with the color of their group.

    Parameters
    ----------
    axes
        Where to draw.
    shapes
        Polygons and multipolygons, holes included.
    group
        Number of the color of each (shapes,); those below 0 are left out.
    colors
        Colors of the groups.

    Notes
    -----
    Each group is one compound path: rings keep their direction, so holes stay open. A hairline in
    the same color closes the gaps that smoothing leaves between neighbors.
    """
    from matplotlib.patches import PathPatch

    geometry = shapes.geometry.to_numpy()
    for number, color in enumerate(colors):
        part = geometry[group == number]
        if len(part):
            axes.add_artist(PathPatch(_path(part), color=color, linewidth=0.15, rasterized=True))
    left, low, right, high = shapes.total_bounds
    axes.update_datalim([(left, low), (right, high)])
    axes.set_aspect(1 / np.cos(np.radians((low + high) / 2)) if _degrees(shapes) else 1)
    axes.autoscale_view()


def _path(polygons: np.ndarray) -> Any:
    """Return the rings of polygons as one path."""
    import shapely
    from matplotlib.path import Path

    rings = shapely.get_rings(shapely.get_parts(polygons))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    first = np.flatnonzero(np.diff(ring, prepend=-1))
    last = np.append(first[1:], len(ring)) - 1
    codes = np.full(len(ring), Path.LINETO, dtype=Path.code_type)
    codes[first], codes[last] = Path.MOVETO, Path.CLOSEPOLY
    return Path(points, codes)


def _degrees(shapes: GeoDataFrame) -> bool:
    return shapes.crs is not None and shapes.crs.is_geographic
