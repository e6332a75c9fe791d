"""A calibration problem: regressors by cell, partition by partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import linalg

from nsm.errors import CalibrationError
from nsm.totals import Cells, compressed
from nsm.weighting.feasibility import (
    LARGEST_PROGRAMME,
    Range,
    refuse_collinear,
    refuse_conflicts,
    refuse_unmet,
)
from nsm.weighting.margins import Control, Controls, as_code, join_controls
from nsm.weighting.solver import distance, solve, weighted_gram

if TYPE_CHECKING:
    from nsm.totals import Memory

Bounds = tuple[float, float] | None


class Grid(NamedTuple):
    """Cells with their bounds: the cell of each row (rows,), the rest (cells,)."""

    codes: np.ndarray
    matrix: np.ndarray
    owner: np.ndarray
    within: Range


@dataclass(frozen=True)
class Problem:
    """What is calibrated to what.

    Parameters
    ----------
    controls
        Regressors, totals and labels of all partitions.
    owner, control_owner
        Partition of each cell (cells,) and of each control (controls,), from 0; -1 is outside.
    inside
        Rows that are calibrated (rows,); the others keep their weights.
    method, bounds, weight_bounds
        See `Calibration`.
    shared
        Whether cells are units that have one factor, whatever their weights.
    slack
        How far each control may give (controls,), see `solver.solve`.
    """

    controls: Controls
    owner: np.ndarray
    control_owner: np.ndarray
    inside: np.ndarray
    method: str
    bounds: Bounds
    weight_bounds: Bounds
    shared: bool
    slack: np.ndarray

    def factors(
        self,
        before: np.ndarray,
        times: np.ndarray | None = None,
        totals: np.ndarray | None = None,
        gram: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the factor of each row (rows,), 1 outside.

        Parameters
        ----------
        before
            Weights (rows,).
        times
            How often each row counts (rows,); None: once.
        totals
            What to meet instead of the totals of the problem (controls,).
        gram
            The sum of w x x' of these weights, if it is known (controls, controls).

        Raises
        ------
        CalibrationError
            A control is not met.
        """
        wanted = self.controls.totals if totals is None else totals
        grid = self.grid(before, times)
        weight = np.bincount(grid.codes, before, len(grid.matrix))
        factor = np.ones(len(grid.matrix))
        for cells, part in self.parts(grid):
            within = self.within(grid, cells)
            curve = distance(self.method, within.low, within.high)
            known = None if gram is None else gram[part, part]
            matrix = grid.matrix[cells, part]
            solution = solve(
                matrix, weight[cells], wanted[part], curve, slack=self.slack[part], gram=known
            )
            refuse_unmet(solution.gap, wanted[part], self.labels(part))
            factor[cells] = solution.factor
        found = factor[grid.codes]
        return found if self.inside.all() else np.where(self.inside, found, 1.0)

    def gram(self, before: np.ndarray) -> np.ndarray:
        """Return the sum of w x x' (controls, controls)."""
        cells = self.controls.cells
        return weighted_gram(cells.matrix, np.bincount(cells.codes, before, len(cells.matrix)))

    def refuse_impossible(self, before: np.ndarray, gram: np.ndarray) -> None:
        """Raise CalibrationError, before any iteration, if no factors meet the controls.

        Controls that may give are left out. Problems of very many cells are left to the iteration.
        """
        grid = self.grid(before)
        weight = np.bincount(grid.codes, before, len(grid.matrix))
        for cells, part in self.parts(grid):
            hard = np.flatnonzero(self.slack[part] == 0)
            wanted = self.controls.totals[part][hard]
            labels = tuple(self.labels(part)[k] for k in hard)
            refuse_collinear(gram[part, part][np.ix_(hard, hard)], wanted, labels)
            within = self.within(grid, cells)
            size = len(hard) * len(grid.matrix[cells])
            # Raking has factors above 0, and there is nothing to find where all may be anything.
            if (within.bounded or self.method != "linear") and size <= LARGEST_PROGRAMME:
                matrix = grid.matrix[cells, part][:, hard]
                refuse_conflicts(matrix, weight[cells], wanted, within, labels)

    @staticmethod
    def within(grid: Grid, cells: slice | np.ndarray) -> Range:
        """Return the bounds of some cells."""
        low, high = grid.within.low, grid.within.high
        return Range(
            low if np.ndim(low) == 0 else np.asarray(low)[cells],
            high if np.ndim(high) == 0 else np.asarray(high)[cells],
        )

    def labels(self, part: slice | np.ndarray) -> tuple[str, ...]:
        """Return what messages call some controls."""
        if isinstance(part, slice):
            return self.controls.labels[part]
        return tuple(self.controls.labels[k] for k in part)

    def parts(self, grid: Grid) -> list[tuple[slice | np.ndarray, slice]]:
        """Return the cells and controls of each partition."""
        if self.control_owner.max(initial=0) == 0:
            return [(slice(None), slice(None))]
        borders = np.searchsorted(self.control_owner, np.arange(self.control_owner[-1] + 2))
        return [
            (np.flatnonzero(grid.owner == p), slice(int(first), int(last)))
            for p, (first, last) in enumerate(pairwise(borders))
        ]

    def grid(self, before: np.ndarray, times: np.ndarray | None = None) -> Grid:
        """Return the cells, split by weight where weights have bounds."""
        cells = self.controls.cells
        low, high = self.bounds if self.bounds is not None else (-np.inf, np.inf)
        if self.method != "linear":
            low = max(low, 0.0)
        if self.weight_bounds is None:
            return Grid(cells.codes, cells.matrix, self.owner, Range(low, high))
        used = before > 0
        one = before / np.where(used, 1.0 if times is None else times, 1.0)
        codes, origin = cells.codes, np.arange(len(cells.matrix))
        if not self.shared:
            _, rank = np.unique(np.where(used, one, 0.0), return_inverse=True)
            joint = codes * (int(rank.max(initial=0)) + 1) + rank
            present, codes = np.unique(joint, return_inverse=True)
            origin = present // (int(rank.max(initial=0)) + 1)
        least, most = np.full(len(origin), low), np.full(len(origin), high)
        rows = used & self.inside
        np.maximum.at(least, codes[rows], self.weight_bounds[0] / one[rows])
        np.minimum.at(most, codes[rows], self.weight_bounds[1] / one[rows])
        _refuse_crossed(least, most)
        return Grid(codes, cells.matrix[origin], self.owner[origin], Range(least, most))


def _refuse_crossed(least: np.ndarray, most: np.ndarray) -> None:
    crossed = int((least > most).sum())
    if crossed:
        raise CalibrationError(
            "For {count} units no factor keeps both the bounds of g and those of the weight. "
            "Widen bounds=, or trim the weights first.",
            count=crossed,
        )


def stacked(parts: Sequence[Controls], masks: Sequence[np.ndarray]) -> tuple[Controls, np.ndarray]:
    """Put partitions side by side, each with cells and controls of its own.

    Parameters
    ----------
    masks
        Rows of each partition (rows,).

    Returns
    -------
    The controls of all, and the partition of each cell (cells,); cell 0 holds the rows of none.
    """
    if len(parts) == 1:
        return parts[0], np.zeros(len(parts[0].cells.matrix), np.int64)
    codes = np.zeros(len(masks[0]), np.int64)
    first = 1
    for part, mask in zip(parts, masks, strict=True):
        codes[mask] = first + part.cells.codes[mask]
        first += len(part.cells.matrix)
    width = sum(part.cells.matrix.shape[1] for part in parts)
    matrix = np.concatenate(
        [np.zeros((1, width)), linalg.block_diag(*(part.cells.matrix for part in parts))]
    )
    owner = np.repeat(np.arange(len(parts)), [len(part.cells.matrix) for part in parts])
    return (
        Controls(
            Cells(codes, matrix),
            np.concatenate([part.totals for part in parts]),
            tuple(label for part in parts for label in part.labels),
        ),
        np.r_[-1, owner],
    )


def partition_masks(
    table: Memory, by: str, given: Mapping[str, Sequence[Control]], inside: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the rows of each partition that controls are given for.

    Raises
    ------
    CalibrationError
        A row is in no partition, or a partition has no row.
    """
    codes, labels = table.codes(by)
    texts = [as_code(label) for label in labels]
    served = np.isin(codes, [k for k, text in enumerate(texts, 1) if text in given])
    lost = inside & ~served
    if lost.any():
        raise CalibrationError(
            "Calibration by {by!r}: {count} units of {table} are in no partition that has "
            "controls (partitions {unknown}, and {blank} blank). Give them controls, or leave them "
            "out with `where`.",
            by=by,
            count=int(lost.sum()),
            table=table.name,
            unknown=[texts[c - 1] for c in np.unique(codes[lost]) if c],
            blank=int((lost & (codes == 0)).sum()),
        )
    empty = [label for label in given if label not in texts]
    if empty:
        raise CalibrationError(
            "Calibration by {by!r}: {table} has no unit in the partitions {empty}, for which "
            "controls are given.",
            by=by,
            table=table.name,
            empty=empty,
        )
    return {label: inside & (codes == texts.index(label) + 1) for label in given}


def shared(controls: Controls, unit: np.ndarray, weight: np.ndarray) -> Controls:
    """Give all rows of a unit the weighted mean of their regressors, hence one factor.

    Parameters
    ----------
    unit
        Unit of each row, from 1; 0 for rows that are not calibrated (rows,).
    weight
        Weights (rows,).

    References
    ----------
    Lemaître & Dufour (1987), Survey Methodology 13, p. 199-207.
    """
    count = int(unit.max(initial=0))
    # Units without weight keep the plain mean: their factor matters to replicates only.
    share = np.where(weight > 0, weight, 1e-300)
    matrix = controls.cells.sums(share, unit, count)
    matrix /= np.bincount(unit, share, count + 1)[1:, None]
    if unit.all():
        return Controls(Cells(unit - 1, matrix), controls.totals, controls.labels)
    matrix = np.concatenate([np.zeros((1, matrix.shape[1])), matrix])
    return Controls(Cells(unit, matrix), controls.totals, controls.labels)


def joined(
    controls: Mapping[str, Sequence[Control]],
    table: Memory,
    masks: Mapping[str, np.ndarray],
    unit: tuple[np.ndarray, np.ndarray] | None,
) -> tuple[Controls, np.ndarray, np.ndarray]:
    """Join the controls of all partitions to the rows.

    Parameters
    ----------
    unit
        The unit of each row, from 1 (rows,), and the weights (rows,); None: each row.

    Returns
    -------
    Controls, partition of each cell (cells,), partition of each control (controls,).
    """
    parts = []
    for label, mask in masks.items():
        part = join_controls(controls[label], table, mask)
        if unit is not None:
            codes = unit[0] if mask.all() else np.where(mask, unit[0], 0)
            codes, _ = compressed(codes, int(codes.max(initial=0)))
            part = shared(part, codes, unit[1])
        prefix = f"{label}: " if len(masks) > 1 else ""
        parts.append(
            Controls(part.cells, part.totals, tuple(prefix + text for text in part.labels))
        )
    whole, owner = stacked(parts, list(masks.values()))
    sizes = [len(part.totals) for part in parts]
    return whole, owner, np.repeat(np.arange(len(parts)), sizes)
