"""Further frames: each unit counts once, and places find their areas."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsm.errors import ColumnError, FrameError, OptionError
from nsm.frame import Frame, locate, overlap, with_places

Grid = Callable[..., Frame]


@given(links=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=1))
def test_shares_of_links_add_up_to_one_for_each_unit(links: list[tuple[str, int]]) -> None:
    frames = {
        name: pd.DataFrame({"person": [u for n, u in links if n == name]}, dtype="int64")
        for name in "abc"
    }
    found = overlap(frames, on="person").set_index("person")
    counted = pd.Series([str(u) for _, u in links]).map(found["share"]).sum()
    assert counted == pytest.approx(len(found))


def test_an_estimate_over_overlapping_frames_counts_everybody_once() -> None:
    camps = pd.DataFrame({"person": ["a", "b"]})
    homes = pd.DataFrame({"person": ["b", "c"]})
    found = overlap({"camps": camps, "homes": homes}, on="person")
    assert found["domain"].tolist() == ["camps", "camps+homes", "homes"]
    both = pd.concat([camps, homes]).merge(found, on="person")
    assert both["share"].sum() == 3


def test_places_lie_in_areas(grid: Grid) -> None:
    frame = grid()
    places = pd.DataFrame(
        {"lon": [-69.995, -69.955, -60.0, None], "lat": [18.005, 18.035, 18.0, 18.0]}
    )
    found = locate(frame, places)
    assert found.tolist()[:2] == ["0101001", "0102011"]
    assert found.isna().tolist() == [False, False, True, True]
    corner = pd.DataFrame({"lon": [-69.99], "lat": [18.01]})
    assert locate(frame, corner).tolist() == ["0101001"]


def test_places_are_counted_by_area(grid: Grid) -> None:
    frame = grid()
    places = pd.DataFrame({"area": ["0101001", "0101001", "0102003"], "beds": [10, 5, 30]})
    found = with_places(frame, places, "camps", size="beds").table.set_index("area")
    assert found.loc["0101001", ["camps", "camps_beds"]].tolist() == [2, 15]
    assert found["camps"].sum() == 3


def test_refusals(grid: Grid) -> None:
    with pytest.raises(FrameError) as caught:
        with_places(grid(), pd.DataFrame({"area": ["0101001", "0199999"]}), "camps")
    assert str(caught.value) == (
        "Places of 'camps' (1) lie in no area of the frame; rows 2. They are a frame of their own: "
        "keep them apart."
    )
    with pytest.raises(OptionError, match="No frame is given"):
        overlap({}, on="person")
    with pytest.raises(ColumnError, match="camps has no column 'person'"):
        overlap({"camps": pd.DataFrame({"x": [1]})}, on="person")
