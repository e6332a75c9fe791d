from __future__ import annotations

import numpy as np
import pytest

from nsm.selection.tree import build, nearest, remove


def test_finds_what_a_full_search_finds_as_points_go() -> None:
    g = np.random.default_rng(1)
    points = g.random((300, 3))
    tree, alive = build(points), np.ones(300, dtype=bool)
    for gone in g.permutation(300)[:280]:
        left = np.flatnonzero(alive)
        asked = int(g.choice(left))
        found, distance = np.empty(4, np.int64), np.empty(4)
        count = nearest(tree, asked, 0.5, (found, distance))
        squared = ((points[left] - points[asked]) ** 2).sum(axis=1)
        expected = np.sort(squared[left != asked])[:4]
        assert count == len(expected)
        assert distance[:count] == pytest.approx(expected)
        assert alive[found[:count]].all()
        remove(tree, int(gone))
        alive[gone] = False


def test_one_of_several_at_the_same_distance_is_taken_at_random() -> None:
    points = np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [3.0, 3.0]])
    tree = build(points)
    found, distance = np.empty(1, np.int64), np.empty(1)
    chosen = []
    for u in np.linspace(0.001, 0.999, 400):
        nearest(tree, 0, float(u), (found, distance))
        chosen.append(int(found[0]))
    assert np.bincount(chosen, minlength=6)[1:5] == pytest.approx(100, abs=2)


def test_points_on_one_place_make_no_trouble() -> None:
    tree = build(np.zeros((100, 2)))
    found, distance = np.empty(1, np.int64), np.empty(1)
    assert nearest(tree, 7, 0.3, (found, distance)) == 1
    assert distance[0] == 0
    assert found[0] != 7
