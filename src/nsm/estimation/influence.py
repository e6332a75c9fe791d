"""What a weighting step owes the variance.

A step multiplies weights by a factor, and its factor depends on the sample. With u the linearized
value of a unit after the step, its value before is

    u_before = factor * u + effect * x'B,    B = inverse @ sum(before * entry * x * u)

- a step to *external* totals (calibration) has effect = -factor, entry = 1 (or 1/q),
  inverse = (sum before * entry * x x')^-1: the residual u - x'B times g (Deville & Särndal 1992,
  eq. 3.4);
- a step to the *full sample* (non-response classes) has effect = 1 - factor and entry 1 for
  respondents: x'B for non-respondents, x'B + f (u - x'B) for respondents (Särndal & Lundström
  2005, ch. 11);
- a *response model* has effect = -(r - p), entry = (1 - p) / p for respondents, and the inverse
  information of its fit (Kim & Kim 2007, eq. 8);
- a step with *known* factors (a subsample) has no x.

Everything is linear in u, so scores are sums of the final weights times z, plus a fixed matrix by
sampling unit times B; a chain of steps is solved backwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np

from nsm.totals import Cells


def taken(columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return rows of columns, each column in one piece of memory (rows, columns)."""
    found = np.empty((len(rows), columns.shape[1]), order="F")
    for k in range(columns.shape[1]):
        np.take(columns[:, k], rows, out=found[:, k])
    return found


class Repeat(NamedTuple):
    """What a step may have to know of the replicates in which it is redone.

    Parameters
    ----------
    times
        How often each row counts (rows, replicates): a weight of 20 may be one unit of 20 or two
        of 10, which matters to a rule on the weight of a unit.
    number
        Place of each replicate among all (replicates,).
    share
        What the squared deviation of each adds to a variance, times the number of replicates
        (replicates,).
    """

    times: np.ndarray
    number: np.ndarray
    share: np.ndarray

    def take(self, rows: np.ndarray) -> Repeat:
        """Return it for the rows of a lower table, each with its row above (rows,)."""
        return self._replace(times=taken(self.times, rows))


class Refit(Protocol):
    """Recompute a step's factors from other weights before it."""

    def __call__(self, before: np.ndarray, repeat: Repeat | None = None, /) -> np.ndarray:
        """Return factors (rows, replicates) from weights before the step (rows, replicates)."""
        ...


@dataclass(frozen=True)
class Phase:
    """Selection inside the sample that a step stands for: response, or a subsample.

    It adds variance where the fraction drawn before it is above 0.

    Parameters
    ----------
    fraction
        Probability of each row of the step's table to pass (rows,).
    stratum
        Stratum of rows of which a fixed number is drawn without replacement (rows,); None:
        independent draws (Poisson).
    unit
        What is drawn: rows of one unit (a household) pass together (rows,); None: each row.
    effect
        How much more x'B is in the linearized value of a row that passes than of one that does not,
        by unit of weight before the step (rows,); None: -factor, that of response classes.
    """

    fraction: np.ndarray
    stratum: np.ndarray | None = None
    unit: np.ndarray | None = None
    effect: np.ndarray | None = None


@dataclass(frozen=True)
class Adjustment:
    """A weighting step that was applied.

    Parameters
    ----------
    name
        What reports call it.
    level
        The table that it was applied to (index into the survey's levels).
    before, factor
        Weights before it, and its factors (rows of that table,).
    refit
        Recomputes the factors for replicates.
    cells
        Its regressors x; None if its factors are known.
    effect, entry
        See the module's formula (rows of that table,).
    inverse
        (regressors, regressors).
    phase
        The selection that it stands for, if any.
    external
        Whether its totals come from outside.
    root
        Square root of the covariance of its totals, if they are estimates
        (regressors, components).
    labels
        What reports call its regressors.
    assumed
        Whether it stands for a selection that nobody controlled; estimates then say so.
    carried
        before * entry * the factors of all later steps, for the rows of the survey as it is now
        (rows,).
    current
        `cells` for the rows of the survey as it is now.
    cross
        For each later step, by position: how its x'B enters this step's B
        (regressors, its regressors).
    """

    name: str
    level: int
    before: np.ndarray
    factor: np.ndarray
    refit: Refit
    cells: Cells | None = None
    effect: np.ndarray | None = None
    entry: np.ndarray | None = None
    inverse: np.ndarray | None = None
    phase: Phase | None = None
    external: bool = False
    root: np.ndarray | None = None
    labels: tuple[str, ...] = ()
    assumed: bool = False
    carried: np.ndarray = field(default_factory=lambda: np.zeros(0))
    current: Cells | None = None
    cross: Mapping[int, np.ndarray] = field(default_factory=dict)

    @property
    def after(self) -> np.ndarray:
        """Weights after it (rows of its table,)."""
        return self.before * self.factor

    @property
    def passing(self) -> np.ndarray:
        """Before, times how much more x'B a row holds if it passes the phase (rows,)."""
        if self.phase is None or self.phase.effect is None:
            return -self.after
        return self.before * self.phase.effect

    @property
    def centered(self) -> bool:
        """Whether its phase draws a fixed number in each stratum."""
        return self.phase is not None and self.phase.stratum is not None

    def started(self) -> Adjustment:
        """Return it as the last step of its survey."""
        carried = self.before * (self.entry if self.entry is not None else 1.0)
        return replace(self, carried=carried, current=self.cells)

    def followed(self, position: int, later: Adjustment) -> Adjustment:
        """Return it with a later step, on the same rows, at `position` of the chain."""
        cross = dict(self.cross)
        if self.current is not None and later.cells is not None and later.effect is not None:
            cross[position] = self.current.product(self.carried * later.effect, later.cells)
        return replace(self, carried=self.carried * later.factor, cross=cross)

    def expanded(self, link: np.ndarray) -> Adjustment:
        """Return it for the rows of a lower table, each with its row above (rows,)."""
        current = None if self.current is None else self.current.take(link)
        return replace(self, carried=self.carried[link], current=current)

    def spread(self, unit: np.ndarray, units: int) -> np.ndarray:
        """Return before * effect * x, added up by sampling unit (units, regressors)."""
        if self.cells is None or self.effect is None:
            return np.zeros((units, 0))
        return self.cells.sums(self.before * self.effect, unit + 1, units)


def slopes(adjustments: tuple[Adjustment, ...], crossed: list[np.ndarray]) -> list[np.ndarray]:
    """Return B of each step, solved from the last to the first.

    Parameters
    ----------
    crossed
        For each step, sum(carried * x * z): (regressors, statistics).

    Returns
    -------
    For each step, (regressors, statistics).
    """
    found: list[np.ndarray] = [np.zeros(0)] * len(adjustments)
    for m in range(len(adjustments) - 1, -1, -1):
        step = adjustments[m]
        right = crossed[m]
        for position, matrix in step.cross.items():
            right = right + matrix @ found[position]
        found[m] = right if step.inverse is None else step.inverse @ right
    return found
