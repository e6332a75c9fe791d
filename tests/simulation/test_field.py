"""What comes back from the field: raw answers, and response that follows what is recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.errors import OptionError
from nsm.simulation import Population, fieldwork, respond

Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def sample(areas: pd.DataFrame) -> pd.DataFrame:
    return areas.iloc[::8]


@pytest.fixture(scope="module")
def delivery(population: Population, sample: pd.DataFrame) -> Tables:
    return fieldwork(population, sample, seed=11)


def test_every_dwelling_of_the_areas_is_listed(
    population: Population, sample: pd.DataFrame, delivery: Tables
) -> None:
    tables = population.area_tables(sample["area"].tolist())
    assert set(delivery["dwellings"]["dwelling"]) == set(tables["dwellings"]["dwelling"])
    occupied = tables["dwellings"].set_index("dwelling")["occupied"]
    found = delivery["dwellings"].set_index("dwelling")["disposition"]
    assert (~occupied[found.index[found == "ineligible"]]).all()
    assert occupied[found.index[found.isin(["respondent", "nonrespondent"])]].all()
    assert set(found) == {"respondent", "nonrespondent", "unknown", "ineligible"}


def test_only_respondents_have_households_and_persons(delivery: Tables) -> None:
    dwellings = delivery["dwellings"].set_index("dwelling")["disposition"]
    for name in ("households", "persons"):
        assert (dwellings.loc[delivery[name]["dwelling"]] == "respondent").all()
    assert set(delivery["households"]["household"]) == set(delivery["persons"]["household"])


def test_the_delivery_holds_answers_only(delivery: Tables) -> None:
    for table in delivery.values():
        assert not [c for c in table if c.startswith("truth") or c in {"status", "foreign"}]
        assert "Synthetic" in table.attrs["notice"]


def test_dwellings_that_are_lived_in_have_a_language_unless_unknown(delivery: Tables) -> None:
    dwellings = delivery["dwellings"]
    heard = dwellings["door_language"].notna()
    assert (heard == dwellings["disposition"].isin(["respondent", "nonrespondent"])).all()
    assert set(dwellings["door_language"].dropna()) <= {"spa", "hat", "eng"}


def test_natives_are_interviewed_in_one_dwelling_of_eight(delivery: Tables) -> None:
    dwellings = delivery["dwellings"]
    taken = dwellings.groupby("area")["native_interviews"].agg(["sum", "size"])
    assert (abs(taken["sum"] - taken["size"] / 8) < 1).all()
    persons = delivery["persons"].merge(dwellings[["dwelling", "native_interviews"]])
    foreign = persons["birth_country"] != "DOM"
    for parent in ("mother", "father"):
        foreign |= ~persons[f"{parent}_birth_country"].isin(["DOM", "UNKNOWN"])
    chosen = (foreign | (persons["native_interviews"] == 1)) & (persons["age"] >= 5)
    inside = persons["dwelling"].isin(
        dwellings.loc[dwellings["dwelling_type"] != "collective", "dwelling"]
    )
    assert (persons["interviewed"] == (chosen & inside)).all()
    given = persons["interview_disposition"] == "respondent"
    assert persons.loc[~given, ["schooling", "employed", "pay"]].isna().all(axis=None)
    assert persons.loc[given, "schooling"].notna().all()


def test_the_same_seed_gives_the_same_answers_whatever_else_is_drawn(
    population: Population, sample: pd.DataFrame, delivery: Tables
) -> None:
    few = fieldwork(population, sample.iloc[[7, 3]], seed=11)
    for name, key in (("dwellings", "dwelling"), ("persons", "person")):
        mine = delivery[name][delivery[name]["area"].isin(few[name]["area"])]
        pd.testing.assert_frame_equal(
            *(t.sort_values(key, ignore_index=True) for t in (mine, few[name]))
        )


def listed(population: Population, areas: pd.DataFrame) -> pd.DataFrame:
    tables = population.area_tables(areas["area"].tolist())
    foreign = tables["truth"]["truth_status"] != "native"
    homes = set(tables["persons"].loc[foreign.to_numpy(), "dwelling"])
    classes = population.field.prior_class(areas["prior"].to_numpy())
    by_area = dict(zip(areas["area"], classes, strict=True))
    dwellings = tables["dwellings"]
    return dwellings.assign(
        prior_class=dwellings["area"].map(by_area), foreign=dwellings["dwelling"].isin(homes)
    )


def rates(dwellings: pd.DataFrame, population: Population, scenario: str) -> pd.DataFrame:
    """Response by what is recorded and by status, over many draws."""
    rng = np.random.default_rng(5)
    eligible = dwellings[dwellings["occupied"]].copy()
    eligible["hits"] = 0
    for _ in range(60):
        found = respond(eligible, rng, population.field, scenario=scenario)
        eligible["hits"] += found == "respondent"
    cells = eligible.groupby(["prior_class", "dwelling_type", "door_language", "foreign"])["hits"]
    return cells.agg(["mean", "size"]) / [60, 1]


@pytest.mark.parametrize(("scenario", "ratio"), [("recorded", 1.0), ("status", 0.85)])
def test_given_what_is_recorded_status_matters_in_its_scenario_only(
    population: Population, areas: pd.DataFrame, scenario: str, ratio: float
) -> None:
    table = rates(listed(population, areas.iloc[::4]), population, scenario)
    both = table.unstack("foreign").dropna()  # noqa: PD010 (it keeps both columns)
    both = both[(both["size"] >= 40).all(axis=1)]
    assert len(both) >= 4
    assert (both["mean"][True] / both["mean"][False]).to_numpy() == pytest.approx(ratio, abs=0.04)


def test_creole_at_the_door_answers_less(delivery: Tables) -> None:
    dwellings = delivery["dwellings"]
    known = dwellings[dwellings["disposition"].isin(["respondent", "nonrespondent"])]
    rate = known.groupby("door_language")["disposition"].agg(lambda d: (d == "respondent").mean())
    assert rate["hat"] < rate["spa"] - 0.08
    assert 0.84 < (known["disposition"] == "respondent").mean() < 0.93


def test_answers_that_are_not_given_have_the_form_s_code(delivery: Tables) -> None:
    pay = delivery["persons"]["pay"].dropna()
    assert 0.03 < (pay == 99_999_999).mean() < 0.09


def test_an_unknown_scenario_is_refused(population: Population, sample: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match=r"no scenario 'recordd'.*'recorded'"):
        fieldwork(population, sample, seed=1, scenario="recordd")
