"""A condition takes the same rows in every engine."""

from __future__ import annotations

import itertools
import math
from datetime import date, datetime
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.condition import strategies

from nsm.condition import parse
from nsm.errors import ColumnError, ConditionError

TYPES = {
    "row": pa.int64(),
    "household": pa.int64(),
    "age": pa.int16(),
    "hours": pa.float64(),
    "pay": pa.float64(),
    "line": pa.int8(),
    "years": pa.float64(),
    "arrived": pa.date32(),
    "employed": pa.bool_(),
}


def arrow(rows: list[dict[str, Any]], columns: list[str]) -> pa.Table:
    schema = pa.schema([(name, TYPES.get(name, pa.string())) for name in columns])
    return pa.Table.from_pylist(rows, schema=schema)


ENGINES = {
    "pandas": lambda table: pd.DataFrame(table.to_pylist(), columns=table.column_names),
    "pandas-numpy": lambda table: table.to_pandas(),
    "pandas-arrow": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "polars": pl.from_arrow,
    "polars-lazy": lambda table: pl.from_arrow(table).lazy(),
    "pyarrow": lambda table: table,
    "duckdb": duckdb.from_arrow,
}


def collected(frame: Any) -> list[dict[str, Any]]:
    found = frame.lazy().collect("pyarrow").to_native()
    return found.sort_by("row").to_pylist()


def answers(frame: Any, text: str) -> list[bool | None]:
    """What an engine says of every row: true, false or unknown."""
    condition, table = parse(text), nw.from_native(frame)
    found = collected(
        table.select(
            "row",
            yes=condition.where(table),
            no=condition.where(table, truth=False),
        )
    )
    assert all(type(each[side]) is bool for each in found for side in ("yes", "no"))
    assert not any(each["yes"] and each["no"] for each in found)
    return [True if each["yes"] else False if each["no"] else None for each in found]


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"row": n, **row} for n, row in enumerate(rows)]


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=30, deadline=None)
@given(texts=st.lists(strategies.conditions, min_size=5, max_size=5), rows=strategies.rows)
def test_every_engine_agrees_with_python(
    engine: str, texts: list[str], rows: list[dict[str, Any]]
) -> None:
    table = ENGINES[engine](arrow(numbered(rows), ["row", *rows[0]]))
    for text in texts:
        assert answers(table, text) == [parse(text).evaluate(row) for row in rows], text


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=25, deadline=None)
@given(text=strategies.over_rosters, rows=strategies.rows, members=strategies.members)
def test_rosters_agree_with_python(
    engine: str, text: str, rows: list[dict[str, Any]], members: list[dict[str, Any]]
) -> None:
    households = [{"household": n, **row} for n, row in enumerate(numbered(rows))]
    upper = ENGINES[engine](arrow(households, [*households[0]]))
    lower = ENGINES[engine](arrow(members, ["household", "line", "years", "gender"]))
    joined = parse(text).join(upper, {"members": lower}, key=["household"])
    own = [[m for m in members if m["household"] == row["household"]] for row in households]
    expected = [
        parse(text).evaluate(row, {"members": rows})
        for row, rows in zip(households, own, strict=True)
    ]
    assert answers(joined, text) == expected


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", ["pay / hours - 1", "pay * -2", "3", "pay"])
def test_values_agree_with_python(engine: str, text: str) -> None:
    pairs = itertools.product([None, 0.0, 1.0, 2.5, math.nan], repeat=2)
    rows = [{"pay": pay, "hours": hours} for pay, hours in pairs]
    table = nw.from_native(ENGINES[engine](arrow(numbered(rows), ["row", "pay", "hours"])))
    condition = parse(text)
    found = collected(table.select("row", value=condition.value_expr(table)))
    blank = [
        None if each["value"] != each["value"] else each["value"] for each in found
    ]  # NaN is missing in pandas
    assert blank == [condition.evaluate(row) for row in rows]


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_are_chosen(engine: str) -> None:
    table = nw.from_native(
        ENGINES[engine](arrow(numbered([{"age": 1}, {"age": 9}]), ["row", "age"]))
    )
    for text, chosen in {"age > 5": [1], "true": [0, 1], "1 > 2": [], "age > 0": [0, 1]}.items():
        assert [each["row"] for each in collected(table.filter(parse(text).where(table)))] == chosen


TRUTHS = {
    "age > 1": None,
    "not age > 1": None,
    "age > 1 and false": False,
    "age > 1 or true": True,
    "age is missing": True,
    "age in (1, 2)": None,
    "age not in (1, 2)": None,
    "x / 0 > 1": None,
    "x / 0 is missing": True,
    "blank == blank": None,
    "blank is missing": True,
    "x == 2 and not flag": True,
    "x == true": False,
    "x": True,
    "none + 1": None,
    "selected(several, 'b')": True,
    "selected(several, 'ab')": False,
    "selected(blank, 'b')": None,
    "not selected(blank, 'b')": None,
    "moment > date('2027-01-14')": True,
    "moment == date('2027-01-15')": False,
}


@pytest.mark.parametrize(("text", "truth"), TRUTHS.items())
def test_logic_is_three_valued(text: str, *, truth: bool | None) -> None:
    row = {
        "age": float("nan"),
        "x": 2,
        "blank": "  ",
        "flag": False,
        "none": None,
        "several": "a b",
        "moment": datetime(2027, 1, 15, 8),  # noqa: DTZ001  # tables hold naive moments
    }
    found = parse(text).evaluate(row)
    assert (found if text != "x" else parse(text).holds(row)) == truth
    if text != "none + 1":
        assert parse(text).holds(row) is (truth is True)


KINDS = {
    "country == 5": "country (text) and 5 (number) cannot be compared (column 1).",
    "age == '5'": 'age (number) and "5" (text) cannot be compared (column 1).',
    "arrived > 2020": "arrived (date) and 2020 (number) cannot be compared (column 1).",
    "country > sex": "country is text, which has no order (column 1)",
    "country": "country is neither true nor false (column 1)",
    "country + 1 > 2": "country is no number and cannot be computed with (column 1).",
    "age + 1": "age + 1 is neither true nor false (column 1)",
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("text", "message"), KINDS.items())
def test_kinds_that_the_table_shows_are_checked(engine: str, text: str, message: str) -> None:
    row = {"age": 1, "country": "DOM", "sex": "F", "arrived": date(2020, 1, 1), "employed": True}
    table = ENGINES[engine](arrow([row], [*row]))
    with pytest.raises(ConditionError) as caught:
        parse(text).where(table)
    assert message in str(caught.value)


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(ColumnError, match=r"uses 'agee', which is not there. Did you mean 'age'?"):
        parse("agee > 1").where(pd.DataFrame({"age": [1]}))


def test_a_roster_without_table_is_named() -> None:
    table = pd.DataFrame({"household": [1]})
    with pytest.raises(ConditionError, match="There is no roster 'members'"):
        parse("count(members) > 1").where(table)
    with pytest.raises(ConditionError, match=r"no table for the roster 'members'. Did you mean"):
        parse("count(members) > 1").join(table, {"member": table}, key=["household"])


def test_columns_of_mixed_objects_are_refused() -> None:
    table = pd.DataFrame({"age": [1, "x"]}, dtype=object)
    with pytest.raises(ConditionError, match="'age' holds mixed-integer, which has no place"):
        parse("age > 1").where(table)


@pytest.mark.parametrize("engine", ["polars", "pyarrow", "duckdb"])
def test_lists_of_answers_are_looked_into(engine: str) -> None:
    rows = pa.table({"row": [0, 1, 2], "papers": pa.array([["a", "b"], ["c"], None])})
    assert answers(ENGINES[engine](rows), "selected(papers, 'b')") == [True, False, None]
    with pytest.raises(ConditionError, match=r"holds several answers .* use selected"):
        parse("papers == 'a'").where(ENGINES[engine](rows))


def test_categories_and_small_integers_are_compared_by_value() -> None:
    rows = pd.DataFrame({"row": [0, 1, 2], "sex": ["M", None, "F"], "age": [1, 2, 200]})
    rows = rows.astype({"sex": "category", "age": "uint8"})
    for table in (rows, pl.from_pandas(rows)):
        assert answers(table, "sex != 'X'") == [True, None, True]
        assert answers(table, "age > -1 and age < 300") == [True] * 3
        assert answers(table, "age * 200 > 39999") == [False, False, True]


def test_moments_with_a_time_zone_are_taken_as_local() -> None:
    moments = pd.to_datetime(["2027-01-15 01:00", None]).tz_localize("America/Santo_Domingo")
    table = pd.DataFrame({"row": [0, 1], "start": moments})
    assert answers(table, "start >= date('2027-01-15')") == [True, None]


def test_a_column_without_values_fits_every_condition() -> None:
    blank = {
        "pandas": pd.DataFrame({"row": [0], "x": [math.nan]}),
        "objects": pd.DataFrame({"row": [0], "x": pd.Series([None], dtype=object)}),
        "polars": pl.DataFrame({"row": [0], "x": [None]}),
        "pyarrow": pa.table({"row": [0], "x": pa.nulls(1)}),
    }
    for engine, table in blank.items():
        for text in ("x == 'a'", "x > 1", "x in (1, 2)", "x", "not selected(x, 'a')", "x + 1 > 2"):
            assert answers(table, text) == [None], (engine, text)
        assert answers(table, "x is missing") == [True]


def test_columns_without_a_place_in_conditions_are_refused() -> None:
    table = pl.DataFrame({"x": [{"a": 1}], "y": [1]})
    assert answers(table.with_columns(row=pl.lit(0)), "y == 1") == [True]
    with pytest.raises(ConditionError, match="'x' holds Struct"):
        parse("x == 1").where(table)
