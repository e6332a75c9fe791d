"""National goals: how far off they are, and whether the last change goes the right way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from nsm.errors import OptionError, nearest
from nsm.estimation import Estimates

BETTER = ("", "higher", "lower")
REACHED, TOWARD, AWAY, UNCLEAR = "reached", "right way", "wrong way", "no clear change"
SIGNIFICANCE = 0.05


class Target(NamedTuple):
    """A national goal.

    Parameters
    ----------
    value
        In the indicator's unit; rates are fractions.
    year
        By which it is to be reached.
    better
        `higher` or `lower`; empty: from where the indicator was toward the goal.
    """

    value: float
    year: int
    better: str = ""


def distances(
    estimates: Estimates,
    targets: Mapping[str, Target],
    year: int,
    *,
    change: Estimates | None = None,
    since: int | None = None,
) -> pd.DataFrame:
    """Return how far indicators are from their goals.

    Parameters
    ----------
    estimates
        Of this round, as `compute` gives them; the rows of the whole population are taken.
    targets
        Code -> goal.
    year
        Of this round.
    change, since
        The change since a round before (`compare` or `nsm.change`), and the year of that round.

    Returns
    -------
    `variable, estimate, se, target, year, distance, distance_se, p_reached, needed, change,
    change_se, p_toward, verdict`: `distance` is goal minus estimate, and has the estimate's
    standard error, as a goal has none; `p_reached` is of the two-sided test that the goal is met
    exactly; `needed` is the change a year from now on. `change` is a year's; `p_toward` is of the
    one-sided test that the last change does *not* go toward the goal, so that a small one says that
    it does. `verdict` is `reached`, or at 5 % `right way`, `wrong way` or `no clear change`; null
    without a round before.

    Raises
    ------
    OptionError
        A goal is of no indicator that was estimated, its year is past, or `better` is unknown.

    Examples
    --------
    >>> import nsm, pandas as pd
    >>> from nsm.indicators import compute
    >>> t = pd.DataFrame({"status": ["immigrant", "native"] * 2, "psu": [1, 1, 2, 2], "w": 10.0})
    >>> found = compute(nsm.Survey(t, weight="w", psu="psu"), ["immigrant_share"])
    >>> distances(found, {"immigrant_share": Target(0.4, 2030)}, 2025)["needed"].round(3).tolist()
    [-0.02]
    """
    rows = _whole(estimates)
    result = []
    for code, goal in targets.items():
        _check(code, goal, rows, year)
        last = None
        if change is not None and since is not None and since < year:
            changes = _whole(change)
            last = changes.get(code)
        years = (goal.year - year, year - (since or year))
        result.append(_one(rows[code], goal, last, years=years))
    return pd.DataFrame(result)


def _whole(estimates: Estimates) -> dict[str, pd.Series]:
    """Return the rows of the whole population, by indicator; proportions have none."""
    table = estimates.table
    for name in estimates.by:
        table = table[table[name].isna()]
    one = table[table["category"].isna()].drop_duplicates("variable")
    return {str(row["variable"]): row for _, row in one.iterrows()}


def _check(code: str, goal: Target, rows: Mapping[str, pd.Series], year: int) -> None:
    if code not in rows:
        raise OptionError("The target of {code!r} has no estimate beside it.", code=code)
    if goal.year <= year:
        raise OptionError(
            "The target of {code!r} is for {goal}, which is not after {year}.",
            code=code,
            goal=goal.year,
            year=year,
        )
    if goal.better not in BETTER:
        raise OptionError(
            "The target of {code!r} has better={given!r}. {hint}",
            code=code,
            given=goal.better,
            hint=nearest(goal.better, BETTER[1:]),
        )


def _one(
    row: pd.Series, goal: Target, last: pd.Series | None, *, years: tuple[int, int]
) -> dict[str, object]:
    """Return one row; `years` are those to the goal, and those since the last round."""
    gap = goal.value - float(row["estimate"])
    se, df = float(row["se"]), float(row["df"])
    moved, spread, last_df = (
        (np.nan, np.nan, np.nan)
        if last is None
        else (float(last[name]) for name in ("estimate", "se", "df"))
    )
    before = float(row["estimate"]) - (0.0 if np.isnan(moved) else moved)
    way = {"higher": 1.0, "lower": -1.0}.get(goal.better, float(np.sign(goal.value - before)))
    p = float(stats.t.sf(moved * way / spread, last_df)) if spread > 0 else np.nan
    return {
        "variable": row["variable"],
        "estimate": float(row["estimate"]),
        "se": se,
        "target": goal.value,
        "year": goal.year,
        "distance": gap,
        "distance_se": se,
        "p_reached": float(2 * stats.t.sf(abs(gap) / se, df)) if se > 0 else np.nan,
        "needed": gap / years[0],
        "change": moved / years[1] if years[1] else np.nan,
        "change_se": spread / years[1] if years[1] else np.nan,
        "p_toward": p,
        "verdict": _verdict(gap * way, p, known=bool(goal.better) or last is not None),
    }


def _verdict(left: float, p: float, *, known: bool) -> str | None:
    """Say how it stands; `left` is the way to the goal, in its direction."""
    if known and left <= 0:
        return REACHED
    if np.isnan(p):
        return None
    if p < SIGNIFICANCE:
        return TOWARD
    return AWAY if p > 1 - SIGNIFICANCE else UNCLEAR
