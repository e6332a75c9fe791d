"""The size of an allocation: a fixed n, a budget, or just enough for the targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nsm.allocation.bethel import Optimum, optimum
from nsm.allocation.problem import Problem
from nsm.allocation.rules import bounded, largest_remainders, shares, smallest_variance
from nsm.allocation.whole import whole_numbers
from nsm.errors import AllocationError

if TYPE_CHECKING:
    import pandas as pd

    from nsm.allocation.allocate import Wish

_LOOSEST = 1e6
Own = tuple[np.ndarray, np.ndarray, np.ndarray] | None


def by_formula(
    table: pd.DataFrame, problem: Problem, wish: Wish, own: Own
) -> tuple[np.ndarray, np.ndarray]:
    """Return the allocation of a formula in fractions and in whole numbers."""
    rule = "optimal" if wish.rule == "screening" else wish.rule
    share = shares(rule, table, own, power=wish.power, importance=wish.importance)
    low, high = np.ceil(problem.low), np.floor(problem.high)
    if wish.n is None and wish.budget is None:
        return _just_enough(share, problem, (low, high))
    if wish.n is not None:
        exact = bounded(share, low, high, float(wish.n), np.ones(len(low)))
        if rule == "neyman" and own is not None:
            return exact, smallest_variance(own[1], np.ones(len(low)), (low, high), float(wish.n))
        return exact, largest_remainders(exact, low, high, wish.n)
    money = float(wish.budget or 0) - problem.base
    exact = bounded(share, low, high, money, problem.cost)
    if rule == "optimal" and own is not None:
        return exact, smallest_variance(own[1], problem.cost, (low, high), money)
    whole = np.clip(np.floor(exact + 1e-9), low, high)
    for h in np.argsort(whole - exact, kind="stable"):
        if whole[h] < high[h] and problem.cost @ whole + problem.cost[h] <= money:
            whole[h] += 1
    return exact, whole


def _just_enough(
    share: np.ndarray, problem: Problem, bounds: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the least multiple of the shares that meets every target, exact and rounded up."""
    low, high = bounds
    positive = share > 0
    most = float(np.max(high[positive] / share[positive])) if positive.any() else 1.0

    def least(rounded: bool) -> np.ndarray:  # noqa: FBT001 - two roundings of one search
        below, above = 0.0, most
        for _ in range(100):
            middle = (below + above) / 2
            n = np.clip(np.ceil(middle * share) if rounded else middle * share, low, high)
            if np.all(problem.ratios(n) <= 1 + 1e-12):
                above = middle
            else:
                below = middle
        n = np.clip(np.ceil(above * share) if rounded else above * share, low, high)
        if np.any(problem.ratios(n) > 1 + 1e-9):
            raise AllocationError(
                "This rule cannot meet the targets: with every stratum at its maximum, or without "
                "sample where its share is 0, the worst CV is {worst} times its target. Take rule "
                "'bethel', or raise the targets.",
                worst=float(np.sqrt(np.max(problem.ratios(n)))),
            )
        return n

    return least(rounded=False), least(rounded=True)


def scaled_to(problem: Problem, amount: float) -> tuple[Optimum, float]:
    """Return the optimum whose cost is `amount`, and the factor on target CVs behind it."""
    tightest = _tightest(problem)
    high = np.floor(problem.high)
    if problem.price(high) <= amount:
        return Optimum(high, np.zeros(len(problem.goal)), problem.price(high)), tightest
    above = max(2 * tightest, 1.0)
    while problem.price(optimum(problem, above).n) > amount and above < _LOOSEST:
        above *= 2
    below = above / 2
    while below > tightest and problem.price(optimum(problem, below).n) <= amount:
        above, below = below, max(below / 2, (below + tightest) / 2)
    # Cost falls about as the square of the factor: regula falsi on logarithms, safe by bisection.
    for round_ in range(60):
        best = optimum(problem, above)
        cost = problem.price(best.n)
        if above / below < 1 + 1e-9 or cost > amount * (1 - 1e-9):
            break
        guess = above * np.sqrt(cost / amount)
        middle = guess if below < guess < above and round_ % 3 else np.sqrt(below * above)
        if problem.price(optimum(problem, middle).n) > amount:
            below = middle
        else:
            above = middle
    return optimum(problem, above), float(above)


def _tightest(problem: Problem) -> float:
    """Return the least factor on target CVs that can be met at all."""
    best = problem.cv(np.floor(problem.high)) / problem.goal
    return max(float(np.nanmax(best)) * (1 + 1e-9), 1e-9)


def whole_within(problem: Problem, amount: float, best: Optimum, scale: float) -> np.ndarray:
    """Return whole numbers that cost at most `amount`.

    The targets are loosened a little until the rounding fits, and what is left of the amount is
    spent where the binding targets gain most.
    """
    for _ in range(200):
        n = whole_numbers(problem, best, scale)
        if problem.price(n) <= amount + 1e-9:
            break
        scale *= 1 + max((problem.price(n) - amount) / amount, 1e-4) / 2
        best = optimum(problem, scale)
    limits = problem.limits(scale)
    worth = problem.unit.T @ (best.multiplier / np.where(limits > 0, limits, 1))
    high = np.floor(problem.high)
    return smallest_variance(worth, problem.cost, (n, high), amount - problem.base)
