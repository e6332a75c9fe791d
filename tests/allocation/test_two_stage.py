from __future__ import annotations

import cvxpy
import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.allocation import cluster_size
from nsm.allocation.targets import target_table
from nsm.allocation.two_stage import _checked, _solve, _stages
from nsm.errors import AllocationError, OptionError, ValueInColumnError

TARGETS = {"all": {"imm": 0.04, "desc": 0.05}, "region": {"imm": 0.08, "desc": 0.1}}


def strata(seed: int = 2, count: int = 24) -> pd.DataFrame:
    g = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "stratum": [f"{h:02d}" for h in range(count)],
            "region": [f"r{h % 4}" for h in range(count)],
            "psus": g.integers(50, 900, count),
            "psu_cost": g.uniform(100, 400, count),
            "cost": g.uniform(5, 20, count),
        }
    )
    table["population"] = table["psus"] * g.integers(60, 140, count)
    for y, high in {"imm": 0.2, "desc": 0.1}.items():
        mean = g.uniform(0.01, high, count)
        table = table.assign(
            **{
                f"mean_{y}": mean,
                f"sd_{y}": np.sqrt(mean * (1 - mean)),
                f"icc_{y}": g.uniform(0.001, 0.25, count),
            }
        )
    return table


@pytest.mark.parametrize("bounds", [{}, {"minimum_take": 8.0, "maximum_take": 20.0}])
@pytest.mark.parametrize("seed", [2, 3])
def test_the_joint_optimum_is_that_of_a_convex_solver(bounds: dict[str, float], seed: int) -> None:
    table = _checked(strata(seed).assign(**bounds), 2)
    stages = _stages(table, target_table(TARGETS, table, ["region"]))
    found = _solve(stages)
    count, limits = len(table), stages.areas.limits()[:, None]
    m, n = cvxpy.Variable(count), cvxpy.Variable(count)
    first, second = found.m, found.m * found.take
    alpha = np.asarray(stages.areas.unit.todense()) / first / limits
    beta = np.asarray(stages.beta.todense()) / second / limits
    areas, dwellings = cvxpy.multiply(first, m), cvxpy.multiply(second, n)
    rules = [
        alpha @ cvxpy.inv_pos(m) + beta @ cvxpy.inv_pos(n) <= 1,
        areas >= stages.areas.low,
        areas <= stages.areas.high,
        dwellings >= cvxpy.multiply(stages.least, areas),
        dwellings <= cvxpy.multiply(stages.most, areas),
    ]
    cost = (stages.areas.cost * first / 1e5) @ m + (stages.cost * second / 1e5) @ n
    best = cvxpy.Problem(cvxpy.Minimize(cost), rules).solve("CLARABEL") * 1e5
    assert stages.with_take(found.take).price(found.m) == pytest.approx(best, rel=1e-6)


def test_whole_numbers_meet_the_targets_near_the_optimum() -> None:
    plan = nsm.allocate(strata(), "two-stage", precision=TARGETS)
    assert (plan.precision["cv"] <= plan.precision["target"].fillna(np.inf)).all()
    assert plan.gap is not None
    assert plan.gap < 0.01
    assert np.all(plan.table["take"] == np.round(plan.table["take"]))


def test_one_stratum_is_hansen_hurwitz_madow() -> None:
    table = strata(count=24).head(1).assign(psus=1_000_000, population=100_000_000)
    plan = nsm.allocate(table, "two-stage", precision={"all": {"imm": 0.01}})
    row = table.iloc[0]
    take = cluster_size(row["icc_imm"], [row["psu_cost"], row["cost"]])["take"]
    assert plan.table["take"][0] == pytest.approx(take, abs=1)


def test_expected_cvs_hold_in_simulation() -> None:
    g = np.random.default_rng(5)
    populations, rows = [], []
    for h, (areas, size) in enumerate([(150, 40), (90, 60)]):
        y = (g.random((areas, size)) < g.beta(0.6, 5, areas)[:, None]).astype(float)
        units = pd.DataFrame({"y": y.ravel(), "psu": np.repeat(np.arange(areas), size)})
        part = nsm.variance_components(units, y="y", psu="psu").iloc[0]
        rows.append(
            {"stratum": str(h), "population": y.size, "psus": areas, "psu_cost": 30.0, "cost": 2.0}
            | {"mean_y": part["mean"], "sd_y": part["sd"], "icc_y": part["icc"]}
        )
        populations.append(y)
    plan = nsm.allocate(pd.DataFrame(rows), "two-stage", precision={"all": {"y": 0.12}})
    estimates = np.zeros(3000)
    for draw in range(3000):
        for y, row in zip(populations, plan.table.itertuples(), strict=True):
            areas = y[g.choice(len(y), row.n_psu, replace=False)]
            order = np.argsort(g.random(areas.shape), axis=1)[:, : int(row.take)]
            estimates[draw] += y.size * np.take_along_axis(areas, order, axis=1).mean()
    realized = estimates.std(ddof=1) / sum(y.sum() for y in populations)
    assert realized == pytest.approx(plan.precision["cv"][0], rel=0.05)


def test_compact_clusters_take_all() -> None:
    plan = nsm.allocate(strata().assign(take=np.inf), "two-stage", precision=TARGETS)
    size = plan.table["population"] / plan.table["psus"]
    assert plan.table["take"].to_numpy() == pytest.approx(size.to_numpy())
    optimal = nsm.allocate(strata(), "two-stage", precision=TARGETS)
    assert plan.cost > optimal.cost


def test_a_budget_with_and_without_targets() -> None:
    plan = nsm.allocate(strata(), "two-stage", precision=TARGETS, budget=300_000)
    assert 299_000 < plan.cost <= 300_000
    assert (plan.precision["cv"] / plan.precision["target"]).max() <= plan.scale * (1 + 1e-6)
    alone = nsm.allocate(strata(), "two-stage", budget=300_000, y="imm")
    both = plan.precision["cv"][0], alone.precision["cv"][0]
    assert both[1] < both[0]


def test_the_plan_is_compared_and_traced() -> None:
    plan = nsm.allocate(strata(), "two-stage", precision=TARGETS)
    assert plan.compare()["ratio"].notna().all()
    curve = plan.curve([0.8, 1.0, 1.5])
    assert curve.groupby("factor")["cost"].first().is_monotonic_decreasing


def test_refusals() -> None:
    with pytest.raises(OptionError, match="takes budget= or precision=, not n="):
        nsm.allocate(strata(), "two-stage", n=100)
    with pytest.raises(OptionError, match="makes one variable as precise as it can"):
        nsm.allocate(strata(), "two-stage", budget=1e5)
    with pytest.raises(AllocationError, match="does not pay for the minima"):
        nsm.allocate(strata(), "two-stage", budget=100.0, y="imm")
    with pytest.raises(ValueInColumnError, match="'icc_imm' is not between"):
        nsm.allocate(strata().assign(icc_imm=1.2), "two-stage", precision=TARGETS)
    with pytest.raises(AllocationError, match="24 strata have impossible stages"):
        nsm.allocate(strata().assign(psu_cost=-1.0), "two-stage", precision=TARGETS)
    with pytest.raises(AllocationError, match="out of reach"):
        nsm.allocate(strata().assign(response=0.5), "two-stage", precision={"all": {"imm": 1e-4}})
    with pytest.raises(OptionError, match="takes a table of strata"):
        nsm.allocate(lambda _n: strata(), "two-stage", precision=TARGETS)


def test_a_census_has_no_variance() -> None:
    table = strata(count=8)
    everyone = table.assign(take=np.inf, minimum_psu=table["psus"])
    plan = nsm.allocate(everyone, "two-stage", precision=TARGETS)
    assert plan.precision["cv"].to_numpy() == pytest.approx(0, abs=1e-7)
