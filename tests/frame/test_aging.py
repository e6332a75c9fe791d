"""Old priors: the persistence that is put in comes out, and CVs are those of repeated draws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nsm.errors import OptionError
from nsm.frame import Frame, expected_cvs, persistence

Grid = Callable[..., Frame]


def rounds(kept: float, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Two rounds of 40,000 areas, and the sampling variance of the first."""
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(400), 100)
    mean = rng.uniform(0.02, 0.2, 400)[group]
    first = mean + rng.normal(0, 0.05, len(group))
    second = mean + kept * (first - mean) + rng.normal(0, 0.05 * np.sqrt(1 - kept**2), len(group))
    return first + rng.normal(0, noise, len(group)), second, group, noise**2


def test_the_persistence_is_found_again() -> None:
    first, second, group, _ = rounds(0.9**5)
    assert persistence(first, second, group=group, years=5) == pytest.approx(0.9, abs=0.005)


def test_sampling_error_of_the_first_round_is_taken_out() -> None:
    first, second, group, error = rounds(0.9**5, noise=0.04)
    plain = persistence(first, second, group=group, years=5)
    mended = persistence(first, second, group=group, years=5, error_variance=error)
    assert plain < 0.85
    assert mended == pytest.approx(0.9, abs=0.01)


def test_shrinking_keeps_means_and_draws_in_deviations(grid: Grid) -> None:
    frame = grid()
    shrunk = frame.shrink(age=5, persistence=0.8)
    people = frame.table["population"]
    for f in (frame, shrunk):
        means = (f.table["prior"] * people).groupby(f.table["municipality"]).sum()
        assert means.to_numpy() == pytest.approx(
            (frame.table["prior"] * people).groupby(frame.table["municipality"]).sum().to_numpy()
        )
    town = frame.table["municipality"] == "0101"
    mean = np.average(frame.table["prior"][town], weights=people[town])
    assert (shrunk.table["prior"][town] - mean).to_numpy() == pytest.approx(
        0.8**5 * (frame.table["prior"][town] - mean).to_numpy()
    )
    assert shrunk.table["prior_before"].equals(frame.table["prior"])
    assert frame.shrink(0, 0.8).table["prior"].to_numpy() == pytest.approx(frame.table["prior"])


def test_expected_cvs_are_those_of_many_populations_and_draws(grid: Grid) -> None:
    rng = np.random.default_rng(11)
    frame = grid(10, 20, prior=rng.beta(8, 40, 200)).concentration([0.15])
    n, age, kept = 40, 3, 0.8
    row = expected_cvs(frame, n, age=age, persistence=kept).iloc[0]
    table = frame.table
    people, size = table["population"].to_numpy(), table["households"].to_numpy(float)
    town = table["municipality"].to_numpy()
    prior = table["prior"].to_numpy()
    mean = np.zeros(200)
    spread = np.zeros(200)
    for t in np.unique(town):
        m = town == t
        mean[m] = np.average(prior[m], weights=people[m])
        spread[m] = np.average((prior[m] - mean[m]) ** 2, weights=people[m])
    left = kept**age
    stratum = table["stratum"].to_numpy()
    errors = np.zeros(8_000)
    count = people * prior
    deviation = {}
    for h in np.unique(stratum):
        m = stratum == h
        q = size[m] / size[m].sum()
        deviation[h] = np.sqrt(
            ((count[m] ** 2 + count[m] * (1 - prior[m])) / q).sum()
            - count[m].sum() ** 2
            - (count[m] * (1 - prior[m])).sum()
        )
    total = sum(deviation.values())
    for k in range(len(errors)):
        chance = mean + left * (prior - mean) + rng.normal(0, np.sqrt((1 - left**2) * spread))
        held = rng.binomial(people, chance.clip(0, 1))
        for h, d in deviation.items():
            m = np.flatnonzero(stratum == h)
            q = size[m] / size[m].sum()
            taken = round(n * d / total)
            drawn = rng.choice(len(m), taken, p=q)
            errors[k] += (held[m][drawn] / q[drawn]).mean() - held[m].sum()
    simulated = errors.std() / row["migrants"]
    assert row["cv_expected"] == pytest.approx(simulated, rel=0.05)
    assert row["cv_trusted"] < row["cv_shrunk"] <= row["cv_expected"] * 1.001


def test_a_lone_area_is_known_whatever_its_prior(grid: Grid) -> None:
    frame = grid()
    lone = frame.replaced(table=frame.table.iloc[:1])
    assert expected_cvs(lone, 1, age=5, persistence=0.5)["cv_expected"][0] == pytest.approx(
        0, abs=1e-6
    )


def test_domains_follow_the_whole(grid: Grid) -> None:
    table = expected_cvs(grid(), 10, age=5, persistence=0.9, by="municipality")
    assert table["domain"].tolist() == ["all", "0101", "0102"]
    assert table["migrants"][0] == pytest.approx(table["migrants"][1:].sum())


@pytest.mark.parametrize(("age", "kept"), [(-1, 0.5), (1, 1.5)])
def test_ages_that_make_no_sense(age: float, kept: float, grid: Grid) -> None:
    with pytest.raises(OptionError, match="do not make sense"):
        grid().shrink(age, kept)


def test_rounds_that_say_nothing() -> None:
    flat, group = np.full(4, 0.1), np.zeros(4)
    with pytest.raises(OptionError, match="does not vary beyond its sampling error"):
        persistence(flat, flat, group=group, years=5)
    with pytest.raises(OptionError, match="there are 4 areas and 0 years"):
        persistence(flat, flat, group=group, years=0)
