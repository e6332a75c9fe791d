"""Plans as pictures and as sections of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nsm.allocation.compare import comparison
from nsm.errors import OptionError, nearest
from nsm.language import translate

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nsm.allocation.plan import Plan

_PLAN, _OTHER, _GOAL = "#2166ac", "#b0b0b0", "#b2182b"
_BARS = 40
_LINES = 20


def plan_figure(plan: Plan, kind: str, language: str = "en") -> Figure:
    """Draw `allocation`, `precision` or `curve` of a plan.

    Raises
    ------
    OptionError
        There is no such picture.
    """
    makers = {"allocation": _allocation, "precision": _precision, "curve": _curve}
    if kind not in makers:
        raise OptionError(
            "There is no picture {kind!r} of a plan. {hint}", kind=kind, hint=nearest(kind, makers)
        )
    return makers[kind](plan, language)


def _axes(title: str, rows: int) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, max(3.0, 1.2 + 0.22 * rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _allocation(plan: Plan, language: str) -> Figure:
    table = plan.table.nlargest(_BARS, "n").iloc[::-1]
    figure, axes = _axes(translate("Sample by stratum, beside proportional", language), len(table))
    size = "n_psu" if "n_psu" in table.columns else "n"
    share = table["psus" if "psus" in table.columns else "population"]
    even = share * plan.table[size].sum() / plan.table[share.name].sum()
    axes.barh(table["stratum"], table[size], color=_PLAN, label=translate("plan", language))
    axes.plot(
        even,
        table["stratum"],
        "|",
        color="black",
        markersize=9,
        label=translate("proportional", language),
    )
    axes.set_xlabel(translate("units to draw", language))
    axes.legend(frameon=False)
    return figure


def _labels(table: pd.DataFrame) -> list[str]:
    return [
        y if domain == "all" else f"{y}, {value}"
        for domain, value, y in zip(table["domain"], table["value"], table["variable"], strict=True)
    ]


def _precision(plan: Plan, language: str) -> Figure:
    table = plan.compare()
    if table["target"].notna().any():
        table = table[table["target"].notna()]
    table = table.head(_BARS).iloc[::-1]
    figure, axes = _axes(translate("Expected coefficients of variation", language), len(table))
    places = np.arange(len(table))
    axes.plot(
        100 * table["cv_proportional"],
        places,
        "o",
        color=_OTHER,
        label=translate("proportional, same cost", language),
    )
    axes.plot(100 * table["cv"], places, "o", color=_PLAN, label=translate("plan", language))
    axes.plot(
        100 * table["target"],
        places,
        "|",
        color=_GOAL,
        markersize=12,
        label=translate("target", language),
    )
    axes.set_yticks(places, _labels(table))
    axes.set_xlabel(translate("CV (%)", language))
    axes.set_xlim(left=0)
    axes.legend(frameon=False)
    return figure


def _curve(plan: Plan, language: str) -> Figure:
    table = plan.curve()
    from matplotlib import colormaps

    figure, axes = _axes(translate("Precision against cost", language), 16)
    axes.set_prop_cycle(color=colormaps["tab20"].colors)  # type: ignore[attr-defined]  # a listed one
    for _, line in list(table.groupby(["domain", "value", "variable"]))[:_LINES]:
        axes.plot(line["cost"], 100 * line["cv"], ".-", label=_labels(line.head(1))[0])
    axes.plot(plan.cost, 0, "^", color="black", clip_on=False, label=translate("plan", language))
    axes.set_xlabel(translate("cost", language))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylabel(translate("CV (%)", language))
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8, ncols=2)
    return figure


def plan_report(plan: Plan, language: str = "en") -> dict[str, pd.DataFrame | Figure]:
    """Return the sections on allocation: headings to tables and figures."""
    goals = plan.precision[plan.precision["target"].notna()]
    sections: dict[str, pd.DataFrame | Figure] = {
        "Allocation by stratum": plan.table,
        "Sample by stratum": plan_figure(plan, "allocation", language),
        "Expected precision": goals if len(goals) else plan.precision,
        "Precision beside proportional allocation": plan_figure(plan, "precision", language),
    }
    if plan.excluded is not None:
        sections["Excluded coverage: nothing is drawn there, totals are of the rest"] = (
            plan.excluded
        )
    if len(goals):
        sections["What the targets cost"] = goals[goals["binding"]].sort_values(
            "point_cost", ascending=False
        )
        sections["Beside proportional allocation"] = comparison(plan)
    sections["Precision and cost"] = plan_figure(plan, "curve", language)
    return {translate(heading, language): content for heading, content in sections.items()}
