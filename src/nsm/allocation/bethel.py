"""The cheapest allocation that meets several precision targets.

Minimize sum c_h n_h subject to sum_h a_kh / n_h <= t_k and low <= n <= high. For multipliers m >= 0
the best n is known, n_h = sqrt(sum_k m_k a_kh / c_h) within its bounds, so the dual is a concave
function of the multipliers alone. A few steps of Chromy's rule bring them near, Newton's method
with the multipliers at 0 held fixed brings them to the optimum.

References
----------
Bethel (1989), Survey Methodology 15, 47-57; Chromy (1987), ASA Proceedings of the Section on Survey
Research Methods, 194-199; Bertsekas (1982), SIAM Journal on Control and Optimization 20, 221-246
(projected Newton method).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array, diags_array

from nsm.allocation.problem import Problem
from nsm.errors import AllocationError

_CHROMY = 25
_NEWTON = 200
_EXACT = 1e-10


class Optimum(NamedTuple):
    """The continuous optimum."""

    n: np.ndarray  # (strata,)
    multiplier: np.ndarray  # cost saved per relative change of a limit (targets,)
    bound: float  # no allocation that meets the targets costs less


def optimum(problem: Problem, scale: float = 1.0, start: np.ndarray | None = None) -> Optimum:
    """Find the continuous optimum.

    Parameters
    ----------
    scale
        Factor on all target CVs.
    start
        Multipliers to begin with.

    Raises
    ------
    AllocationError
        It is not found, which only very unequal numbers can bring about.
    """
    limits = problem.limits(scale)
    rows = np.flatnonzero(np.isfinite(limits) & (problem.unit.sum(axis=1) > 0))
    a = csr_array(diags_array(1 / limits[rows]) @ problem.unit[rows])
    dual = _Dual(a, problem)
    if len(rows) == 0:
        return Optimum(problem.low.copy(), np.zeros(len(limits)), problem.price(problem.low))
    m = _chromy(dual) if start is None else np.maximum(start[rows], 0.0)
    m = _newton(dual, m)
    n = dual.sizes(m)
    worst = float(np.max(a @ (1 / n)))
    if worst > 1:  # by rounding: what is left of the last step
        n = np.minimum(n * worst, problem.high)
    multiplier = np.zeros(len(limits))
    multiplier[rows] = m
    return Optimum(n, multiplier, problem.base + dual.value(m))


class _Dual:
    """The dual function of the multipliers, with limits scaled to 1."""

    def __init__(self, a: csr_array, problem: Problem) -> None:
        self.a = a
        self.turned = csr_array(a.T)
        self.cost, self.low, self.high = problem.cost, problem.low, problem.high

    def sizes(self, m: np.ndarray) -> np.ndarray:
        return np.clip(np.sqrt((self.turned @ m) / self.cost), self.low, self.high)

    def value(self, m: np.ndarray) -> float:
        n = self.sizes(m)
        return float(self.cost @ n + (self.turned @ m) @ (1 / n) - m.sum())

    def slope(self, m: np.ndarray) -> np.ndarray:
        """Return how far each target is missed, relative to its limit."""
        return self.a @ (1 / self.sizes(m)) - 1

    def curvature(self, m: np.ndarray, free: np.ndarray) -> np.ndarray:
        """Return minus the second derivatives for the free multipliers."""
        n = self.sizes(m)
        inside = (n > self.low) & (n < self.high)
        weight = np.where(inside, 1 / (2 * self.cost * n**3), 0.0)
        part = self.a[free]
        return np.asarray((part @ diags_array(weight) @ part.T).todense())


def _chromy(dual: _Dual) -> np.ndarray:
    """Return multipliers after some steps m <- m (a / limit)^2, from a start where all count."""
    m = np.full(dual.a.shape[0], 1.0)
    n = np.sqrt(dual.turned @ m / dual.cost)
    m *= float(np.max(dual.a @ (1 / np.clip(n, 1e-9, None)))) ** 2 / len(m)
    for _ in range(_CHROMY):
        m *= (1 + dual.slope(m)) ** 2
    return m


def _newton(dual: _Dual, m: np.ndarray) -> np.ndarray:
    value = dual.value(m)
    ridge = 1e-12
    for _ in range(_NEWTON):
        slope = dual.slope(m)
        free = (m > 0) | (slope > 0)
        if np.max(np.abs(slope * np.where(m > 0, 1, slope > 0)), initial=0.0) < _EXACT:
            return m
        # Multipliers next to 0 that want to fall are set to 0, the others make a Newton step.
        small = free & (slope < 0) & (m <= 1e-9 * max(m.max(), 1e-300))
        free &= ~small
        step = np.where(small, -m, 0.0)
        if free.any():
            h = dual.curvature(m, free)
            h[np.diag_indices_from(h)] += ridge * max(np.trace(h) / len(h), 1e-300)
            step[free] = cho_solve(cho_factor(h), slope[free])
        moved, length = m, 1.0
        while length > 1e-12:
            trial = np.maximum(m + length * step, 0.0)
            reached = dual.value(trial)
            if reached >= value + 1e-4 * float(slope @ (trial - m)) - 1e-14 * abs(value):
                moved, value = trial, reached
                break
            length /= 2
        if moved is m:
            ridge *= 100
            if ridge > 1e6:
                break
        else:
            ridge = max(ridge / 10, 1e-12)
            m = moved
    slope = dual.slope(m)
    if np.max(slope) < 1e-6 and np.all(slope[m > 1e-6 * m.max()] > -1e-5):
        return m
    raise AllocationError(
        "The optimum was not reached: a target is still {missed} beyond its limit. Strata with "
        "nearly no variance or cost are the usual cause: leave them out or give them a minimum.",
        missed=float(np.max(slope)),
    )
