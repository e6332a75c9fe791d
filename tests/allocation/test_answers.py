"""Answers of planning, against closed forms and brute force."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.allocation import (
    PriorError,
    areas_at,
    change_power,
    detectable_change,
    point_costs,
    second_phase,
)
from nsm.allocation.sample_size import change_variance
from nsm.errors import OptionError

STRATA = pd.DataFrame(
    {
        "stratum": ["a", "b"],
        "population": [40_000, 60_000],
        "mean_y": [3.0, 1.0],
        "sd_y": [4.0, 2.0],
        "cost": [9.0, 4.0],
    }
)


def neyman_cost(cv: float) -> float:
    """Cochran (1977), sec. 5.5: the least cost for a variance, with finite populations."""
    size, sd, cost = (STRATA[c].to_numpy(dtype=float) for c in ("population", "sd_y", "cost"))
    total = float(size @ STRATA["mean_y"])
    wanted = (cv * total) ** 2 + float(size @ sd**2)
    return float((size * sd * np.sqrt(cost)).sum() ** 2 / wanted)


def test_a_point_of_cv_costs_what_cochran_says() -> None:
    plan = nsm.allocate(STRATA, precision={"all": {"y": 0.04}})
    row = point_costs(plan).iloc[0]
    assert plan.cost == pytest.approx(neyman_cost(0.04), rel=0.01)
    assert row["saved"] == pytest.approx(neyman_cost(0.04) - neyman_cost(0.05), rel=0.03)
    assert row["dearer"] == pytest.approx(neyman_cost(0.03) - neyman_cost(0.04), rel=0.03)
    small = point_costs(plan, step=0.0005).iloc[0]
    slope = plan.precision["point_cost"].iloc[0] * 0.05
    assert small["saved"] == pytest.approx(slope, rel=0.2)


def test_a_point_more_than_there_is_cannot_be_had() -> None:
    few = STRATA.assign(population=[4_000, 6_000])
    plan = nsm.allocate(few, precision={"all": {"y": 0.009}})
    row = point_costs(plan).iloc[0]
    assert np.isnan(row["dearer"])
    assert row["saved"] > 0


@pytest.mark.parametrize("change", [-0.3, 0.12])
def test_power_is_that_of_repeated_rounds(change: float) -> None:
    cv, before, overlap, correlation = 0.06, 0.05, 0.6, 0.8
    rng = np.random.Generator(np.random.PCG64(3))
    then, now = before, cv * (1 + change)
    cross = overlap * correlation * then * now
    drawn = rng.multivariate_normal(
        [1.0, 1.0 + change], [[then**2, cross], [cross, now**2]], size=200_000
    )
    se = sqrt(then**2 + now**2 - 2 * cross)
    seen = (np.abs(drawn[:, 1] - drawn[:, 0]) > 1.959964 * se).mean()
    said = change_power(change, cv, before=before, overlap=overlap, correlation=correlation)
    assert said == pytest.approx(seen, abs=4 * sqrt(0.25 / 200_000))


def test_areas_in_both_rounds_bring_their_covariance() -> None:
    """Draws of areas, a share of them in both rounds, not only normal numbers."""
    rng = np.random.Generator(np.random.PCG64(5))
    n, kept, rho = 50, 30, 0.7
    draws = []
    for _ in range(20_000):
        one = rng.normal(size=n)
        again = rho * one[:kept] + sqrt(1 - rho**2) * rng.normal(size=kept)
        draws.append(np.r_[again, rng.normal(size=n - kept)].mean() - one.mean())
    said = change_variance(1 / sqrt(n), 1 / sqrt(n), kept / n, rho)
    assert np.var(draws) == pytest.approx(said, rel=0.04)


@pytest.mark.parametrize("rising", [True, False])
def test_the_least_change_is_seen_with_the_power_asked(*, rising: bool) -> None:
    least = detectable_change(0.05, power=0.9, overlap=0.5, correlation=0.6, rising=rising)
    assert change_power(least, 0.05, overlap=0.5, correlation=0.6) == pytest.approx(0.9)
    assert (least > 0) == rising
    # With both standard errors small, (z + z_power) SE is the textbook's answer.
    tiny = detectable_change(0.001, power=0.8, rising=rising)
    assert abs(tiny) == pytest.approx((1.959964 + 0.841621) * sqrt(2) * 0.001, rel=0.005)


def test_some_changes_are_never_seen() -> None:
    assert np.isnan(detectable_change(1.5))
    assert np.isnan(detectable_change(0.9, before=0.9, rising=False))


@pytest.mark.parametrize(
    "wrong", [{"cv": 0.0}, {"change": -1.5}, {"overlap": 1.5}, {"before": 0.0}, {"confidence": 1.0}]
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    given = {"change": 0.1, "cv": 0.05} | wrong
    with pytest.raises(OptionError):
        change_power(given.pop("change"), given.pop("cv"), **given)
    with pytest.raises(OptionError, match="power"):
        detectable_change(0.05, power=1.0)


def test_the_best_second_phase_is_the_optimum_of_cochran() -> None:
    """Cochran (1977), sec. 10.6: b = sqrt(C / c (1 - rho) / rho) interviews in an area."""
    shares = np.linspace(0.01, 1, 2000)
    table = second_phase(
        areas=100, cases=10_000, area_cost=900, interview_cost=25, homogeneity=0.1, shares=shares
    )
    best = table.loc[table["efficiency"].idxmax()]
    assert best["interviews"] / 100 == pytest.approx(sqrt(900 / 25 * 0.9 / 0.1), rel=0.01)
    assert best["efficiency"] > 1
    assert table["saved"].iloc[-1] == 0
    assert table["efficiency"].iloc[-1] == pytest.approx(1.0)


def test_the_cv_of_a_second_phase_is_that_of_clustered_answers() -> None:
    areas, found, rho, p = 40, 20, 0.15, 0.5
    rng = np.random.Generator(np.random.PCG64(7))
    size = (1 - rho) / rho
    chance = rng.beta(p * size, (1 - p) * size, size=(20_000, areas))
    for row in second_phase(
        areas=areas,
        cases=areas * found,
        area_cost=1,
        interview_cost=1,
        homogeneity=rho,
        shares=(1.0, 0.25),
        p=p,
    ).to_dict("records"):
        taken = round(row["share"] * found)
        share = rng.binomial(taken, chance).sum(axis=1) / (taken * areas)
        assert share.std() / p == pytest.approx(row["cv"], rel=0.03)


@pytest.mark.parametrize(
    "wrong", [{"areas": 0}, {"homogeneity": 2.0}, {"p": 1.0}, {"shares": (0.0,)}]
)
def test_a_second_phase_of_nothing_is_refused(wrong: dict[str, float]) -> None:
    given = {"areas": 10, "cases": 50, "area_cost": 1, "interview_cost": 1, "homogeneity": 0.1}
    with pytest.raises(OptionError):
        second_phase(**(given | wrong))  # type: ignore[arg-type] # a wrong kind is the point


def test_a_sharper_prior_needs_as_many_areas_as_its_variance_says() -> None:
    """Areas of one size and one expected count: V = N^2 (1 / n - 1 / N) v, so n is known."""
    areas = pd.DataFrame(
        {"area": [f"{k:03}" for k in range(400)], "stratum": "a", "dwellings": 50, "y": 8.0}
    )
    cv = 0.1
    for factor in (1.0, 0.5, 0.25):
        error = PriorError(spread=4.0).sharper(factor)
        at = areas_at(areas, size="dwellings", y=["y"], error=error)
        v = factor * 4.0 * 8.0
        needed = 1 / ((cv * 8.0) ** 2 / v + 1 / 400)
        assert nsm.allocate(at, precision={"all": {"y": cv}}).n == pytest.approx(needed, abs=1)
