"""Published examples: Särndal, Valliant, Gunning, Baillargeon, Kalton, Kish, Bethel.

Cochran's are in `test_allocate.py`, `test_sample_size.py` and `test_stratify.py`.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nsm

# CVs that R's package stratification prints beside these strata; minima of x for the boundaries.
GUNNING = {
    "debtors": (0.03585596, 40),
    "cities": (0.01445161, 10),
    "colleges": (0.018296, 200),
    "banks": (0.01071521, 70),
}


@pytest.fixture(scope="module")
def published(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "allocation" / "published.csv", dtype={"stratum": str})


def strata_of(published: pd.DataFrame, example: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = published[published["example"] == example].reset_index(drop=True)
    strata = rows[["stratum", "population"]].assign(
        mean_x=rows["mean"], sd_x=np.sqrt(rows["variance"])
    )
    return rows, strata


@pytest.mark.parametrize("example", GUNNING)
def test_neyman_of_gunning_and_horgan(published: pd.DataFrame, example: str) -> None:
    rows, strata = strata_of(published, example)
    plan = nsm.allocate(strata, "neyman", n=100, minimum=1)
    assert np.abs(plan.table["n"] - rows["n"]).max() <= 1  # other rules of rounding
    assert plan.precision["cv"][0] == pytest.approx(GUNNING[example][0], rel=2e-4)


@pytest.mark.parametrize("example", GUNNING)
def test_geometric_boundaries_of_gunning_and_horgan(published: pd.DataFrame, example: str) -> None:
    upper = strata_of(published, example)[0]["boundary"].to_numpy()
    least = GUNNING[example][1]
    got = nsm.stratify([least, *(0.99 * upper), upper[-1]], rule="geometric", strata=5)
    assert got.boundaries == pytest.approx(upper[:-1], abs=0.006)


def test_take_all_stratum_of_baillargeon_and_rivest(published: pd.DataFrame) -> None:
    rows, strata = strata_of(published, "sweden")
    strata["minimum"] = [2, 2, 15]
    plan = nsm.allocate(strata, precision={"all": {"x": 0.05}})
    assert plan.n <= rows["n"].sum() == 41
    assert plan.precision["cv"][0] <= 0.05
    same = nsm.allocate(strata, "neyman", n=41)
    assert same.table["n"].tolist() == rows["n"].tolist()
    assert same.precision["cv"][0] == pytest.approx(0.04931156, rel=1e-6)


def test_optimum_allocation_of_mu284(reference: Path) -> None:
    """Särndal, Swensson & Wretman (1992), sec. 3.7.4, where a stratum is taken whole."""
    table = pd.read_csv(reference / "allocation" / "mu284.csv", dtype={"stratum": str})
    strata = table[["stratum", "population"]].assign(mean_x=table["mean"], sd_x=table["sd"])
    plan = nsm.allocate(strata, "neyman", n=100)
    assert np.abs(plan.table["n"] - table["optimum"]).max() < 1
    assert plan.table["n"][0] == 25
    total = (table["population"] * table["mean"]).sum()
    best = np.sqrt(table["variance"].sum()) / total
    assert best <= plan.precision["cv"][0] < best * 1.002
    even = nsm.allocate(strata, "proportional", n=100).precision["cv"][0]
    assert even == pytest.approx(np.sqrt(table["variance_proportional"].sum()) / total, rel=0.01)


def test_hospitals_of_valliant_dever_and_kreuter(published: pd.DataFrame) -> None:
    cost = [1400, 200, 300, 600, 450, 1000]
    for example, error in (("hospitals-budget", 1_636_053), ("hospitals-cv", 583_209.1)):
        rows = published[published["example"] == example].reset_index(drop=True)
        strata = rows[["stratum", "population"]].assign(
            mean_x=11_664_181.0, sd_x=rows["variance"], cost=cost
        )
        if example == "hospitals-budget":
            plan = nsm.allocate(strata, "optimal", budget=100_000)
            assert plan.cost <= 100_000
            assert plan.precision["cv"][0] == pytest.approx(error / 11_664_181, rel=5e-3)
        else:
            plan = nsm.allocate(strata, precision={"all": {"x": 0.05}})
            assert plan.precision["cv"][0] <= 0.05 == pytest.approx(error / 11_664_181, rel=1e-6)
            assert plan.bound == pytest.approx(np.dot(cost, rows["n"]), rel=1e-6)
        assert (
            np.abs(plan.table["n"] - rows["n"]).max() < 2.1
        )  # whole numbers that spend what is left


def test_sample_sizes_of_valliant_dever_and_kreuter() -> None:
    # Chapter 3: a population CV of 2, target CVs of 1, 3 ... 21 %; margins of 1 to 8 points.
    for k, n in enumerate([40000, 4445, 1600, 817, 494, 331, 237, 178, 139, 111, 91]):
        assert nsm.sample_size("mean", sd=2, mean=1, cv=0.01 + 0.02 * k) == n
    assert nsm.sample_size("mean", sd=2, mean=1, cv=0.05, population=500) == 381
    for k, n in enumerate([9604, 2401, 1068, 601, 385, 267, 196, 151], 1):
        assert nsm.sample_size("proportion", p=0.5, margin=k / 100) == n


def test_rates_of_kalton_and_anderson() -> None:
    """Kalton & Anderson (1986), sec. 3: k = sqrt(P1 / P2), and the gain of it.

    With equal costs the variance is that of proportional sampling times (sum sqrt(A W))^2, A and W
    the shares of a stratum in the rare and in the whole population (Waksberg, Judkins & Massey
    1997, Survey Methodology 23, 61-71).
    """
    strata = pd.DataFrame(
        {
            "stratum": ["high", "low"],
            "population": [4_000_000, 6_000_000],
            "prevalence": [0.10, 0.03],
            "screening_cost": 1.0,
            "interview_cost": 0.0,
            "mean_y": [5.0, 5.0],
            "sd_y": [2.0, 2.0],
        }
    )
    best = nsm.allocate(strata, "screening", n=2000, y="y")
    rate = best.table["probability"]
    assert rate[0] / rate[1] == pytest.approx(np.sqrt(0.10 / 0.03), rel=2e-3)
    even = nsm.allocate(strata, "screening", n=2000, y="y").compare()
    whole = even[even["variable"] == "y"].iloc[0]
    rare = np.array([400_000, 180_000]) / 580_000
    gain = np.sqrt(rare * [0.4, 0.6]).sum() ** 2
    assert (whole["cv"] / whole["cv_proportional"]) ** 2 == pytest.approx(gain, rel=1e-3)


def test_clusters_of_kish() -> None:
    """Kish (1965), sec. 5.4: deff = 1 + roh (b - 1)."""
    strata = pd.DataFrame(
        {
            "stratum": ["a"],
            "population": [10_000_000],
            "psus": [100_000],
            "psu_cost": [1.0],
            "cost": [1.0],
            "take": [11.0],
            "mean_y": [0.3],
            "sd_y": [np.sqrt(0.21)],
            "icc_y": [0.05],
        }
    )
    plan = nsm.allocate(strata, "two-stage", precision={"all": {"y": 0.03}})
    assert plan.table["deff_y"][0] == pytest.approx(1.5)
    simple = nsm.sample_size("proportion", p=0.3, cv=0.03, deff=1.5)
    assert plan.table["n"][0] == pytest.approx(simple, abs=11 + ceil(0.01 * simple))


def test_the_optimum_of_bethel_obeys_his_equation() -> None:
    """Bethel (1989), eq. 6: n_h = sqrt(sum_j a*_j a_jh / c_h) with the multipliers a*."""
    g = np.random.default_rng(1989)
    names = ["one", "two", "three"]
    strata = pd.DataFrame({"stratum": list("abcdef"), "population": 10_000_000})
    strata["cost"] = g.uniform(1, 4, 6)
    for y in names:
        strata[f"mean_{y}"] = g.uniform(1, 5, 6)
        strata[f"sd_{y}"] = g.uniform(2, 9, 6)
    plan = nsm.allocate(strata, precision={"all": dict.fromkeys(names, 0.01)})
    weight = plan.precision["multiplier"].to_numpy()
    variance = np.array([(strata["population"] * strata[f"sd_{y}"]) ** 2 for y in names])
    limit = (plan.precision["cv"] * plan.precision["total"]).to_numpy() ** 2
    bethel = np.sqrt((weight / limit) @ variance / strata["cost"].to_numpy())
    assert plan.table["n"].to_numpy() == pytest.approx(bethel, rel=2e-3)
    assert weight.sum() == pytest.approx(plan.cost, rel=2e-3)
