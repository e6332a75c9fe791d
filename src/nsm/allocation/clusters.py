"""Strata by several variables: clusters that make the sample small.

For multipliers m_k of the targets, a Neyman sample costs (sum_h N_h S_h)^2 with S_h^2 = sum_k m_k
S_hk^2. A unit at distance d from the mean of stratum h adds about (S_h + d^2 / S_h) / 2 to N_h
S_h, so it goes where that is least, as in k-means; then the multipliers are renewed by Bethel's
optimum.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from nsm.allocation.bethel import optimum
from nsm.allocation.boundaries import cum_root_cuts
from nsm.allocation.problem import Problem
from nsm.allocation.whole import whole_numbers

_ROUNDS = 60
_STARTS = 6


def multivariate(
    x: np.ndarray, strata: int, cv: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels 1 ... strata (units,) and whole sizes (strata,) that reach every CV.

    Several starts are made (cum-root-f on each variable and on all, and random centers); the one
    with the smallest sample is kept.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    best, found = np.inf, np.zeros(len(x), dtype=int)
    weight = 1 / (cv * x.sum(axis=0)) ** 2
    for start in _starts(x, strata, weight, rng):
        labels, size = _settle(x, start, cv, strata)
        if size < best:
            best, found = size, labels
    order = np.argsort([(x[found == h] @ np.sqrt(weight)).mean() for h in range(strata)])
    labels = np.argsort(order)[found]
    problem = _problem(x, labels, cv, strata)
    return labels + 1, whole_numbers(problem, optimum(problem)).astype(np.int64)


def _starts(
    x: np.ndarray, strata: int, weight: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    scaled = x * np.sqrt(weight)
    lines = [scaled.sum(axis=1), *scaled.T]
    starts = [labels for line in lines if (labels := _line(line, strata)) is not None]
    for _ in range(_STARTS):
        chance = scaled.sum(axis=1) + scaled.mean()
        centers = scaled[rng.choice(len(x), strata, replace=False, p=chance / chance.sum())]
        distance = ((scaled[:, None, :] - centers[None]) ** 2).sum(axis=2)
        starts.append(np.argmin(distance, axis=1))
    return starts


def _line(values: np.ndarray, strata: int) -> np.ndarray | None:
    """Return cum-root-f strata of one variable; None if some would be empty."""
    ranks = np.sqrt(values - values.min())
    counts, edges = np.histogram(ranks, bins=max(50, 15 * strata))
    labels = np.searchsorted(edges[1:][cum_root_cuts(counts, strata)], ranks, side="left")
    return labels if len(np.unique(labels)) == strata else None


def _problem(x: np.ndarray, labels: np.ndarray, cv: np.ndarray, strata: int) -> Problem:
    count = np.bincount(labels, minlength=strata).astype(float)
    mean = np.array([np.bincount(labels, v, strata) for v in x.T]) / np.maximum(count, 1)
    square = np.array(
        [np.bincount(labels, (v - m[labels]) ** 2, strata) for v, m in zip(x.T, mean, strict=True)]
    ) / np.maximum(count - 1, 1)
    return Problem(
        cost=np.ones(strata),
        base=0.0,
        low=np.minimum(2.0, count),
        high=count,
        unit=csr_array(count**2 * square),
        credit=(count * square).sum(axis=1),
        total=x.sum(axis=0),
        goal=cv,
    )


def _settle(
    x: np.ndarray, labels: np.ndarray, cv: np.ndarray, strata: int
) -> tuple[np.ndarray, float]:
    best, kept, worse = np.inf, labels, 0
    for _ in range(_ROUNDS):
        if np.bincount(labels, minlength=strata).min() < 2:
            break
        problem = _problem(x, labels, cv, strata)
        solved = optimum(problem)
        size = float(solved.n.sum())
        worse = 0 if size < best * (1 - 1e-5) else worse + 1
        if size < best:
            best, kept = size, labels
        if worse > 3:
            break
        labels = _assigned(x, labels, solved.multiplier / problem.limits(), strata)
    return kept, best


def _assigned(x: np.ndarray, labels: np.ndarray, weight: np.ndarray, strata: int) -> np.ndarray:
    """Return the stratum of each unit where it adds least to sum N_h S_h."""
    scaled = x * np.sqrt(weight)
    count = np.bincount(labels, minlength=strata)
    center = np.array([np.bincount(labels, v, strata) for v in scaled.T]).T / count[:, None]
    square = np.bincount(labels, ((scaled - center[labels]) ** 2).sum(axis=1), strata) / count
    spread = np.sqrt(np.maximum(square, 1e-12 * max(square.max(), 1e-300)))
    distance = (scaled**2).sum(axis=1)[:, None] - 2 * scaled @ center.T + (center**2).sum(axis=1)
    return np.argmin(spread + np.maximum(distance, 0) / spread, axis=1)
