"""Optimum boundaries for Neyman allocation, by dynamic programming and by local search.

With A = sum N_h S_h and B = sum N_h S_h^2 over the strata that are sampled, n = A^2 / (V + B)
reaches the variance V. Its differential is proportional to dA - mu dB with mu = A / (2 (V + B)),
so for fixed mu the best boundaries minimize a sum over strata, which dynamic programming does
exactly; mu is then renewed.

References
----------
Lavallée & Hidiroglou (1988), Survey Methodology 14, 33-43; Bühler & Deutler (1975), Metrika 22,
161-175 (dynamic programming); Kozak (2004), Statistics in Transition 6, 797-806 (search).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nsm.errors import AllocationError

_LEAST = 2
_SWEEPS = 200


class Goal(NamedTuple):
    """What the strata are to reach: a CV of the total or a size."""

    cv: float | None
    n: int | None
    take_all: bool
    total: float

    @property
    def variance(self) -> float:
        """The variance wanted of the total."""
        return (float(self.cv or 0) * self.total) ** 2


class Cumulated:
    """Different values in order, with running counts, sums and sums of squares before each."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, counts = np.unique(values, return_counts=True)
        shifted = self.values - values.mean()
        self.count = np.concatenate([[0.0], np.cumsum(counts)])
        self.sum = np.concatenate([[0.0], np.cumsum(counts * shifted)])
        self.square = np.concatenate([[0.0], np.cumsum(counts * shifted**2)])

    def parts(self, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return N S and N S^2 of the places from `start` to before `end`.

        N S is infinite where there are too few units.
        """
        n = self.count[end] - self.count[start]
        deviation = self.square[end] - self.square[start]
        with np.errstate(divide="ignore", invalid="ignore"):
            deviation -= (self.sum[end] - self.sum[start]) ** 2 / n
            square = np.maximum(deviation, 0.0) / (n - 1)
            good = n >= _LEAST
            return np.where(good, n * np.sqrt(square), np.inf), np.where(good, n * square, 0.0)


def needed(a: np.ndarray, b: np.ndarray, certain: np.ndarray, goal: Goal) -> np.ndarray:
    """Return what is to be small: n for a CV, the variance for a size."""
    if goal.n is None:
        with np.errstate(divide="ignore", invalid="ignore"):
            free = np.where(goal.variance + b > 0, a**2 / (goal.variance + b), 0.0)
        return certain + free
    left = goal.n - certain
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(left > 0, np.maximum(a**2 / left - b, 0.0), np.inf)


def best_cuts(cumulated: Cumulated, strata: int, goal: Goal, classes: int) -> np.ndarray:
    """Return the best cuts among the ends of classes: different values below (strata - 1,)."""
    ends = _class_ends(cumulated, classes)
    start, end = np.meshgrid(ends, ends, indexing="ij")
    parts_a, parts_b = cumulated.parts(start, end)
    upper = np.triu(np.ones(parts_a.shape, dtype=bool), 1)
    parts_a = np.where(upper, parts_a, np.inf)
    parts_b = np.where(upper, parts_b, 0.0)
    best, found, slope = np.inf, None, 0.0
    for _ in range(12):
        cuts, value, slope = _programmed(
            parts_a - slope * parts_b, (parts_a, parts_b), strata, (cumulated, ends, goal)
        )
        if value >= best * (1 - 1e-9):
            break
        best, found = value, cuts
    if found is None:
        raise AllocationError(
            "{strata} strata of at least two units cannot be made. Ask for fewer.", strata=strata
        )
    return ends[found]


def _class_ends(cumulated: Cumulated, classes: int) -> np.ndarray:
    """Return 0, the ends of at most `classes` classes by count and by total, and the last."""
    places = len(cumulated.values)
    if places <= classes:
        return np.arange(places + 1)
    half = np.linspace(0, 1, classes // 2 + 1)[1:-1]
    total = np.cumsum(np.diff(cumulated.count) * cumulated.values)
    by_count = np.searchsorted(cumulated.count, half * cumulated.count[-1])
    by_total = np.searchsorted(total, half * total[-1]) + 1
    return np.unique(np.concatenate([[0, places], by_count, by_total]))


def _programmed(
    cost: np.ndarray,
    parts: tuple[np.ndarray, np.ndarray],
    strata: int,
    context: tuple[Cumulated, np.ndarray, Goal],
) -> tuple[np.ndarray, float, float]:
    """Return the cuts (class numbers) with the least cost, their value, and the next slope."""
    cumulated, ends, goal = context
    sampled = strata - goal.take_all
    least = cost[0]
    a, b = parts[0][0], parts[1][0]
    steps = []
    for _ in range(sampled - 1):
        every = least[:, None] + cost
        origin = np.argmin(every, axis=0)
        columns = np.arange(len(origin))
        least = every[origin, columns]
        a = a[origin] + parts[0][origin, columns]
        b = b[origin] + parts[1][origin, columns]
        steps.append(origin)
    rest = cumulated.count[-1] - cumulated.count[ends]
    values = np.where(np.isfinite(least), needed(a, b, rest, goal), np.inf)
    last = int(np.argmin(np.where(rest >= 1, values, np.inf))) if goal.take_all else len(ends) - 1
    cuts = [last] if goal.take_all else []
    place = last
    for origin in reversed(steps):
        place = int(origin[place])
        cuts.append(place)
    if goal.n is None:
        slope = a[last] / (2 * (goal.variance + b[last]))
    else:
        slope = (goal.n - rest[last]) / (2 * a[last]) if a[last] > 0 else 0.0
    return np.array(cuts[::-1], dtype=int), float(values[last]), float(slope)


def improved_cuts(cumulated: Cumulated, cuts: np.ndarray, goal: Goal) -> np.ndarray:
    """Move one cut after the other to its best place, until none moves."""
    cuts = np.concatenate([[0], cuts, [len(cumulated.values)]]).astype(int)
    sampled = len(cuts) - 1 - goal.take_all
    for _ in range(_SWEEPS):
        before = cuts.copy()
        for k in range(1, len(cuts) - 1):
            places = np.arange(cuts[k - 1] + 1, cuts[k + 1])
            cuts[k] = places[np.argmin(_moved(cumulated, cuts, k, (places, sampled, goal)))]
        if np.array_equal(before, cuts):
            break
    return cuts[1:-1]


def _moved(
    cumulated: Cumulated, cuts: np.ndarray, k: int, context: tuple[np.ndarray, int, Goal]
) -> np.ndarray:
    """Return what is needed for each place of cut `k`, the others being where they are."""
    places, sampled, goal = context
    a, b = np.zeros(len(places)), np.zeros(len(places))
    for h in range(sampled):
        start = places if h == k else np.full(len(places), cuts[h])
        end = places if h == k - 1 else np.full(len(places), cuts[h + 1])
        one, other = cumulated.parts(start, end)
        a, b = a + one, b + other
    certain = np.zeros(len(places))
    if goal.take_all:
        top = places if k == sampled else np.full(len(places), cuts[sampled])
        certain = cumulated.count[-1] - cumulated.count[top]
    return needed(a, b, certain, goal)
