"""A rare population over areas: exact totals, many areas without, a few with very many.

The counts are invented. They serve to rehearse a survey of a rare and clustered population, and
must be labelled synthetic wherever they are shown.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nsm.errors import OptionError
from nsm.frame.apportion import apportion

EMPTY, SCATTERED, HOT = 0, 1, 2
_BISECTIONS = 100


def zero_shares(rates: np.ndarray, areas: np.ndarray, share: float) -> np.ndarray:
    """Give each group's share of empty areas, exp(-rate / c), with the mean `share`.

    Parameters
    ----------
    rates
        Prevalence of each group (groups,), 0 to 1.
    areas
        Number of areas of each group (groups,).
    share
        The share of all areas, 0 to 1, that is to be empty.

    Examples
    --------
    >>> zero_shares(np.array([0.02, 0.2]), np.array([50, 50]), 0.4).round(3)
    array([0.746, 0.054])
    """
    _require_share(share)

    def mean(c: float) -> float:
        return float(np.average(np.exp(-rates / c), weights=areas))

    return np.exp(-rates / _solve(mean, share, 1e-6, 1e6))


def hot_shares(
    rates: np.ndarray, areas: np.ndarray, share: float, most: np.ndarray | float = 0.6
) -> np.ndarray:
    """Give each group's share of hot spots, c * rate**2 and at most `most`, with the mean `share`.

    Examples
    --------
    >>> hot_shares(np.array([0.02, 0.2]), np.array([90, 10]), 0.02).round(3)
    array([0.002, 0.183])
    """
    _require_share(share)

    def mean(c: float) -> float:
        return float(np.average(np.minimum(c * rates**2, most), weights=areas))

    return np.minimum(_solve(mean, share, 0.0, 1e9) * rates**2, most)


def classify(
    group: np.ndarray,
    empty: np.ndarray,
    hot: np.ndarray,
    pull: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Say which areas are `EMPTY`, `SCATTERED` and `HOT`, with exact numbers in all.

    Parameters
    ----------
    group
        Group of each area, 0 to groups - 1 (areas,).
    empty, hot
        Shares of each group (groups,); together at most 1.
    pull
        Weight with which an area becomes a hot spot, then empty (areas,).

    Returns
    -------
    ndarray (areas,) of the three codes. A group keeps at least one area that is not empty.
    """
    sizes = np.bincount(group, minlength=len(empty))
    n_hot = apportion(hot * sizes, round(float(hot @ sizes)), upper=sizes)
    n_empty = apportion(
        empty * sizes, round(float(empty @ sizes)), upper=np.maximum(sizes - n_hot - 1, 0)
    )
    kind = np.full(len(group), SCATTERED, dtype=np.int8)
    # Exponential races: the first k of a group are a draw with probabilities that follow `pull`.
    race = rng.exponential(size=len(group)) / pull
    order = np.lexsort((race, group))
    rank = np.empty(len(group), dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    rank[order] = np.arange(len(group)) - np.repeat(starts, sizes)
    kind[rank < n_hot[group]] = HOT
    race = np.where(kind == HOT, np.inf, rng.exponential(size=len(group)) / pull)
    order = np.lexsort((race, group))
    rank[order] = np.arange(len(group)) - np.repeat(starts, sizes)
    kind[(rank < n_empty[group]) & (kind != HOT)] = EMPTY
    return kind


def concentrate(
    group: np.ndarray,
    totals: np.ndarray,
    population: np.ndarray,
    kind: np.ndarray,
    rng: np.random.Generator,
    *,
    threshold: float = 0.30,
    cap: float = 0.90,
    spread: float = 0.6,
    tail: float = 0.09,
) -> np.ndarray:
    """Allocate exact group totals to areas of three kinds.

    A hot spot holds more than `threshold` of its population, an empty area nobody, a scattered
    area at least one person and at most `threshold`. Prevalence varies among scattered areas as a
    gamma variate with coefficient of variation `spread`; above the threshold it falls off
    exponentially, with mean excess `tail`.

    Parameters
    ----------
    group, population, kind
        Of each area (areas,).
    totals
        Whole totals of the groups (groups,).
    threshold, cap
        Prevalence above which an area is a hot spot, and that none exceeds; 0 to 1.

    Returns
    -------
    ndarray (areas,) of whole counts.

    Raises
    ------
    OptionError
        A group's total does not fit into its areas.
    """
    low, high = _bounds(population, kind, threshold, cap)
    weights = _weights(population, kind, rng, shape=(threshold, spread, tail))
    counts = np.zeros(len(group), dtype=np.int64)
    for g in range(len(totals)):
        mine = np.flatnonzero(group == g)
        at_least, at_most = low[mine], high[mine]
        hot = kind[mine] == HOT
        hot_total = int(np.clip(weights[mine][hot], at_least[hot], at_most[hot]).sum())
        room = int(at_most[~hot].sum())
        scattered = int(np.clip(totals[g] - hot_total, at_least[~hot].sum(), room))
        for part, total in ((hot, int(totals[g]) - scattered), (~hot, scattered)):
            counts[mine[part]] = apportion(
                weights[mine[part]], total, lower=at_least[part], upper=at_most[part]
            )
    return counts


def _bounds(
    population: np.ndarray, kind: np.ndarray, threshold: float, cap: float
) -> tuple[np.ndarray, np.ndarray]:
    edge = np.floor(population * threshold).astype(np.int64)
    most = np.floor(population * cap).astype(np.int64)
    low = np.select([kind == HOT, kind == SCATTERED], [edge + 1, 1], 0)
    high = np.select([kind == HOT, kind == SCATTERED], [most, np.maximum(edge, 1)], 0)
    return np.minimum(low, high), high


def _weights(
    population: np.ndarray,
    kind: np.ndarray,
    rng: np.random.Generator,
    shape: tuple[float, float, float],
) -> np.ndarray:
    threshold, spread, tail = shape
    scattered = rng.gamma(spread**-2, spread**2, len(population))
    hot = threshold + rng.exponential(tail, len(population))
    return population * np.select([kind == HOT, kind == SCATTERED], [hot, scattered], 0.0)


def scatter(
    totals: np.ndarray,
    group: np.ndarray,
    weights: np.ndarray,
    room: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw whole counts with exact group totals, in proportion to `weights`, within `room`.

    Shares are rounded at random (systematically, in a random order), so a small total over many
    areas falls on a few of them and not on the largest.

    Parameters
    ----------
    totals
        Whole totals of the groups (groups,).
    group, weights, room
        Group, weight and largest count of each area (areas,).

    Returns
    -------
    ndarray (areas,) of whole counts.
    """
    counts = np.zeros(len(group), dtype=np.int64)
    for g in range(len(totals)):
        mine = rng.permutation(np.flatnonzero(group == g))
        left = int(totals[g])
        while left:
            free = mine[(counts[mine] < room[mine]) & (weights[mine] > 0)]
            if not len(free):
                raise OptionError(
                    "Group {group} has no room for {left} of its {total} persons. Widen the cap.",
                    group=g,
                    left=left,
                    total=int(totals[g]),
                )
            steps = np.cumsum(weights[free]) * (left / weights[free].sum()) + rng.random()
            given = np.diff(np.floor(steps), prepend=0).astype(np.int64)
            given[-1] += left - int(given.sum())
            given = np.clip(given, 0, room[free] - counts[free])
            counts[free] += given
            left -= int(given.sum())
    return counts


def blur(
    prevalence: np.ndarray,
    typical: np.ndarray,
    rng: np.random.Generator,
    *,
    error: float = 0.5,
    unknown: float = 0.10,
    missed: float = 0.15,
    false: float = 0.25,
    threshold: float = 0.30,
) -> np.ndarray:
    """Make a prior from a true prevalence: near it, and wrong in the ways that a real one is.

    Parameters
    ----------
    prevalence
        True prevalence (areas,), 0 to 1.
    typical
        What is known of the surroundings (areas,): taken for hot spots that nobody knows of.
    error
        Standard deviation of the logarithm.
    unknown
        Share of the areas above `threshold` that are not known: exactly so many, rounded.
    missed
        Share of the other inhabited areas that the prior holds to be empty.
    false
        Share of the empty areas that the prior holds to be inhabited.

    Returns
    -------
    ndarray (areas,) of prior prevalences, 0 to 0.95, with four decimals.
    """
    noise = np.exp(rng.normal(0, error, len(prevalence)) - error**2 / 2)
    prior = prevalence * noise
    hot = prevalence > threshold
    lost = rng.permutation(np.flatnonzero(hot))[: round(unknown * hot.sum())]
    prior[lost] = (typical * noise)[lost]
    chance = rng.random(len(prevalence))
    prior[(prevalence > 0) & ~hot & (chance < missed)] = 0
    wrong = (prevalence == 0) & (chance < false)
    prior[wrong] = (typical * noise)[wrong] / 2
    return np.round(np.clip(prior, 0, 0.95), 4)


def design_effect(
    count: np.ndarray, population: np.ndarray, size: np.ndarray | None = None
) -> float:
    """Give the design effect of a total under take-all areas, drawn with replacement.

    The variance of the estimated total from n areas, over that of a simple random sample with the
    same expected number of persons.

    Parameters
    ----------
    count, population
        Of each area (areas,).
    size
        Measure of size of a draw with probability proportional to it; None for equal
        probabilities.

    References
    ----------
    Särndal, Swensson & Wretman (1992), eq. 2.9.9 and sec. 8.6.
    """
    draw = (np.ones(len(count)) if size is None else size) / (
        len(count) if size is None else size.sum()
    )
    total, persons = count.sum(), population.sum()
    between = float((draw * (count / draw - total) ** 2).sum())
    rate = total / persons
    taken = float(draw @ population)
    return between * taken / (persons**2 * rate * (1 - rate))


def intra_area_correlation(count: np.ndarray, population: np.ndarray) -> float:
    """Give the intra-area correlation of having a trait, from counts of areas.

    The analysis-of-variance estimator for clusters of unequal size.

    References
    ----------
    Donner & Koval (1980), Biometrics 36, eq. 2.1; Ridout, Demetrio & Firth (1999), sec. 2.1.

    Examples
    --------
    >>> intra_area_correlation(np.array([4, 0]), np.array([4, 4]))
    1.0
    """
    held = population > 0
    y, n = count[held].astype(float), population[held].astype(float)
    total, areas = n.sum(), len(n)
    rate = y.sum() / total
    between = float((n * (y / n - rate) ** 2).sum()) / (areas - 1)
    within = float((y - y**2 / n).sum()) / (total - areas)
    size = (total - float((n**2).sum()) / total) / (areas - 1)
    return (between - within) / (between + (size - 1) * within)


def _solve(mean: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Find by bisection, on a logarithmic scale, where an increasing function is `wanted`."""
    low = max(low, 1e-12)
    for _ in range(_BISECTIONS):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if mean(middle) < wanted else (low, middle)
    return high


def _require_share(share: float) -> None:
    if not 0 < share < 1:
        raise OptionError("A share of areas must lie between 0 and 1, not {share}.", share=share)
