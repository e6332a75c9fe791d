"""Areas drawn PPS and taken whole: expected CVs are those that samples realize."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.allocation import PriorError, Response, area_strata, areas_at, prior_error
from nsm.allocation.pps import hajek_variance, pps_probabilities, zone_variance
from nsm.errors import AllocationError, ColumnError, OptionError, ValueInColumnError

BASE = {"border": 0.08, "sugar": 0.07, "concentration": 0.05, "crops": 0.05, "rest": 0.035}
TARGETS = {
    "all": {"immigrants": 0.05, "descendants": 0.06},
    "territory": {"immigrants": 0.11, "descendants": 0.12},
}
COSTS = {"area_cost": 200.0, "screening_cost": 2.0, "interview_cost": 5.0}


def country(units: int = 9000, seed: int = 5) -> pd.DataFrame:
    """Return synthetic areas: a true count, and a prior that is a blurred memory of it."""
    g = np.random.default_rng(seed)
    territory = g.choice(list(BASE), units, p=[0.08, 0.08, 0.3, 0.2, 0.34])
    base = np.array([BASE[t] for t in territory])
    dwellings = g.integers(40, 250, units)
    share = np.where(g.random(units) < 0.4, 0, g.lognormal(np.log(base) - 0.2, 1.1))
    share = np.minimum(share, 0.6)
    prior = share * g.lognormal(-0.08, 0.4, units)
    prior = np.where((share > 0.2) & (g.random(units) < 0.1), 0.01, prior)
    prior = np.minimum(np.where(prior == 0, 0.002 + g.gamma(0.5, 0.004, units), prior), 0.9)
    immigrants = np.round(share * dwellings * 3)
    table = pd.DataFrame(
        {
            "area": [f"{k:06d}" for k in range(units)],
            "territory": territory,
            "dwellings": dwellings,
            "prior": prior,
            "immigrants": immigrants,
            "descendants": np.round(immigrants * 0.45 * g.lognormal(-0.1, 0.5, units)),
        }
    )
    cut = pd.cut(prior, [-1, 0.01, 0.05, 0.15, 1], labels=list("abcd")).astype(str)
    table["stratum"] = table["territory"] + "-" + pd.Series(cut)
    return table


def with_priors(table: pd.DataFrame) -> pd.DataFrame:
    """Add what the prior gives by area: expected counts and their variance, stratum by stratum."""
    table = table.copy()
    for y in ("immigrants", "descendants"):
        table[f"expected_{y}"] = table["prior"] * table["dwellings"] * 3
        table[f"error_{y}"] = 0.0
        for rows in table.groupby("stratum").indices.values():
            part = table.iloc[rows]
            mu, size = part[f"expected_{y}"].to_numpy(), part["dwellings"].to_numpy()
            told = prior_error(mu, part[y].to_numpy(), size)
            table.loc[table.index[rows], f"error_{y}"] = told.variance(mu, size)
            table.loc[table.index[rows], f"expected_{y}"] = told.mean(mu, size)
    return table


def strata_at(table: pd.DataFrame) -> object:
    names = ("immigrants", "descendants")
    return areas_at(
        table,
        size="dwellings",
        y={y: f"expected_{y}" for y in names},
        error={y: f"error_{y}" for y in names},
        domains=["territory"],
        order=[],
        **COSTS,
    )


def realized(table: pd.DataFrame, plan: nsm.Plan, draws: int, seed: int = 1) -> pd.DataFrame:
    """Return realized over expected CV by target, from systematic PPS samples of whole areas."""
    g = np.random.default_rng(seed)
    names = ["immigrants", "descendants"]
    truth = table.groupby("territory")[names].sum()
    found = {t: np.zeros((draws, 2)) for t in truth.index}
    for row in plan.table.itertuples():
        areas = table[table["stratum"] == row.stratum].sort_values("area")
        p = nsm.inclusion_probabilities(areas["dwellings"].to_numpy(), row.n)
        expanded = areas[names].to_numpy() / p[:, None]
        found[row.territory] += expanded[p == 1].sum(axis=0)
        free = p < 1
        upper = np.cumsum(p[free])
        steps = np.arange(round(upper[-1])) + g.random((draws, 1))
        found[row.territory] += expanded[free][np.searchsorted(upper, steps)].sum(axis=1)
    truth.loc["all"] = truth.sum()
    found["all"] = np.sum(list(found.values()), axis=0)
    cv = pd.DataFrame({t: v.std(axis=0, ddof=1) for t, v in found.items()}, names).T / truth
    expected = plan.precision.pivot_table(index="value", columns="variable", values="cv")
    return (cv / expected)[names]


def test_expected_cvs_are_realized_with_a_blurred_prior() -> None:
    table = with_priors(country(37_000))
    plan = nsm.allocate(strata_at(table), precision=TARGETS)
    ratio = realized(table, plan, draws=4000)
    assert ratio.loc["all"].to_numpy() == pytest.approx(1, abs=0.1)
    assert float(ratio.to_numpy().mean()) == pytest.approx(1, abs=0.1)


def test_a_plan_agrees_with_the_strata_at_its_own_n() -> None:
    table = with_priors(country(3000))
    at = strata_at(table)
    plan = nsm.allocate(at, precision=TARGETS)
    assert callable(at)
    again = nsm.allocate(
        at(plan.table["n"].to_numpy()).assign(minimum=plan.table["n"], maximum=plan.table["n"]),
        precision=TARGETS,
    )
    assert again.precision["cv"].to_numpy() == pytest.approx(plan.precision["cv"].to_numpy())
    assert (plan.precision["cv"] <= plan.precision["target"]).all()
    assert plan.cost == pytest.approx(again.cost)
    assert plan.gap is not None
    assert plan.gap < 0.01


def test_costs_and_counts_are_those_of_the_drawn_areas() -> None:
    table = with_priors(country(2000))
    plan = nsm.allocate(strata_at(table), precision=TARGETS)
    row = plan.table.iloc[3]
    areas = table[table["stratum"] == row["stratum"]]
    p = pps_probabilities(areas["dwellings"].to_numpy(dtype=float), row["n"])
    mu = areas[["expected_immigrants", "expected_descendants"]].to_numpy()
    cost = 200 + 2 * areas["dwellings"].to_numpy() + 5 * mu.sum(axis=1)
    assert row["cost"] == pytest.approx(p @ cost)
    assert row["expected_immigrants"] == pytest.approx(p @ mu[:, 0])
    assert row["expected_dwellings"] == pytest.approx(p @ areas["dwellings"].to_numpy())


def test_simple_random_sampling_is_exact() -> None:
    y = np.random.default_rng(1).gamma(2, 3, (50, 1))
    expected = 50**2 * (1 - 12 / 50) * y.var(ddof=1) / 12
    assert hajek_variance(np.full(50, 12 / 50), y)[0] == pytest.approx(expected)


def test_zones_are_one_draw_each() -> None:
    # Two units in each of two zones: the variance is that of a coin in each.
    p, y = np.array([0.5, 0.5, 0.5, 0.5]), np.array([[1.0], [3.0], [10.0], [10.0]])
    one = (2 - 6) ** 2 / 4
    half_way = ((2 * 3 - 2 * 10) ** 2) / 4  # zones half a step on: 1 | 3 10 | 10
    assert zone_variance(p, y)[0] == pytest.approx((one + half_way) / 2, rel=0.3)
    sorted_y = np.sort(np.random.default_rng(2).gamma(2, 3, 200))[:, None]
    q = np.full(200, 0.1)
    assert zone_variance(q, sorted_y)[0] < 0.05 * hajek_variance(q, sorted_y)[0]


def test_probabilities_for_a_fraction_of_n() -> None:
    size = np.array([1.0, 2.0, 3.0, 30.0])
    assert pps_probabilities(size, 2.5) == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert pps_probabilities(size, 4.0).tolist() == [1.0] * 4


def test_prior_error_finds_what_was_put_in() -> None:
    g = np.random.default_rng(3)
    size = g.integers(40, 250, 40_000).astype(float)
    mu = size * g.gamma(1, 0.1, 40_000)
    mean = 0.02 * size + 0.8 * mu
    y = mean + np.sqrt(1.5 * mean + 0.2 * mean**2) * g.normal(size=40_000)
    told = prior_error(mu, y, size)
    assert (told.level, told.slope) == pytest.approx((0.02, 0.8), rel=0.1)
    assert told.variance(mu, size).sum() == pytest.approx(((y - mean) ** 2).sum(), rel=0.01)
    assert told.relative == pytest.approx(0.2, rel=0.15)


def test_non_response_widens_the_cv() -> None:
    table = country(2000).assign(mu=lambda t: t["prior"] * t["dwellings"] * 3)
    options = {"size": "dwellings", "y": {"immigrants": "mu"}}
    n = np.full(table["stratum"].nunique(), 5.0)
    full = area_strata(table, n=n, **options)
    part = area_strata(table, n=n, response=Response(0.8, 3.0), **options)
    assert (part["sd_immigrants"] > full["sd_immigrants"]).all()
    exact = area_strata(table, n=n, error=PriorError(spread=0.0), **options)
    assert (exact["sd_immigrants"] < full["sd_immigrants"]).all()


def test_minima_that_take_all_are_a_census() -> None:
    table = country(300).assign(mu=lambda t: 0.05 * t["dwellings"])
    at = areas_at(table, size="dwellings", y=["mu"], area_cost=50, screening_cost=2)
    plan = nsm.allocate(at, precision={"all": {"mu": 0.2}}, minimum=1000)
    assert plan.n == 300
    assert plan.cost == pytest.approx(50 * 300 + 2 * table["dwellings"].sum())
    compared = plan.compare()
    assert compared["cv_proportional"].to_numpy() == pytest.approx(compared["cv"], abs=1e-9)
    with pytest.raises(AllocationError, match="does not pay for the minima"):
        nsm.allocate(at, "proportional", budget=0.9 * plan.cost, minimum=1000)


def test_refusals() -> None:
    table = country(500).assign(mu=1.0)
    with pytest.raises(AllocationError, match=r"lies in .* values of 'zone'"):
        area_strata(
            table.assign(zone=np.arange(500) % 2), size="dwellings", y=["mu"], domains=["zone"]
        )
    with pytest.raises(ValueInColumnError, match="'mu' must be >= 0, but is not in 1 areas"):
        area_strata(table.assign(mu=[-1.0] + [1.0] * 499), size="dwellings", y=["mu"])
    with pytest.raises(ValueInColumnError, match="'dwellings' must be > 0, but is not in 1 areas"):
        area_strata(table.assign(dwellings=[0] + [1] * 499), size="dwellings", y=["mu"])
    with pytest.raises(ValueInColumnError, match="'stratum' is missing in 1 areas"):
        area_strata(
            table.assign(stratum=table["stratum"].mask(table.index == 0)),
            size="dwellings",
            y=["mu"],
        )
    asked = {"size": "dwellings", "y": ["mu"]}
    for name in ("area_cost", "screening_cost", "interview_cost"):
        with pytest.raises(OptionError, match=f"{name} is -5; it must not be below 0"):
            area_strata(table, **asked, **{name: -5})
    with pytest.raises(OptionError, match="An area costs nothing"):
        area_strata(table, **asked, area_cost=0)
    for share in (0.0, 1.2):
        with pytest.raises(OptionError, match=f"response is {share}; it must be above 0"):
            area_strata(table, **asked, response={"mu": Response(share)})
    with pytest.raises(OptionError, match="relative is -1; it must not be below 0"):
        area_strata(table, **asked, error={"mu": {"a": PriorError(relative=-1)}})
    with pytest.raises(OptionError, match="at least one expected count"):
        area_strata(table, size="dwellings", y=[])
    with pytest.raises(ColumnError, match=r"no column 'mus'. Did you mean 'mu'"):
        area_strata(table, size="dwellings", y=["mus"])
