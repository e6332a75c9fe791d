from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.errors import ColumnError, DesignError, OptionError, SingletonStratumError
from nsm.estimation import Estimates, Survey, mean, total
from nsm.estimation.replicate import hadamard

AGES = {"band": {"0-14": 2900, "15-29": 3400, "30-59": 6500, "60+": 5200}}
DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}


def survey(name: str, people: pd.DataFrame, reference: Path) -> Survey:
    columns = pd.read_csv(reference / "estimation" / "replicate_weights.csv")
    pairs = people["psu"] <= 2
    match name:
        case "jkn":
            return Survey(people, **DESIGN).replicate("jkn")
        case "jkn_fpc":
            return Survey(people, fpc="psus", **DESIGN).replicate("jkn")
        case "jk1":
            return Survey(people, weight="w", psu="house").replicate("jk1")
        case "jkn_poststratified":
            return Survey(people, **DESIGN).replicate("jkn").poststratify(AGES)
        case "jkn_columns":
            rscales = pd.read_csv(reference / "estimation" / "jkn_rscales.csv")["rscales"]
            table = people.join(columns.filter(like="jkn_"))
            return Survey(table, weight="w", replicates="jkn_*", replication="jkn", rscales=rscales)
        case "brr" | "bootstrap":
            table = people.join(columns.filter(like=name))
            table = table[pairs] if name == "brr" else table
            return Survey(table, weight="w", replicates=f"{name}_*", replication=name)
        case "fay":
            table = people.join(columns.filter(like="fay"))[pairs]
            return Survey(table, weight="w", replicates="fay_*", replication="fay", rho=0.3)
    raise KeyError(name)


NAMES = ["jkn", "jkn_fpc", "jk1", "jkn_poststratified", "jkn_columns", "brr", "fay", "bootstrap"]


def rows(of: Estimates, case: str) -> pd.DataFrame:
    table = of.table
    domain = table[of.by[0]] if of.by else ""
    category = table["order"].astype(str) if "quantile" in case else table["category"].fillna("")
    return table.assign(case=case, domain=domain, category=category)


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_r(name: str, people: pd.DataFrame, reference: Path) -> None:
    expected = pd.read_csv(reference / "estimation" / "replicates.csv", keep_default_na=False)
    expected = expected[expected["design"] == name.removesuffix("_columns")]
    expected = expected.set_index(["case", "domain", "category"]).sort_index()
    s = survey(name, people, reference)
    again = [s.quantile("pay", p, interval="replicates") for p in (0.25, 0.5)]
    replication = s.replication
    assert replication is not None
    centered = s.having(replication=type(replication)(**{**vars(replication), "mse": True}))
    made = (
        pd.concat(
            [
                rows(s.total("pay"), "total"),
                rows(s.mean("pay"), "mean"),
                rows(s.ratio("pay", "hours"), "ratio"),
                rows(s.proportion("origin"), "proportion"),
                rows(s.variance("pay"), "variance"),
                rows(s.mean("pay", by="sex"), "mean"),
                rows(centered.mean("pay"), "mean_mse"),
                rows(
                    s.quantile("pay", [0.25, 0.5], df=float(expected["df"].iloc[0])),
                    "quantile_mean",
                ),
                *(rows(a, "quantile_quantile") for a in again),
            ]
        )
        .set_index(["case", "domain", "category"])
        .sort_index()
    )
    if name in {"brr", "fay"}:
        # A share below that of the smallest value is the second smallest in R 4.1, not the first.
        expected = expected.drop(("quantile_mean", "", "0.25"))
    made = made.loc[expected.index]
    for column in ("estimate", "se"):
        wanted = expected[column].astype(float)
        np.testing.assert_allclose(made[column], wanted, rtol=1e-9, err_msg=column)


@pytest.fixture(scope="module")
def pairs(people: pd.DataFrame) -> Survey:
    return Survey(people[people["psu"] <= 2], **DESIGN)


@pytest.mark.parametrize("method", ["brr", "fay"])
def test_half_samples_of_a_total_give_the_textbook_variance(method: str, pairs: Survey) -> None:
    plain, repeated = (s.total("pay").table["se"][0] for s in (pairs, pairs.replicate(method)))
    assert repeated == pytest.approx(plain, rel=1e-12)


def test_the_jackknife_of_a_total_gives_the_textbook_variance(people: pd.DataFrame) -> None:
    s = Survey(people, fpc="psus", **DESIGN)
    for by in ((), "region", "sex"):
        plain, repeated = (x.total("pay", by=by).table["se"] for x in (s, s.replicate("jkn")))
        np.testing.assert_allclose(plain, repeated, rtol=1e-12)


@pytest.mark.parametrize(
    ("method", "design"),
    [
        ("bootstrap", {"stratum": "stratum", "psu": "psu", "weight": "w"}),
        ("bootstrap", {"stratum": "stratum", "psu": "psu", "weight": "w", "fpc": "psus"}),
        (
            "preston",
            {
                "stratum": "stratum",
                "psu": ["psu", "ssu", "person"],
                "weight": "w",
                "fpc": ["psus", "ssus", "persons"],
            },
        ),
    ],
)
def test_a_bootstrap_is_right_on_average(
    method: str, design: dict[str, str], people: pd.DataFrame
) -> None:
    s = Survey(people, **design)
    count = 4000
    plain = s.total("pay").table["se"][0]
    repeated = s.replicate(method, count=count, seed=2).total("pay").table["se"][0]
    # A standard deviation of 4,000 draws is known to 1 / sqrt(2 * 4000) = 1.1 %.
    assert repeated == pytest.approx(plain, rel=0.045)


def test_successive_differences_follow_the_order() -> None:
    table = pd.DataFrame({"y": np.random.default_rng(1).normal(10, 3, 250), "w": 2.0})
    s = Survey(table, weight="w").replicate("sdr")
    y = table["y"].to_numpy()
    wanted = np.sqrt(np.sum((2 * y - 2 * np.roll(y, 1)) ** 2) / 2)
    assert s.total("y").table["se"][0] == pytest.approx(wanted, rel=1e-12)
    assert s.replication is not None
    assert s.replication.count == 256


def test_successive_differences_with_fewer_replicates_than_units() -> None:
    table = pd.DataFrame({"y": np.random.default_rng(1).normal(10, 3, 2000), "w": 2.0})
    full, few = (Survey(table, weight="w").replicate("sdr", count=c) for c in (None, 160))
    wanted, made = (s.total("y").table["se"][0] for s in (full, few))
    assert few.replication is not None
    assert few.replication.count == 256
    assert made == pytest.approx(wanted, rel=0.15)


def test_weighting_is_redone_in_each_replicate(people: pd.DataFrame) -> None:
    s = Survey(people, **DESIGN)
    one = s.poststratify(AGES).replicate("jkn").count(by="band").table
    other = s.replicate("jkn").poststratify(AGES).count(by="band").table
    assert one["se"].max() < 1e-9
    pd.testing.assert_frame_equal(one, other)


def test_taylor_and_jackknife_agree_after_raking(people: pd.DataFrame) -> None:
    margins = {**AGES, "sex": {"M": 8800, "F": 9200}}
    s = Survey(people, **DESIGN).rake(margins)
    plain, repeated = (x.mean(["pay", "hours"]).table["se"] for x in (s, s.replicate("jkn")))
    np.testing.assert_allclose(plain, repeated, rtol=0.05)


def test_contrasts_use_the_replicates(pairs: Survey) -> None:
    s = pairs.replicate("brr")
    direct = s.estimate(mean("pay", where="sex == 'M'") - mean("pay", where="sex == 'F'"))
    contrast = s.mean("pay", by="sex").contrast({"M": 1, "F": -1})
    assert direct.table["se"][0] == pytest.approx(contrast.table["se"][0], rel=1e-9)


def test_certainty_psus_are_replicated_inside(people: pd.DataFrame) -> None:
    table = people.assign(sure=(people["stratum"] == "e").astype(int))
    s = Survey(table, certainty="sure", **{**DESIGN, "psu": ["psu", "ssu"]})
    plain, repeated = (x.total("pay").table["se"][0] for x in (s, s.replicate("jkn")))
    assert repeated == pytest.approx(plain, rel=1e-12)


def test_hadamard_rows_are_orthogonal() -> None:
    signs = hadamard(201)
    np.testing.assert_array_equal(signs @ signs.T, len(signs) * np.eye(len(signs)))


def test_refusals(people: pd.DataFrame) -> None:
    s = Survey(people, **DESIGN)
    with pytest.raises(DesignError, match=r"5 strata do not have two units, which brr needs"):
        s.replicate("brr")
    with pytest.raises(OptionError, match=r"count= .* and seed="):
        s.replicate("bootstrap", count=10)
    with pytest.raises(OptionError, match=r"Did you mean 'bootstrap'"):
        s.replicate("bootstap")
    with pytest.raises(OptionError, match='has strata: use method="jkn"'):
        s.replicate("jk1")
    with pytest.raises(SingletonStratumError, match=r"one unit \(1\).*'e'"):
        Survey(people[(people["stratum"] != "e") | (people["psu"] == 1)], **DESIGN).replicate("jkn")
    with pytest.raises(ColumnError, match=r"fits 'rw_\*'"):
        Survey(people, weight="w", replicates="rw_*", replication="brr")
    with pytest.raises(OptionError, match="needs rscales"):
        Survey(people, weight="w", replicates=["w", "p"], replication="jkn")
    with pytest.raises(OptionError, match="needs rho"):
        Survey(people, weight="w", replicates=["w", "p"], replication="fay")
    with pytest.raises(OptionError, match="rscales has 3 numbers for 2"):
        Survey(people, weight="w", replicates=["w", "p"], replication="jkn", rscales=[1, 1, 1])
    with pytest.raises(DesignError, match=r"'income' .* is missing"):
        Survey(people, weight="w", replicates=["w", "income"], replication="brr")


def test_totals_by_replicate_do_not_depend_on_the_path(people: pd.DataFrame) -> None:
    """Sums by unit times factors, or rows times weights: the same."""
    s = Survey(people, **DESIGN).replicate("bootstrap", count=50, seed=3)
    assert s.replication is not None
    weights = np.concatenate([w for _, w in s.replication.weights(s)], axis=1)
    columns = {f"rw_{r}": weights[:, r] for r in range(50)}
    other = Survey(people.assign(**columns), weight="w", replicates="rw_*", replication="bootstrap")
    for statistic in (total("pay"), mean("pay")):
        one, two = (x.estimate(statistic, by="sex").table["se"] for x in (s, other))
        np.testing.assert_allclose(one, two, rtol=1e-10)
