"""A k-d tree from which points can be taken away, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

LEAF = 12
_DEEPEST = 64


class Tree(NamedTuple):
    """Points in a k-d tree: arrays by point and by node."""

    points: np.ndarray  # (points, dimensions)
    order: np.ndarray  # points, those of a leaf side by side
    place: np.ndarray  # where a point stands in `order`
    leaf: np.ndarray  # the leaf of a point
    start: np.ndarray  # first place of a node
    alive: np.ndarray  # points left in a node; they stand first in a leaf
    parent: np.ndarray
    child: np.ndarray  # left child, the right one follows; -1 for a leaf
    axis: np.ndarray
    cut: np.ndarray


@njit(cache=True)
def build(points: np.ndarray) -> Tree:
    """Build the tree: nodes are halved along their widest side."""
    count = len(points)
    most = 4 * (count // LEAF + 1) + 3
    order, place, leaf = np.arange(count), np.empty(count, np.int64), np.empty(count, np.int64)
    start, alive = np.zeros(most, np.int64), np.zeros(most, np.int64)
    parent, child = np.full(most, -1), np.full(most, -1)
    axis, cut = np.zeros(most, np.int64), np.zeros(most)
    alive[0], nodes, node = count, 1, 0
    while node < nodes:
        first, last = start[node], start[node] + alive[node]
        widest = _widest(order, points, first, last)
        if last - first <= LEAF:
            for k in range(first, last):
                place[order[k]], leaf[order[k]] = k, node
        else:
            middle = (first + last) // 2
            _halve(order, points, widest, (first, middle, last))
            axis[node], child[node] = widest, nodes
            cut[node] = points[order[middle], widest]
            start[nodes], alive[nodes], parent[nodes] = first, middle - first, node
            start[nodes + 1], alive[nodes + 1], parent[nodes + 1] = middle, last - middle, node
            nodes += 2
        node += 1
    return Tree(points, order, place, leaf, start, alive, parent, child, axis, cut)


@njit(cache=True)
def _widest(order: np.ndarray, points: np.ndarray, first: int, last: int) -> int:
    widest, width = 0, 0.0
    for d in range(points.shape[1]):
        low, high = np.inf, -np.inf
        for k in range(first, last):
            low, high = min(low, points[order[k], d]), max(high, points[order[k], d])
        if high - low > width:
            widest, width = d, high - low
    return widest


@njit(cache=True)
def _halve(order: np.ndarray, points: np.ndarray, axis: int, places: tuple[int, int, int]) -> None:
    """Bring the points before and after the middle place to their side (Hoare's selection)."""
    first, middle, last = places
    last -= 1
    while first < last:
        value = points[order[(first + last) // 2], axis]
        low, high = first, last
        while low <= high:
            while points[order[low], axis] < value:
                low += 1
            while points[order[high], axis] > value:
                high -= 1
            if low <= high:
                order[low], order[high] = order[high], order[low]
                low, high = low + 1, high - 1
        if middle <= high:
            last = high
        elif middle >= low:
            first = low
        else:
            return


@njit(cache=True)
def remove(tree: Tree, point: int) -> None:
    """Take a point out of the tree."""
    node = tree.leaf[point]
    last = tree.start[node] + tree.alive[node] - 1
    hole, moved = tree.place[point], tree.order[last]
    tree.order[hole], tree.order[last] = moved, point
    tree.place[moved], tree.place[point] = hole, last
    while node >= 0:
        tree.alive[node] -= 1
        node = tree.parent[node]


@njit(cache=True)
def nearest(tree: Tree, point: int, u: float, out: tuple[np.ndarray, np.ndarray]) -> int:
    """Find the points nearest to `point`, itself left out; return how many were found.

    `out` holds the points and their squared distances, nearest first; its length is the number
    wanted. Of several points at the last distance one is taken at random, with the uniform
    number `u`.
    """
    found, distance = out
    last, count, ties = len(found) - 1, 0, 1
    stack, gap = np.empty(_DEEPEST, np.int64), np.empty(_DEEPEST)
    stack[0], gap[0], height = 0, 0.0, 1
    while height:
        height -= 1
        node, bound = stack[height], gap[height]
        if tree.alive[node] == 0 or (count > last and bound > distance[last]):
            continue
        if tree.child[node] >= 0:
            side = tree.points[point, tree.axis[node]] - tree.cut[node]
            near = tree.child[node] + (side >= 0)
            stack[height], gap[height] = 2 * tree.child[node] + 1 - near, max(bound, side * side)
            stack[height + 1], gap[height + 1] = near, bound
            height += 2
            continue
        for k in tree.order[tree.start[node] : tree.start[node] + tree.alive[node]]:
            d = _squared(tree.points, k, point)
            if k == point or (count > last and d > distance[last]):
                continue
            if count > last and d == distance[last]:
                ties += 1
                if u * ties < 1:
                    found[last], u = k, u * ties
                else:
                    u = (u - 1 / ties) / (1 - 1 / ties)
                continue
            slot = min(count, last)
            count, ties = slot + 1, 1
            while slot > 0 and distance[slot - 1] > d:
                distance[slot], found[slot] = distance[slot - 1], found[slot - 1]
                slot -= 1
            distance[slot], found[slot] = d, k
    return count


@njit(cache=True)
def _squared(points: np.ndarray, one: int, other: int) -> float:
    total = 0.0
    for j in range(points.shape[1]):
        total += (points[one, j] - points[other, j]) ** 2
    return total
