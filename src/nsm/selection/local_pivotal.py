"""The local pivotal method: neighbors duel, so that the sample is spread."""

from __future__ import annotations

import numpy as np
from numba import njit

from nsm.selection.tree import Tree, build, nearest, remove

_ZERO = 1e-11


def local_pivotal(p: np.ndarray, rng: np.random.Generator, spread: np.ndarray) -> np.ndarray:
    """Draw by the local pivotal method (second variant); return positions.

    A unit at random and its nearest undecided neighbor duel for their probability, until all are
    decided.

    Parameters
    ----------
    p
        Inclusion probabilities (units,), below 1.
    spread
        Coordinates (units, dimensions) in which the sample is to be spread.

    References
    ----------
    Grafström, Lundström & Schelin (2012), Biometrics 68, 514-520.
    """
    q = p.copy()
    points = np.ascontiguousarray(spread, dtype=float)
    _duels(q, build(points), rng.random((len(p), 3)))
    return np.flatnonzero(q > 0.5)


@njit(cache=True)
def _duels(q: np.ndarray, tree: Tree, u: np.ndarray) -> None:
    found, distance = np.empty(1, np.int64), np.empty(1)
    undecided = np.arange(len(q))
    place = np.arange(len(q))
    left, step = len(q), 0
    while left > 1:
        one = undecided[min(int(u[step, 0] * left), left - 1)]
        nearest(tree, one, u[step, 1], (found, distance))
        other = found[0]
        total = q[one] + q[other]
        if total < 1:
            if u[step, 2] * total < q[other]:
                q[one], q[other] = 0.0, total
            else:
                q[one], q[other] = total, 0.0
        elif u[step, 2] * (2 - total) < 1 - q[other]:
            q[one], q[other] = 1.0, total - 1
        else:
            q[one], q[other] = total - 1, 1.0
        for unit in (one, other):
            if q[unit] < _ZERO or q[unit] > 1 - _ZERO:
                q[unit] = np.round(q[unit])
                remove(tree, unit)
                left -= 1
                hole, moved = place[unit], undecided[left]
                undecided[hole], place[moved] = moved, hole
        step += 1
