"""One suite of cases on every engine: the same estimates, to the last digits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from nsm.estimation import Estimates, Survey, count, mean, total
from nsm.totals import Memory, Pushdown
from nsm.totals.duck import Database
from nsm.weighting import Calibration

DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu", "fpc": "psus"}
CASES: dict[str, Callable[[Survey], Estimates]] = {
    "total": lambda s: s.total("pay"),
    "missing": lambda s: s.mean("income", by="region"),
    "total of observed": lambda s: s.total("income", missing="exclude"),
    "total with zeros": lambda s: s.total("income", missing="zero", by="sex"),
    "ratio by two": lambda s: s.ratio("pay", "hours", by=["region", "sex"]),
    "blank label": lambda s: s.mean("pay", by="blank"),
    "proportion": lambda s: s.proportion("origin", by="region", where="age >= 15"),
    "where": lambda s: s.mean("pay", where="sex == 'F' and income > 5000"),
    "empty domain": lambda s: s.count(by="region", where="age > 88 and region == 'islands'"),
    "expression": lambda s: s.total("origin != 'DOM'", by="sex", deff="without"),
    "condition as domain": lambda s: s.mean("pay", by=["income > 9000", "sex"]),
    "condition as categories": lambda s: s.proportion("income > 9000", by="region"),
    "not known": lambda s: s.mean("income > 9000", by="region"),
    "margins": lambda s: s.count(by=["region", "sex"], margins=True),
    "gap": lambda s: s.estimate(
        mean("pay", where="sex == 'M'") - mean("pay", where="sex == 'F'"), by="region"
    ),
    "formula": lambda s: s.estimate(100 * total("pay") / count()),
    "quantile": lambda s: s.quantile("pay", [0.25, 0.5], by="sex"),
    "replicates": lambda s: s.replicate("jkn").ratio("pay", "hours", by="sex"),
    "contrast": lambda s: s.mean("pay", by="sex").contrast({"M": 1, "F": -1}),
    "calibrated": lambda s: s.weighted(nsm_weighting({"sex": {"M": 8800, "F": 9200}})).mean(
        "pay", by="region"
    ),
}


def nsm_weighting(margins: dict[str, dict[str, float]]) -> Any:
    from nsm.weighting import Weighting

    return Weighting([Calibration(margins)])


@pytest.fixture(scope="module")
def table(people: pd.DataFrame) -> pd.DataFrame:
    blank = people["region"].where(people["age"] % 7 > 0, "")
    codes = people["stratum"].map({s: f"0{k}" for k, s in enumerate("abcdef")})
    return people.assign(blank=blank, stratum=codes, float=people["income"])


def from_parquet(table: pd.DataFrame, folder: Path) -> Pushdown:
    path = folder / "people.parquet"
    table.to_parquet(path)
    database = Database(path, scratch=folder)
    return Pushdown(database.relation, "people.parquet", database)


def from_csv(table: pd.DataFrame, folder: Path) -> Pushdown:
    path = folder / "people.csv"
    table.to_csv(path, index=False)
    database = Database(path, scratch=folder)
    return Pushdown(database.relation, "people.csv", database)


def columns_of_parquet(table: pd.DataFrame, folder: Path) -> Path:
    path = folder / "columns.parquet"
    table.to_parquet(path)
    return path


ENGINES: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "pandas": lambda t, _: t,
    "pandas nullable": lambda t, _: t.convert_dtypes(),
    "pandas categories": lambda t, _: t.astype({"region": "category", "sex": "category"}),
    "polars": lambda t, _: pl.from_pandas(t),
    "polars lazy": lambda t, _: pl.from_pandas(t, nan_to_null=False).lazy(),
    "pyarrow": lambda t, _: pa.Table.from_pandas(t),
    "duckdb": lambda t, _: duckdb.connect().from_df(t),
    "parquet by column": columns_of_parquet,
    "parquet in duckdb": from_parquet,
    "csv in duckdb": from_csv,
}


@pytest.fixture(scope="module")
def expected(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    survey = Survey(table, **DESIGN)
    return {name: case(survey).table for name, case in CASES.items()}


@pytest.fixture(scope="module", params=ENGINES)
def survey(
    request: pytest.FixtureRequest, table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Survey:
    folder = tmp_path_factory.mktemp("engine")
    return Survey(ENGINES[request.param](table, folder), **DESIGN)


def same(made: pd.DataFrame, wanted: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        made.astype({c: object for c in made.columns if made[c].dtype.kind not in "if"}),
        wanted.astype({c: object for c in wanted.columns if wanted[c].dtype.kind not in "if"}),
        check_exact=False,
        rtol=1e-9,
        check_categorical=False,
    )


@pytest.mark.parametrize("case", CASES)
def test_every_engine_agrees(case: str, survey: Survey, expected: dict[str, pd.DataFrame]) -> None:
    same(CASES[case](survey).table, expected[case])


def test_lazy_tables_stay_where_they_are(table: pd.DataFrame, tmp_path: Path) -> None:
    survey = Survey(from_parquet(table, tmp_path), **DESIGN)
    assert survey.pushed
    assert len(survey) == len(table)
    brought = survey.in_memory(["pay"]).table
    assert isinstance(brought, Memory)
    assert set(brought.columns) == {"psus", "psu", "pay", "stratum", "w"}


def test_the_share_of_unknowns_is_the_same(table: pd.DataFrame, tmp_path: Path) -> None:
    one, other = (
        Survey(t, **DESIGN).mean("pay", by="blank", where="income > 3000").unknown
        for t in (table, from_parquet(table, tmp_path))
    )
    assert one > 0
    assert one == pytest.approx(other)
    inside = table["income"].fillna(1e9) > 3000
    unknown = inside & (table["income"].isna() | (table["blank"] == ""))
    assert one == pytest.approx(table.loc[unknown, "w"].sum() / table.loc[inside, "w"].sum())


@pytest.mark.parametrize("cuts", [1, 2, 7])
def test_partitions_do_not_matter(cuts: int, table: pd.DataFrame, tmp_path: Path) -> None:
    parts = np.array_split(np.arange(len(table)), cuts)
    relation = duckdb.connect()
    for k, part in enumerate(parts):
        table.iloc[part].to_parquet(tmp_path / f"{k}.parquet")
    files = [str(tmp_path / f"{k}.parquet") for k in range(cuts)]
    survey = Survey(relation.read_parquet(files), **DESIGN)
    same(survey.mean("pay", by="sex").table, Survey(table, **DESIGN).mean("pay", by="sex").table)


@pytest.mark.spark
def test_spark_agrees(
    table: pd.DataFrame, expected: dict[str, pd.DataFrame], spark: Any, tmp_path: Path
) -> None:
    path = columns_of_parquet(table, tmp_path)
    survey = Survey(spark.read.parquet(str(path)), **DESIGN)
    assert survey.pushed
    for name, case in CASES.items():
        same(case(survey).table, expected[name])
