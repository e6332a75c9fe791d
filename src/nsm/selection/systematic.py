"""Systematic sampling with unequal probabilities, and its joint probabilities."""

from __future__ import annotations

import numpy as np


def systematic(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw every unit at which the running sum of `p` passes a random start plus a whole number.

    The order of the list is an implicit stratification. Exactly sum(p) units are drawn.

    References
    ----------
    Madow (1949), Annals of Mathematical Statistics 20, 333-354.
    """
    n = round(p.sum())
    return passed(running_sum(p, n), rng.random(), n)


def running_sum(p: np.ndarray, n: int) -> np.ndarray:
    """Return the running sum of `p`, whose last value is exactly `n`."""
    upper = np.cumsum(p)
    upper[-1] = n
    return np.minimum(upper, n)


def passed(upper: np.ndarray, start: float, n: int) -> np.ndarray:
    """Return the units at which `upper` passes start, start + 1, ... (start in [0, 1))."""
    drawn = np.searchsorted(upper, start + np.arange(n), side="right")
    # Rounding may let a unit with p near 1 be passed twice: the second pass takes its neighbor.
    return np.maximum.accumulate(drawn - np.arange(n)) + np.arange(n)


def systematic_joint(p: np.ndarray) -> np.ndarray:
    """Return the joint probabilities of systematic sampling in the order of `p`.

    The sample changes only where the start passes the fraction of a running sum, so the exact sum
    is over at most as many samples as there are units.

    Returns
    -------
    ndarray (units, units), the probabilities themselves on the diagonal.
    """
    from scipy.sparse import csr_array

    n = round(p.sum())
    upper = running_sum(p, n)
    cuts = np.unique(np.concatenate([[0.0], upper % 1.0]))
    lengths = np.diff(np.append(cuts, 1.0))
    cuts, lengths = cuts[lengths > 1e-15], lengths[lengths > 1e-15]
    samples = np.array([passed(upper, c + w / 2, n) for c, w in zip(cuts, lengths, strict=True)])
    rows = np.repeat(np.arange(len(cuts)), n)
    drawn = csr_array((np.ones(rows.size), (rows, samples.ravel())), shape=(len(cuts), len(p)))
    weighted = drawn.multiply(lengths[:, None]).tocsr()
    return np.asarray((drawn.T @ weighted).todense())
