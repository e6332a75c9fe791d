from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.errors import OptionError, SelectionError, ValueInColumnError
from nsm.selection import METHODS, overlap, permanent_numbers
from nsm.selection.methods import Cell


def frame() -> pd.DataFrame:
    keys = [f"{k:04d}" for k in range(1000)]
    size = np.random.default_rng(1).gamma(4, 30, 1000)
    return pd.DataFrame({"area": keys, "dwellings": size, "prn": permanent_numbers(keys, seed=7)})


def test_numbers_are_uniform_and_stay_with_their_unit() -> None:
    from scipy.stats import kstest

    u = frame()["prn"].to_numpy()
    assert kstest(u, "uniform").pvalue > 0.001
    assert permanent_numbers(["0003"], seed=7)[0] == u[3]
    assert permanent_numbers(["0003"], seed=8)[0] != u[3]


@pytest.mark.parametrize("method", ["srs", "bernoulli", "poisson", "pareto"])
def test_the_start_decides_the_overlap(method: str) -> None:
    size = {"size": "dwellings"} if method in {"poisson", "pareto"} else {}

    def sample(start: float) -> nsm.Sample:
        return nsm.draw(frame(), 100, seed=1, method=method, prn="prn", start=start, **size)

    first = sample(0.0)
    assert overlap(first, sample(0.0))["share"].item() == 1
    assert overlap(first, sample(0.5))["common"].item() == 0
    assert 0.3 < overlap(first, sample(0.03))["share"].item() < 0.95
    assert first.verify(frame())


def test_numbers_meet_the_probabilities() -> None:
    draws, table = 3000, frame().head(60)
    p = nsm.inclusion_probabilities(table["dwellings"].to_numpy(), 12)
    count, empty = np.zeros(60), np.zeros((60, 0))
    for seed in range(draws):
        u = permanent_numbers(table["area"], seed=seed)
        cell = Cell(p, np.zeros(60, dtype=np.int64), empty, empty, u)
        count[METHODS["pareto"].draw(cell, np.random.default_rng(0))] += 1
    assert np.all(np.abs(count / draws - p) < 4.5 * np.sqrt(p * (1 - p) / draws) + 0.004)


def test_refusals() -> None:
    with pytest.raises(OptionError, match="'systematic' does not use prn"):
        nsm.draw(frame(), 10, seed=1, prn="prn")
    with pytest.raises(ValueInColumnError, match="lie from 0 to below 1, but 'prn' goes"):
        nsm.draw(frame().assign(prn=frame()["prn"] * 9), 10, seed=1, method="srs", prn="prn")
    with pytest.raises(OptionError, match="without permanent random numbers"):
        nsm.draw(frame(), 10, seed=1, method="srs", prn="prn", reserve=2)
    one = nsm.draw(frame(), 10, seed=1, method="srs")
    other = nsm.draw(frame().rename(columns={"area": "code"}), 10, seed=1, method="srs", key="code")
    with pytest.raises(SelectionError, match="other keys"):
        overlap(one, other)
