"""What the order of the list gives to a systematic sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.allocation import PriorError, alike, areas_at, credit_order
from nsm.allocation.pps import pps_probabilities
from nsm.errors import OptionError

AREAS = 3000


def country(share: float, seed: int = 3) -> pd.DataFrame:
    """Return areas whose errors share a part with their neighbors in blocks of 60."""
    g = np.random.default_rng(seed)
    expected = g.gamma(3, 5, AREAS)
    common = np.repeat(g.standard_normal(AREAS // 60), 60)
    own = g.standard_normal(AREAS)
    error = (np.sqrt(share) * common + np.sqrt(1 - share) * own) * 0.5 * expected
    return pd.DataFrame(
        {
            "area": [f"{k:05d}" for k in range(AREAS)],
            "stratum": np.where(np.arange(AREAS) < AREAS / 2, "a", "b"),
            "dwellings": g.integers(60, 140, AREAS),
            "expected": expected,
            "error": error,
        }
    )


def at(table: pd.DataFrame, order: list[str] | None, share: float) -> Any:
    told = PriorError(spread=0, relative=0.25, alike=share)
    return areas_at(table, size="dwellings", y={"y": "expected"}, error=told, order=order)


def systematic_cv(share: float, n: dict[str, int], populations: int = 25) -> float:
    """Return the CV over starts and populations: that of one population wavers with its order."""
    g = np.random.default_rng(4)
    squares = []
    for seed in range(populations):
        table = country(share, seed)
        total = np.zeros(400)
        y = table["expected"] + table["error"]
        for name, areas in table.groupby("stratum"):
            p = pps_probabilities(areas["dwellings"].to_numpy(dtype=float), n[str(name)])
            steps = np.arange(n[str(name)]) + g.random((len(total), 1))
            picks = np.minimum(np.searchsorted(np.cumsum(p), steps), len(p) - 1)
            total += (y[areas.index].to_numpy() / p)[picks].sum(axis=1)
        squares.append(np.mean((total / y.sum() - 1) ** 2))
    return float(np.sqrt(np.mean(squares)))


@pytest.mark.parametrize("share", [0.0, 0.8])
def test_the_cv_in_order_is_the_realized_one(share: float) -> None:
    table = country(share)
    plain = nsm.allocate(at(table, None, share), precision={"all": {"y": 0.05}})
    n = dict(zip(plain.table["stratum"], plain.table["n"], strict=True))
    found = alike(table, n, error="error", size="dwellings", order=["area"])
    # Counts differ between neighbors, so of what they share the zones show E(m)^2 / E(m^2) = 3 / 4.
    assert found == pytest.approx(0.75 * share, abs=0.15)
    plan = credit_order(plain, at(table, [], found))
    row = plan.precision.iloc[0]
    assert list(plan.precision.columns[3:6]) == ["total", "cv", "cv_ordered"]
    assert row["cv"] == plain.precision["cv"].iloc[0]
    realized = systematic_cv(share, n)
    assert realized / row["cv_ordered"] == pytest.approx(1, abs=0.08)
    if share:
        assert realized / row["cv"] < 0.9


def test_a_census_says_nothing_of_neighbors() -> None:
    table = country(0.4)
    n = {"a": AREAS, "b": AREAS}
    with pytest.raises(OptionError, match="nothing can be said of neighbors"):
        alike(table, n, error="error", size="dwellings", order=["area"])
