"""Strata of concentration."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm.errors import ColumnError, OptionError, ValueInColumnError
from nsm.frame import Frame, strata_table

Grid = Callable[..., Frame]


def test_classes_hold_what_their_cuts_say(grid: Grid) -> None:
    prior = [0.0, 0.01, 0.05, 0.0501, 0.2, 0.9] * 4
    frame = grid(prior=prior).concentration(cuts=[0, 0.05, 0.2], within=["zone"])
    assert frame.table["stratum"].tolist()[:6] == [
        "urban-0", "urban-1", "urban-1", "urban-2", "urban-2", "urban-3",
    ]  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), minimum=st.integers(1, 8))
def test_small_classes_join_others(seed: int, minimum: int, grid: Grid) -> None:
    frame = grid(seed=seed).concentration(
        cuts=[0.02, 0.1, 0.3], within=["municipality"], minimum=minimum
    )
    table = strata_table(frame)
    assert table["areas"].min() >= minimum
    assert table["areas"].sum() == len(frame)
    for town, mine in table.groupby(table["stratum"].str[:4]):
        ordered = mine.sort_values("least")
        assert (ordered["largest"].to_numpy()[:-1] < ordered["least"].to_numpy()[1:]).all(), town


def test_the_table_of_strata(grid: Grid) -> None:
    frame = grid().concentration(cuts=[0.05])
    table = strata_table(frame).set_index("stratum")
    mine = frame.table[frame.table["stratum"] == "1"]
    assert table.loc["1", "households"] == mine["households"].sum()
    assert table.loc["1", "prevalence"] == pytest.approx(
        np.average(mine["prior"], weights=mine["population"])
    )


@pytest.mark.parametrize("cuts", [[], [0.2, 0.1], [0.1, 0.1], [-0.1], [1.0]])
def test_cuts_that_make_no_sense(cuts: list[float], grid: Grid) -> None:
    with pytest.raises(OptionError, match="Cuts of prevalence must rise and lie from 0 to below 1"):
        grid().concentration(cuts)


def test_priors_that_cannot_be(grid: Grid) -> None:
    with pytest.raises(ValueInColumnError) as caught:
        grid(prior=[1.5, *[0.1] * 23]).concentration([0.1])
    assert str(caught.value) == (
        "Column 'prior' is missing or not between 0 and 1 for 1 areas: '0101001'."
    )
    with pytest.raises(ColumnError, match="no column 'zona'"):
        grid().concentration([0.1], within=["zona"])
