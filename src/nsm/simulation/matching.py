"""Ranks, quotas and pairs within groups of rows, for all groups at once."""

from __future__ import annotations

import numpy as np


def rank(group: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return the rank of each row in its group by `key`, from 0; ties keep their order.

    Examples
    --------
    >>> rank(np.array([0, 0, 1]), np.array([5, 3, 9])).tolist()
    [1, 0, 0]
    """
    order = np.lexsort((key, group))
    ranked = np.empty(len(group), dtype=np.int64)
    ranked[order] = _positions(group[order])
    return ranked


def first(group: np.ndarray, key: np.ndarray, quota: np.ndarray) -> np.ndarray:
    """Mark the `quota[group]` rows of each group that have the smallest keys."""
    return rank(group, key) < quota[group]


def pair(
    left: tuple[np.ndarray, np.ndarray], right: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Pair the rows of two tables: the first of a group with the first, by their keys.

    Parameters
    ----------
    left, right
        Group and key of each row; the surplus of a group stays alone.

    Returns
    -------
    two ndarrays (pairs,): rows of `left` and of `right`.

    Examples
    --------
    >>> i, j = pair((np.array([0, 0]), np.array([2, 1])), (np.array([0]), np.array([7])))
    >>> i.tolist(), j.tolist()
    ([1], [0])
    """
    if not len(left[0]) or not len(right[0]):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    i = np.lexsort((left[1], left[0]))
    j = np.lexsort((right[1], right[0]))
    mine, other = left[0][i], right[0][j]
    start = np.searchsorted(other, mine, side="left")
    end = np.searchsorted(other, mine, side="right")
    place = start + _positions(mine)
    met = place < end
    return i[met], j[place[met]]


def thin(
    left: tuple[np.ndarray, np.ndarray], right: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Mark rows of two tables so that each group has as many marked in one as in the other.

    Parameters
    ----------
    left, right
        Group and priority of each row; the smallest priorities stay.
    """
    size = int(max(left[0].max(initial=-1), right[0].max(initial=-1))) + 1
    counts = [np.bincount(group, minlength=size) for group, _ in (left, right)]
    quota = np.minimum(*counts)
    return first(*left, quota), first(*right, quota)


def _positions(group: np.ndarray) -> np.ndarray:
    """Return 0, 1, 2 ... within each run of equal, sorted groups."""
    if not len(group):
        return np.zeros(0, dtype=np.int64)
    new = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
    return np.arange(len(group)) - np.repeat(new, np.diff(np.append(new, len(group))))
