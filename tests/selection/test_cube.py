from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm import inclusion_probabilities
from nsm.selection.cube import cube, land, local_cube
from nsm.selection.flight import null_vector
from nsm.selection.quality import spatial_balance


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def frame(units: int, variables: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    g = rng(1)
    size = g.gamma(4, 30, units)
    balance = np.column_stack([g.gamma(2, 1, (units, variables - 1)) * size[:, None] / 100, size])
    return inclusion_probabilities(size, n), balance


def imbalance(p: np.ndarray, balance: np.ndarray, drawn: np.ndarray) -> float:
    estimate = (balance[drawn] / p[drawn, None]).sum(axis=0)
    return float(np.max(np.abs(estimate / balance.sum(axis=0) - 1)))


def test_totals_are_kept_far_better_than_by_chance() -> None:
    p, balance = frame(8000, 6, 200)
    cubes = [imbalance(p, balance, cube(p, rng(k), balance)) for k in range(10)]
    chance = [
        imbalance(p, balance, rng(k).choice(8000, 200, replace=False, p=p / p.sum()))
        for k in range(10)
    ]
    assert np.median(cubes) < 0.006
    assert np.median(cubes) < 0.15 * np.median(chance)


def test_size_holds_in_every_stratum() -> None:
    g = rng(2)
    stratum = np.repeat(np.arange(30), 60)
    p = np.concatenate([inclusion_probabilities(g.gamma(4, 1, 60), 4 + k % 3) for k in range(30)])
    balance = g.gamma(2, 1, (1800, 3))
    spread = g.random((1800, 2))
    for drawn in (
        cube(p, rng(3), balance, stratum),
        local_cube(p, rng(3), balance, spread, stratum=stratum),
    ):
        assert np.bincount(stratum[drawn]).tolist() == [4 + k % 3 for k in range(30)]
        assert imbalance(p, balance, drawn) < 0.06


def test_local_cube_is_spread_and_balanced() -> None:
    p, balance = frame(3000, 4, 120)
    points = rng(5).random((3000, 2))
    drawn = local_cube(p, rng(6), balance, points)
    assert len(drawn) == 120
    assert spatial_balance(p, points, drawn) < 0.2
    assert imbalance(p, balance, drawn) < 0.02


@given(rows=st.integers(1, 6), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_null_vectors_are_mapped_to_zero(rows: int, seed: int) -> None:
    matrix = rng(seed).normal(size=(rows, rows + 1))
    vector = null_vector(matrix.copy())
    assert np.max(np.abs(vector)) > 0
    assert matrix @ vector == pytest.approx(np.zeros(rows), abs=1e-8)


def test_a_regular_matrix_has_no_null_vector() -> None:
    assert not null_vector(np.eye(3)).any()


def test_landing_keeps_probabilities_and_prefers_balance() -> None:
    q, x = np.array([0.5, 0.5, 0.5, 0.5]), np.array([[1.0], [1.0], [2.0], [2.0]])
    drawn = np.array([land(q, x, np.array([1.0]), rng(k)) for k in range(200)])
    assert drawn.sum(axis=1).tolist() == [2.0] * 200
    assert np.all(drawn @ x == 3)  # one of each kind is the only balanced sample
    assert drawn.mean(axis=0) == pytest.approx(q, abs=0.15)
