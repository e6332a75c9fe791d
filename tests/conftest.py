"""Tables that many tests share, and a small country that runs through the whole project."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
REFERENCE = Path(__file__).parent / "reference"
FRAME = ROOT / "frames" / "do"
EXAMPLE = ROOT / "examples" / "eni-do"

# The small country: all five territories and four regions in whole provinces and municipalities of
# the example frame, so that its sums are official. 2,346 areas.
PROVINCES = ("0319", "0415", "0427", "0930")
MUNICIPALITIES = ("012502", "012503", "012504", "012506")

# What a project on the small country says otherwise.
CHANGES = {
    'source = "frames/do"': 'source = "frame"',
    'truth = "frames/do/truth.parquet"': 'truth = "truth.parquet"',
    "all = {immigrants = 0.035, descendants = 0.04}": (
        "all = {immigrants = 0.07, descendants = 0.08}"
    ),
    "territory = {immigrants = 0.09, descendants = 0.10}": (
        "territory = {immigrants = 0.25, descendants = 0.25}"
    ),
    ', ["sex"], ["nativity"], ["zone"], ["territory"], ["duration_class"], ["age_band"], '
    '["citizenship_status"], ["status", "sex"], ["status", "zone"], ["region"], ["origin"]]': "]",
}

TINY = ("0319", "0930")
_TARGETS = list(CHANGES)[2:]
TINY_CHANGES = {
    **CHANGES,
    _TARGETS[0]: "all = {immigrants = 0.18, descendants = 0.20}",
    _TARGETS[1]: "territory = {immigrants = 0.30, descendants = 0.35}",
}


@pytest.fixture(scope="session")
def reference() -> Path:
    return REFERENCE


@pytest.fixture(scope="session")
def people() -> pd.DataFrame:
    table = pd.read_csv(REFERENCE / "estimation" / "people.csv")
    return table.assign(
        one=1,
        house=table[["stratum", "psu", "ssu"]].astype(str).agg("-".join, axis=1),
    )


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A local Spark session (`make test-spark`)."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(scope="session")
def small_areas() -> pd.DataFrame:
    areas = pd.read_parquet(FRAME / "areas.parquet")
    inside = areas["province"].isin(PROVINCES) | areas["municipality"].isin(MUNICIPALITIES)
    return areas[inside].reset_index(drop=True)


@pytest.fixture(scope="session")
def small_truth(small_areas: pd.DataFrame) -> pd.DataFrame:
    truth = pd.read_parquet(FRAME / "truth.parquet")
    return truth[truth["area"].isin(small_areas["area"])].reset_index(drop=True)


@pytest.fixture(scope="session")
def small_project(small_areas: pd.DataFrame, small_truth: pd.DataFrame) -> Callable[[Path], Path]:
    """A function that writes a project on the small country into a folder, and returns it.

    It holds `survey.toml`, `population.toml`, `truth.parquet` and `frame/`, and runs in some 15
    seconds.
    """
    return lambda folder: write_project(folder, small_areas, small_truth, CHANGES)


@pytest.fixture(scope="session")
def tiny_project(small_areas: pd.DataFrame, small_truth: pd.DataFrame) -> Callable[[Path], Path]:
    """The same on two provinces of it, 703 areas, for what is repeated often."""
    areas = small_areas[small_areas["province"].isin(TINY)].reset_index(drop=True)
    truth = small_truth[small_truth["area"].isin(areas["area"])].reset_index(drop=True)
    return lambda folder: write_project(folder, areas, truth, TINY_CHANGES)


def write_project(
    folder: Path, areas: pd.DataFrame, truth: pd.DataFrame, changes: dict[str, str]
) -> Path:
    import geopandas as gpd

    frame = folder / "frame"
    frame.mkdir(parents=True)
    areas.to_parquet(frame / "areas.parquet", index=False)
    shapes = gpd.read_parquet(FRAME / "boundaries.parquet")
    shapes = shapes[shapes["area"].isin(areas["area"])]
    shapes.to_parquet(frame / "boundaries.parquet", index=False)
    for name in ("frame.toml", "names.csv"):
        shutil.copy(FRAME / name, frame / name)
    truth.to_parquet(folder / "truth.parquet", index=False)
    for name in ("population.toml", "answers.toml"):
        shutil.copy(EXAMPLE / name, folder / name)
    text = (EXAMPLE / "survey.toml").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    # What is said of territories that are not here goes.
    parts = re.split(r"(?m)^(?=\[)", text)
    here = {f"[allocation.prior_error_in.territory.{t}]" for t in areas["territory"].unique()}
    kept = [
        p for p in parts if "prior_error_in" not in p.split("\n")[0] or p.split("\n")[0] in here
    ]
    (folder / "survey.toml").write_text("".join(kept), encoding="utf-8")
    return folder
