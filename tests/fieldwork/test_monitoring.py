"""Progress, outliers, copies and clocks, each planted in a clean delivery."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from nsm.errors import ColumnError
from nsm.fieldwork import monitor
from nsm.fieldwork.copies import copied_households, copied_interviews
from nsm.fieldwork.interviewers import deviations, interviewers
from nsm.fieldwork.pace import pace
from nsm.fieldwork.progress import by_area, by_day
from nsm.files import library
from nsm.questionnaire import Questionnaire

FORM = Questionnaire.read(library("questionnaires/eni-short"))
Tables = dict[str, pd.DataFrame]
AREAS, EACH = 12, 20


@cache
def _clean() -> Tables:
    """Twelve areas of twenty dwellings; four interviewers, a visit each half hour."""
    rng = np.random.default_rng(5)
    n = AREAS * EACH
    area = np.repeat([f"{a:013d}" for a in range(AREAS)], EACH)
    minutes = np.repeat(np.arange(AREAS) // 4 * 24 * 60, EACH) + np.tile(
        np.arange(EACH) * 30, AREAS
    )
    start = pd.Timestamp("2027-03-01 07:00") + pd.to_timedelta(minutes, unit="min")
    dwellings = pd.DataFrame(
        {
            "area": area,
            "dwelling": [f"{a}-{k:03d}" for a, k in zip(area, np.arange(n) % EACH, strict=True)],
            "interviewer": [f"i{a % 4}" for a in np.repeat(np.arange(AREAS), EACH)],
            "outcome": rng.choice(["completed"] * 9 + ["refused"], n),
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(20, 28, n), unit="min"),
        }
    )
    done = dwellings[dwellings["outcome"] == "completed"]
    size = rng.integers(1, 6, len(done))
    persons = done.loc[done.index.repeat(size), ["area", "dwelling"]].reset_index(drop=True)
    persons["household"] = persons["dwelling"] + "-1"
    persons["line"] = persons.groupby("household").cumcount() + 1
    persons["person"] = persons["household"] + "-" + persons["line"].astype(str).str.zfill(2)
    m = len(persons)
    persons["sex"], persons["age"] = rng.choice(["M", "F"], m), rng.integers(0, 90, m)
    persons["relationship"] = np.where(persons["line"] == 1, "head", "child")
    persons["birth_country"] = rng.choice(["DOM", "HTI"], m, p=[0.8, 0.2])
    persons["mother_birth_country"] = "DOM"
    persons["interviewed"] = True
    persons["arrival_year"] = rng.integers(1950, 2027, m).astype(float)
    persons["schooling"] = rng.choice(["none", "primary", "secondary"], m)
    persons["hours"], persons["pay"] = (
        rng.integers(1, 90, m) * 1.0,
        rng.integers(1, 90_000, m) * 1.0,
    )
    persons["documents"], persons["employed"] = "none", True
    persons["sector"] = rng.choice(["trade", "industry"], m)
    return {"dwellings": dwellings, "persons": persons}


def clean() -> Tables:
    return {name: table.copy() for name, table in _clean().items()}


def sample(**changes: int) -> pd.DataFrame:
    expected = {f"{a:013d}": EACH for a in range(AREAS)} | changes
    return pd.DataFrame({"area": list(expected), "dwellings": list(expected.values())})


def codes(tables: Tables, drawn: pd.DataFrame | None = None, **more: object) -> set[str]:
    drawn = sample() if drawn is None else drawn
    return set(monitor(FORM, tables, drawn, **more).findings["code"])


def test_nothing_is_said_of_a_clean_delivery() -> None:
    assert codes(clean()) == set()


def test_days_add_up_to_the_delivery() -> None:
    tables = clean()
    days = by_day(FORM, tables, expected=2 * AREAS * EACH)
    assert days["visits"].sum() == AREAS * EACH
    assert days["persons"].sum() == days["interviews"].sum() == len(tables["persons"])
    assert days["cumulative"].tolist() == days["visits"].cumsum().tolist()
    assert days["share"].iloc[-1] == pytest.approx(0.5)
    assert days["day"].is_monotonic_increasing


def test_areas_are_judged_against_the_sample() -> None:
    tables = clean()
    drawn = sample(**{"0000000000001": 40, "9999999999999": 15})
    areas = by_area(FORM, tables, drawn, today="2027-04-01").set_index("area")
    assert areas.loc["0000000000001", ["state", "share"]].tolist() == ["behind", 0.5]
    assert areas.loc["9999999999999", "state"] == "not started"
    assert (areas["state"] == "done").sum() == AREAS - 1
    assert areas.index[0] == "0000000000001"
    assert codes(tables, drawn, today="2027-04-01") == {"M101"}
    early = by_area(FORM, tables, drawn, today="2027-03-02").set_index("area")
    assert early.loc["0000000000001", "state"] == "working"


def test_a_sample_without_sizes_is_refused() -> None:
    with pytest.raises(ColumnError, match="dwellings"):
        by_area(FORM, clean(), sample()[["area"]])


def test_areas_that_were_not_drawn_are_named() -> None:
    assert "M102" in codes(clean(), sample().iloc[1:])


def test_areas_that_grew_are_named() -> None:
    assert codes(clean(), sample(**{"0000000000003": 9})) == {"M103"}


def test_an_interviewer_who_completes_nothing_is_an_outlier() -> None:
    tables = clean()
    many = [
        tables["dwellings"].assign(
            interviewer=lambda t, k=k: t["interviewer"] + str(k),
            dwelling=lambda t, k=k: t["dwelling"] + str(k),
        )
        for k in range(4)
    ]
    dwellings = pd.concat(many, ignore_index=True)
    dwellings.loc[dwellings["interviewer"] == "i10", "outcome"] = "refused"
    found = interviewers(FORM, {"dwellings": dwellings}).set_index("interviewer")
    assert found.loc["i10", "outlier"] == "response- refusal+"
    assert (found["outlier"] != "").sum() == 1
    assert found.index[0] == "i10"


def test_a_few_visits_make_no_outlier() -> None:
    assert (interviewers(FORM, clean(), least=1000)["outlier"] == "").all()


def test_the_funnel_is_wider_for_few() -> None:
    values = pd.Series([0.9, 0.88, 0.92, 0.6, 0.6])
    z = deviations(values, pd.Series([100, 100, 100, 100, 4]), rate=True)
    assert z[3] < z[4] < 0
    alike = pd.Series([5.0, 5.0, 5.0, 9.0])
    assert deviations(alike, alike, rate=False)[3] > 3


def test_a_copied_household_is_found() -> None:
    tables = clean()
    persons = tables["persons"]
    sizes = persons.groupby("household").size()
    one, other = sizes.index[sizes == 4][:2]
    answers = ["sex", "age", "relationship", "birth_country"]
    own = persons[persons["household"] == one]
    persons.loc[persons["household"] == other, answers] = own[answers].to_numpy()[::-1]
    found = copied_households(FORM, tables)
    assert found[["one", "other", "match"]].to_numpy().tolist() == [[one, other, 1.0]]
    assert found["interviewer"].notna().all()
    assert "M301" in codes(tables)
    assert copied_households(FORM, tables, least=5).empty


def test_a_copied_interview_is_found() -> None:
    tables = clean()
    persons = tables["persons"]
    first = persons["area"] == persons["area"].iloc[0]
    one, other = persons.index[first][:2]
    asked = ["arrival_year", "schooling", "hours", "pay", "documents", "employed", "sector"]
    persons.loc[other, asked] = persons.loc[one, asked]
    found = copied_interviews(FORM, tables, least=6)
    keys = [persons.loc[one, "person"], persons.loc[other, "person"]]
    assert found[["one", "other"]].to_numpy().tolist() == [keys]
    assert found["match"].tolist() == [1.0]
    assert copied_interviews(FORM, tables, least=15).empty


@pytest.mark.parametrize(
    ("why", "code", "start", "minutes"),
    [
        ("backward", "M401", "2027-03-09 10:00", -5),
        ("fast", "M402", "2027-03-09 10:00", 1),
        ("long", "M403", "2027-03-09 10:00", 400),
        ("night", "M404", "2027-03-09 23:10", 40),
    ],
)
def test_a_clock_that_is_wrong_is_found(why: str, code: str, start: str, minutes: int) -> None:
    tables = clean()
    dwellings = tables["dwellings"]
    place = dwellings.index[dwellings["outcome"] == "completed"][5]
    dwellings.loc[place, "start"] = pd.Timestamp(start)
    dwellings.loc[place, "end"] = pd.Timestamp(start) + pd.Timedelta(minutes=minutes)
    found = pace(FORM, tables)
    assert found[["dwelling", "why"]].to_numpy().tolist() == [[dwellings["dwelling"][place], why]]
    assert codes(tables) == {code}


def test_two_visits_at_once_are_found() -> None:
    tables = clean()
    dwellings = tables["dwellings"]
    done = dwellings.index[(dwellings["outcome"] == "completed")]
    one, other = done[0], done[1]
    gap = dwellings.loc[other, "end"] - dwellings.loc[other, "start"]
    dwellings.loc[other, "start"] = dwellings.loc[one, "start"] + pd.Timedelta(minutes=5)
    dwellings.loc[other, "end"] = dwellings.loc[other, "start"] + gap
    assert pace(FORM, tables)["why"].tolist() == ["overlap"]


def test_without_clock_and_names_the_rest_is_said() -> None:
    tables = clean()
    tables["dwellings"] = tables["dwellings"].drop(columns=["start", "end", "interviewer"])
    found = monitor(FORM, tables, sample())
    assert found.visits.empty
    assert found.days.empty
    assert found.interviewers.empty
    assert found.areas["visited"].sum() == AREAS * EACH


def test_findings_speak_spanish() -> None:
    found = monitor(FORM, clean(), sample().iloc[1:], language="es").findings
    assert found["message"][0] == "1 áreas enviaron respuestas y no están en la muestra."
