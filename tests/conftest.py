"""Tables that many tests share."""

from __future__ import annotations

from pathlib import Path

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
