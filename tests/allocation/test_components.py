from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.errors import AllocationError, ValueInColumnError


def census(areas: int = 400, seed: int = 1) -> pd.DataFrame:
    g = np.random.default_rng(seed)
    size = g.integers(50, 150, areas)
    psu = np.repeat(np.arange(areas), size)
    share = g.beta(1, 9, areas)
    return pd.DataFrame(
        {
            "y": (g.random(len(psu)) < share[psu]) * 1.0,
            "psu": psu,
            "side": np.where(psu % 2, "b", "a"),
        }
    )


def test_a_census_is_its_definition() -> None:
    table = census()
    got = nsm.variance_components(table, y="y", psu="psu").iloc[0]
    within = table.groupby("psu")["y"].transform(lambda v: v - v.mean())
    square = (within**2).sum() / (len(table) - 400)
    assert got["sd"] == pytest.approx(table["y"].std())
    assert got["within"] == pytest.approx(np.sqrt(square))
    assert got["icc"] == pytest.approx(1 - square / table["y"].var())
    assert got["icc_lower"] < got["icc"] < got["icc_upper"]


def test_a_sample_estimates_the_census() -> None:
    table = census()
    truth = nsm.variance_components(table, y="y", psu="psu").iloc[0]
    sizes = table.groupby("psu").size()
    found = []
    for seed in range(40):
        g = np.random.default_rng(seed)
        drawn = g.choice(400, 100, replace=False)
        part = table[table["psu"].isin(drawn)].groupby("psu").sample(12, random_state=seed)
        part = part.assign(w=4 * part["psu"].map(sizes) / 12)
        found.append(nsm.variance_components(part, y="y", psu="psu", weight="w").iloc[0])
    mean = pd.DataFrame(found)[["mean", "sd", "icc"]].mean()
    assert mean["mean"] == pytest.approx(truth["mean"], rel=0.03)
    assert mean["sd"] == pytest.approx(truth["sd"], rel=0.02)
    assert mean["icc"] == pytest.approx(truth["icc"], rel=0.12)


def test_strata_feed_a_two_stage_allocation() -> None:
    parts = nsm.variance_components(census(), y="y", psu="psu", stratum="side")
    assert parts["stratum"].tolist() == ["a", "b"]
    strata = parts.rename(columns={"mean": "mean_y", "sd": "sd_y", "icc": "icc_y"})
    strata = strata[["stratum", "population", "psus", "mean_y", "sd_y", "icc_y"]]
    plan = nsm.allocate(
        strata.assign(psu_cost=100.0, cost=4.0), "two-stage", precision={"all": {"y": 0.06}}
    )
    assert plan.precision["cv"][0] <= 0.06


def test_refusals() -> None:
    table = census(20)
    with pytest.raises(AllocationError, match="Stratum 'all' has 1 areas"):
        nsm.variance_components(table[table["psu"] == 0], y="y", psu="psu")
    with pytest.raises(ValueInColumnError, match="'y' is missing in 1 rows"):
        nsm.variance_components(table.assign(y=table["y"].mask(table.index == 0)), y="y", psu="psu")
    with pytest.raises(ValueInColumnError, match="'w' is 0 or negative"):
        nsm.variance_components(table.assign(w=0.0), y="y", psu="psu", weight="w")
