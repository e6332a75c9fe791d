"""Frames from tables of persons: every engine and file gives the same."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from nsm.errors import ColumnError, FileError, FrameError
from nsm.frame import from_persons

COUNTS = {"population": "", "men": 'sex == "M"', "adults": "age >= 15"}


def people(size: int = 20_000) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    area = rng.integers(1, 400, size)
    return pd.DataFrame(
        {
            "area": pd.Series(area).astype("str").str.zfill(5),
            "zone": np.where(area % 3 == 0, "rural", "urban"),
            "sex": rng.choice(["M", "F"], size),
            "age": rng.integers(0, 99, size),
        }
    )


@pytest.fixture(scope="module")
def expected() -> pd.DataFrame:
    table = people()
    by = table.groupby("area")
    return pd.DataFrame(
        {
            "zone": by["zone"].first(),
            "population": by.size(),
            "men": by["sex"].apply(lambda s: int((s == "M").sum())),
            "adults": by["age"].apply(lambda a: int((a >= 15).sum())),
        }
    ).reset_index()


SOURCES: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "pandas": lambda t, _: t,
    "polars": lambda t, _: pl.from_pandas(t),
    "lazy polars": lambda t, _: pl.from_pandas(t).lazy(),
    "duckdb": lambda t, _: duckdb.from_df(t),
    "parquet": lambda t, p: t.to_parquet(p / "p.parquet") or p / "p.parquet",
    "csv": lambda t, p: t.to_csv(p / "p.csv", index=False) or p / "p.csv",
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_same_frame(
    source: str, tmp_path: Path, expected: pd.DataFrame
) -> None:
    frame = from_persons(
        SOURCES[source](people(), tmp_path), counts=COUNTS, carry=["zone"], scratch=tmp_path / "s"
    )
    pd.testing.assert_frame_equal(frame.table, expected, check_dtype=False)


@pytest.mark.spark
@pytest.mark.filterwarnings("default")  # pyspark warns of pandas 3
def test_spark_gives_the_same_frame(expected: pd.DataFrame, spark: Any) -> None:
    frame = from_persons(spark.createDataFrame(people()), counts=COUNTS, carry=["zone"])
    pd.testing.assert_frame_equal(frame.table, expected, check_dtype=False)


def test_scratch_is_private_and_emptied(tmp_path: Path) -> None:
    people().to_parquet(tmp_path / "p.parquet")
    from_persons(tmp_path / "p.parquet", counts=COUNTS, scratch=tmp_path / ".nsm")
    assert stat.S_IMODE((tmp_path / ".nsm").stat().st_mode) == 0o700
    assert not list((tmp_path / ".nsm").iterdir())


def test_refusals(tmp_path: Path) -> None:
    table = people()
    with pytest.raises(ColumnError, match="The table of persons has no column 'aera'"):
        from_persons(table, "aera", counts=COUNTS)
    with pytest.raises(FrameError) as caught:
        from_persons(table.assign(area=table["area"].where(table["age"] > 1)), counts=COUNTS)
    assert str(caught.value) == (
        f"Rows ({(table['age'] <= 1).sum()}) have no code in column 'area'. Give each its area."
    )
    with pytest.raises(FrameError) as caught:
        from_persons(table.assign(zone=table["sex"]).iloc[:900], counts=COUNTS, carry=["zone"])
    assert "Column 'zone' is not the same in all rows of" in str(caught.value)
    (tmp_path / "p.parquet").write_text("area\n")
    with pytest.raises(FileError, match="cannot be read as PARQUET"):
        from_persons(tmp_path / "p.parquet", counts=COUNTS, scratch=tmp_path / "s")
    (tmp_path / "p.txt").write_text("area\n")
    with pytest.raises(FileError, match="tables are read from"):
        from_persons(tmp_path / "p.txt", counts=COUNTS, scratch=tmp_path / "s")
    with pytest.raises(FileError, match="is not a local file"):
        from_persons("s3://bucket/p.parquet", counts=COUNTS)
