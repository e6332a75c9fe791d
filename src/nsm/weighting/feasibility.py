"""Which controls cannot be met, and how far each would have to give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nsm.errors import CalibrationError

LARGEST_PROGRAMME = 2_000_000
NEAR = 1e-7
SHOWN = 5


@dataclass(frozen=True)
class Range:
    """Least and greatest factor, of all cells or of each (cells,)."""

    low: np.ndarray | float
    high: np.ndarray | float

    @property
    def bounded(self) -> bool:
        """Whether any factor has a bound."""
        return bool(np.any(np.isfinite(self.low)) or np.any(np.isfinite(self.high)))


def conflicts(
    matrix: np.ndarray, weight: np.ndarray, totals: np.ndarray, within: Range
) -> np.ndarray:
    """Return how far each control has to give so that all can be met (controls,).

    The linear programme min sum |e| / max(|t|, 1), with sum w g x = t + e and g within its bounds.
    Zeros: factors that meet all controls exist.

    Parameters
    ----------
    matrix
        Regressors (cells, controls).
    weight
        Weight of each cell before calibration (cells,).
    totals
        What the weighted sums should be (controls,).
    within
        Bounds of the factors.

    Raises
    ------
    CalibrationError
        The programme itself fails.
    """
    from scipy.optimize import linprog

    used = weight > 0
    unit = np.maximum(np.abs(totals), 1.0)
    scaled = (matrix[used] * weight[used, None]).T / unit[:, None]
    controls, cells = scaled.shape
    low, high = (np.broadcast_to(b, used.shape)[used] for b in (within.low, within.high))
    sides = np.concatenate([scaled, -np.eye(controls), np.eye(controls)], axis=1)
    found = linprog(
        np.r_[np.zeros(cells), np.ones(2 * controls)],
        A_eq=sides,
        b_eq=totals / unit,
        bounds=np.c_[
            np.r_[low, np.zeros(2 * controls)], np.r_[high, np.full(2 * controls, np.inf)]
        ],
        method="highs",
    )
    if found.x is None:
        raise CalibrationError(
            "Whether the controls can be met could not be found out: {reason} Check the controls "
            "for sizes that differ by many orders of magnitude.",
            reason=str(found.message),
        )
    give = found.x[cells : cells + controls] - found.x[cells + controls :]
    return np.where(np.abs(give) > NEAR, give * unit, 0.0)


def conflict_table(labels: tuple[str, ...], totals: np.ndarray, give: np.ndarray) -> pd.DataFrame:
    """Return the controls that have to give, the farthest first.

    Returns
    -------
    `control, total, reachable, give, relative`: the total wanted, the nearest that can be met,
    their difference, and that as a fraction of the total.
    """
    rows = np.flatnonzero(give)
    relative = give[rows] / np.maximum(np.abs(totals[rows]), 1.0)
    table = pd.DataFrame(
        {
            "control": [labels[k] for k in rows],
            "total": totals[rows],
            "reachable": totals[rows] + give[rows],
            "give": give[rows],
            "relative": relative,
        }
    )
    order = np.argsort(-np.abs(relative), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def refuse_conflicts(
    matrix: np.ndarray,
    weight: np.ndarray,
    totals: np.ndarray,
    within: Range,
    labels: tuple[str, ...],
) -> None:
    """Raise CalibrationError if no factors meet the controls, naming those that conflict.

    The error has their table as `table`.
    """
    give = conflicts(matrix, weight, totals, within)
    if not give.any():
        return
    table = conflict_table(labels, totals, give)
    raise CalibrationError(
        "{count} of {all} controls cannot be met together{within}. It would do if these gave: "
        "{give}. Widen the bounds, join categories, or leave a control out.",
        count=len(table),
        all=len(totals),
        within=_within(within),
        give=_gives(table),
        table=table,
    )


def _within(within: Range) -> str:
    if not within.bounded:
        return ""
    return f" ({float(np.min(within.low)):g} <= g <= {float(np.max(within.high)):g})"


def _gives(table: pd.DataFrame) -> str:
    shown = [
        f"{row.control}: {row.total:,.1f} -> {row.reachable:,.1f}"
        for row in table.head(SHOWN).itertuples()
    ]
    return "; ".join(shown) + (" ..." if len(table) > SHOWN else "")


def refuse_unmet(gap: np.ndarray, totals: np.ndarray, labels: tuple[str, ...]) -> None:
    """Raise CalibrationError if a control is not met, naming the farthest."""
    relative = np.abs(gap) / np.maximum(np.abs(totals), 1.0)
    unmet = np.flatnonzero(relative > 1e-9)
    if not len(unmet):
        return
    worst = int(np.argmax(relative))
    raise CalibrationError(
        "The factors did not settle: {count} of {all} controls are not met. The farthest is "
        "{control}: {reached:,.1f} instead of {wanted:,.1f}. Widen the bounds, join categories, or "
        "leave the control out.",
        count=len(unmet),
        all=len(totals),
        control=labels[worst],
        reached=float(totals[worst] - gap[worst]),
        wanted=float(totals[worst]),
    )


def refuse_collinear(gram: np.ndarray, totals: np.ndarray, labels: tuple[str, ...]) -> None:
    """Raise CalibrationError if controls depend on each other in the data, but not their totals.

    Margins that add up to one population depend on each other, and agree: they are no error.

    Parameters
    ----------
    gram
        The sum of w x x' (controls, controls).
    """
    size = np.sqrt(np.maximum(np.diag(gram), 0.0))
    size[size == 0] = 1.0
    values, vectors = np.linalg.eigh(gram / np.outer(size, size))
    flat = vectors[:, values < 1e-10 * max(float(values.max(initial=0.0)), 1e-300)]
    wanted = totals / size
    off = flat.T @ wanted
    if not len(off) or np.max(np.abs(off)) <= 1e-7 * max(float(np.linalg.norm(wanted)), 1e-300):
        return
    direction = flat @ off
    involved = np.flatnonzero(np.abs(direction) > 1e-3 * np.max(np.abs(direction)))
    raise CalibrationError(
        "These controls are collinear in the data, and their totals contradict that: {controls}. "
        "Leave one of them out, or correct its total.",
        controls=[labels[k] for k in involved],
    )
