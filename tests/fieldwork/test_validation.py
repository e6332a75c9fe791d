"""A random interview always validates, and one with a planted mistake does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fieldwork.exports import tables
from tests.questionnaire.walk import interviews

from nsm.errors import FieldworkError
from nsm.fieldwork import read_delivery, tally, validate
from nsm.files import library
from nsm.questionnaire import Questionnaire

FORM = Questionnaire.read(library("questionnaires/eni-short"))


def answers(seed: int = 1, count: int = 8, **given: Any) -> dict[str, pd.DataFrame]:
    source = tables(FORM, interviews(FORM, count, seed, **given), Path())
    return read_delivery(source, FORM).tables


DONE = answers(outcome="completed", household_size=4)


def broken(changed: dict[str, pd.DataFrame]) -> dict[str, int]:
    found = validate(FORM, changed).findings
    errors = found[found["severity"] == "error"]
    return {f"{r.code} {r.where}": r.count for r in errors.itertuples()}  # type: ignore[misc]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_a_random_path_through_the_form_validates(seed: int) -> None:
    found = broken(answers(seed, count=4))
    assert found == {}


# What is planted -> table, column, new value of the first row where the condition holds, rule.
MISTAKES: dict[str, tuple[str, str, Any, str, str]] = {
    "out of range": ("persons", "age", 111, "line == 2", "V101 persons.age"),
    "no code": ("persons", "sex", "X", "line == 2", "V102 persons.sex"),
    "unanswered": ("persons", "sex", None, "line == 2", "V103 persons.sex"),
    "answered though skipped": (
        "persons",
        "hours",
        40,
        "employed == False",
        "V104 persons.hours",
    ),
    "wrong form": ("dwellings", "area", "12", "dwelling != ''", "V105 dwellings.area"),
    "two heads": (
        "persons",
        "relationship",
        "head",
        "line == 2",
        "V106 persons.relationship.refuse",
    ),
    "computed otherwise": ("persons", "status", "unknown", "line == 2", "V108 persons.status"),
    "computed flag otherwise": (
        "persons",
        "interviewed",
        False,
        "status == 'immigrant'",
        "V108 persons.interviewed",
    ),
    "miscounted": (
        "households",
        "household_size",
        9,
        "household_size == 4",
        "V109 households.members",
    ),
    "arrived before birth": (
        "persons",
        "arrival_year",
        1921,
        "status == 'immigrant' and age < 50",
        "V106 persons.arrival_year.refuse",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_found(mistake: str) -> None:
    name, column, value, where, rule = MISTAKES[mistake]
    table = DONE[name].copy()
    row = table.query(where, engine="python").index[0]
    table.loc[row, column] = value
    result = validate(FORM, {**DONE, name: table})
    found = result.findings.set_index(["code", "where"])
    code, place = rule.split(" ", 1)
    assert (code, place) in found.index, found
    assert found.loc[(code, place), "examples"] == table.loc[row, FORM.tables[name].key]
    assert result.tables[name].loc[row, "errors"] >= 1


def test_repeated_keys_lost_units_and_repeated_rows_are_found() -> None:
    persons = pd.concat([DONE["persons"], DONE["persons"][:1]], ignore_index=True)
    persons.loc[4, "household"] = "nowhere"
    found = broken({**DONE, "persons": persons})
    assert found["V201 persons.person"] == 2
    assert found["V203 persons.rows"] == 2
    assert found["V202 persons.household"] == 1


def test_nothing_is_dropped_and_failures_hold_no_answers() -> None:
    persons = DONE["persons"].copy()
    persons.loc[[0, 1], "pay"] = 9_876_543
    result = validate(FORM, {**DONE, "persons": persons})
    assert len(result.tables["persons"]) == len(persons)
    assert "9876543" not in result.failures.to_string() + result.findings.to_string()
    assert set(result.failures.columns) == {
        "table",
        "key",
        "code",
        "rule",
        "severity",
        "area",
        "team",
        "interviewer",
    }


def test_failures_are_counted_by_team() -> None:
    dwellings = DONE["dwellings"].assign(team=["a"] * 6 + ["b"] * 2)
    persons = DONE["persons"].assign(sex="X")
    failures = validate(FORM, {**DONE, "dwellings": dwellings, "persons": persons}).failures
    found = tally(failures[failures["rule"] == "sex"], "team")
    assert found.to_dict("records") == [
        {"team": "a", "errors": 24, "warnings": 0, "rows": 24},
        {"team": "b", "errors": 8, "warnings": 0, "rows": 8},
    ]


ENGINES = {
    "pandas": lambda table: table,
    "pyarrow": lambda table: pa.Table.from_pandas(table, preserve_index=False),
    "polars": pl.from_pandas,
    "polars lazy": lambda table: pl.from_pandas(table).lazy(),
    "duckdb": lambda table: duckdb.from_arrow(pa.Table.from_pandas(table, preserve_index=False)),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_finds_the_same(engine: str) -> None:
    persons = DONE["persons"].copy()
    persons.loc[[1, 5], "sex"] = "X"
    persons.loc[[2], "age"] = 120
    persons.loc[[7], "relationship"] = "head"
    source = {**DONE, "persons": persons}
    expected = validate(FORM, source)
    made = {name: ENGINES[engine](table) for name, table in source.items()}
    found = validate(FORM, made)
    pd.testing.assert_frame_equal(
        found.findings.drop(columns="examples"), expected.findings.drop(columns="examples")
    )
    order = ["table", "rule", "key"]
    pd.testing.assert_frame_equal(
        found.failures.sort_values(order, ignore_index=True).astype("str"),
        expected.failures.sort_values(order, ignore_index=True).astype("str"),
    )


def test_findings_speak_the_language_of_the_reader() -> None:
    persons = DONE["persons"].copy()
    persons.loc[1, "relationship"] = "head"
    found = validate(FORM, {**DONE, "persons": persons}, language="es").findings
    assert "La persona 1 es el jefe o la jefa del hogar, y solo ella." in list(found["message"])


def test_rules_that_lack_a_column_are_listed() -> None:
    persons = DONE["persons"].drop(columns="sex")
    found = validate(FORM, {**DONE, "persons": persons}).findings.set_index("code")
    assert found.loc["V100", "message"].startswith("2 rules could not be tried")


REFUSED = {
    "unknown table": ({"people": pd.DataFrame()}, "'people' is no table of 'eni_short'; it has"),
    "no key": ({"persons": pd.DataFrame({"a": [1]})}, "has no column 'person', which names"),
    "mixed types": (
        {"persons": pd.DataFrame({"person": ["a", "b"], "age": [1, "x"]}, dtype=object)},
        "has a column with values of several types",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_validated_is_refused(case: str) -> None:
    source, message = REFUSED[case]
    with pytest.raises(FieldworkError, match=message):
        validate(FORM, source)


def test_a_blank_with_a_reason_is_no_mistake() -> None:
    form = Questionnaire.read(library("questionnaires") / "eni-short")
    delivery = answers(count=4)
    persons = delivery["persons"].copy()
    place = persons.index[persons["age"].notna()][:2]
    persons.loc[place, "age"] = pd.NA
    keys = persons.loc[place, "person"]
    one = pd.DataFrame([("persons", keys.iloc[0], "age", "998", "dont_know")])
    one.columns = ["table", "key", "question", "code", "reason"]
    found = validate(form, {**delivery, "persons": persons}, reasons=one).failures
    blank = found[(found["code"] == "V103") & (found["rule"] == "age")]
    assert set(blank["key"]) == {keys.iloc[1]}
