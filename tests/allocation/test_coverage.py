"""Strata left out on purpose: nothing is drawn there, and totals say so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.errors import AllocationError, ValueInColumnError

STRATA = pd.DataFrame(
    {
        "stratum": ["a0", "a1", "b0", "b1"],
        "region": ["a", "a", "b", "b"],
        "population": [400, 100, 300, 80],
        "mean_people": [0.5, 20.0, 1.0, 30.0],
        "sd_people": [1.0, 12.0, 2.0, 18.0],
        "take_none": [True, False, False, False],
    }
)
TARGETS = {"all": {"people": 0.04}, "region": {"people": 0.08}}


def test_a_plan_holds_them_apart_and_labels_totals() -> None:
    plan = nsm.allocate(STRATA, precision=TARGETS)
    alone = nsm.allocate(STRATA.drop(columns="take_none").iloc[1:], precision=TARGETS)
    pd.testing.assert_frame_equal(plan.table, alone.table)
    assert plan.excluded is not None
    assert plan.excluded.to_dict("records") == [
        {"stratum": "a0", "region": "a", "population": 400, "total_people": 200.0}
    ]
    rows = plan.precision.set_index(["domain", "value"])
    assert rows["total"].tolist() == [4700.0, 2000.0, 2700.0]
    assert rows["covered"].tolist() == pytest.approx([4700 / 4900, 2000 / 2200, 1.0])
    assert plan.whole["stratum"].tolist() == ["a1", "b0", "b1", "a0"]
    assert plan.whole["n"].tolist()[-1] == 0
    assert plan.whole["n"].sum() == plan.n
    section = "Excluded coverage: nothing is drawn there, totals are of the rest"
    assert section in plan.report()
    assert any(h.startswith("Cobertura excluida: ") for h in plan.report("es"))
    assert "covered" not in alone.precision
    assert alone.excluded is None


def test_comparisons_leave_them_out_too() -> None:
    plan = nsm.allocate(STRATA, precision=TARGETS)
    assert plan.compare()["cv_proportional"].notna().all()
    assert plan.curve([0.8, 1.2])["n"].unique().tolist() == [114, 164]


def test_nothing_is_drawn_there() -> None:
    areas = pd.DataFrame({"stratum": np.repeat(STRATA["stratum"], STRATA["population"])})
    areas["area"] = [f"{k:04d}" for k in range(len(areas))]
    sample = nsm.draw(areas, nsm.allocate(STRATA, precision=TARGETS), method="srs", seed=1)
    assert "a0" not in set(sample.table["stratum"])
    assert sample.excluded.to_dict("records") == [{"stratum": "a0", "population": 400}]
    assert sample.verify(areas)


def test_strata_that_depend_on_n() -> None:
    g = np.random.default_rng(3)
    areas = pd.DataFrame(
        {
            "area": [f"{k:03d}" for k in range(300)],
            "stratum": np.repeat(["low", "middle", "high"], 100),
            "dwellings": g.integers(40, 200, 300),
        }
    )
    areas["people"] = areas["dwellings"] * np.repeat([0.01, 0.1, 0.4], 100)
    at = nsm.allocation.areas_at(areas, size="dwellings", y=["people"])
    goal = {"all": {"people": 0.03}}
    plan = nsm.allocate(lambda n: at(n).assign(take_none=[False, True, False]), precision=goal)
    inside = areas[areas["stratum"] != "low"]
    alone = nsm.allocate(
        nsm.allocation.areas_at(inside, size="dwellings", y=["people"]), precision=goal
    )
    pd.testing.assert_frame_equal(plan.table, alone.table)
    low = areas.loc[areas["stratum"] == "low", "people"].sum()
    assert plan.precision["covered"][0] == pytest.approx(1 - low / areas["people"].sum())


def test_take_none_of_a_stratification_reaches_the_plan() -> None:
    x = np.sort(np.random.default_rng(1).lognormal(2, 1.3, 2000))
    made = nsm.stratify(x, rule="optimum", strata=4, cv=0.02, take_all=1, take_none=0.02)
    plan = nsm.allocate(made.strata("workers"), precision={"all": {"workers": 0.02}})
    assert plan.whole.set_index("stratum")["n"].sort_index().tolist() == made.table["n"].tolist()
    assert plan.precision["covered"][0] == pytest.approx(1 - made.excluded)
    assert plan.table["n"].iloc[-1] == made.table["population"].iloc[-1]
    two = pd.DataFrame({"one": x, "two": x[::-1]})
    both = nsm.stratify(two, rule="multivariate", strata=3, cv=[0.05, 0.05]).strata()
    goals = {"all": {"one": 0.05, "two": 0.05}}
    assert (nsm.allocate(both, precision=goals).precision["cv"] <= 0.05).all()


def test_refusals() -> None:
    with pytest.raises(AllocationError, match="Every stratum is left out"):
        nsm.allocate(STRATA.assign(take_none=True), precision=TARGETS)
    with pytest.raises(ValueInColumnError, match="'take_none' is neither true nor false in 1"):
        nsm.allocate(STRATA.assign(take_none=[1, 7, 0, 0]), precision=TARGETS)
    with pytest.raises(AllocationError, match="All strata of 'region' 'a' are left out"):
        nsm.allocate(STRATA.assign(take_none=[True, True, False, False]), precision=TARGETS)
