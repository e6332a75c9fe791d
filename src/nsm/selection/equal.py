"""Simple random and Bernoulli sampling, and order sampling on permanent random numbers."""

from __future__ import annotations

import numpy as np


def srs(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a simple random sample without replacement; return positions in order."""
    return np.sort(rng.choice(len(p), size=round(p.sum()), replace=False, shuffle=False))


def poisson(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw each unit by itself with its probability (Poisson; Bernoulli if all are equal)."""
    return np.flatnonzero(rng.random(len(p)) < p)


def lowest(number: np.ndarray, n: int) -> np.ndarray:
    """Return the positions of the `n` lowest numbers, in order of position."""
    if n >= len(number):
        return np.arange(len(number))
    return np.sort(np.argpartition(number, n - 1)[:n]) if n else np.arange(0)


def pareto(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the units with the lowest Pareto ranks u / (1 - u) * (1 - p) / p.

    The probabilities are met nearly, not exactly: the error vanishes as sum p(1 - p) grows.

    References
    ----------
    Rosén (1997), Journal of Statistical Planning and Inference 62, 159-191.
    """
    return lowest(pareto_rank(rng.random(len(p)), p), round(p.sum()))


def pareto_rank(u: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return Pareto ranks of uniform numbers `u` for target probabilities `p` below 1."""
    return u / (1 - u) * (1 - p) / p
