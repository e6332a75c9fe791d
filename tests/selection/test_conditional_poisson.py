from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from nsm import inclusion_probabilities
from nsm.selection.conditional_poisson import (
    conditional_joint,
    conditional_poisson,
    conditional_probabilities,
    sampford,
    tilted,
    working_probabilities,
)

Draw = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def test_conditioning_is_its_definition() -> None:
    p, n = np.array([0.1, 0.5, 0.5, 0.7, 0.35, 0.9]), 3
    odds = p / (1 - p)
    chance = {s: float(np.prod(odds[list(s)])) for s in combinations(range(6), n)}
    total = sum(chance.values())
    one = [sum(c for s, c in chance.items() if k in s) / total for k in range(6)]
    pair = sum(c for s, c in chance.items() if {1, 4} <= set(s)) / total
    assert conditional_probabilities(p, n) == pytest.approx(one, abs=1e-14)
    assert conditional_joint(p, n)[1, 4] == pytest.approx(pair, abs=1e-14)


def test_working_probabilities_reach_the_target() -> None:
    p = inclusion_probabilities(np.random.default_rng(2).lognormal(0, 1, 500), 80)
    free = p[p < 1]
    q = working_probabilities(free)
    n = round(free.sum())
    assert q.sum() == pytest.approx(n)
    assert conditional_probabilities(q, n) == pytest.approx(free, abs=1e-11)


def test_tilting_keeps_the_ratios_of_odds() -> None:
    p = np.array([0.2, 0.4, 0.6])
    q = tilted(p, 2)
    ratio = q / (1 - q) / (p / (1 - p))
    assert q.sum() == pytest.approx(2)
    assert np.ptp(ratio) < 1e-9 * ratio[0]


@pytest.mark.parametrize("draw", [sampford, conditional_poisson])
def test_sizes_where_rejection_of_whole_samples_fails(draw: Draw) -> None:
    size = np.random.default_rng(1).gamma(4, 30, 20_000) + 20
    p = inclusion_probabilities(size, 1000)
    drawn = draw(p, np.random.Generator(np.random.PCG64(1)))
    assert len(drawn) == len(set(drawn.tolist())) == 1000


def test_one_unit_is_drawn_with_its_probability() -> None:
    rng = np.random.Generator(np.random.PCG64(4))
    p = np.array([0.2, 0.3, 0.5])
    drawn = np.bincount([sampford(p, rng)[0] for _ in range(4000)], minlength=3) / 4000
    assert drawn == pytest.approx(p, abs=0.035)
