"""Whole numbers from a continuous allocation.

For the multipliers of the optimum, the best whole number of each stratum is known: the n with
n(n - 1) < s / c <= n(n + 1). It misses targets and wastes money by little. Units are added where
they mend most for their cost, then taken away where no target suffers, then exchanged.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array

from nsm.allocation.bethel import Optimum
from nsm.allocation.problem import Problem

_TOLERANCE = 1e-12
_EXCHANGES = 1_000


def whole_numbers(problem: Problem, best: Optimum, scale: float = 1.0) -> np.ndarray:
    """Return a whole-number allocation that meets every target, near the continuous optimum.

    Parameters
    ----------
    best
        The continuous optimum at the same `scale` of target CVs.
    """
    state = _State(problem, best, scale)
    state.mend()
    state.trim()
    for stratum in np.argsort(-problem.cost * 1e6 - state.n)[:_EXCHANGES]:
        state.exchange(int(stratum))
    return state.n


class _State:
    """An allocation and how much of each limit it leaves."""

    def __init__(self, problem: Problem, best: Optimum, scale: float) -> None:
        limits = problem.limits(scale)
        rows = np.flatnonzero(np.isfinite(limits) & (limits > 0))
        scaled = csc_array(problem.unit[rows].multiply(1 / limits[rows][:, None]))
        self.a, self.problem = scaled, problem
        self.rows = scaled.indices
        self.values = scaled.data
        self.strata = np.repeat(np.arange(scaled.shape[1]), np.diff(scaled.indptr))
        worth = (
            problem.unit.T @ (best.multiplier / np.where(limits > 0, limits, 1))
        ) / problem.cost
        n = np.ceil(np.sqrt(0.25 + worth) - 0.5 - 1e-9)
        self.low, self.high = np.ceil(problem.low), np.floor(problem.high)
        self.start(np.clip(n, self.low, self.high))

    def start(self, n: np.ndarray) -> None:
        """Begin at an allocation."""
        self.n = n.astype(float)
        self.left = 1 - self.a @ (1 / self.n)

    def change(self, stratum: int, by: int) -> None:
        """Add (or take) units of a stratum."""
        part = slice(self.a.indptr[stratum], self.a.indptr[stratum + 1])
        n = self.n[stratum]
        self.left[self.rows[part]] += self.values[part] * (1 / n - 1 / (n + by))
        self.n[stratum] += by

    def mend(self, barred: int = -1) -> list[int]:
        """Add units, each where it mends most for its cost, until no target is missed."""
        added: list[int] = []
        while True:
            short = np.maximum(-self.left, 0.0)
            if short.max(initial=0.0) <= _TOLERANCE:
                return added
            gain = np.where(self.n < self.high, 1 / self.n - 1 / (self.n + 1), 0.0)
            mended = np.minimum(self.values * gain[self.strata], short[self.rows])
            merit = np.bincount(self.strata, mended, len(self.n)) / self.problem.cost
            if barred >= 0:
                merit[barred] = 0.0
            stratum = int(np.argmax(merit))
            if merit[stratum] <= 0:
                return added
            self.change(stratum, 1)
            added.append(stratum)

    def trim(self) -> None:
        """Take units away, dearest first, as long as no target is missed."""
        while True:
            can = self.n > self.low
            loss = np.where(can, 1 / np.maximum(self.n - 1, 0.5) - 1 / self.n, 0.0)
            missed = self.values * loss[self.strata] > self.left[self.rows] + _TOLERANCE
            can[self.strata[missed]] = False
            if not can.any():
                return
            self.change(int(np.argmax(np.where(can, self.problem.cost, -1.0))), -1)

    def exchange(self, stratum: int) -> None:
        """Take one unit of a stratum if mending the damage elsewhere costs less."""
        if self.n[stratum] <= self.low[stratum]:
            return
        kept, left = self.n.copy(), self.left.copy()
        self.change(stratum, -1)
        added = self.mend(barred=stratum)
        short = self.left.min(initial=0.0) < -_TOLERANCE
        if short or self.problem.cost[added].sum() >= self.problem.cost[stratum] - 1e-12:
            self.n, self.left = kept, left


def mended(problem: Problem, n: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Return `n` with as few units more as it takes to meet every target."""
    state = _State(problem, Optimum(n, np.zeros(len(problem.goal)), 0.0), scale)
    state.start(n)
    state.mend()
    return state.n
