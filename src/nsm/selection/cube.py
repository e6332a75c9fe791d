"""The cube method: samples that reproduce the totals of balancing variables.

A flight keeps all balancing totals while it decides nearly all units; the landing decides the few
that are left. It minimizes the expected imbalance by a linear program where the units left are few,
and otherwise drops the balancing variables one by one, last first. The size of each stratum holds
throughout.

References
----------
Deville & Tillé (2004), Biometrika 91, 893-912; Chauvet & Tillé (2006), Computational Statistics 21,
53-61; Chauvet (2009), Survey Methodology 35, 115-119 (strata); Grafström & Tillé (2013),
Environmetrics 24, 120-131 (local cube).
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np

from nsm.errors import SelectionError
from nsm.selection.flight import fly, fly_locally, step
from nsm.selection.tree import build

_SAMPLES = 5_000  # at most as many samples are weighed in a landing
_CALM = 20  # units kept for the end, for each balancing equation


def cube(
    p: np.ndarray, rng: np.random.Generator, balance: np.ndarray, stratum: np.ndarray | None = None
) -> np.ndarray:
    """Draw a balanced sample of fixed size; return positions.

    Parameters
    ----------
    p
        Inclusion probabilities (units,), below 1, with a whole sum in each stratum.
    balance
        Balancing variables (units, variables).
    stratum
        Stratum numbers (units,) from 0; one stratum if None.
    """
    stratum = np.zeros(len(p), dtype=np.int64) if stratum is None else stratum.astype(np.int64)
    q, x = p.copy(), np.ascontiguousarray(balance / p[:, None])
    far = _distance(x)
    for label in np.unique(stratum):
        units = rng.permutation(np.flatnonzero(stratum == label))
        calm = min(len(units) // 10, _CALM * (x.shape[1] + 1)) if stratum.max() == 0 else 0
        first = np.delete(units, np.argsort(far[units], kind="stable")[:calm])
        fly(q, x, stratum, first, rng.random(len(first) + 1))
    if stratum.max() == 0:
        _close(q, x, far, rng)
    return _finish(q, p, x, (stratum, rng))


def local_cube(
    p: np.ndarray,
    rng: np.random.Generator,
    balance: np.ndarray,
    spread: np.ndarray,
    stratum: np.ndarray | None = None,
) -> np.ndarray:
    """Draw a balanced sample, spread in the coordinates `spread`; return positions."""
    stratum = np.zeros(len(p), dtype=np.int64) if stratum is None else stratum.astype(np.int64)
    q, x = p.copy(), np.ascontiguousarray(balance / p[:, None])
    for label in np.unique(stratum):
        units = np.flatnonzero(stratum == label)
        part = q[units]
        tree = build(np.ascontiguousarray(spread[units], dtype=float))
        fly_locally(part, x[units], tree, rng.random((len(units) + 1, 3)))
        q[units] = part
    return _finish(q, p, x, (stratum, rng))


def _distance(x: np.ndarray) -> np.ndarray:
    """Return how far each unit is from the mean, in standard deviations, squared and added."""
    return np.sum(((x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-300)) ** 2, axis=1)


def _close(q: np.ndarray, x: np.ndarray, far: np.ndarray, rng: np.random.Generator) -> None:
    """Decide the units left of one stratum, the farthest from the mean first.

    A step goes along the balanced direction nearest to moving that unit alone. So the units that
    the landing must decide without balance are near the mean, where they weigh least.
    """
    while True:
        units = np.flatnonzero((q > 0) & (q < 1))
        rows = np.column_stack(
            [x[units] / np.abs(x[units]).max(axis=0, initial=1e-300), q[units] > 0]
        )
        if len(units) <= rows.shape[1]:
            return
        unit = int(np.argmax(far[units]))
        vector = -rows @ np.linalg.lstsq(rows, np.eye(len(units))[unit], rcond=1e-11)[0]
        vector[unit] += 1
        if np.max(np.abs(vector)) < 1e-9:
            return
        step(q, units, vector, rng.random())


def _finish(
    q: np.ndarray, p: np.ndarray, x: np.ndarray, rest: tuple[np.ndarray, np.random.Generator]
) -> np.ndarray:
    stratum, rng = rest
    undecided = np.flatnonzero((q > 0) & (q < 1))
    order = undecided[np.argsort(stratum[undecided], kind="stable")]
    fly(q, x, stratum, order, rng.random(len(order) + 1))
    for kept in range(x.shape[1], -1, -1):
        left = np.flatnonzero((q > 0) & (q < 1))
        if not len(left):
            break
        if len(np.unique(stratum[left])) == 1 and comb(len(left), round(q[left].sum())) <= _SAMPLES:
            q[left] = land(q[left], x[left], _scale(p, x), rng)
        else:
            order = left[np.argsort(stratum[left], kind="stable")]
            fly(q, np.ascontiguousarray(x[:, :kept]), stratum, order, rng.random(len(order) + 1))
    return np.flatnonzero(q > 0.5)


def _scale(p: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the unit of an imbalance: the total, or its Poisson error if that is larger."""
    total, error = np.abs(p @ x), np.sqrt((p * (1 - p)) @ x**2)
    return np.maximum(np.maximum(total, error), 1e-300)


def land(q: np.ndarray, x: np.ndarray, scale: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw among all samples of the last units, with the least expected squared imbalance.

    Parameters
    ----------
    q
        Probabilities of the units left, with a whole sum.
    x
        Balancing variables over first probabilities (units, variables), in units of `scale`.

    Returns
    -------
    ndarray (units,) of 0 and 1, with expectation `q`.

    Raises
    ------
    SelectionError
        The program has no solution, which only rounding can bring about.
    """
    from scipy.optimize import linprog

    n = round(q.sum())
    chosen = np.array(list(combinations(range(len(q)), n)), dtype=int).reshape(-1, n)
    samples = np.zeros((len(chosen), len(q)))
    np.put_along_axis(samples, chosen, 1.0, axis=1)
    cost = np.sum(((samples - q) @ (x / scale)) ** 2, axis=1)
    cost /= max(cost.max(), 1e-300)
    solved = linprog(cost, A_eq=samples.T, b_eq=q, bounds=(0, None), method="highs")
    if solved.x is None:
        raise SelectionError(
            "The landing of the cube found no sample ({reason}). Leave out balancing variables "
            "that nearly repeat each other.",
            reason=solved.message,
        )
    chance = np.maximum(solved.x, 0)
    return samples[rng.choice(len(chance), p=chance / chance.sum())]
