"""Repeated surveys: closed forms, resumption, comparison, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nsm.allocation import allocate
from nsm.errors import OptionError, SimulationError
from nsm.simulation import (
    Population,
    Scheme,
    Stock,
    characteristics,
    condense,
    read_population,
    simulate,
)
from nsm.simulation.field_rules import FieldRules


@pytest.fixture(scope="module")
def country(areas: pd.DataFrame, truth: pd.DataFrame) -> Population:
    some = areas[areas["province"] == "0405"]
    strata = some.assign(stratum=np.where(some["prior"] < 0.03, "low", "high"))
    truth = truth[truth["area"].isin(some["area"])]
    return read_population("examples/eni-do/population.toml", strata, truth, seed=3)


@pytest.fixture(scope="module")
def stock(country: Population) -> Stock:
    return condense(country)


@pytest.fixture(scope="module")
def certain(country: Population) -> FieldRules:
    """Everybody answers: the error of selection alone."""
    from dataclasses import replace

    rules = country.field
    sure = replace(rules.response, base=1.0, factors={})
    return replace(rules, response=sure, unknown=replace(sure, base=0.0), area_sd=0.0)


PLAN = {"high": 12, "low": 16}


def variance(stock: Stock, method: str, size: str | None, take: int | None) -> float:
    """The textbook's variance of the estimated number of immigrants."""
    areas, status = stock.areas, stock.classes["status"].to_numpy()
    y = stock.persons[:, status == "immigrant"].sum(axis=1).astype(float)
    whole = 0.0
    for stratum, n in PLAN.items():
        mine = np.flatnonzero(areas["stratum"] == stratum)
        values, count = y[mine], len(mine)
        if method == "srs":
            p = np.full(count, n / count)
            whole += count**2 * (1 - n / count) * values.var(ddof=1) / n
        else:
            p = n * areas[size].to_numpy()[mine] / areas[size].to_numpy()[mine].sum()
            whole += np.sum(p * (1 - p) * (values / p - _hajek(values, p)) ** 2) * (
                count / (count - 1)
            )
        if take is not None:
            whole += sum(_within(stock, k, status) / q for k, q in zip(mine, p, strict=True))
    return whole


def _hajek(values: np.ndarray, p: np.ndarray) -> float:
    return float(np.sum(values * (1 - p)) / np.sum(p * (1 - p)))


def _within(stock: Stock, area: int, status: np.ndarray, take: int = 20) -> float:
    dwellings = np.arange(stock.first_dwelling[area], stock.first_dwelling[area + 1])
    ends = stock.first_household[[*dwellings, dwellings[-1] + 1]]
    home = stock.counts[ends[0] : ends[-1]][:, status == "immigrant"].sum(axis=1)
    house = np.repeat(np.arange(len(dwellings)), np.diff(ends))
    y = np.bincount(house, home, len(dwellings))
    n, count = min(take, len(y)), len(y)
    return count**2 * (1 - n / count) * y.var(ddof=1) / n


@pytest.mark.parametrize(
    ("method", "size", "take"),
    [("srs", None, None), ("sampford", "households", None), ("srs", None, 20)],
)
def test_the_spread_is_that_of_the_textbook(
    stock: Stock, certain: FieldRules, method: str, size: str | None, take: int | None
) -> None:
    options: dict[str, Any] = {"method": method, "size": size, "take": take}
    made = simulate(PLAN, stock, count=120, seed=7, rules=certain, workers=1, **options).table
    row = made.set_index("variable").loc["immigrants"]
    expected = np.sqrt(variance(stock, method, size, take))
    assert abs(row["bias_z"]) < 3.5
    assert abs(row["sd"] - expected) < 3.5 * row["sd_error"]
    assert abs(row["mean_se"] - expected) / expected < 0.12


def test_a_census_has_no_error(stock: Stock, certain: FieldRules) -> None:
    every = stock.areas["stratum"].value_counts().to_dict()
    made = simulate(every, stock, count=3, seed=1, rules=certain, workers=1)
    assert made.table["bias"].abs().max() < 1e-6
    assert made.runs["se"].max() == pytest.approx(0.0, abs=1e-6)
    assert (made.load.set_index("quantity").loc["response", "mean"]) == 1.0


def test_a_stopped_simulation_goes_on(stock: Stock, country: Population, tmp_path: Path) -> None:
    options: dict[str, Any] = {"seed": 5, "workers": 1, "rules": country.field}
    whole = simulate(PLAN, stock, count=24, **options)
    simulate(PLAN, stock, count=12, folder=tmp_path, **options)
    kept = tmp_path / "runs-plan-000000.parquet"
    before = kept.stat().st_mtime_ns
    again = simulate(PLAN, stock, count=24, folder=tmp_path, **options)
    assert kept.stat().st_mtime_ns == before
    pd.testing.assert_frame_equal(again.table, whole.table)
    with pytest.raises(SimulationError, match=r"other settings: 'seed' changed"):
        simulate(PLAN, stock, count=24, folder=tmp_path, **{**options, "seed": 6})
    with pytest.raises(SimulationError, match=r"'plan plan' changed"):
        simulate({"high": 2, "low": 2}, stock, count=24, folder=tmp_path, **options)
    assert json.loads((tmp_path / "simulation.json").read_text())["seed"] == "5"


def test_processes_give_what_one_gives(stock: Stock, country: Population) -> None:
    strata = pd.DataFrame({"stratum": ["high", "low"], "population": 100, "cost": 1.0})
    plan = allocate(strata, "equal", n=24)
    one, two = (
        simulate(plan, stock, count=20, seed=2, rules=country.field, workers=w).runs for w in (1, 2)
    )
    pd.testing.assert_frame_equal(one, two)


def test_plans_are_compared_on_the_same_numbers(stock: Stock, country: Population) -> None:
    plans = {"some": Scheme(PLAN), "fewer_dwellings": Scheme(PLAN, take=30)}
    made = simulate(plans, stock, count=6, seed=2, rules=country.field, workers=1)
    assert [*made.table["scheme"].unique()] == ["some", "fewer_dwellings"]
    load = made.load.set_index(["scheme", "quantity"])["mean"]
    assert load["some", "areas"] == load["fewer_dwellings", "areas"] == 28
    assert load["fewer_dwellings", "dwellings"] < load["some", "dwellings"] / 2


def test_progress_is_told(stock: Stock, country: Population) -> None:
    told: list[tuple[str, int, int]] = []
    simulate(
        PLAN,
        stock,
        count=20,
        rules=country.field,
        workers=1,
        progress=lambda *what: told.append(what),
    )
    assert told == [("surveys", 10, 20), ("surveys", 20, 20)]


def test_characteristics_are_what_they_say() -> None:
    rng = np.random.default_rng(1)
    runs = pd.DataFrame({"estimate": rng.normal(105, 10, 4000), "se": 8.0})
    runs = runs.assign(
        scheme="a",
        run=range(4000),
        domain="all",
        variable="y",
        verdict="publishable",
        lower=runs["estimate"] - 16,
        upper=runs["estimate"] + 16,
    )
    truth = pd.DataFrame({"domain": ["all"], "variable": ["y"], "truth": [100.0]})
    row = characteristics(runs, truth).iloc[0]
    assert row["bias"] == pytest.approx(5, abs=4 * row["bias_error"])
    assert row["sd_error"] == pytest.approx(10 / np.sqrt(2 * 4000), rel=0.1)
    assert row["se_ratio"] == pytest.approx(0.8, abs=4 * row["se_ratio_error"])
    assert row["rmse"] == pytest.approx(np.sqrt(125), abs=4 * row["rmse_error"])
    inside = np.mean(np.abs(runs["estimate"] - 100) <= 16)
    assert row["coverage"] == pytest.approx(inside)
    assert row["publishable"] == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 1}, "show no variation"),
        ({"rules": None}, "says nothing of response"),
        ({"plan": {"a b": Scheme(PLAN)}}, "called 'a b'"),
    ],
)
def test_it_refuses(
    stock: Stock, country: Population, options: dict[str, Any], message: str
) -> None:
    given = {"plan": PLAN, "count": 4, "rules": country.field, "workers": 1} | options
    with pytest.raises(OptionError, match=message):
        simulate(given.pop("plan"), stock, **given)
