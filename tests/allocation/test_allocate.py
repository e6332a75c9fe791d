from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.allocation import RULES
from nsm.errors import AllocationError, ColumnError, NsmError, OptionError, ValueInColumnError

# Cochran (1977), sec. 5.5-5.6: 64 cities in 1930, the 16 largest apart.
CITIES = pd.DataFrame(
    {
        "stratum": ["large", "other"],
        "population": [16, 48],
        "mean_people": [629.375, 197.875],
        "sd_people": [53843**0.5, 5581**0.5],
    }
)


def variance(plan: nsm.Plan) -> float:
    return float((plan.precision["cv"] * plan.precision["total"]).iloc[0] ** 2)


def test_cochran_proportional_and_neyman() -> None:
    proportional = nsm.allocate(CITIES, "proportional", n=24)
    neyman = nsm.allocate(CITIES, "neyman", n=24)
    assert proportional.table["n"].tolist() == [6, 18]
    assert neyman.table["n"].tolist() == [12, 12]
    assert variance(proportional) == pytest.approx(1_882_293, rel=1e-6)
    assert variance(neyman) == pytest.approx(1_090_827, rel=1e-6)


def test_precision_of_a_stratified_sample_is_cochran_5_6() -> None:
    plan = nsm.allocate(CITIES, "equal", n=20)
    n, population = np.array([10, 10]), CITIES["population"].to_numpy()
    square = CITIES["sd_people"].to_numpy() ** 2
    expected = np.sum(population * (population - n) * square / n)
    assert variance(plan) == pytest.approx(expected)


def test_power_goes_from_equal_cvs_to_neyman() -> None:
    # Bankier (1988): n_h proportional to X^q S / mean; q = 1 is Neyman, q = 0 makes CVs alike.
    assert nsm.allocate(CITIES, "power", n=24, power=1).table["n"].tolist() == [12, 12]
    share = (CITIES["sd_people"] / CITIES["mean_people"]).to_numpy()
    even = nsm.allocate(CITIES, "power", n=24, power=0).table["n"].to_numpy()
    assert even == pytest.approx(24 * share / share.sum(), abs=1)


def test_kish_lies_between_equal_and_proportional() -> None:
    # Kish (1988): n_h proportional to sqrt(I W_h^2 + H^-2).
    w = np.array([0.25, 0.75])
    share = np.sqrt(w**2 + 1 / 4)
    got = nsm.allocate(CITIES, "kish", n=24).table["n"].to_numpy()
    assert got == pytest.approx(24 * share / share.sum(), abs=0.6)
    assert nsm.allocate(CITIES, "kish", n=24, importance=0).table["n"].tolist() == [12, 12]
    assert nsm.allocate(CITIES, "kish", n=24, importance=1e9).table["n"].tolist() == [6, 18]


def test_optimal_follows_cost_and_spends_the_budget() -> None:
    # Cochran (1977), eq. 5.23: n_h proportional to N_h S_h / sqrt(c_h).
    strata = CITIES.assign(population=[1600, 4800], cost=[4.0, 9.0])
    plan = nsm.allocate(strata, "optimal", budget=3000)
    share = (strata["population"] * strata["sd_people"] / np.sqrt(strata["cost"])).to_numpy()
    assert plan.table["n"].to_numpy() / share == pytest.approx(
        3000 / (strata["cost"].to_numpy() @ share), rel=0.01
    )
    assert 3000 - 9 < plan.cost <= 3000


def test_kalton_and_anderson_rates() -> None:
    # Kalton & Anderson (1986): f_h proportional to sqrt(P_h / (screening + P_h interview)).
    strata = pd.DataFrame(
        {
            "stratum": ["hot", "warm", "cold"],
            "population": [2_000, 20_000, 100_000],
            "prevalence": [0.4, 0.08, 0.01],
            "screening_cost": 2.0,
            "interview_cost": 30.0,
        }
    )
    plan = nsm.allocate(strata, "screening", budget=50_000)
    p = strata["prevalence"].to_numpy()
    rate = np.sqrt(p / (2 + 30 * p))
    got = plan.table["probability"].to_numpy()
    assert got / got[2] == pytest.approx(rate / rate[2], rel=0.02)
    assert plan.table["expected_prevalence"].to_numpy() == pytest.approx(
        plan.table["n"].to_numpy() * p
    )
    assert 49_900 < plan.cost <= 50_000
    targets = {"all": {"prevalence": 0.05}}
    assert nsm.allocate(strata, "screening", precision=targets).precision["cv"][0] <= 0.05


def test_response_inflates_n() -> None:
    full = nsm.allocate(CITIES.assign(population=[1e6, 3e6]), precision={"all": {"people": 0.02}})
    half = nsm.allocate(
        CITIES.assign(population=[1e6, 3e6], response=0.5), precision={"all": {"people": 0.02}}
    )
    assert half.n == pytest.approx(2 * full.n, rel=0.01)


@pytest.mark.parametrize(
    "rule", [r for r in RULES if r not in {"bethel", "screening", "two-stage"}]
)
@pytest.mark.parametrize("n", [4, 17, 24, 40, 64])
def test_fixed_n_is_exact_and_within_bounds(rule: str, n: int) -> None:
    plan = nsm.allocate(CITIES, rule, n=n)
    assert plan.n == n
    assert np.all(plan.table["n"].to_numpy() <= CITIES["population"].to_numpy())
    assert plan.table["n"].min() >= 2


@pytest.mark.parametrize("rule", ["proportional", "equal", "optimal"])
def test_a_formula_meets_targets_with_little_more_than_needed(rule: str) -> None:
    plan = nsm.allocate(CITIES, rule, precision={"all": {"people": 0.05}})
    assert plan.precision["cv"][0] <= 0.05
    fewer = nsm.allocate(CITIES, rule, n=plan.n - 2)
    assert fewer.precision["cv"][0] > 0.05


def test_take_all_strata_and_minima() -> None:
    strata = CITIES.assign(minimum=[16, 5])
    plan = nsm.allocate(strata, "proportional", n=30)
    assert plan.table["n"].tolist() == [16, 14]
    assert plan.table["cv_people"][0] == 0


def test_domains_and_expected_counts_are_reported() -> None:
    strata = pd.concat([CITIES, CITIES.assign(stratum=["l2", "o2"])]).assign(
        region=["a", "a", "b", "b"]
    )
    plan = nsm.allocate(strata, "neyman", n=40)
    rows = plan.precision.set_index(["domain", "value"])
    assert list(rows.index) == [("all", "all"), ("region", "a"), ("region", "b")]
    assert rows.loc[("region", "a"), "total"] == pytest.approx(16 * 629.375 + 48 * 197.875)
    assert plan.table["expected_people"].to_numpy() == pytest.approx(
        plan.table["n"].to_numpy() * strata["mean_people"].to_numpy()
    )
    assert list(plan.table.columns[:5]) == ["stratum", "region", "population", "n", "probability"]


REFUSED: dict[str, tuple[dict[str, Any], type[NsmError], str]] = {
    "rule": (
        {"rule": "neymann", "n": 9},
        OptionError,
        "no allocation rule 'neymann'. Did you mean",
    ),
    "no size": ({"rule": "neyman"}, OptionError, "Give the size of the sample"),
    "two sizes": ({"rule": "equal", "n": 9, "budget": 9.0}, OptionError, "n or budget, not both"),
    "n above N": ({"rule": "equal", "n": 65}, AllocationError, "n is 65.*hold at most 64"),
    "n below minima": (
        {"rule": "equal", "n": 3},
        AllocationError,
        "minima of the strata add up to 4",
    ),
    "n negative": ({"rule": "equal", "n": -3}, OptionError, "n is -3; it must be above 0"),
    "poor": (
        {"rule": "equal", "budget": 3.0},
        AllocationError,
        "does not pay for the minima.*cost 4",
    ),
    "bethel alone": ({"n": 20}, OptionError, "'bethel' needs precision="),
    "unknown domain": (
        {"precision": {"regoin": {"people": 0.1}}},
        OptionError,
        "'regoin' is no domain.*Did you mean 'region'",
    ),
    "unknown value": (
        {"precision": {"region": {"people": {"x": 0.1}}}},
        OptionError,
        "'region' has no value 'x'",
    ),
    "unknown variable": (
        {"precision": {"all": {"pepole": 0.1}}},
        ColumnError,
        "no column 'mean_pepole', which target 'pepole' needs.*'people'",
    ),
    "cv of 0": ({"precision": {"all": {"people": 0}}}, AllocationError, "must be above 0, such as"),
    "not a mapping": ({"precision": 0.05}, OptionError, "precision is float, not a mapping"),
    "power": ({"rule": "power", "n": 9, "power": 2}, OptionError, "power is 2"),
    "importance": ({"rule": "kish", "n": 9, "importance": -1}, OptionError, "importance is -1"),
    "no prevalence": ({"rule": "screening", "n": 9}, ColumnError, "no column 'prevalence'"),
    "minimum": ({"rule": "equal", "n": 9, "minimum": 99}, AllocationError, "add up to 64"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    options, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        nsm.allocate(CITIES.assign(region=["a", "b"]), **options)


BAD: dict[str, tuple[dict[str, Any], type[NsmError], str]] = {
    "negative cost": ({"cost": [1, -2]}, ValueInColumnError, "'cost' must be > 0.*'other'"),
    "negative sd": ({"sd_people": [1, -2]}, ValueInColumnError, "'sd_people' must be >= 0"),
    "no population": ({"population": [16, 0]}, ValueInColumnError, "'population' must be > 0"),
    "missing": ({"mean_people": [1, np.nan]}, ValueInColumnError, "'mean_people' is missing or no"),
    "response": ({"response": [1, 1.2]}, ValueInColumnError, "'response' must be > 0, <= 1"),
    "prevalence": ({"prevalence": [0, 1.2]}, ValueInColumnError, "'prevalence' must be >= 0, <= 1"),
    "screening": ({"screening_cost": [0, -1]}, ValueInColumnError, "'screening_cost' must be >= 0"),
    "minimum": ({"minimum": [17, 2]}, AllocationError, "minimum is above the maximum.*'large'"),
    "maximum": ({"maximum": [17, 2]}, AllocationError, "maximum is above the population.*'large'"),
    "negative minimum": ({"minimum": [-1, 2]}, AllocationError, "minimum is negative"),
    "twice": ({"stratum": ["a", "a"]}, AllocationError, "more than once: 'a'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_strata_are_named(case: str) -> None:
    columns, error, message = BAD[case]
    with pytest.raises(error, match=message):
        nsm.allocate(CITIES.assign(**columns), "equal", n=9)


def test_other_refusals() -> None:
    with pytest.raises(AllocationError, match="table of strata is empty"):
        nsm.allocate(CITIES.head(0), "equal", n=9)
    with pytest.raises(ColumnError, match="no column 'population'"):
        nsm.allocate(CITIES.drop(columns="population"), "equal", n=9)
    with pytest.raises(ColumnError, match="needs the mean and standard deviation"):
        nsm.allocate(CITIES[["stratum", "population"]], "neyman", n=9)
    with pytest.raises(OptionError, match="uses one variable, but the strata have 'people', 'z'"):
        nsm.allocate(CITIES.assign(mean_z=1.0, sd_z=1.0), "neyman", n=9)
    with pytest.raises(
        AllocationError, match="needs totals above 0, but 1 strata have none: 'other'"
    ):
        nsm.allocate(CITIES.assign(mean_people=[1.0, 0.0]), "power", n=9)
    with pytest.raises(AllocationError, match=r"totals expected to be 0.*people"):
        nsm.allocate(CITIES.assign(mean_people=0.0), precision={"all": {"people": 0.1}})
    silent = CITIES.assign(response=0.05)
    with pytest.raises(AllocationError, match=r"cannot meet the targets.*the worst CV is \d+"):
        nsm.allocate(silent, "proportional", precision={"all": {"people": 0.01}})
