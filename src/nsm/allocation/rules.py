"""Allocations by a formula: shares of n by stratum, and exact whole numbers."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import AllocationError, ColumnError, OptionError

if TYPE_CHECKING:
    import pandas as pd


def shares(
    rule: str,
    table: pd.DataFrame,
    moments: tuple[np.ndarray, np.ndarray, np.ndarray] | None,
    *,
    power: float = 0.5,
    importance: float = 1.0,
) -> np.ndarray:
    """Return numbers proportional to n by stratum, before bounds.

    Parameters
    ----------
    rule
        `equal`; `proportional` to N; `neyman`, N S; `optimal`, N S / sqrt(cost); `power`, X^power
        S / mean with X the total (Bankier); `kish`, sqrt(I W^2 + 1 / H^2) with W = N / sum N, H
        strata and I the importance of the whole against that of strata.
    moments
        Total, a and b of the variable; None where the rule needs none.

    References
    ----------
    Cochran (1977), sec. 5.5; Bankier (1988), The American Statistician 42, 174-177; Kish (1988),
    Journal of Official Statistics 4, 19-32.
    """
    population = table["population"].to_numpy()
    if rule == "equal":
        return np.ones(len(table))
    if rule == "proportional":
        return population
    if rule == "kish":
        if importance < 0:
            raise OptionError(
                "importance is {importance}; it must be 0 or more.", importance=importance
            )
        return np.sqrt(importance * (population / population.sum()) ** 2 + 1 / len(table) ** 2)
    if moments is None:
        raise ColumnError(
            "Rule {rule!r} needs the mean and standard deviation of a variable: columns mean_<y> "
            "and sd_<y>, and y='...' to name it.",
            rule=rule,
        )
    total, a, _ = moments
    if rule == "power":
        return _power_shares(table, total, a, power)
    return np.sqrt(a / (1 if rule == "neyman" else table["cost"].to_numpy()))


def _power_shares(
    table: pd.DataFrame, total: np.ndarray, a: np.ndarray, power: float
) -> np.ndarray:
    if not 0 <= power <= 1:
        raise OptionError("power is {power}; it must be between 0 and 1.", power=power)
    empty = table.loc[total <= 0, "stratum"]
    if len(empty):
        raise AllocationError(
            "Power allocation needs totals above 0, but {count} strata have none: {strata}. Merge "
            "them with others.",
            count=len(empty),
            strata=list(empty),
        )
    return total**power * np.sqrt(a) / total


def bounded(
    share: np.ndarray, low: np.ndarray, high: np.ndarray, amount: float, cost: np.ndarray
) -> np.ndarray:
    """Return t * share within the bounds, with t such that its cost is `amount`."""
    below, above = 0.0, 1.0
    while cost @ np.clip(above * share, low, high) < amount and np.any(above * share < high):
        above *= 2
        if above > 1e300:
            break
    for _ in range(200):
        middle = (below + above) / 2
        if cost @ np.clip(middle * share, low, high) < amount:
            below = middle
        else:
            above = middle
    return np.clip(above * share, low, high)


def largest_remainders(x: np.ndarray, low: np.ndarray, high: np.ndarray, n: int) -> np.ndarray:
    """Round `x` to whole numbers that add up to `n`, within whole bounds."""
    whole = np.clip(np.floor(x + 1e-9), low, high)
    left = n - int(whole.sum())
    step = 1 if left > 0 else -1
    while left:
        room = whole < high if step > 0 else whole > low
        order = np.argsort(-step * (x - whole), kind="stable")
        chosen = [k for k in order if room[k]][: abs(left)]
        whole[chosen] += step
        left -= step * len(chosen)
    return whole


def smallest_variance(
    a: np.ndarray, cost: np.ndarray, bounds: tuple[np.ndarray, np.ndarray], amount: float
) -> np.ndarray:
    """Return the whole numbers that make sum a / n smallest for a cost of at most `amount`.

    Units are added one by one where a / (n (n + 1)) per cost is largest, which is exact where
    costs are equal.

    References
    ----------
    Wright (2012), Statistics & Probability Letters 82, 2064-2073; Wright (2017), The American
    Statistician 71, 217-224.
    """
    low, high = bounds
    ideal = bounded(np.sqrt(np.maximum(a, 1e-300) / cost), low, high, amount, cost)
    n = np.clip(np.floor(ideal) - 1, low, high)
    left = amount - cost @ n
    queue = [(-a[h] / (n[h] * (n[h] + 1) * cost[h]), h) for h in range(len(a)) if n[h] < high[h]]
    heapq.heapify(queue)
    while queue:
        h = heapq.heappop(queue)[1]
        if cost[h] > left + 1e-9:
            continue
        n[h] += 1
        left -= cost[h]
        if n[h] < high[h]:
            heapq.heappush(queue, (-a[h] / (n[h] * (n[h] + 1) * cost[h]), h))
    return n
