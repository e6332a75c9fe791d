"""Derived variables, by every combination of birthplaces and on every engine."""

from __future__ import annotations

import itertools
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from nsm.errors import FieldworkError, OptionError
from nsm.fieldwork import derive, derived_variables

COUNTRIES = ["DOM", "HTI", "VEN", None]
PEOPLE = pd.DataFrame(
    list(itertools.product(COUNTRIES, repeat=3)),
    columns=["birth_country", "mother_birth_country", "father_birth_country"],
).assign(age=30, arrival_year=2020, citizenship="DOM")


def by_hand(own: str | None, mother: str | None, father: str | None) -> tuple[str, str | None, str]:
    """Status, origin and generation, written as a person would."""
    if own is None:
        return "unknown", None, "unknown"
    if own != "DOM":
        return "immigrant", own, "1"
    foreign = [parent for parent in (mother, father) if parent not in {"DOM", None}]
    if foreign:
        known = {mother, father}
        if "DOM" in known:
            return "descendant", foreign[0], "2.5"
        return "descendant", foreign[0], "2?" if None in known else "2"
    if mother is None or father is None:
        return "unknown", None, "unknown"
    return "native", "DOM", "3+"


def test_status_origin_and_generation_of_every_family() -> None:
    found = derive(PEOPLE, reference_year=2027)
    for row in found.itertuples():
        family = (row.birth_country, row.mother_birth_country, row.father_birth_country)
        own, mother, father = (None if pd.isna(c) else c for c in family)
        origin = None if pd.isna(row.origin) else row.origin
        assert (row.status, origin, row.generation) == by_hand(own, mother, father), family


def test_nativity_and_citizenship_are_two_variables() -> None:
    table = pd.DataFrame(
        {
            "birth_country": ["HTI", "DOM", "DOM", None],
            "citizenship": ["DOM", "HTI", "STATELESS", None],
        }
    )
    found = derive(table)
    assert found["nativity"].tolist() == ["foreign_born", "native_born", "native_born", "unknown"]
    assert found["citizenship_status"].tolist() == [
        "citizen",
        "non_citizen",
        "stateless",
        "unknown",
    ]
    assert "status" not in found


def test_duration_and_generation_follow_from_the_arrival() -> None:
    table = pd.DataFrame(
        {
            "birth_country": "HTI",
            "mother_birth_country": "HTI",
            "father_birth_country": "HTI",
            "age": [20, 20, 40, 40],
            "arrival_year": [2025, 2024, 2017, None],
        }
    )
    found = derive(table, reference_year=2027)
    assert found["duration"].fillna(-1).tolist() == [2, 3, 10, -1]
    assert found["duration_class"].tolist() == ["0-4", "0-4", "10+", "unknown"]
    assert found["generation"].tolist() == ["1", "1.5", "1", "1?"]


def test_another_country_uses_the_same_definitions() -> None:
    found = derive(PEOPLE, home="VEN", reference_year=2027)
    assert set(found.loc[found["birth_country"] == "DOM", "status"]) == {"immigrant"}


ENGINES: dict[str, Any] = {
    "polars": pl.from_pandas,
    "polars lazy": lambda table: pl.from_pandas(table).lazy(),
    "pyarrow": lambda table: pa.Table.from_pandas(table, preserve_index=False),
    "duckdb": lambda table: duckdb.from_arrow(pa.Table.from_pandas(table, preserve_index=False)),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_derives_the_same(engine: str) -> None:
    table = PEOPLE.assign(row=range(len(PEOPLE)))
    expected = derive(table, reference_year=2027)
    made = derive(ENGINES[engine](table), reference_year=2027)
    found = nw.from_native(made).lazy().collect("pyarrow").to_pandas().sort_values("row")
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True).astype("str"), expected[found.columns].astype("str")
    )


def test_nothing_is_dropped_and_the_input_is_left_alone() -> None:
    before = PEOPLE.copy()
    assert len(derive(PEOPLE)) == len(PEOPLE)
    pd.testing.assert_frame_equal(PEOPLE, before)


def test_what_cannot_be_derived_is_refused() -> None:
    with pytest.raises(FieldworkError, match="'duration' needs 'reference_year', 'status'"):
        derive(PEOPLE, only=("duration",))
    with pytest.raises(OptionError, match=r"no derived variable 'statu'. Did you mean 'status'"):
        derive(PEOPLE, only=("statu",))


def test_definitions_are_listed_in_both_languages() -> None:
    found = derived_variables("es").set_index("variable")
    assert found.loc["status", "label"] == "Condición migratoria"
    assert "home" in found.loc["status", "definition"]
    assert list(found.index) == list(derived_variables()["variable"])


def test_a_cost_is_the_sum_of_its_items_or_what_was_said_of_the_whole() -> None:
    table = pd.DataFrame({"cost_items": [900, None, None, 0], "cost_total_only": [5, 700, None, 5]})
    made = derive(table, home="DOM", reference_year=2027)["recruitment_cost"]
    assert made.astype("Float64").fillna(-1).tolist() == [900, 700, -1, 0]
