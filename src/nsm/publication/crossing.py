"""Tables with labels side by side: one row of cells for each label of the other columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nsm.errors import PublicationError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nsm.publication.grid import Cell, Column, Grid


def spread(grid: Grid, across: Sequence[str], keys: Sequence[str]) -> Grid:
    """Return the grid with the labels of `across` side by side, in the order they first come.

    Parameters
    ----------
    keys
        The columns that say what a cell is of.

    Raises
    ------
    PublicationError
        A column of `across` is none of the keys, or no column is left for the rows.
    """
    if not across:
        return grid
    for name in across:
        if name not in keys:
            raise PublicationError(
                "The table {caption!r} cannot put {name!r} side by side. {hint}",
                caption=grid.caption,
                name=name,
                hint=nearest(name, keys),
            )
    names = [c.name for c in grid.columns]
    described = {*keys, "category", "order", "statistic"}
    over = [names.index(n) for n in across if n in names]
    down = [k for k, n in enumerate(names) if n in described and n not in across]
    measures = [k for k, n in enumerate(names) if n not in described]
    if not over:
        return grid
    if not down:
        raise PublicationError(
            "The table {caption!r} has all its columns side by side. Leave one for the rows.",
            caption=grid.caption,
        )
    return _spread(grid, over, down, measures)


def _spread(grid: Grid, over: list[int], down: list[int], measures: list[int]) -> Grid:
    from nsm.publication.grid import Cell, Column, Grid

    heads: dict[str, None] = {}
    lines: dict[tuple[str, ...], dict[str, tuple[Cell, ...]]] = {}
    first: dict[tuple[str, ...], tuple[Cell, ...]] = {}
    for row in grid.rows:
        head = " · ".join(row[k].text for k in over)
        key = tuple(row[k].text for k in down)
        heads[head] = None
        first.setdefault(key, tuple(row[k] for k in down))
        lines.setdefault(key, {})[head] = tuple(row[k] for k in measures)
    empty = tuple(Cell("") for _ in measures)
    columns: list[Column] = [grid.columns[k] for k in down]
    for head in heads:
        columns += [
            Column(grid.columns[k].name, grid.columns[k].heading, grid.columns[k].number, head)
            for k in measures
        ]
    rows = tuple(
        (*first[key], *(cell for head in heads for cell in cells.get(head, empty)))
        for key, cells in lines.items()
    )
    return Grid(grid.caption, tuple(columns), rows, grid.note, grid.legend)
