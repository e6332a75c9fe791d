"""What weighting did: step by step, by control and domain, and at the extremes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.language import translate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nsm.estimation import Survey
    from nsm.estimation.influence import Adjustment

MOST_LABELS = 12
EXTREMES = 20


def kish_effect(weights: np.ndarray) -> float:
    """Return Kish's design effect of unequal weights, n sum w^2 / (sum w)^2, of weights above 0.

    References
    ----------
    Kish (1992), Journal of Official Statistics 8, p. 183-200.
    """
    used = weights[weights > 0]
    return float(len(used) * np.sum(used**2) / np.sum(used) ** 2) if len(used) else float("nan")


def step_table(survey: Survey) -> pd.DataFrame:
    """Return one row per step: units, factors, and Kish's effect before and after.

    Returns
    -------
    `step, level, units, kept, factor_min, factor_median, factor_max, kish_before, kish_after,
    sum_before, sum_after`.
    """
    rows = []
    for adjustment in survey.adjustments:
        before, after = adjustment.before, adjustment.after
        kept = adjustment.factor[(before > 0) & (after > 0)]
        quantiles = np.quantile(kept, [0, 0.5, 1]) if len(kept) else np.full(3, np.nan)
        rows.append(
            {
                "step": adjustment.name,
                "level": survey.levels[adjustment.level].table.name,
                "units": int((before > 0).sum()),
                "kept": int((after > 0).sum()),
                "factor_min": quantiles[0],
                "factor_median": quantiles[1],
                "factor_max": quantiles[2],
                "kish_before": kish_effect(before),
                "kish_after": kish_effect(after),
                "sum_before": float(before.sum()),
                "sum_after": float(after.sum()),
            }
        )
    return pd.DataFrame(rows)


def factor_table(survey: Survey) -> pd.DataFrame:
    """Return the weights of each row, step by step.

    Returns
    -------
    `base_weight`, a factor for each step (steps of tables above are handed down), `weight`; one row
    per row of the survey.
    """
    columns: dict[str, np.ndarray] = {"base_weight": survey.base[survey.link(0)]}
    for number, step in enumerate(survey.adjustments, 1):
        columns[f"{number} {step.name}"] = step.factor[survey.link(step.level)]
    return pd.DataFrame({**columns, "weight": survey.weights})


def effects(surveys: Mapping[str, Survey]) -> pd.DataFrame:
    """Return the weights of each survey: units, sum, quantiles, Kish's effect."""
    return pd.DataFrame(
        [{"table": name, **_distribution(s.weights)} for name, s in surveys.items()]
    )


def distribution(survey: Survey, by: str) -> pd.DataFrame:
    """Return the distribution of the weights in each domain; columns as `effects` has them."""
    codes, labels = survey.table.codes(by)
    return pd.DataFrame(
        [
            {by: label, **_distribution(survey.weights[codes == k])}
            for k, label in enumerate(labels, 1)
        ]
    )


def _distribution(weights: np.ndarray) -> dict[str, float | int]:
    used = weights[weights != 0]
    levels = np.quantile(used, [0, 0.25, 0.5, 0.75, 1]) if len(used) else np.full(5, np.nan)
    names = ("min", "q1", "median", "q3", "max")
    found: dict[str, float | int] = {"units": len(used), "sum": float(used.sum())}
    return {**found, **dict(zip(names, levels.tolist(), strict=True)), "kish": kish_effect(used)}


def margin_table(survey: Survey) -> pd.DataFrame:
    """Return the controls of every calibration: weighted sums before and after.

    Returns
    -------
    `step, control, before, after, ratio`; `after` is the known total, or near it where a soft
    control gave.
    """
    rows = []
    for step in survey.adjustments:
        if not step.external or step.cells is None:
            continue
        sums = [
            np.bincount(step.cells.codes, w, len(step.cells.matrix)) @ step.cells.matrix
            for w in (step.before, step.after)
        ]
        for label, before, after in zip(step.labels, *sums, strict=True):
            ratio = after / before if before else np.nan
            rows.append(
                {
                    "step": step.name,
                    "control": label,
                    "before": float(before),
                    "after": float(after),
                    "ratio": float(ratio),
                }
            )
    return pd.DataFrame(rows, columns=["step", "control", "before", "after", "ratio"])


def class_table(survey: Survey) -> pd.DataFrame:
    """Return the classes of every non-response step, or the terms of its model.

    Returns
    -------
    `step, class, units, respondents, rate, factor`: `rate` is weighted, 0 to 1. A response model
    has one row.
    """
    rows = []
    for step in survey.adjustments:
        if step.phase is None or step.cells is None:
            continue
        modeled = step.phase.effect is not None
        codes = np.zeros(len(step.before), np.int64) if modeled else step.cells.codes
        names = (" + ".join(step.labels),) if modeled else step.labels
        eligible = (step.effect != 0) | (step.factor > 0) if step.effect is not None else None
        for k, name in enumerate(names):
            mine = (codes == k) & (step.before > 0)
            mine = mine if eligible is None else mine & eligible
            kept = mine & (step.factor > 0)
            if not mine.any():
                continue
            rows.append(
                {
                    "step": step.name,
                    "class": name,
                    "units": int(mine.sum()),
                    "respondents": int(kept.sum()),
                    "rate": float(step.before[kept].sum() / step.before[mine].sum()),
                    "factor": float(step.factor[kept].mean()) if kept.any() else np.nan,
                }
            )
    return pd.DataFrame(rows, columns=["step", "class", "units", "respondents", "rate", "factor"])


def response_table(survey: Survey, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Compare respondents with all eligible units on what is known of both.

    Parameters
    ----------
    columns
        Columns to compare; None: those of the step's table that are observed for all eligible units
        and have at most 12 labels.

    Returns
    -------
    `step, variable, category, eligible, respondents, adjusted, difference`: weighted shares (0-1)
    of all eligible units, of respondents before and after the step; `difference` is respondents -
    eligible, the bias that weighting has to remove.
    """
    rows = []
    for step in survey.adjustments:
        if step.phase is None or step.cells is None or step.effect is None:
            continue
        table = survey.levels[step.level].table
        eligible = (step.before > 0) & ((step.effect != 0) | (step.factor > 0))
        for name in _comparable(table, eligible) if columns is None else columns:
            codes, labels = table.codes(name)
            shares = [
                _shares(codes, weight, len(labels))
                for weight in (
                    np.where(eligible, step.before, 0.0),
                    np.where(step.factor > 0, step.before, 0.0),
                    step.after,
                )
            ]
            for label, whole, answered, adjusted in zip(labels, *shares, strict=True):
                rows.append(
                    {
                        "step": step.name,
                        "variable": name,
                        "category": str(label),
                        "eligible": whole,
                        "respondents": answered,
                        "adjusted": adjusted,
                        "difference": answered - whole,
                    }
                )
    names = ["step", "variable", "category", "eligible", "respondents", "adjusted", "difference"]
    return pd.DataFrame(rows, columns=names)


def _shares(codes: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    sums = np.bincount(codes, weight, count + 1)[1:]
    return sums / max(float(sums.sum()), 1e-300)


def _comparable(table: Any, eligible: np.ndarray) -> list[str]:
    """Return the columns that are observed for all eligible units and have few labels."""
    found = []
    for name in table.columns:
        if table.series(name).nunique() > MOST_LABELS:
            continue
        codes, labels = table.codes(name)
        seen = codes[eligible]
        if len(labels) > 1 and (seen > 0).all() and seen.min() < seen.max():
            found.append(name)
    return found


def extremes(survey: Survey, area: str = "area", count: int = EXTREMES) -> pd.DataFrame:
    """Return the rows with the largest weights, with their area: for internal use.

    Returns
    -------
    `row, area, weight, times_median, share`: `share` of the sum of all weights (0-1).
    """
    weights = survey.weights
    rows = np.argsort(-weights, kind="stable")[:count]
    table = pd.DataFrame({"row": rows + 1})
    if area in survey.table.columns:
        table[area] = survey.table.series(area).to_numpy()[rows]
    median = float(np.median(weights[weights > 0]))
    return table.assign(
        weight=weights[rows],
        times_median=weights[rows] / median,
        share=weights[rows] / weights.sum(),
    )


def sections(
    surveys: Mapping[str, Survey], language: str = "en", *, by: str | None = None
) -> dict[str, pd.DataFrame | Figure]:
    """Return the tables and figures of a report's section on weights, by caption.

    Parameters
    ----------
    surveys
        Name -> survey; the tables are of the last, with all its steps.
    by
        Column of domains, for the distribution of weights.
    """

    def say(text: str) -> str:
        return translate(text, language)

    last = list(surveys.values())[-1]
    found: dict[str, pd.DataFrame | Figure] = {
        say("Weights, step by step"): step_table(last),
        say("Distribution of weights"): effects(surveys),
        say("Controls before and after"): margin_table(last),
        say("Response by class"): class_table(last),
        say("Respondents and all eligible units"): response_table(last),
    }
    if by is not None:
        found[say("Weights by domain")] = distribution(last, by)
    found = {k: t for k, t in found.items() if not isinstance(t, pd.DataFrame) or len(t)}
    found[say("Weights after each step")] = weights_figure(last, language)
    found[say("Factors of each step")] = factors_figure(last, language)
    found[say("Largest weights (internal)")] = extremes(last)
    return found


def weights_figure(survey: Survey, language: str = "en") -> Figure:
    """Draw the distribution of the weights after each step, from quantile 0.01 to 0.99."""
    steps = [s for s in survey.adjustments if (s.after > 0).any()]
    data = [_logs(s.after) for s in steps]
    title = translate("Weights after each step (logarithmic)", language)
    return _boxes(data, [s.name for s in steps], title)


def factors_figure(survey: Survey, language: str = "en") -> Figure:
    """Draw the distribution of the factors of each step, from quantile 0.01 to 0.99."""
    steps: list[Adjustment] = [s for s in survey.adjustments if (s.after > 0).any()]
    data = [_logs(s.factor[(s.before > 0) & (s.factor > 0)]) for s in steps]
    title = translate("Factors g of each step (logarithmic)", language)
    return _boxes(data, [s.name for s in steps], title)


def _logs(values: np.ndarray) -> np.ndarray:
    return np.log10(values[values > 0])


def _boxes(data: Sequence[np.ndarray], names: Sequence[str], title: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 0.6 + 0.5 * max(len(data), 1)), layout="constrained")
    axes = figure.subplots()
    for row, values in enumerate(reversed(data)):
        least, q1, median, q3, most = np.quantile(values, [0.01, 0.25, 0.5, 0.75, 0.99])
        axes.plot([least, most], [row, row], color="#7a8793", linewidth=1)
        axes.plot([q1, q3], [row, row], color="#3b6b8f", linewidth=8, solid_capstyle="butt")
        axes.plot([median], [row], "|", color="#b5542b", markersize=14, markeredgewidth=2)
    axes.set_yticks(range(len(names)), list(reversed(names)))
    axes.set_ylim(-0.6, len(names) - 0.4)
    low, high = axes.get_xlim()
    ticks = [t for k in range(-4, 8) for t in (k, k + np.log10(2), k + np.log10(5))]
    shown = [t for t in ticks if low <= t <= high]
    axes.set_xticks(shown, [f"{10**t:,.3g}" for t in shown])
    axes.grid(axis="x", linewidth=0.4)
    axes.set_title(title, fontsize=10)
    return figure
