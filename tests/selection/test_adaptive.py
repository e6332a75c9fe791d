"""Adaptive cluster sampling on a grid with two concentrations that the frame does not know."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.errors import OptionError, SelectionError
from nsm.selection import adaptive_weights, networks, to_visit

SIDE = 12
FRAME = pd.DataFrame(
    {
        "area": [f"{r:02d}{c:02d}" for r in range(SIDE) for c in range(SIDE)],
        "stratum": ["west" if c < 6 else "east" for _ in range(SIDE) for c in range(SIDE)],
    }
)
HOT = {"0101": 9, "0102": 30, "0202": 12, "0604": 8, "0605": 20, "0606": 25, "0706": 5}
Y = FRAME["area"].map(HOT).fillna(0.0)
NEIGHBORS = pd.DataFrame(
    [(f"{r:02d}{c:02d}", f"{r:02d}{c + 1:02d}") for r in range(SIDE) for c in range(SIDE - 1)]
    + [(f"{r:02d}{c:02d}", f"{r + 1:02d}{c:02d}") for r in range(SIDE - 1) for c in range(SIDE)],
    columns=["area", "neighbor"],
)


def visit(sample: nsm.Sample) -> pd.DataFrame:
    """Visit the sample and go on as long as there are hits beside."""
    visited = set(sample.main["area"])
    while more := to_visit(visited & set(HOT), visited, NEIGHBORS):
        visited |= set(more)
    return pd.DataFrame({"area": sorted(visited)}).assign(hit=lambda t: t["area"].isin(set(HOT)))


def estimate(seed: int, estimator: str, method: str = "srs") -> float:
    size = {"size": "size"} if method in {"poisson", "systematic"} else {}
    frame = FRAME.assign(size=np.arange(1, SIDE**2 + 1) + 50.0)
    plan: object = {"west": 10, "east": 12}
    sample = nsm.draw(frame, plan, seed=seed, method=method, **size)
    weights = adaptive_weights(
        sample, visit(sample), NEIGHBORS, estimator=estimator, frame=frame
    ).set_index("area")
    return float((weights["adaptive_weight"] * weights.index.map(HOT).fillna(0)).sum())


@pytest.mark.parametrize(
    ("estimator", "method"),
    [
        ("multiplicity", "srs"),
        ("network", "srs"),
        ("network", "poisson"),
        ("multiplicity", "systematic"),
    ],
)
def test_totals_are_unbiased(estimator: str, method: str) -> None:
    found = np.array([estimate(seed, estimator, method) for seed in range(120)])
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - sum(HOT.values())) < 3.5 * error


def test_networks_are_joined_hits() -> None:
    net = networks(set(HOT), NEIGHBORS)
    assert net["0101"] == net["0202"] != net["0604"]
    assert net["0604"] == net["0706"]
    assert networks(set(), NEIGHBORS).empty


def test_visits_stop_at_the_edge() -> None:
    assert to_visit({"0101"}, {"0101", "0102"}, NEIGHBORS) == ["0001", "0100", "0201"]


def test_refusals() -> None:
    sample = nsm.draw(FRAME, {"west": 20, "east": 20}, seed=2, method="srs")
    visits = visit(sample)
    with pytest.raises(SelectionError, match="areas still have to be visited"):
        adaptive_weights(sample, visits.iloc[1:], NEIGHBORS)
    with pytest.raises(SelectionError, match=r"needs the frame.*Take estimator 'multiplicity'"):
        adaptive_weights(sample, visits, NEIGHBORS, estimator="network")
    with pytest.raises(OptionError, match="no estimator 'ht'"):
        adaptive_weights(sample, visits, NEIGHBORS, estimator="ht")
