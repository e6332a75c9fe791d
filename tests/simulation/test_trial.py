"""A simulated survey, counted by household, is the survey of its persons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nsm.allocation import allocate
from nsm.errors import OptionError
from nsm.estimation import Survey
from nsm.frame import Frame
from nsm.simulation import Population, Scheme, condense, read_population
from nsm.simulation.stock import AGES, Stock, age_bands
from nsm.simulation.trial import DISPOSITIONS, Trial
from nsm.totals import Memory
from nsm.weighting import Weighting

CELLS = ["stratum", "dwelling_type", "door_language"]
DWELLINGS = [
    {"step": "nonresponse", "eligibility": ["stratum"], "cells": CELLS, "minimum": 20},
]
BY = ((), ("zone",), ("sex", "age_band"), ("zone", "sex"))


@pytest.fixture(scope="module")
def country(areas: pd.DataFrame, truth: pd.DataFrame) -> Population:
    classes = np.where(areas["prior"] < 0.03, "low", "high")
    strata = areas.assign(stratum=areas["province"] + "-" + classes)
    return read_population("examples/eni-do/population.toml", strata, truth, seed=3)


@pytest.fixture(scope="module")
def stock(country: Population) -> Stock:
    return condense(country)


@pytest.fixture(scope="module")
def persons_steps(country: Population) -> list[dict[str, Any]]:
    known = country.margins(["region", "sex", "age"], ages=list(AGES))
    margins = [
        {"variable": names, "category": "*".join(key), "total": float(total)}
        for columns, names in ((["region", "sex"], "region*sex"), (["age"], "age_band"))
        for key, total in (
            ((k,) if isinstance(k, str) else k, v)
            for k, v in known.groupby(columns)["persons"].sum().items()
        )
    ]
    step = {"step": "calibration", "margins": pd.DataFrame(margins), "method": "raking"}
    return [{**step, "unit": "household", "where": "dwelling_type != 'habitaculo'"}]


@pytest.fixture(scope="module")
def trial(stock: Stock, country: Population, persons_steps: list[dict[str, Any]]) -> Trial:
    plan = stock.areas["stratum"].value_counts().clip(upper=12)
    plan = plan.rename_axis("stratum").rename("n").reset_index()
    scheme = Scheme(plan, weighting={"dwellings": DWELLINGS, "persons": persons_steps}, by=BY)
    return Trial(stock, country.field, scheme, Frame(stock.areas, "area"))


def of_persons(trial: Trial, country: Population, seed: int, steps: list[Any]) -> Survey:
    """The same survey from the tables of dwellings and persons."""
    visits = trial.visit(seed)
    tables = country.area_tables(visits.sample["area"].tolist())
    listed = tables["dwellings"].sort_values(["area", "dwelling"], ignore_index=True)
    listed = listed.merge(visits.sample[["area", *COLUMNS]], on="area")
    listed["disposition"] = np.array(DISPOSITIONS)[visits.disposition]
    listed["door_language"] = listed["door_language"].where(listed["disposition"] != "unknown")
    dwellings = Survey(
        listed,
        weight="base_weight",
        stratum="stratum",
        psu="area",
        probability="probability",
        pps="brewer",
    )
    dwellings = Weighting.read(DWELLINGS).apply(dwellings)
    persons = tables["persons"].merge(tables["truth"], on="person")
    there = listed.loc[listed["disposition"] == "respondent"]
    persons = persons.merge(there[["dwelling", "dwelling_type", "region", "zone"]], on="dwelling")
    band = np.searchsorted(AGES, persons["age"].to_numpy(), side="right") - 1
    persons["age_band"] = np.array(age_bands(AGES))[band]
    survey = dwellings.expand(Memory(persons, "persons"), on="dwelling")
    return Weighting.read(steps).apply(survey)


COLUMNS = ["stratum", "region", "zone", "probability", "base_weight"]


@pytest.mark.parametrize("by", [[], ["zone"], ["sex", "age_band"]])
def test_it_gives_what_persons_give(
    trial: Trial, country: Population, persons_steps: list[Any], by: list[str]
) -> None:
    survey = of_persons(trial, country, 5, persons_steps)
    wanted = survey.estimate({"immigrants": "total(\"truth_status == 'immigrant'\")"}, by=by).table
    text = [", ".join(f"{c}={row[c]}" for c in by) or "all" for _, row in wanted.iterrows()]
    made = trial(5).estimates
    made = made[made["variable"] == "immigrants"].set_index("domain").loc[text]
    for column in ("estimate", "se", "lower", "upper", "df", "n", "cases", "psus"):
        assert made[column].to_numpy() == pytest.approx(wanted[column].to_numpy(float), rel=1e-7)
    known = wanted["deff"].notna().to_numpy() & (wanted["cases"] > 0).to_numpy()
    assert made["deff"].to_numpy()[known] == pytest.approx(
        wanted["deff"].to_numpy(float)[known], rel=1e-6
    )


def test_the_truth_is_that_of_the_population(trial: Trial, country: Population) -> None:
    found = trial.targets.truth(trial.stock.persons).set_index(["domain", "variable"])["truth"]
    for zone, row in country.truth(["zone"]).set_index("zone").iterrows():
        assert found[f"zone={zone}", "immigrants"] == row["immigrants"]
        assert found[f"zone={zone}", "foreign"] == row["foreign"]
    whole = country.truth().iloc[0]
    assert found["all", "descendants"] == whole["descendants"]


def test_a_seed_gives_its_survey_and_another_gives_another(trial: Trial) -> None:
    pd.testing.assert_frame_equal(trial(7).estimates, trial(7).estimates)
    assert trial(7).load == trial(7).load
    assert trial(8).load != trial(7).load


def test_a_saved_population_is_the_same(stock: Stock, tmp_path: Any) -> None:
    stock.save(tmp_path)
    again = Stock.open(tmp_path)
    assert (again.persons == stock.persons).all()
    pd.testing.assert_frame_equal(again.areas, stock.areas)
    assert again.languages == stock.languages


def test_the_same_dwellings_answer_whatever_the_plan(
    stock: Stock, country: Population, trial: Trial
) -> None:
    more = trial.scheme.plan.assign(n=lambda t: t["n"] + 3)
    other = Trial(stock, country.field, Scheme(more), Frame(stock.areas, "area"))
    first, second = (t.visit(11) for t in (trial, other))
    one, two = (pd.Series(v.disposition, v.rows) for v in (first, second))
    both = one.index.intersection(two.index)
    assert len(both) > 1000
    assert (one[both] == two[both]).all()


def test_areas_are_drawn_as_the_scheme_says(stock: Stock, country: Population) -> None:
    areas = stock.areas
    strata = (
        areas.groupby("stratum")
        .agg(population=("area", "size"), mean_x=("households", "mean"), sd_x=("households", "std"))
        .reset_index()
    )
    left_out = strata["stratum"] == strata["stratum"].iloc[0]
    plan = allocate(strata.assign(take_none=left_out), precision={"all": {"x": 0.05}})
    scheme = Scheme(
        plan, method="cube", balance=("households",), weighting={"dwellings": DWELLINGS}
    )
    other = Trial(stock, country.field, scheme.settled(), Frame(areas, "area"))
    drawn = other.visit(seed=1).sample
    assert drawn["stratum"].value_counts().to_dict() == dict(
        zip(plan.table["stratum"], plan.table["n"], strict=True)
    )
    inside = areas.loc[areas["stratum"].isin(plan.table["stratum"]), "households"].sum()
    estimate = (drawn["base_weight"] * drawn["households"]).sum()
    assert estimate == pytest.approx(inside, rel=0.03)


def test_dwellings_can_be_subsampled(stock: Stock, country: Population, trial: Trial) -> None:
    scheme = Scheme(trial.scheme.plan, take=20, weighting={"dwellings": DWELLINGS})
    some = Trial(stock, country.field, scheme, Frame(stock.areas, "area"))
    visits = some.visit(5)
    assert np.bincount(visits.nth).max() == 20
    survey = some.dwellings(visits)
    listed = np.diff(stock.first_dwelling)[visits.area]
    assert survey.weights.sum() == pytest.approx(
        (visits.sample["base_weight"].to_numpy() * listed).sum()
    )
    assert some(5).load["dwellings"] < trial(5).load["dwellings"] / 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"take": 1}, "show no variance.*Take 2"),
        ({"weighting": {"dweling": []}}, "'dweling'.*Did you mean 'dwellings'"),
    ],
)
def test_a_scheme_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Scheme({"a": 2}, **options)


def test_what_households_cannot_tell_is_refused(
    stock: Stock, country: Population, persons_steps: list[Any]
) -> None:
    def made(**options: Any) -> Trial:
        return Trial(stock, country.field, Scheme({"a": 2}, **options), Frame(stock.areas, "area"))

    with pytest.raises(OptionError, match=r"\['schooling'\]|'schooling'"):
        made(by=(("schooling",),))
    step = {**persons_steps[0], "unit": None}
    with pytest.raises(OptionError, match="say unit = 'household', not None"):
        made(weighting={"persons": [step]})
    with pytest.raises(OptionError, match="does not calibrate with 'costs'"):
        made(weighting={"persons": [{**persons_steps[0], "costs": {"sex": 2.0}}]})
    step = {**persons_steps[0], "margins": {"documents": {"none": 10.0}}}
    with pytest.raises(OptionError, match=r"'documents'.*does not have"):
        made(weighting={"persons": [step]})


@pytest.mark.parametrize("take", [None, 20])
def test_the_general_formulas_give_the_same(
    country: Population, trial: Trial, monkeypatch: pytest.MonkeyPatch, take: int | None
) -> None:
    scheme = replace(trial.scheme, take=take)
    survey = Trial(trial.stock, country.field, scheme, Frame(trial.stock.areas, "area"))
    quick = survey(5).estimates
    monkeypatch.setattr("nsm.simulation.targets.serves", lambda _: False)
    pd.testing.assert_frame_equal(survey(5).estimates, quick, rtol=1e-10, atol=1e-9)
