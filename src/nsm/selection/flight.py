"""The flight of the cube method, compiled: steps that keep every balancing total."""

from __future__ import annotations

import numpy as np
from numba import njit

from nsm.selection.tree import Tree, nearest, remove

_ZERO = 1e-9
_SINGULAR = 1e-11


@njit(cache=True)
def null_vector(matrix: np.ndarray) -> np.ndarray:
    """Return a vector that the matrix (rows, columns) maps to 0; zeros if there is none.

    The matrix is overwritten.
    """
    pivot = _reduced(matrix)
    vector = np.zeros(len(pivot))
    for free in range(len(pivot)):
        if pivot[free] < 0:
            vector[free] = 1.0
            for c in range(len(pivot)):
                if pivot[c] >= 0:
                    vector[c] = -matrix[pivot[c], free]
            break
    return vector


@njit(cache=True)
def _reduced(matrix: np.ndarray) -> np.ndarray:
    """Reduce the matrix (Gauss-Jordan, pivot: the largest entry of the row); return the pivots.

    They are the row of each column, -1 where the column is free.
    """
    rows, columns = matrix.shape
    pivot = np.full(columns, -1)
    for r in range(rows):
        best, column = 0.0, -1
        for c in range(columns):
            if pivot[c] < 0 and abs(matrix[r, c]) > best:
                best, column = abs(matrix[r, c]), c
        if best < _SINGULAR:
            continue
        pivot[column] = r
        _eliminate(matrix, r, column)
    return pivot


@njit(cache=True)
def _eliminate(matrix: np.ndarray, row: int, column: int) -> None:
    """Make the column 1 in its row and 0 in all others."""
    scale = matrix[row, column]
    for c in range(matrix.shape[1]):
        matrix[row, c] /= scale
    for other in range(len(matrix)):
        factor = matrix[other, column]
        if other != row and factor != 0.0:
            for c in range(matrix.shape[1]):
                matrix[other, c] -= factor * matrix[row, c]


@njit(cache=True)
def step(q: np.ndarray, units: np.ndarray, vector: np.ndarray, u: float) -> None:
    """Move the probabilities of `units` along `vector`, either way, until one is decided."""
    forward, back = np.inf, np.inf
    for i in range(len(units)):
        v, chance = vector[i], q[units[i]]
        if v > 0:
            forward, back = min(forward, (1 - chance) / v), min(back, chance / v)
        elif v < 0:
            forward, back = min(forward, -chance / v), min(back, (chance - 1) / v)
    length = forward if u * (forward + back) < back else -back
    for i in range(len(units)):
        chance = q[units[i]] + length * vector[i]
        if chance < _ZERO:
            chance = 0.0
        elif chance > 1 - _ZERO:
            chance = 1.0
        q[units[i]] = chance


@njit(cache=True)
def strata_among(stratum: np.ndarray, units: np.ndarray) -> int:
    """Count the strata of units that stand side by side by stratum."""
    count = 0
    for i in range(len(units)):
        count += i == 0 or stratum[units[i]] != stratum[units[i - 1]]
    return count


@njit(cache=True)
def equations(x: np.ndarray, stratum: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Return the balancing equations of `units`: one row for each x and each of their strata.

    Rows are scaled to a largest entry of 1.
    """
    columns = x.shape[1]
    matrix = np.zeros((columns + strata_among(stratum, units), len(units)))
    row = columns - 1
    for i in range(len(units)):
        row += i == 0 or stratum[units[i]] != stratum[units[i - 1]]
        matrix[row, i] = 1.0
    for r in range(columns):
        largest = 0.0
        for i in range(len(units)):
            matrix[r, i] = x[units[i], r]
            largest = max(largest, abs(matrix[r, i]))
        for i in range(len(units)):
            matrix[r, i] /= max(largest, 1e-300)
    return matrix


@njit(cache=True)
def fly(
    q: np.ndarray, x: np.ndarray, stratum: np.ndarray, order: np.ndarray, u: np.ndarray
) -> None:
    """Decide units, taken in `order`, until the balancing equations leave no freedom.

    Parameters
    ----------
    q
        Probabilities (units,); becomes 0 or 1 where decided.
    x
        Balancing variables over the first probabilities (units, variables).
    stratum
        Stratum numbers (units,): the sample size of each is kept. `order` holds them side by side.
    u
        Uniform numbers, as many as units.
    """
    active = np.empty(len(order), np.int64)
    count, following, steps = 0, 0, 0
    while True:
        rows = x.shape[1] + strata_among(stratum, active[:count])
        while count <= rows and following < len(order):
            unit = order[following]
            following += 1
            if 0 < q[unit] < 1:
                rows += count == 0 or stratum[unit] != stratum[active[count - 1]]
                active[count] = unit
                count += 1
        if count == 0:
            return
        units = active[:count].copy()
        vector = null_vector(equations(x, stratum, units))
        if np.max(np.abs(vector)) == 0:
            return
        step(q, units, vector, u[steps])
        steps += 1
        count = 0
        for unit in units:
            if 0 < q[unit] < 1:
                active[count] = unit
                count += 1


@njit(cache=True)
def fly_locally(q: np.ndarray, x: np.ndarray, tree: Tree, u: np.ndarray) -> None:
    """Decide units in clusters of neighbors, until fewer are left than a cluster takes.

    Parameters
    ----------
    u
        Uniform numbers (units, 3).
    """
    size = x.shape[1] + 2
    units, distance = np.empty(size, np.int64), np.empty(size - 1)
    stratum = np.zeros(len(q), np.int64)
    undecided, place = np.arange(len(q)), np.arange(len(q))
    left, steps = len(q), 0
    while left >= size:
        one = undecided[min(int(u[steps, 0] * left), left - 1)]
        nearest(tree, one, u[steps, 1], (units[:-1], distance))
        units[-1] = one
        step(q, units, null_vector(equations(x, stratum, units)), u[steps, 2])
        steps += 1
        for unit in units:
            if not 0 < q[unit] < 1:
                remove(tree, unit)
                left -= 1
                hole, moved = place[unit], undecided[left]
                undecided[hole], place[moved] = moved, hole
