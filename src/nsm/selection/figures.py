"""Maps of strata and samples. They show sampled areas: for internal use only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.errors import SelectionError
from nsm.frame.report import signed
from nsm.frame.shapes import fill
from nsm.language import translate
from nsm.selection.source import source

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nsm.selection.sample import Sample

_COLORS = {"main": "#b2182b", "reserve": "#2166ac"}
_MOST_STRATA = 12


def sample_map(
    sample: Sample, frame: Any, *, columns: tuple[str, str] = ("x", "y"), language: str = "en"
) -> Figure:
    """Draw the frame in grey with the sampled areas over it.

    Polygons are used if the frame has boundaries, else the coordinates in `columns`.

    Raises
    ------
    SelectionError
        The frame has neither boundaries nor these columns.
    """
    figure, axes = _blank()
    shapes = getattr(frame, "boundaries", None)
    given = source(frame, sample.key)
    roles = sample.table.set_index(sample.key)["role"]
    if shapes is not None:
        role = shapes[sample.key].map(roles)
        group = np.select([role == name for name in _COLORS], [1, 2], 0)
        fill(axes, shapes, group, ["#e4e4e4", *_COLORS.values()])
        for name, color in _COLORS.items():
            count = int((role == name).sum())
            if count:
                axes.plot([], [], "s", color=color, label=_label(name, count, language))
    else:
        points = _points(given.table, columns)
        axes.plot(*points.T, ".", color="#cccccc", markersize=1)
        for role, color in _COLORS.items():
            drawn = given.table[given.key].map(roles).eq(role).to_numpy()
            if drawn.any():
                text = _label(role, int(drawn.sum()), language)
                axes.plot(*points[drawn].T, ".", color=color, markersize=4, label=text)
    figure.suptitle(translate("Sampled areas (internal use)", language))
    axes.legend(loc="lower left", frameon=False)
    return signed(figure, axes, getattr(frame, "description", {}), language)


def _label(role: str, count: int, language: str) -> str:
    words = {"main": "main", "reserve": "reserve"}
    return f"{translate(words[role], language)}: {count}"


def strata_map(
    frame: Any,
    *,
    stratum: str = "stratum",
    columns: tuple[str, str] = ("x", "y"),
    key: str | None = None,
    language: str = "en",
) -> Figure:
    """Draw the areas of a frame in the colors of their strata.

    Raises
    ------
    SelectionError
        The frame has neither boundaries nor the coordinates in `columns`.
    """
    from matplotlib import colormaps

    figure, axes = _blank()
    given = source(frame, key)
    labels = given.table[stratum].astype("str")
    names = sorted(labels.unique())
    palette = colormaps["viridis"](np.linspace(0.05, 0.95, len(names)))
    shapes = getattr(frame, "boundaries", None)
    if shapes is not None:
        place = given.table.set_index(given.key)[stratum].astype("str")
        group = pd.Index(names).get_indexer(shapes[given.key].map(place))
        fill(axes, shapes, group, list(palette))
    for name, color in zip(names, palette, strict=True):
        inside = (labels == name).to_numpy()
        shown = name if len(names) <= _MOST_STRATA else None
        if shapes is not None:
            axes.plot([], [], "s", color=color, label=shown)
        else:
            points = _points(given.table[inside], columns)
            axes.plot(*points.T, ".", color=color, markersize=2, label=shown)
    figure.suptitle(translate("Strata", language))
    if len(names) <= _MOST_STRATA:
        axes.legend(loc="lower left", frameon=False, fontsize=7)
    return signed(figure, axes, getattr(frame, "description", {}), language)


def _blank() -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure, axes


def _points(table: pd.DataFrame, columns: tuple[str, str]) -> np.ndarray:
    if not set(columns) <= set(table.columns):
        raise SelectionError(
            "A map needs boundaries in the frame or the columns {columns}. Add them, or name "
            "others with x= and y=.",
            columns=list(columns),
        )
    return table[list(columns)].to_numpy(dtype=float)
