"""Every method draws with the probabilities it states: Monte Carlo, first and second order."""

from __future__ import annotations

import numpy as np
import pytest

from nsm import inclusion_probabilities, joint_probabilities
from nsm.errors import OptionError
from nsm.selection.methods import METHODS, Cell, method_of

UNITS, N = 14, 5
SIZE = np.array([4, 7, 5, 9, 12, 6, 8, 15, 11, 10, 3, 5, 14, 9], dtype=float)
P = inclusion_probabilities(SIZE, N)
POINTS = np.random.default_rng(3).random((UNITS, 2))
DRAWS = {"cube": 800, "local-cube": 800, "conditional-poisson": 2500}
# Pareto's probabilities are nearly, not exactly, the stated ones.
NEARLY = {"pareto": 0.004}


def cell(method: str) -> Cell:
    p = np.full(UNITS, N / UNITS) if METHODS[method].equal else P
    balance = np.column_stack([SIZE, POINTS[:, 0]])
    return Cell(p, np.zeros(UNITS, dtype=np.int64), POINTS, balance, None)


def frequencies(method: str, draws: int, seed: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each pair was drawn together (units, units), and the sizes (draws,)."""
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = np.zeros((draws, UNITS))
    case = cell(method)
    for row in drawn:
        row[METHODS[method].draw(case, rng)] = 1
    return drawn.T @ drawn / draws, drawn.sum(axis=1)


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_are_the_stated_ones(method: str) -> None:
    draws = DRAWS.get(method, 6000)
    together, sizes = frequencies(method, draws)
    p = cell(method).p
    if METHODS[method].fixed:
        assert np.all(sizes == N)
    error = np.sqrt(p * (1 - p) / draws)
    assert np.all(np.abs(np.diag(together) - p) < 4.5 * error + NEARLY.get(method, 0))


@pytest.mark.parametrize(
    "method",
    ["srs", "bernoulli", "poisson", "systematic", "sampford", "tille", "conditional-poisson"],
)
def test_joint_probabilities_are_the_stated_ones(method: str) -> None:
    draws = 2500 if method == "conditional-poisson" else 8000
    together, _ = frequencies(method, draws, seed=5)
    joint = joint_probabilities(cell(method).p, method)
    error = np.sqrt(joint * (1 - joint) / draws) + 1e-9
    assert np.all(np.abs(together - joint) < 4.8 * error)


@pytest.mark.parametrize("method", ["brewer", "pivotal"])
def test_methods_of_large_entropy_are_near_hajek(method: str) -> None:
    together, _ = frequencies(method, 8000, seed=6)
    assert np.max(np.abs(together - joint_probabilities(P, "hajek"))) < 0.05


@pytest.mark.simulation
@pytest.mark.parametrize("method", METHODS)
def test_probabilities_over_many_draws(method: str) -> None:
    draws = 20_000 if "cube" in method else 200_000
    together, _ = frequencies(method, draws, seed=12)
    p = cell(method).p
    error = np.sqrt(p * (1 - p) / draws)
    assert np.all(np.abs(np.diag(together) - p) < 4.5 * error + NEARLY.get(method, 0))


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(OptionError, match=r"no selection method 'systemtic'. Did you mean"):
        method_of("systemtic")
