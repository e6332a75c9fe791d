"""Boundaries of strata by rules of thumb."""

from __future__ import annotations

import numpy as np

from nsm.errors import AllocationError


def cum_root_f(values: np.ndarray, strata: int, classes: int) -> np.ndarray:
    """Return boundaries at equal steps of the running sum of the roots of class frequencies.

    References
    ----------
    Dalenius & Hodges (1959), Journal of the American Statistical Association 54, 88-101.
    """
    counts, edges = np.histogram(values, bins=classes)
    cuts = cum_root_cuts(counts, strata)
    # Classes are closed above: a value on an edge belongs to the class below.
    boundaries = np.unique(edges[1:][cuts])
    inner = boundaries[(boundaries >= values.min()) & (boundaries < values.max())]
    if len(inner) < strata - 1:
        raise AllocationError(
            "{classes} equal classes are too coarse for {strata} strata of so skew a variable. Ask "
            "for more classes=, fewer strata, or rule 'optimum'.",
            classes=classes,
            strata=strata,
        )
    return inner


def cum_root_cuts(counts: np.ndarray, strata: int) -> np.ndarray:
    """Return the last class of each stratum but the last, from class frequencies.

    Examples
    --------
    >>> cum_root_cuts(np.array([100, 64, 36, 16, 4]), 2).tolist()
    [1]
    """
    running = np.cumsum(np.sqrt(counts))
    steps = running[-1] / strata * np.arange(1, strata)
    after = np.searchsorted(running, steps)
    before = np.maximum(after - 1, 0)
    nearer = steps - running[before] <= running[after] - steps
    return np.where(nearer & (after > 0), before, after)


def geometric(values: np.ndarray, strata: int) -> np.ndarray:
    """Return boundaries in geometric progression from the least to the largest value.

    References
    ----------
    Gunning & Horgan (2004), Survey Methodology 30, 159-166.

    Raises
    ------
    AllocationError
        The least value is 0.
    """
    low, high = values.min(), values.max()
    if low <= 0:
        raise AllocationError(
            "Geometric strata need values above 0, and {count} are 0. Give these a stratum of "
            "their own, or take another rule.",
            count=int(np.sum(values <= 0)),
        )
    cuts = low * (high / low) ** (np.arange(1, strata) / strata)
    filled = np.unique(np.searchsorted(cuts, values, side="left"))
    if len(filled) < strata:
        raise AllocationError(
            "{empty} of {strata} geometric strata would be empty. Ask for fewer, or take another "
            "rule.",
            empty=strata - len(filled),
            strata=strata,
        )
    return cuts
