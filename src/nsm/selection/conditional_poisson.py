"""Conditional Poisson (maximum entropy) and Sampford sampling, exact at any size.

Both condition Poisson sampling on its size. The conditional probabilities come from the Fourier
transform of the size's distribution: with z = exp(i t) and m_k = p_k z / (1 - p_k + p_k z),

    P(size = n, units A drawn) = mean over t of exp(-i n t) prod_j(1 - p_j + p_j z) prod_{k in A}
    m_k.

The product falls off like a normal curve, so a few dozen points t are enough for full precision.

References
----------
Hájek (1964), Annals of Mathematical Statistics 35, 1491-1523; Chen, Dempster & Liu (1994),
Biometrika 81, 457-469; Sampford (1967), Biometrika 54, 499-513; Grafström (2009), Journal of
Statistical Planning and Inference 139, 2111-2114 (Sampford without rejecting whole samples).
"""

from __future__ import annotations

import numpy as np

from nsm.errors import SelectionError

_ROUNDS = 500
_BLOCK = 4_000_000


def transform(p: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (points,) and the values m (points, units) of the transform.

    The weights add up to 1 in their real part: they are divided by P(size = n).
    """
    spread = np.sqrt(np.sum(p * (1 - p)))
    points = min(len(p) + 1, int(10 * spread) + 60)
    points += 1 - points % 2  # an odd number keeps clear of t = pi, where p = 1/2 divides by 0
    t = 2 * np.pi * np.arange(points // 2 + 1) / points
    # |prod| <= exp(-spread^2 (1 - cos t)): points that cannot count are left out.
    t = t[2 * spread**2 * np.sin(t / 2) ** 2 < 45]
    z = np.exp(1j * t)[:, None]
    base = 1 - p + p * z
    weight = np.exp(np.sum(np.log(base), axis=1) - 1j * n * t)
    weight[1:] *= 2  # the other half of the circle is its conjugate
    return weight / np.sum(weight.real), p * z / base


def conditional_probabilities(p: np.ndarray, n: int) -> np.ndarray:
    """Return the probabilities of Poisson sampling with `p`, given that `n` units are drawn."""
    weight, m = transform(p, n)
    return np.clip(np.real(weight @ m), 0.0, 1.0)


def conditional_joint(p: np.ndarray, n: int) -> np.ndarray:
    """Return the joint probabilities of Poisson sampling with `p`, given its size `n`."""
    weight, m = transform(p, n)
    joint = np.real((m * weight[:, None]).T @ m)
    np.fill_diagonal(joint, np.real(weight @ m))
    return joint


def tilted(p: np.ndarray, n: float) -> np.ndarray:
    """Return probabilities with the odds of `p` times one constant, that add up to `n`.

    Conditioned on its size, Poisson sampling does not depend on the constant.
    """
    odds = p / (1 - p)
    log_scale = 0.0
    for _ in range(_ROUNDS):
        q = odds / (odds + np.exp(-log_scale))
        step = (n - q.sum()) / max(np.sum(q * (1 - q)), 1e-300)
        log_scale += float(np.clip(step, -2, 2))
        if abs(step) < 1e-13:
            break
    return odds / (odds + np.exp(-log_scale))


def working_probabilities(p: np.ndarray) -> np.ndarray:
    """Return the Poisson probabilities whose conditional ones, given the size sum(p), are `p`.

    Raises
    ------
    SelectionError
        They are not found.
    """
    n = round(p.sum())
    target = np.log(p / (1 - p))
    log_odds = target.copy()
    for _ in range(_ROUNDS):
        q = tilted(1 / (1 + np.exp(-log_odds)), n)
        reached = np.clip(conditional_probabilities(q, n), 1e-300, 1 - 1e-16)
        if np.max(np.abs(reached - p)) < 1e-12:
            return q
        log_odds = np.log(q / (1 - q)) + target - np.log(reached / (1 - reached))
    raise SelectionError(
        "Conditional Poisson sampling does not reach the {count} probabilities (the worst differs "
        "by {worst}). Take probabilities further from 0 and 1, or method 'sampford' or 'brewer'.",
        count=len(p),
        worst=float(np.max(np.abs(reached - p))),
    )


def poisson_of_size(p: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw Poisson samples with `p` until one has `n` units; return it as a mask."""
    rows = max(1, _BLOCK // max(len(p), 1) // 64)
    while True:
        drawn = rng.random((rows, len(p))) < p
        right = np.flatnonzero(drawn.sum(axis=1) == n)
        if len(right):
            return drawn[right[0]]


def conditional_poisson(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the sample of fixed size with the largest entropy for `p`; return positions.

    Poisson samples are drawn until one has the size: some 2.5 times sqrt(sum p(1 - p)) of them.
    """
    n = round(p.sum())
    return np.flatnonzero(poisson_of_size(working_probabilities(p), n, rng))


def sampford(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw by Sampford's design; return positions.

    A sample of Sampford is one unit drawn with probabilities p / n and a Poisson sample of n - 1
    others with odds p / (1 - p), given that both fit together. The Poisson part is tilted to the
    size n - 1, which leaves the design as it is and makes the fit likely.
    """
    n = round(p.sum())
    first = p / p.sum()
    if n == 1:
        return np.array([np.searchsorted(np.cumsum(first), rng.random() * first.sum())])
    q = tilted(p, n - 1 + float(first @ p))
    cumulated = np.cumsum(first)
    while True:
        unit = int(np.searchsorted(cumulated, rng.random() * cumulated[-1], side="right"))
        drawn = rng.random(len(p)) < q
        if not drawn[unit] and drawn.sum() == n - 1:
            drawn[unit] = True
            return np.flatnonzero(drawn)


def sampford_joint(p: np.ndarray) -> np.ndarray:
    """Return the joint probabilities of Sampford's design.

    P(s) is proportional to sum_{k in s}(1 - p_k) prod_{k in s} p_k / (1 - p_k): a conditional
    Poisson sample weighted by a sum over its units, so the triples factor.
    """
    n = round(p.sum())
    weight, m = transform(tilted(p, n), n)
    total = (m @ (1 - p))[:, None]
    own = (1 - p) * (1 - m)
    single = np.real(np.sum(weight[:, None] * m * (total + own), axis=0))
    scale = np.real(np.sum(weight[:, None] * total))
    left = m * weight[:, None]
    joint = np.real((left * total).T @ m + (left * own).T @ m + left.T @ (m * own))
    np.fill_diagonal(joint, single)
    return joint / scale
