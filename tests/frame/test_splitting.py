"""Splitting large areas: sums and parts stay, the maximum holds, pieces are a coverage."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm.errors import FrameError, OptionError
from nsm.frame import Frame

Grid = Callable[..., Frame]
BOW = shapely.Polygon([(-70, 18), (-69.99, 18.01), (-69.99, 18), (-70, 18.01)])


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), maximum=st.integers(5, 60))
def test_what_splitting_promises(seed: int, maximum: int, grid: Grid) -> None:
    frame = grid(seed=seed)
    split = frame.split(maximum)
    table, log = split.table, split.log
    assert table["households"].max() <= maximum
    assert table["area"].is_unique
    for size in frame.sizes:
        by = [f.table.groupby("municipality")[size].sum() for f in (frame, split)]
        assert by[0].equals(by[1])
    assert (table["men"] + table["women"] == table["population"]).all()
    assert set(log["old"]) == set(frame.table["area"])
    assert set(log["new"]) == set(table["area"])
    shares = log.groupby("old")["share"].sum()
    assert shares.to_numpy() == pytest.approx(1)
    pieces = -(-frame.table["households"] // maximum)
    assert (log["old"].value_counts()[frame.table["area"]].to_numpy() == pieces).all()
    shapes = split.boundaries.geometry.to_numpy()
    assert (shapely.get_type_id(shapes) == 3).all()
    assert shapely.coverage_is_valid(shapes)
    squares = frame.boundaries.set_index("area").geometry
    pieces_of = split.boundaries.merge(log, left_on="area", right_on="new").groupby("old")
    for old, mine in pieces_of:
        union = shapely.union_all(mine.geometry.to_numpy())
        assert union.symmetric_difference(squares[old]).area < 1e-12
    assert split.check().query("code != 'F307'").empty


def test_pieces_are_compact(grid: Grid) -> None:
    frame = grid(1, 2, households=[160, 10])
    boxes = frame.split(10).boundaries.geometry.bounds
    width, height = boxes["maxx"] - boxes["minx"], boxes["maxy"] - boxes["miny"]
    assert np.maximum(width / height, height / width).max() < 2.5


def test_codes_follow_in_their_series(grid: Grid) -> None:
    frame = grid(1, 4, households=[90, 20, 20, 20], zone=["urban", "urban", "rural", "rural"])
    assert frame.split(40).table["area"].tolist() == [
        "0101001", "0101002", "0101003", "0101004", "0102001", "0102002",
    ]  # fmt: skip


def test_a_full_series_gets_a_dash() -> None:
    table = pd.DataFrame({"area": ["19", "x"], "households": [90, 5]})
    boxes = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]
    shapes = gpd.GeoDataFrame({"area": table["area"]}, geometry=boxes, crs="EPSG:32619")
    split = Frame(table, shapes=shapes).split(40)
    assert split.table["area"].tolist() == ["19", "19-2", "19-3", "x"]


def test_slanting_neighbors_are_cut_on_both_sides() -> None:
    knots = [(0, 0), (1, 0), (1.4, 2), (0, 2)], [(1, 0), (3, 0), (3, 2), (1.4, 2)]
    table = pd.DataFrame({"area": ["1", "2"], "households": [100, 90]})
    shapes = gpd.GeoDataFrame(
        {"area": table["area"]}, geometry=[shapely.Polygon(k) for k in knots], crs="EPSG:32619"
    )
    split = Frame(table, shapes=shapes).split(11)
    assert shapely.coverage_is_valid(split.boundaries.geometry.to_numpy())
    assert len(split) == 19


def test_islands_and_lakes() -> None:
    lake = shapely.Point(0.5, 0.5).buffer(0.1)
    isle = shapely.box(3, 3, 3.1, 3.1)
    shape = shapely.union_all([shapely.box(0, 0, 1, 1).difference(lake), isle])
    table = pd.DataFrame({"area": ["1"], "households": [90]})
    shapes = gpd.GeoDataFrame({"area": ["1"]}, geometry=[shape], crs="EPSG:32619")
    found = Frame(table, shapes=shapes).split(40).boundaries.geometry
    assert found.is_valid.all()
    assert found.area.sum() == pytest.approx(shape.area)
    assert found[0].intersects(isle)


def test_nothing_to_split_leaves_the_frame(grid: Grid) -> None:
    frame = grid()
    assert frame.split(1000).hash == frame.hash
    assert (frame.split(1000).log["share"] == 1).all()


def test_refusals(grid: Grid) -> None:
    with pytest.raises(OptionError, match="A maximum of 0 does not make sense"):
        grid().split(0)
    with pytest.raises(FrameError, match="The frame has no boundaries"):
        grid().replaced(shapes=None).split(10)
    for shape, said in ((shapely.Polygon(), "are empty"), (BOW, "are invalid")):
        shapes = grid().boundaries
        geometry = [shape, *shapes.geometry.iloc[1:]]
        wrong = grid().replaced(shapes=shapes.set_geometry(geometry, crs=shapes.crs))
        for change in (lambda f: f.split(30), lambda f: f.merge(60)):
            with pytest.raises(FrameError, match=f"The polygons of 1 areas {said}: '0101001'"):
                change(wrong)
