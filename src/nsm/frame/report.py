"""The frame's part of the project report: tables and figures; `publication` writes the page."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.frame.description import label
from nsm.frame.findings import COLUMNS
from nsm.frame.rollup import prior_column, weighted_mean, weights
from nsm.frame.shapes import fill
from nsm.frame.strata import strata_table
from nsm.language import translate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nsm.frame.frame import Frame

_PRIOR_CLASSES = (0.0, 0.02, 0.05, 0.10, 0.20, 0.30)


def overview(frame: Frame, language: str = "en") -> pd.DataFrame:
    """Return what the frame holds: `item, value` (number of units of each level, sums of sizes)."""
    said = [(translate("areas", language), len(frame))]
    for level in frame.levels[:-1]:
        name = frame.label("levels", level, language)
        said.append((name, int(frame.table[level].nunique())))
    said += [
        (frame.label("sizes", size, language), int(frame.table[size].sum()))
        for size in frame.sizes
        if not size.startswith("hh_")
    ]
    return pd.DataFrame(said, columns=["item", "value"])


def by_class(frame: Frame, column: str, language: str = "en") -> pd.DataFrame:
    """Return areas, sizes and prior prevalence by a class (territory, zone)."""
    frame.require_columns([column])
    group, codes = pd.factorize(frame.table[column], sort=True)
    names = frame.description.get("classes", {}).get(column, {})
    out = pd.DataFrame({column: [label(names.get(c), language, str(c)) for c in codes]})
    out["areas"] = np.bincount(group, minlength=len(codes))
    for size in ("households", "dwellings", "population"):
        if size in frame.table.columns:
            out[size] = np.asarray(frame.table[size].groupby(group).sum())
    prior = prior_column(frame)
    if prior is not None:
        values = frame.table[prior].to_numpy(float)
        out["prior"] = weighted_mean(values, weights(frame), group, len(codes))
    return out


def by_prior(frame: Frame) -> pd.DataFrame:
    """Return areas, population and expected migrants by class of prior prevalence."""
    name = prior_column(frame) or "prior"
    frame.require_columns([name])
    values = frame.table[name].to_numpy(float)
    kind = np.searchsorted(_PRIOR_CLASSES, values, side="left")
    count, people = len(_PRIOR_CLASSES) + 1, weights(frame)
    rows = pd.DataFrame({"class": _class_names()})
    rows["areas"] = np.bincount(kind, minlength=count)
    rows["population"] = np.rint(np.bincount(kind, people, count)).astype("int64")
    rows["migrants"] = np.rint(np.bincount(kind, people * values, count)).astype("int64")
    total = max(int(rows["migrants"].sum()), 1)
    return rows.assign(share=rows["migrants"] / total)


def _class_names() -> list[str]:
    ends = [f"{100 * c:g}" for c in _PRIOR_CLASSES]
    middle = [f"{a}-{b} %" for a, b in pairwise(ends)]
    return ["0 %", *middle, f"> {ends[-1]} %"]


def sections(frame: Frame, language: str = "en") -> dict[str, Any]:
    """Return the report's tables and figures by title, in their order.

    The findings and the map of areas are for the internal report only; no area's code stands in
    the others.
    """
    found: dict[str, Any] = {
        translate("What the frame holds", language): overview(frame, language),
        translate("What the check found", language): frame.check(language=language)[COLUMNS],
    }
    for column in frame.description.get("classes", {}):
        title = translate("Areas by {column}", language).format(column=translate(column, language))
        found[title] = by_class(frame, column, language)
    if prior_column(frame) is not None:
        found[translate("Areas by prior prevalence", language)] = by_prior(frame)
    if "stratum" in frame.table.columns:
        found[translate("Strata", language)] = strata_table(frame)
    if frame.boundaries is not None and prior_column(frame) is not None:
        found[translate("Map of the prior prevalence", language)] = prior_map(frame, language)
    if frame.boundaries is not None and "stratum" in frame.table.columns:
        found[translate("Map of the strata", language)] = class_map(frame, "stratum", language)
    return found


def prior_map(frame: Frame, language: str = "en") -> Figure:
    """Draw areas by prior prevalence."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm

    name = prior_column(frame) or "prior"
    figure, axes = _canvas()
    shapes = frame.require_boundaries().merge(frame.table[[frame.key, name]], on=frame.key)
    ends = [*_PRIOR_CLASSES, 1.0]
    shades = ScalarMappable(BoundaryNorm(ends, 256), colormaps["YlOrRd"])
    group = np.clip(np.searchsorted(ends, shapes[name], side="right") - 1, 0, len(ends) - 2)
    fill(axes, shapes, group, list(shades.to_rgba(np.array(ends[:-1]))))
    bar = figure.colorbar(shades, ax=axes, shrink=0.6, ticks=ends)
    bar.ax.set_yticklabels([f"{100 * c:g} %" for c in ends])
    title = frame.description.get("prior", {}).get("title")
    bar.set_label(label(title, language, translate("prior prevalence", language)))
    return _finished(figure, axes, frame, language)


def class_map(frame: Frame, column: str, language: str = "en") -> Figure:
    """Draw areas by a class: stratum, territory, zone."""
    from matplotlib.patches import Patch

    frame.require_columns([column])
    figure, axes = _canvas()
    shapes = frame.require_boundaries().merge(frame.table[[frame.key, column]], on=frame.key)
    group, codes = pd.factorize(shapes[column], sort=True)
    palette = _palette([str(c) for c in codes])
    fill(axes, shapes, group, [tuple(color) for color in palette])
    names = frame.description.get("classes", {}).get(column, {})
    handles = [
        Patch(color=tuple(c), label=label(names.get(k), language, str(k)))
        for c, k in zip(palette, codes, strict=True)
    ]
    axes.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=8
    )
    return _finished(figure, axes, frame, language)


def _palette(codes: list[str]) -> np.ndarray:
    """Return a color for each code (codes, 4): a hue for each prefix, darker by class."""
    from matplotlib import colormaps

    parts = [c.rpartition("-") if c.rpartition("-")[2].isdigit() else (c, "", "") for c in codes]
    hue, prefixes = pd.factorize(np.array([p[0] for p in parts], dtype=object))
    colors = colormaps["tab10"](hue % 10)
    grade = np.array([int(p[2] or 0) for p in parts], dtype=float)
    if len(prefixes) < len(codes):
        depth = 0.2 + 0.8 * grade / max(grade.max(), 1)
        colors[:, :3] = 1 - depth[:, None] * (1 - colors[:, :3])
    return colors


def _canvas() -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.5), layout="constrained")
    return figure, figure.subplots()


def _finished(figure: Figure, axes: Axes, frame: Frame, language: str) -> Figure:
    axes.set_axis_off()
    return signed(figure, axes, frame.description, language)


def signed(
    figure: Figure, axes: Axes, description: Mapping[str, Any], language: str = "en"
) -> Figure:
    """Return a map that says whether its areas are synthetic, and to whom its polygons are owed."""
    about = description.get("frame", {})
    if about.get("synthetic"):
        axes.set_title(label(about.get("notice"), language, translate("synthetic", language)),
                       fontsize=8, loc="left", color="firebrick", wrap=True)  # fmt: skip
    source = description.get("geometry", {}).get("attribution")
    if source:
        figure.text(0.005, 0.005, f"© {source}", fontsize=6, color="gray")
    return figure
