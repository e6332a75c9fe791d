"""What weighting did: step by step, by domain, and at the extremes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from nsm.estimation import Survey


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


def effects(surveys: Mapping[str, Survey]) -> pd.DataFrame:
    """Return the weights of each survey: units, sum, quantiles, Kish's effect."""
    rows = []
    for name, survey in surveys.items():
        used = survey.weights[survey.weights > 0]
        low, q1, median, q3, high = np.quantile(used, [0, 0.25, 0.5, 0.75, 1])
        rows.append(
            {
                "table": name,
                "units": len(used),
                "sum": float(used.sum()),
                "min": low,
                "q1": q1,
                "median": median,
                "q3": q3,
                "max": high,
                "kish": kish_effect(used),
            }
        )
    return pd.DataFrame(rows)
