"""Cutting polygons by a tree of chords."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm.frame.cutting import Ring, Seams, area, cut, match, partition

SQUARE: Ring = [(0, 0), (1000, 0), (1000, 1000), (0, 1000)]
U_SHAPE: Ring = [(0, 0), (900, 0), (900, 900), (600, 900), (600, 300), (300, 300), (300, 900), (0, 900)]  # fmt: skip  # noqa: E501  (a picture is clearer in one line)


def star(seed: int, points: int, size: int = 100_000) -> Ring:
    """A simple polygon around the origin, with a slanting and far from convex border."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, points))
    reach = rng.uniform(0.3, 1, points) * size
    xy = np.rint(np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])).astype(int)
    return [(int(x), int(y)) for x, y in xy]


def test_the_share_is_met_where_the_polygon_is_convex() -> None:
    one, other = cut(SQUARE, 0.3, {})
    assert area(one) == 300_000
    assert area(other) == 700_000


def test_one_chord_leaves_two_simple_polygons_even_of_a_u() -> None:
    one, other = cut(U_SHAPE, 0.5, {})
    assert shapely.Polygon(one).is_valid
    assert shapely.Polygon(other).is_valid
    assert area(one) + area(other) == area(U_SHAPE)
    assert area(one) / area(U_SHAPE) == pytest.approx(0.5, abs=0.02)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), points=st.integers(5, 40), pieces=st.integers(2, 25))
def test_a_partition_is_a_coverage_of_simple_pieces(seed: int, points: int, pieces: int) -> None:
    ring = star(seed, points)
    if area(ring) < 1e6 or not shapely.Polygon(ring).is_valid:
        return
    weights = np.random.default_rng(seed).uniform(0.5, 2, pieces).tolist()
    seams: Seams = {}
    parts = partition(ring, weights, seams)
    shapes = np.array([shapely.Polygon(r) for r in match(parts, seams)])
    assert len(shapes) == pieces
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    # Chord ends are rounded to the grid, so the border moves by less than a step of it.
    moved = shapely.Polygon(ring).length
    assert abs(shapely.area(shapes).sum() - area(ring)) < moved


def test_neighbors_cut_apart_still_share_their_slanting_border() -> None:
    left: Ring = [(0, 0), (700, 0), (1033, 997), (0, 1000)]
    right: Ring = [(700, 0), (2000, 0), (2000, 1000), (1033, 997)]
    seams: Seams = {}
    parts = partition(left, [1, 1, 2, 1], seams)
    start = match([right], seams)[0]
    parts += partition(start, [1, 3, 1], seams)
    shapes = np.array([shapely.Polygon(r) for r in match(parts, seams)])
    assert shapely.coverage_is_valid(shapes)
    assert shapely.coverage_union_all(shapes).geom_type == "Polygon"


def test_the_core_stays_together() -> None:
    weights = [0.01] * 9 + [0.13] * 7
    parts = partition(SQUARE, weights, {}, first=9)
    core = shapely.union_all([shapely.Polygon(r) for r in parts[:9]])
    assert core.geom_type == "Polygon"


def test_real_coordinates_are_cut_without_a_grid() -> None:
    ring: Ring = [(0.0, 0.0), (1.5, 0.25), (1.25, 1.0), (0.1, 0.9)]
    seams: Seams = {}
    parts = partition(ring, [1, 1, 1], seams)
    shapes = np.array([shapely.Polygon(r) for r in match(parts, seams)])
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes) == pytest.approx(area(ring) / 3, rel=0.02)


def test_a_polygon_of_one_grid_step_cannot_be_cut() -> None:
    with pytest.raises(ValueError, match="too small for its grid"):
        cut([(0, 0), (1, 0), (1, 1), (0, 1)], 0.5, {})
