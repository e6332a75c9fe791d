"""A population small enough to compute by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from nsm.estimation import Survey


def people() -> pd.DataFrame:
    """Eight persons in four PSUs, with weights 1 and 3."""
    return pd.DataFrame(
        {
            "psu": ["a", "a", "b", "b", "c", "c", "d", "d"],
            "w": [1.0, 1.0, 3.0, 3.0, 1.0, 1.0, 3.0, 3.0],
            "household": [1, 1, 2, 2, 3, 3, 4, 5],
            "sex": ["M", "F"] * 4,
            "status": ["immigrant", "native", "immigrant", "native"] * 2,
            "age": [20, 30, 40, 10, 22, 50, 16, 60],
            "employed": [True, False, True, None, False, True, False, True],
            "unemployed": [False, True, False, None, True, False, False, False],
            "attends": ["no", "no", "no", "formal", "no", "no", "formal", "no"],
            "training": [False] * 8,
            "pay": [100.0, None, 300.0, None, None, 200.0, None, 400.0],
            "hours": [40.0, None, 50.0, None, None, 40.0, None, 60.0],
        }
    )


@pytest.fixture(scope="session")
def survey() -> Survey:
    return Survey(people(), weight="w", psu="psu")
