from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm import inclusion_probabilities, joint_probabilities
from nsm.errors import SelectionError
from nsm.selection.joint import EXACT

P = inclusion_probabilities([15, 33, 18, 12, 10, 24, 9, 21, 40, 3], 4)


@pytest.mark.parametrize("method", ["systematic", "sampford", "tille", "conditional-poisson"])
def test_agrees_with_r(method: str, reference: Path) -> None:
    table = pd.read_csv(reference / "selection" / "joint.csv", skipinitialspace=True)
    table["method"] = table["method"].str.strip()
    part = table[table["method"] == method]
    expected = part.pivot_table(index="one", columns="other", values="probability").to_numpy()
    tolerance = 1e-6 if method == "conditional-poisson" else 1e-10  # R iterates to 1e-6
    assert joint_probabilities(P, method) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("method", ["systematic", "sampford", "tille", "conditional-poisson"])
def test_rows_add_up_to_n_times_p(method: str) -> None:
    p = inclusion_probabilities(np.arange(1.0, 60.0), 12)
    joint = joint_probabilities(p, method)
    assert joint.sum(axis=1) == pytest.approx(12 * p, abs=1e-9)
    assert np.all(joint >= -1e-15)
    assert joint == pytest.approx(joint.T)


def test_sampford_is_its_definition() -> None:
    p, n = np.array([0.2, 0.7, 0.8, 0.5, 0.4, 0.4]), 3
    odds = p / (1 - p)
    joint, total = np.zeros((6, 6)), 0.0
    for chosen in combinations(range(6), n):
        units = list(chosen)
        chance = np.prod(odds[units]) * np.sum(1 - p[units])
        total += chance
        joint[np.ix_(units, units)] += chance
    assert joint_probabilities(p, "sampford") == pytest.approx(joint / total, abs=1e-14)


def test_certain_units_meet_everyone() -> None:
    joint = joint_probabilities([1.0, 0.3, 0.7], "sampford")
    assert joint[0] == pytest.approx([1.0, 0.3, 0.7])
    assert joint[1, 2] == pytest.approx(0.0)


def test_equal_probabilities_give_simple_random_sampling() -> None:
    p = np.full(8, 3 / 8)
    for method in ("srs", "sampford", "conditional-poisson", "tille"):
        off = joint_probabilities(p, method)[np.triu_indices(8, 1)]
        assert off == pytest.approx(3 * 2 / (8 * 7)), method


@pytest.mark.parametrize(("method", "off"), [("hajek", 3e-4), ("hartley-rao", 6e-3)])
def test_approximations_are_near_for_large_entropy(method: str, off: float) -> None:
    p = inclusion_probabilities(np.random.default_rng(1).gamma(3, 1, 300), 60)
    exact = joint_probabilities(p, "sampford")
    assert joint_probabilities(p, method) == pytest.approx(exact, abs=off)


@pytest.mark.parametrize("method", ["brewer", "pareto", "pivotal", "cube"])
def test_unknown_joint_probabilities_are_not_made_up(method: str) -> None:
    with pytest.raises(SelectionError, match="approximation 'hajek' or 'hartley-rao' by its name"):
        joint_probabilities(P, method)


def test_refusals() -> None:
    with pytest.raises(SelectionError, match=r"'sampfrd' are not known. Did you mean 'sampford'"):
        joint_probabilities(P, "sampfrd")
    with pytest.raises(SelectionError, match=r"add up to 0\.9.*not a whole number"):
        joint_probabilities([0.4, 0.5], "sampford")
    with pytest.raises(SelectionError, match="above 0 and at most 1, at positions 1"):
        joint_probabilities([0.5, 1.5], "poisson")
    with pytest.raises(SelectionError, match="equal probabilities, but these lie between"):
        joint_probabilities([0.2, 0.8], "srs")
    with pytest.raises(SelectionError, match=r"20000 units would take 3\.2 GB"):
        joint_probabilities(np.full(20_000, 0.5), "poisson")
    assert set(EXACT) >= {"srs", "poisson"}
