"""Rolling up: sums, means, polygons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import shapely

from nsm.errors import ColumnError
from nsm.frame import Frame

Grid = Callable[..., Frame]


def test_sizes_add_up_and_the_prior_is_averaged(grid: Grid) -> None:
    frame = grid()
    towns = frame.roll_up("municipality")
    assert towns.key == "municipality"
    assert towns.levels == ("province", "municipality")
    for size in frame.sizes:
        assert (
            towns.table[size].tolist() == frame.table.groupby("municipality")[size].sum().tolist()
        )
    assert towns.table["areas"].tolist() == [12, 12]
    expected = [
        np.average(t["prior"], weights=t["population"])
        for _, t in frame.table.groupby("municipality")
    ]
    assert towns.table["prior"].to_numpy() == pytest.approx(np.array(expected))
    assert towns.table["zone"].tolist() == ["urban", "urban"]


def test_polygons_are_dissolved(grid: Grid) -> None:
    towns = grid().roll_up("municipality")
    assert shapely.area(towns.boundaries.geometry.to_numpy()) == pytest.approx(12e-4)
    assert (towns.boundaries.geom_type == "Polygon").all()
    assert towns.check().query("severity == 'error'").empty


def test_a_class_is_a_level_too(grid: Grid) -> None:
    zone = ["urban", "rural"] * 12
    by = grid(zone=zone).roll_up("zone")
    assert by.table["zone"].tolist() == ["rural", "urban"]
    assert "municipality" not in by.table


def test_an_unknown_level_is_refused(grid: Grid) -> None:
    with pytest.raises(ColumnError, match=r"no column 'municipio'\. Did you mean 'municipality'"):
        grid().roll_up("municipio")
