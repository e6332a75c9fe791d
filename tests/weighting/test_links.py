"""Generalized weight share: unbiased over all samples, with the variance of the sources."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from nsm.errors import KeyColumnError, ValueInColumnError, WeightingError
from nsm.estimation import Survey
from nsm.weighting import Share, share, stack_frames

# Five relatives lead to three emigrants' households (clusters), two of them twice.
SOURCES = pd.DataFrame({"relative": ["a", "b", "c", "d", "e"], "w": 2.5, "fraction": 0.4})
LINKS = pd.DataFrame(
    {
        "relative": ["a", "a", "b", "c", "d", "e"],
        "house": ["x", "y", "x", "y", "y", "z"],
        "strength": [1.0, 2.0, 1.0, 1.0, 1.0, 1.0],
    }
)
EMIGRANTS = pd.DataFrame(
    {
        "house": ["x", "x", "y", "z", "z", "z"],
        "emigrant": range(6),
        "sent": [10.0, 0.0, 40.0, 5.0, 5.0, 20.0],
        "links": [2, 2, 3, 1, 1, 1],
        "strengths": [2.0, 2.0, 4.0, 1.0, 1.0, 1.0],
    }
)


def survey(chosen: tuple[int, ...]) -> Survey:
    return Survey(SOURCES.iloc[list(chosen)].reset_index(drop=True), weight="w", fpc="fraction")


def shared(chosen: tuple[int, ...], *, strong: bool = False) -> Survey:
    start = survey(chosen)
    links = LINKS[LINKS["relative"].isin(start.table.series("relative"))]
    options = (
        {"multiplicity": "strengths", "strength": "strength"}
        if strong
        else {"multiplicity": "links"}
    )
    return start.share(links, units=EMIGRANTS, on="relative", to="house", **options)


@pytest.mark.parametrize("strong", [False, True])
def test_it_is_unbiased_with_an_unbiased_variance(strong: bool) -> None:  # noqa: FBT001 (a case)
    made = [
        shared(chosen, strong=strong).total("sent").table.iloc[0]
        for chosen in combinations(range(5), 2)
    ]
    estimates = np.array([row["estimate"] for row in made])
    assert estimates.mean() == pytest.approx(EMIGRANTS["sent"].sum(), rel=1e-12)
    variances = np.array([row["se"] ** 2 for row in made])
    assert variances.mean() == pytest.approx(estimates.var(), rel=1e-9)


def test_all_of_a_cluster_have_its_weight() -> None:
    made = shared((0, 1, 3))
    table = made.table.frame.to_pandas().assign(weight=made.weights)
    sums = table.groupby("emigrant")["weight"].sum()
    assert sums.round(9).to_dict() == {0: 2.5, 1: 2.5, 2: round(2.5 * 2 / 3, 9)}


def test_several_frames_count_a_unit_once() -> None:
    population = pd.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "frames": [1, 2, 2, 1], "stratum": 1})
    areas = population.iloc[[0, 1, 2]].assign(psu=[1, 2, 3], w=1.0)
    register = population.iloc[[1, 2, 3]].assign(psu=[1, 2, 3], w=1.0)
    table = stack_frames({"areas": areas, "register": register})
    made = Share("frames").apply(Survey(table, weight="w", stratum="stratum", psu="psu"))
    assert made.total("y").table["estimate"][0] == pytest.approx(10.0)
    assert made.design.psus == 6


def test_refusals() -> None:
    start = survey((0, 1))
    links = LINKS.iloc[:3]
    options = {"on": "relative", "to": "house", "multiplicity": "links"}
    with pytest.raises(KeyColumnError, match=r"1 links stand twice: 'a -> x'"):
        share(start, pd.concat([links, links.iloc[:1]]), units=EMIGRANTS, **options)
    with pytest.raises(KeyColumnError, match=r"1 links lead to a 'house' that .* 'y'"):
        share(start, links, units=EMIGRANTS[EMIGRANTS["house"] == "x"], **options)
    few = EMIGRANTS.assign(links=1)
    with pytest.raises(WeightingError, match=r"1 targets have more sampled links .* 'x'"):
        share(start, links, units=few, **options)
    with pytest.raises(ValueInColumnError, match="not above 0 in 2 rows"):
        Share("frames").apply(
            Survey(pd.DataFrame({"w": [1.0] * 3, "frames": [1, 0, np.nan]}), weight="w")
        )
