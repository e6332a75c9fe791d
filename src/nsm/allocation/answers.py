"""What a planner asks of a plan: the price of a point of CV, a second phase, changes to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.allocation.compare import goals, replanned
from nsm.allocation.sample_size import change_variance, normal_quantile
from nsm.errors import AllocationError, OptionError

if TYPE_CHECKING:
    from nsm.allocation.plan import Plan

POINT = 0.01
_ROUNDS = 200


def point_costs(plan: Plan, step: float = POINT) -> pd.DataFrame:
    """Return what one more and one less point of CV would change, target by target.

    The plan is made again with one target moved and all others as they are, so this also holds
    where a point is much of the target; `Plan.precision` has the slope, `point_cost`.

    Parameters
    ----------
    step
        The point.

    Returns
    -------
    DataFrame `domain, value, variable, target, saved` (if the CV may be larger by `step`),
    `dearer` (if it must be smaller by it; null where no plan can).
    """
    wanted = goals(plan)
    moved = [[_moved(plan, wanted, k, s) for s in (step, -step)] for k in range(len(wanted))]
    cost = np.array(moved).reshape(-1, 2)
    kept = plan.precision.loc[wanted.index, ["domain", "value", "variable", "target"]]
    return kept.assign(saved=0.0 - cost[:, 0], dearer=cost[:, 1]).reset_index(drop=True)


def _moved(plan: Plan, wanted: pd.DataFrame, row: int, step: float) -> float:
    """Return what the plan costs more with one target moved; null where no plan meets it."""
    cv = wanted["cv"].to_numpy(dtype=float).copy()
    cv[row] += step
    if cv[row] <= 0:
        return float("nan")
    try:
        made = replanned(plan, precision=wanted.assign(cv=cv), n=None, budget=None)
    except AllocationError:  # out of reach, which the table says by a null
        return float("nan")
    return made.cost - plan.cost


def change_power(
    change: float,
    cv: float,
    *,
    before: float | None = None,
    overlap: float = 0.0,
    correlation: float = 0.0,
    confidence: float = 0.95,
) -> float:
    """Return the probability that a change since the last round is found significant.

    With T the total then and T (1 + d) now, SE^2 = (before T)^2 + (cv T (1 + d))^2 less the
    covariance of the areas in both rounds, and the two-sided test sees d with probability
    Phi(|d| T / SE - z) + Phi(-|d| T / SE - z).

    Parameters
    ----------
    change
        d, relative to the last round: -0.1 is a tenth less.
    cv, before
        Of the estimate now, and of that of the last round; the same if None.
    overlap, correlation
        Share of the areas that both rounds have, and correlation of an area's counts in both.

    Raises
    ------
    OptionError
        A number is out of its range.

    References
    ----------
    Valliant, Dever & Kreuter (2018), ch. 4; Kish (1965), sec. 12.4.

    Examples
    --------
    >>> round(change_power(0.0, 0.05), 6)
    0.05
    >>> change_power(0.15, 0.05, overlap=0.8, correlation=0.7) > change_power(0.15, 0.05)
    True
    """
    _check(change, cv, before, confidence)
    se = _se(change, cv, before, overlap, correlation)
    z, normal = normal_quantile(confidence), NormalDist()
    seen = abs(change) / se
    return normal.cdf(seen - z) + normal.cdf(-seen - z)


def detectable_change(
    cv: float,
    *,
    power: float = 0.8,
    before: float | None = None,
    overlap: float = 0.0,
    correlation: float = 0.0,
    confidence: float = 0.95,
    rising: bool = True,
) -> float:
    """Return the least relative change that is found with a probability of `power`.

    The other parameters are those of `change_power`. A fall (`rising=False`) is null where even
    one to nothing would not be seen.
    """
    options: dict[str, Any] = {
        "before": before,
        "overlap": overlap,
        "correlation": correlation,
        "confidence": confidence,
    }
    if not 1 - confidence < power < 1:
        raise OptionError("power is {power}; it must be below 1, and above the level.", power=power)
    sign, low, high = (1.0, 0.0, 1e-3) if rising else (-1.0, 0.0, 1.0)
    most = 1e3 if rising else 1.0
    while rising and high < most and change_power(high, cv, **options) < power:
        high *= 2
    if change_power(sign * high, cv, **options) < power:
        return float("nan")
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if change_power(sign * middle, cv, **options) < power:
            low = middle
        else:
            high = middle
    return sign * high


def _check(change: float, cv: float, before: float | None, confidence: float) -> None:
    if cv <= 0 or (before is not None and before <= 0):
        raise OptionError("{option} is {value}; it must be above 0.", option="cv", value=cv)
    if change < -1:
        raise OptionError("A change of {change} leaves less than nothing.", change=change)
    if not 0 < confidence < 1:
        raise OptionError("confidence is {value}; it must be between 0 and 1.", value=confidence)


def _se(
    change: float, cv: float, before: float | None, overlap: float, correlation: float
) -> float:
    """Return the standard error of a change, relative to the total of the last round."""
    now, then = cv * (1 + change), cv if before is None else before
    return sqrt(max(change_variance(then, now, overlap, correlation), 1e-300))


def second_phase(
    *,
    areas: float,
    cases: float,
    area_cost: float,
    interview_cost: float,
    homogeneity: float,
    shares: Sequence[float] = (1.0, 0.75, 0.5, 0.33, 0.25),
    p: float = 0.5,
) -> pd.DataFrame:
    """Return what interviewing only a share of those whom the screening finds would save.

    Counts come from the screening and stay as precise. What only an interview tells loses: with b
    interviews in each area, a share p among the cases has CV^2 = (1 - p) (1 + (b - 1) rho) /
    (p a b) in a areas.

    Parameters
    ----------
    areas, cases
        Areas that are screened, and members of the group expected in them.
    area_cost, interview_cost
        Of an area with its screening, and of an interview.
    homogeneity
        rho, of what the interview asks, inside an area.

    Returns
    -------
    One row per share: `share, interviews, cost, saved, cv` (of p among the cases), `efficiency`:
    what one and the same precision for p would cost with all interviewed, over what it costs so;
    above 1 the second phase pays.

    References
    ----------
    Cochran (1977), sec. 10.6 and 12.2; Kish (1965), sec. 5.4.
    """
    if areas <= 0 or cases <= 0 or min(area_cost, interview_cost) < 0:
        raise OptionError("Areas and cases must be above 0, and costs not below 0.")
    if not 0 <= homogeneity <= 1 or not 0 < p < 1 or not all(0 < s <= 1 for s in shares):
        raise OptionError("Homogeneity, p and shares are fractions; p and shares above 0.")
    share = np.asarray(shares, dtype=float)
    interviews = share * cases
    deff = 1 + np.maximum(interviews / areas - 1, 0.0) * homogeneity
    square = (1 - p) / p * deff / interviews
    cost = areas * area_cost + interviews * interview_cost
    whole = areas * area_cost + cases * interview_cost
    deff_all = 1 + max(cases / areas - 1, 0.0) * homogeneity
    square_all = (1 - p) / p * deff_all / cases
    return pd.DataFrame(
        {
            "share": share,
            "interviews": interviews,
            "cost": cost,
            "saved": whole - cost,
            "cv": np.sqrt(square),
            "efficiency": square_all * whole / (square * cost),
        }
    )
