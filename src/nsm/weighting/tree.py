"""Response classes found by a tree: split where response differs most, while it surely does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import chdtrc

from nsm.errors import OptionError

if TYPE_CHECKING:
    from nsm.totals import Memory

GROUPS = 20
DEEPEST = 6
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Predictor:
    """A column that the tree may split by.

    Parameters
    ----------
    name
        Its name.
    codes
        Group of each row (rows,), from 0.
    labels
        Name of each group.
    ordered
        Whether only groups side by side go together.
    """

    name: str
    codes: np.ndarray
    labels: tuple[str, ...]
    ordered: bool


class Split(NamedTuple):
    """A way to divide a node: by which column, which groups go left, and how sure it is."""

    column: int
    left: np.ndarray
    p: float


class Leaf(NamedTuple):
    """A class: its cells, and the conditions that lead to it."""

    cells: np.ndarray
    path: tuple[str, ...]


def predictors(table: Memory, names: Sequence[str]) -> list[Predictor]:
    """Return columns as groups: labels, or up to 20 ranges of a number; blank is a group.

    Raises
    ------
    OptionError
        There are none.
    """
    if not names:
        raise OptionError("A tree of response classes needs columns to split by.")
    made = []
    for name in names:
        series = table.series(name)
        if series.dtype.kind in "iuf" and series.nunique() > GROUPS:
            values, observed = table.number(name)
            borders = np.unique(np.quantile(values, np.arange(1, GROUPS) / GROUPS))
            codes = np.searchsorted(borders, values, side="right")
            labels = [f"< {b:g}" for b in borders] + [f">= {borders[-1]:g}"]
            if observed is not None:
                codes, labels = np.where(observed, codes + 1, 0), ["blank", *labels]
            made.append(Predictor(name, codes, tuple(labels), ordered=True))
        else:
            found, index = table.codes(name)
            ordered = series.dtype.kind in "iuf"
            made.append(Predictor(name, found, ("blank", *map(str, index)), ordered))
    return made


def crossed_cells(columns: Sequence[Predictor]) -> tuple[np.ndarray, np.ndarray]:
    """Return the cell of each row (rows,), and the groups of each cell (cells, columns)."""
    groups, codes = np.unique(
        np.stack([c.codes for c in columns], axis=1), axis=0, return_inverse=True
    )
    return codes.ravel(), groups


class Grown(NamedTuple):
    """What a tree is grown from, each (cells,): weights, and numbers of units."""

    answered: np.ndarray
    wanted: np.ndarray
    answered_units: np.ndarray
    wanted_units: np.ndarray


def grow(columns: Sequence[Predictor], groups: np.ndarray, data: Grown, minimum: int) -> list[Leaf]:
    """Return the leaves of a tree.

    A node is divided in two by the column and cut with the smallest p-value of a test of equal
    (weighted) response rates, multiplied by the number of cuts that were tried, if that is below
    0.05 and both sides have `minimum` respondents. Groups of an unordered column are first put in
    the order of their response.

    Parameters
    ----------
    groups
        Groups of each cell (cells, columns).
    minimum
        Least number of respondents of a leaf.

    References
    ----------
    Kass (1980), Applied Statistics 29, p. 119-127 (the test and its correction).
    """
    leaves: list[Leaf] = []
    open_nodes = [Leaf(np.arange(len(groups)), ())]
    while open_nodes:
        node = open_nodes.pop()
        split = None
        if len(node.path) < DEEPEST:
            split = _best(columns, groups[node.cells], _of(data, node.cells), max(minimum, 1))
        if split is None:
            leaves.append(node)
            continue
        column = columns[split.column]
        own = groups[node.cells, split.column]
        goes_left = np.isin(own, split.left)
        for side in (~goes_left, goes_left):
            names = [column.labels[g] for g in np.unique(own[side])]
            text = names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]}"
            if not column.ordered:
                text = ", ".join(names[:4]) + (" ..." if len(names) > 4 else "")
            open_nodes.append(Leaf(node.cells[side], (*node.path, f"{column.name}: {text}")))
    return leaves


def _of(data: Grown, cells: np.ndarray) -> Grown:
    return Grown(*(column[cells] for column in data))


def _best(
    columns: Sequence[Predictor], groups: np.ndarray, data: Grown, minimum: int
) -> Split | None:
    best: Split | None = None
    for k, column in enumerate(columns):
        present, codes = np.unique(groups[:, k], return_inverse=True)
        if len(present) < 2:
            continue
        answered, wanted, n_answered, n = (np.bincount(codes, part) for part in data)
        order = np.arange(len(present))
        if not column.ordered:
            with np.errstate(invalid="ignore", divide="ignore"):
                order = np.argsort(np.where(wanted > 0, answered / wanted, 0.0), kind="stable")
        running = Grown(*(np.cumsum(x[order]) for x in (answered, wanted, n_answered, n)))
        statistic = _statistics(running, minimum)
        cut = int(np.argmax(statistic))
        if statistic[cut] <= 0:
            continue
        p = float(chdtrc(1, statistic[cut])) * len(statistic) * len(columns)
        if p < SIGNIFICANCE and (best is None or p < best.p):
            best = Split(k, present[order[: cut + 1]], p)
    return best


def _statistics(running: Grown, minimum: int) -> np.ndarray:
    """Return the chi-square of each cut, from running sums; 0 where a side is too small (cuts,)."""
    answered, wanted, n_answered, n = running
    with np.errstate(invalid="ignore", divide="ignore"):
        left = answered[:-1] / wanted[:-1]
        right = (answered[-1] - answered[:-1]) / (wanted[-1] - wanted[:-1])
        rate = answered[-1] / wanted[-1]
        spread = rate * (1 - rate) * (1 / n[:-1] + 1 / (n[-1] - n[:-1]))
        value = (left - right) ** 2 / spread
    enough = (n_answered[:-1] >= minimum) & (n_answered[-1] - n_answered[:-1] >= minimum)
    return np.where(enough & np.isfinite(value), value, 0.0)
