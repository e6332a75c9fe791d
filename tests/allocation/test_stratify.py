from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nsm
from nsm.allocation.boundaries import cum_root_cuts
from nsm.errors import AllocationError, NsmError, OptionError

# Cochran (1977), table 5A.10: 13,435 banks by their industrial loans, in classes of 5 %.
BANKS = np.array(
    [3464, 2516, 2157, 1581, 1142, 746, 512, 376, 265, 207, 126, 107, 82, 50, 39, 25, 16, 19, 2, 3]
)


def skew(units: int = 4000, seed: int = 1) -> np.ndarray:
    g = np.random.default_rng(seed)
    return np.round(g.lognormal(4, 1.3, units), 1) + 0.1


def test_cochran_5a_7() -> None:
    assert BANKS.sum() == 13_435
    upper = 5 * (cum_root_cuts(BANKS, 5) + 1)
    assert upper.tolist() == [5, 15, 25, 45]
    values = np.repeat(2.5 + 5 * np.arange(20), BANKS)
    got = nsm.stratify(values, strata=5, classes=20)
    assert got.table["population"].tolist() == [3464, 4673, 2723, 1899, 676]


def needed(values: np.ndarray, cuts: tuple[float, ...], cv: float) -> float:
    labels = np.searchsorted(cuts, values, side="left")
    counts = np.bincount(labels, minlength=len(cuts) + 1)
    if counts.min() < 2:
        return np.inf
    sd = np.array([values[labels == h].std(ddof=1) for h in range(len(counts))])
    return float((counts @ sd) ** 2 / ((cv * values.sum()) ** 2 + counts @ sd**2))


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_is_that_of_all_cuts(seed: int) -> None:
    values = np.round(np.random.default_rng(seed).lognormal(2, 1, 60))
    got = nsm.stratify(values, rule="optimum", strata=3, cv=0.05)
    every = combinations(np.unique(values)[:-1], 2)
    best = min(needed(values, cuts, 0.05) for cuts in every)
    assert needed(values, tuple(got.boundaries), 0.05) == pytest.approx(best)


@pytest.mark.parametrize("strata", [4, 6])
def test_the_optimum_beats_the_rules_of_thumb(strata: int) -> None:
    sizes = {
        rule: nsm.stratify(skew(), rule=rule, strata=strata, cv=0.02, classes=1000).n
        for rule in ("cum-root-f", "geometric", "lavallee-hidiroglou", "optimum")
    }
    assert sizes["optimum"] <= sizes["lavallee-hidiroglou"] + 1  # rounding to whole numbers
    assert sizes["lavallee-hidiroglou"] <= sizes["cum-root-f"]
    assert sizes["optimum"] < sizes["geometric"]


@given(seed=st.integers(0, 999), strata=st.integers(2, 6), take_all=st.integers(0, 1))
@settings(max_examples=25, deadline=None)
def test_strata_cover_everyone_in_order(seed: int, strata: int, take_all: int) -> None:
    values = skew(500, seed)
    got = nsm.stratify(values, rule="optimum", strata=strata, cv=0.05, take_all=take_all)
    assert got.table["population"].sum() == 500
    assert np.all(np.diff(got.boundaries) > 0)
    assert np.all(np.searchsorted(got.boundaries, values, side="left") + 1 == got.labels)
    assert (got.table["n"] <= got.table["population"]).all()
    if take_all:
        assert got.table["n"].iloc[-1] == got.table["population"].iloc[-1]


def test_take_none_is_printed_as_excluded() -> None:
    got = nsm.stratify(skew(), rule="optimum", strata=4, cv=0.02, take_all=1, take_none=0.02)
    assert got.table["take"].tolist() == ["none", "some", "some", "some", "all"]
    assert got.table["n"].iloc[0] == 0
    assert 0.015 < got.excluded <= 0.02
    assert got.excluded == pytest.approx(skew()[got.labels == 1].sum() / skew().sum())


def test_a_given_size_is_allocated() -> None:
    assert nsm.stratify(skew(), rule="lavallee-hidiroglou", strata=4, n=80).n == 80
    assert nsm.stratify(skew(), rule="cum-root-f", strata=4, n=80, classes=400).n == 80


def test_several_variables_reach_every_target() -> None:
    g = np.random.default_rng(4)
    x = skew(3000)
    table = pd.DataFrame({"one": x, "two": x * g.lognormal(0, 0.7, 3000)})
    got = nsm.stratify(table, rule="multivariate", strata=6, cv=[0.03, 0.03])
    assert got.table["population"].sum() == 3000
    alone = nsm.stratify(x, rule="optimum", strata=6, cv=0.03)
    both = table.groupby(alone.labels).agg(["size", "std", "mean"])
    strata = pd.DataFrame({"stratum": both.index, "population": both["one"]["size"].to_numpy()})
    for y in table.columns:
        strata[f"mean_{y}"], strata[f"sd_{y}"] = (
            both[y]["mean"].to_numpy(),
            both[y]["std"].to_numpy(),
        )
    on_one = nsm.allocate(strata, precision={"all": {"one": 0.03, "two": 0.03}}).n
    assert got.n < 0.9 * on_one
    again = nsm.stratify(table, rule="multivariate", strata=6, cv=[0.03, 0.03])
    assert again.labels.tolist() == got.labels.tolist()


REFUSED: dict[str, tuple[Any, dict[str, Any], type[NsmError], str]] = {
    "rule": (skew(50), {"rule": "cumrootf"}, OptionError, "no rule 'cumrootf' for strata"),
    "one": (skew(50), {"strata": 1}, OptionError, "1 strata cannot be made"),
    "no goal": (skew(50), {"rule": "optimum"}, OptionError, r"needs the precision \(cv=\)"),
    "two goals": (skew(50), {"cv": 0.1, "n": 5}, OptionError, "cv or n, not both"),
    "cv": (skew(50), {"cv": 0.0}, OptionError, "cv is 0.0"),
    "take_all": (skew(50), {"take_all": 1}, OptionError, "take_all is 0, or 1"),
    "take_none": (skew(50), {"take_none": 1.0}, OptionError, "take_none is 1.0"),
    "negative": (
        [1.0, -2.0, 3.0],
        {"strata": 2},
        AllocationError,
        "missing or negative, at positions 1",
    ),
    "few values": ([1.0, 2.0], {"strata": 3}, AllocationError, "from 2 different values"),
    "table": (np.ones((4, 2)), {}, OptionError, "only rule 'multivariate' takes a table"),
    "n": (skew(50), {"n": 99}, AllocationError, "n is 99, but there are 50 units"),
    "coarse": (
        skew(50),
        {"classes": 3, "strata": 3},
        AllocationError,
        "3 equal classes are too coarse",
    ),
    "zero": ([0.0, 1.0, 2.0, 5.0], {"rule": "geometric", "strata": 2}, AllocationError, "1 are 0"),
    "empty": (
        [1.0, 1.1, 1.2, 1000.0],
        {"rule": "geometric", "strata": 4},
        AllocationError,
        "2 of 4 geometric strata would be empty",
    ),
    "cvs": (
        np.ones((9, 2)),
        {"rule": "multivariate", "cv": 0.1},
        OptionError,
        "a cv for each of its 2 variables",
    ),
    "hole": (
        np.array([[1.0, np.nan], [2.0, 1.0]]),
        {"rule": "multivariate", "cv": [0.1, 0.1]},
        AllocationError,
        "missing somewhere, or adds up to 0",
    ),
    "singles": (
        [1.0, 2.0, 3.0],
        {"rule": "optimum", "strata": 2, "cv": 0.1},
        AllocationError,
        "2 strata of at least two units cannot be made",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    x, options, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        nsm.stratify(x, **options)
