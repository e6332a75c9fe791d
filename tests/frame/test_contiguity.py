"""Areas that touch, as pairs of codes."""

from __future__ import annotations

from collections.abc import Callable

from nsm.frame import Frame, neighbor_pairs

Grid = Callable[..., Frame]


def test_a_grid_has_its_inner_borders(grid: Grid) -> None:
    frame = grid()
    pairs = neighbor_pairs(frame)
    assert len(pairs) == 4 * 5 + 3 * 6
    assert pairs.columns.tolist() == ["area", "neighbor"]
    assert set(pairs["area"]) | set(pairs["neighbor"]) == set(frame.table["area"])
    assert not pairs.duplicated().any()
    assert ("0101001", "0101002") in set(pairs.itertuples(index=False, name=None))
