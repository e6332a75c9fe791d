"""Merging small areas: sums stay, the minimum is reached or the area named, pieces touch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm.errors import FrameError, KeyColumnError, OptionError
from nsm.frame import Frame

Grid = Callable[..., Frame]


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), minimum=st.integers(10, 200), ceiling=st.booleans())
def test_what_merging_promises(seed: int, minimum: int, ceiling: bool, grid: Grid) -> None:  # noqa: FBT001  (hypothesis passes it by name)
    frame = grid(seed=seed)
    maximum = 2 * minimum + 60 if ceiling else None
    merged = frame.merge(minimum, maximum=maximum)
    for size in frame.sizes:
        by = [f.table.groupby("municipality")[size].sum() for f in (frame, merged)]
        assert by[0].equals(by[1])
    log = merged.log.set_index("old")
    assert set(log.index) == set(frame.table["area"])
    assert set(log["new"]) == set(merged.table["area"])
    short = merged.table.loc[merged.table["households"] < minimum, "area"]
    assert set(log.loc[log["action"] == "short", "new"]) == set(short)
    if not ceiling:
        # Only a whole municipality can stay below.
        assert (merged.table.groupby("municipality").size()[short.str[:4].unique()] == 1).all()
    else:
        grown = log[log["action"] == "merged"]["new"].unique()
        assert (merged.table.set_index("area").loc[grown, "households"] <= maximum).all()
    shapes = merged.boundaries.geometry
    assert (shapes.geom_type == "Polygon").all()
    assert shapely.coverage_is_valid(shapes.to_numpy())
    whole = shapely.area(frame.boundaries.geometry.to_numpy()).sum()
    assert shapely.area(shapes.to_numpy()).sum() == pytest.approx(whole)


def test_the_new_area_has_the_code_of_its_largest_part_and_a_mean_prior(grid: Grid) -> None:
    frame = grid(1, 4, households=[5, 50, 60, 60], prior=[0.5, 0.1, 0.0, 0.0])
    merged = frame.merge(20)
    first = merged.table.iloc[0]
    assert first["area"] == "0101002"
    old = frame.table.iloc[:2]
    assert first["households"] == 55
    assert first["prior"] == pytest.approx(np.average(old["prior"], weights=old["population"]))
    point = shapely.Point(first["lon"], first["lat"])
    assert merged.boundaries.geometry[0].contains(point)
    assert merged.log["new"].tolist()[:2] == ["0101002", "0101002"]


def test_classes_and_municipalities_are_not_crossed(grid: Grid) -> None:
    zone = ["urban", "rural", "urban", "rural"]
    frame = grid(1, 4, households=[5, 50, 5, 50], zone=zone)
    merged = frame.merge(20)
    assert len(merged) == 4
    assert merged.log["action"].tolist() == ["short", "kept", "short", "kept"]
    assert len(frame.merge(20, same=[])) == 2
    assert len(frame.merge(200, same=[], within="province")) == 1


def test_the_longest_border_decides() -> None:
    table = pd.DataFrame({"area": ["1", "2", "3"], "households": [5, 50, 60]})
    boxes = [shapely.box(0, 0, 2, 1), shapely.box(2, 0, 3, 1), shapely.box(0, 1, 2, 2)]
    import geopandas as gpd

    shapes = gpd.GeoDataFrame({"area": table["area"]}, geometry=boxes, crs="EPSG:32619")
    merged = Frame(table, shapes=shapes).merge(20)
    assert merged.log["new"].tolist() == ["3", "2", "3"]


def test_points_stand_in_for_polygons(grid: Grid) -> None:
    frame = grid(households=[10] * 24).replaced(shapes=None)
    merged = frame.merge(30)
    assert (merged.table["households"] >= 30).all()
    assert merged.total("population") == frame.total("population")
    line = grid(1, 6, households=[10] * 6).replaced(shapes=None)
    assert (line.merge(15).table["households"] >= 20).all()


def test_nothing_to_merge_leaves_the_frame(grid: Grid) -> None:
    frame = grid()
    assert frame.merge(1).hash == frame.hash


def test_refusals(grid: Grid) -> None:
    frame = grid()
    with pytest.raises(OptionError) as caught:
        frame.merge(50, maximum=40)
    assert str(caught.value) == (
        "A minimum of 50 and a maximum of 40 do not make sense. Give a positive minimum, and a "
        "maximum above it."
    )
    bare = frame.replaced(
        shapes=None, table=frame.table.drop(columns=["lon", "lat"]), description={}
    )
    with pytest.raises(FrameError, match="neither boundaries nor points"):
        bare.merge(50)
    twice = frame.table.assign(area=["0101001", *frame.table["area"].iloc[:-1]])
    with pytest.raises(KeyColumnError, match="stand more than once"):
        frame.replaced(table=twice).merge(50)
    bow = shapely.Polygon([(-70, 18), (-69.99, 18.01), (-69.99, 18), (-70, 18.01)])
    shapes = frame.boundaries.copy()
    shapes.loc[0, "geometry"] = bow
    with pytest.raises(FrameError) as caught:
        frame.replaced(shapes=shapes).merge(50)
    assert str(caught.value) == (
        "The polygons of 1 areas are invalid: '0101001'. Mend them; `check` says why."
    )
