"""The cheapest allocation that meets several precision targets.

Minimize sum c_h n_h subject to sum_h a_kh / n_h <= t_k and low <= n <= high. In logarithms of n
both sides are convex and smooth, and a primal-dual interior-point method finds n and the
multipliers m_k of the targets together, in some 20 to 40 steps. For any multipliers the best n is
known, n_h = sqrt(sum_k m_k a_kh / c_h) within its bounds, so they also give a lower bound of the
cost, which proves the optimum.

References
----------
Bethel (1989), Survey Methodology 15, 47-57; Chromy (1987), ASA Proceedings of the Section on Survey
Research Methods, 194-199; Boyd & Vandenberghe (2004), Convex Optimization, sec. 11.7.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.linalg import splu

from nsm.allocation.problem import Problem
from nsm.errors import AllocationError

_STEPS = 300
_EXACT = 1e-10
_NEARLY = 1e-6
_TIGHT = 1e-7
_EDGE = 0.995
_FAR = 2.0  # n changes at most by exp(2) in a step


class Optimum(NamedTuple):
    """The continuous optimum."""

    n: np.ndarray  # (strata,)
    multiplier: np.ndarray  # cost saved per relative change of a limit (targets,)
    bound: float  # no allocation that meets the targets costs less


def optimum(problem: Problem, scale: float = 1.0) -> Optimum:
    """Find the continuous optimum.

    Parameters
    ----------
    scale
        Factor on all target CVs.

    Raises
    ------
    AllocationError
        It is not found, which only very unequal numbers can bring about.
    """
    limits = problem.limits(scale)
    multiplier = np.zeros(len(limits))
    problem = problem._replace(low=_forced(problem, scale))
    n = problem.low.astype(float).copy()
    # Targets that the minima meet never bind; strata whose bounds meet are given.
    rows = np.flatnonzero(np.isfinite(limits) & (problem.ratios(n, scale) > 1 + 1e-9))
    free = np.flatnonzero(problem.high > problem.low * (1 + 1e-12))
    if not len(rows) or not len(free):
        return Optimum(n, multiplier, problem.price(n))
    a = csr_array(diags_array(1 / limits[rows]) @ problem.unit[rows])
    given = np.ones(len(n), dtype=bool)
    given[free] = False
    room = 1 - a[:, given] @ (1 / n[given])
    inside = csr_array(diags_array(1 / room) @ a[:, free])
    n[free], m = _interior(inside, problem.cost[free], (problem.low[free], problem.high[free]))
    multiplier[rows] = m / room
    worst = float(np.max(a @ (1 / n)))
    if worst > 1:  # by rounding: what is left of the last step
        n = np.where(given, n, np.minimum(n * worst, problem.high))
    return Optimum(n, multiplier, problem.base + _dual(a, problem, m / room))


def _forced(problem: Problem, scale: float) -> np.ndarray:
    """Return least n: the maximum in the strata of targets that only the maxima just meet."""
    ratio = problem.ratios(problem.high, scale)
    tight = np.flatnonzero(np.isfinite(problem.goal) & (ratio > 1 - _TIGHT))
    forced = problem.unit[tight].sum(axis=0) > 0
    return np.where(forced, problem.high, problem.low)


def _dual(a: csr_array, problem: Problem, m: np.ndarray) -> float:
    """Return the cost that no allocation undercuts, for multipliers of limits scaled to 1."""
    worth = a.T @ m
    n = np.clip(np.sqrt(worth / problem.cost), problem.low, problem.high)
    return float(problem.cost @ n + worth @ (1 / n) - m.sum())


class _State(NamedTuple):
    """Logarithms of n, what the targets leave (slack), and the multipliers of all bounds."""

    t: np.ndarray
    slack: np.ndarray
    m: np.ndarray
    below: np.ndarray
    above: np.ndarray


def _interior(
    a: csr_array, cost: np.ndarray, bounds: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return n and multipliers of: least cost with a / n <= 1 within the bounds."""
    low, high = np.log(bounds[0]), np.log(bounds[1])
    unit = float(cost @ np.sqrt(bounds[0] * bounds[1]))
    now = _start(a, low, high)
    for _ in range(_STEPS):
        now, missed = _advance(now, (a, cost / unit), low, high)
        if missed < _EXACT:
            break
    if missed > _NEARLY:
        raise AllocationError(
            "The optimum was not reached: it is still {missed} away. Strata with nearly no "
            "variance or cost are the usual cause: leave them out or give them a minimum.",
            missed=missed,
        )
    return np.exp(now.t), now.m * unit


def _start(a: csr_array, low: np.ndarray, high: np.ndarray) -> _State:
    t = low + 0.5 * (high - low)
    slack = np.maximum(1 - a @ np.exp(-t), 0.1)
    return _State(t, slack, 1 / slack / len(slack), *(np.full(len(t), 1 / len(t)) for _ in "ba"))


def _advance(
    now: _State, costs: tuple[csr_array, np.ndarray], low: np.ndarray, high: np.ndarray
) -> tuple[_State, float]:
    """Make one step; return the new state and how far the old one was from the optimum."""
    a, cost = costs
    t, slack, m, below, above = now
    n = np.exp(t)
    price, turned = cost * n, csr_array(a @ diags_array(1 / n))
    down, up = t - low, high - t
    worth = turned.T @ m
    steep = price - worth - below + above
    short = turned.sum(axis=1) - 1 + slack
    gap = m @ slack + below @ down + above @ up
    total = price.sum()
    missed = max(gap / total, float(np.max(np.abs(short))), float(np.max(np.abs(steep))) / total)
    aim = 0.1 * gap / (len(slack) + 2 * len(t))
    curve = price + worth + below / down + above / up
    right = -steep + (aim / down - below) - (aim / up - above)
    spread = turned @ diags_array(1 / curve)
    matrix = csc_array(spread @ turned.T + diags_array(slack / m))
    solve = splu(matrix, permc_spec="MMD_AT_PLUS_A").solve
    dm = solve(aim / m - slack + short - spread @ right)
    dt = (right + turned.T @ dm) / curve
    ds = -short + turned @ dt
    db = aim / down - below - below / down * dt
    da = aim / up - above + above / up * dt
    primal = min(_reach([(slack, ds), (down, dt), (up, -dt)]), _FAR / float(np.max(np.abs(dt))))
    dual = _reach([(m, dm), (below, db), (above, da)])
    moved = _State(
        t + primal * dt, slack + primal * ds, m + dual * dm, below + dual * db, above + dual * da
    )
    return moved, float(missed)


def _reach(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the largest step at most 1 that keeps every value positive, less a little."""
    most = 1.0
    for value, change in pairs:
        falling = change < 0
        if falling.any():
            most = min(most, _EDGE * float(np.min(-value[falling] / change[falling])))
    return most
