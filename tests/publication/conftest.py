"""Tables of estimates that many tests of publication share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nsm.estimation import Estimates, Survey
from nsm.estimation.estimates import tidy

# An estimate that every rule publishes.
GOOD: dict[str, Any] = {
    "variable": "y",
    "statistic": "total",
    "category": None,
    "order": np.nan,
    "estimate": 1000.0,
    "cv": 0.05,
    "df": 40.0,
    "deff": 2.0,
    "n": 2000,
    "cases": 500,
    "psus": 60,
    "note": None,
}


def made(*rows: dict[str, Any], by: tuple[str, ...] = ()) -> Estimates:
    """Make estimates from what differs from a good one; se follows from cv, unless given."""
    full = []
    for given in rows:
        row = GOOD | given
        row.setdefault("se", row["cv"] * abs(row["estimate"]))
        row["cv"] = row["se"] / abs(row["estimate"]) if row["estimate"] else np.nan
        row.setdefault("lower", row["estimate"] - 2 * row["se"])
        row.setdefault("upper", row["estimate"] + 2 * row["se"])
        full.append(row)
    return Estimates(tidy(pd.DataFrame(full), by), by)


@pytest.fixture
def make() -> Callable[..., Estimates]:
    return made


@pytest.fixture(scope="session")
def survey(people: pd.DataFrame) -> Survey:
    table = people.assign(
        haitian=(people["origin"] == "HTI").astype(int), migrant=people["origin"] != "DOM"
    )
    return Survey(table, weight="w", stratum="stratum", psu="psu")
