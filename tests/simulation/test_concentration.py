"""Counts of a rare population over areas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm.errors import OptionError
from nsm.simulation import concentration as con

RATES = np.array([0.02, 0.05, 0.25])
AREAS = np.array([600, 300, 100])
GROUP = np.repeat(np.arange(3), AREAS)


def people(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(150, 450, AREAS.sum())


def test_shares_of_groups_have_the_wanted_mean() -> None:
    empty = con.zero_shares(RATES, AREAS, 0.4)
    hot = con.hot_shares(RATES, AREAS, 0.02)
    assert np.average(empty, weights=AREAS) == pytest.approx(0.4)
    assert np.average(hot, weights=AREAS) == pytest.approx(0.02)
    assert (np.diff(empty) < 0).all()
    assert (np.diff(hot) > 0).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_counts_add_up_and_keep_their_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    population = people(seed)
    kind = con.classify(
        GROUP,
        con.zero_shares(RATES, AREAS, 0.4),
        con.hot_shares(RATES, AREAS, 0.02),
        np.ones(len(GROUP)),
        rng,
    )
    totals = np.rint(RATES * np.bincount(GROUP, population)).astype(int)
    counts = con.concentrate(GROUP, totals, population, kind, rng)
    assert (np.bincount(GROUP, counts) == totals).all()
    assert (counts[kind == con.EMPTY] == 0).all()
    assert (counts[kind == con.SCATTERED] >= 1).all()
    assert (counts[kind == con.SCATTERED] <= 0.3 * population[kind == con.SCATTERED]).all()
    assert (counts[kind == con.HOT] > 0.3 * population[kind == con.HOT]).all()
    assert (counts <= 0.9 * population).all()
    assert (kind == con.EMPTY).mean() == pytest.approx(0.4, abs=0.002)
    assert (kind == con.HOT).mean() == pytest.approx(0.02, abs=0.002)


@given(seed=st.integers(0, 10**6), total=st.integers(0, 400))
def test_scattered_totals_are_exact(seed: int, total: int) -> None:
    rng = np.random.default_rng(seed)
    group = np.repeat([0, 1], 50)
    room = rng.integers(4, 12, 100)
    room[0] = 0
    totals = np.array([total // 2, total - total // 2])
    totals = np.minimum(totals, [room[:50].sum(), room[50:].sum()])
    counts = con.scatter(totals, group, rng.random(100) + 0.01, room, rng)
    assert (np.bincount(group, counts, 2) == totals).all()
    assert ((counts >= 0) & (counts <= room)).all()


def test_scatter_refuses_what_does_not_fit() -> None:
    one = np.zeros(3, dtype=int)
    with pytest.raises(OptionError, match="Group 0 has no room for 4 of its 10 persons"):
        con.scatter(np.array([10]), one, np.ones(3), np.full(3, 2), np.random.default_rng(1))


def test_a_prior_is_wrong_in_the_ways_that_are_asked() -> None:
    rng = np.random.default_rng(5)
    truth = np.where(np.arange(10_000) < 4_000, 0.0, rng.gamma(1.0, 0.1, 10_000).clip(0.001, 0.9))
    prior = con.blur(truth, np.full(10_000, 0.02), np.random.default_rng(6))
    hot = truth > 0.3
    lost = (prior < 0.12) & hot
    assert lost.sum() == pytest.approx(0.1 * hot.sum(), rel=0.25)
    assert (prior[truth == 0] > 0).mean() == pytest.approx(0.25, abs=0.03)
    assert (prior[(truth > 0) & ~hot] == 0).mean() == pytest.approx(0.15, abs=0.03)
    known = hot & ~lost & (prior < 0.95)
    assert np.log(prior[known] / truth[known]).std() == pytest.approx(0.5, abs=0.1)
    low = (truth > 0) & (truth < 0.2) & (prior > 0)
    assert (prior[low] / truth[low]).mean() == pytest.approx(1, abs=0.03)


def test_the_design_effect_is_that_of_many_draws() -> None:
    rng = np.random.default_rng(7)
    population = people(1)
    count = rng.binomial(population, rng.beta(0.2, 3, len(population)))
    size = population + rng.integers(0, 50, len(population))
    draw = size / size.sum()
    n, rounds = 40, 4_000
    picked = rng.choice(len(size), (rounds, n), p=draw)
    estimates = (count[picked] / draw[picked]).mean(1)
    rate = count.sum() / population.sum()
    simple = population.sum() ** 2 * rate * (1 - rate) / (n * (draw @ population))
    assert con.design_effect(count, population, size) == pytest.approx(
        estimates.var() / simple, rel=0.08
    )


def test_a_share_out_of_its_range_is_named() -> None:
    with pytest.raises(OptionError) as caught:
        con.zero_shares(RATES, AREAS, 1.2)
    assert str(caught.value) == "A share of areas must lie between 0 and 1, not 1.2."
