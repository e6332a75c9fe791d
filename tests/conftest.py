"""Tables that many tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

REFERENCE = Path(__file__).parent / "reference"


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
