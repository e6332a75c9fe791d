"""Calibration to known totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nsm.errors import OptionError
from nsm.estimation.influence import Adjustment
from nsm.totals import Cells
from nsm.weighting.margins import Controls, Margins, join_controls, read_margins
from nsm.weighting.solver import distance, inverse_gram, refuse_unmet, solve
from nsm.weighting.weighting import Step

if TYPE_CHECKING:
    from nsm.estimation import Survey


@dataclass(frozen=True)
class Calibration(Step, word="calibration"):
    """A step that makes weighted totals equal to known ones.

    Parameters
    ----------
    margins
        The known totals; see `margins.read_margins`.
    method
        `linear`, `raking` or `logit`.
    bounds
        Least and greatest factor g.
    unit
        Column whose units get one factor each (the household).
    where
        Condition: units outside keep their weights.
    name
        What reports call it.

    References
    ----------
    Deville & Särndal (1992); for `unit`, Lemaître & Dufour (1987).
    """

    margins: Margins
    method: str = "raking"
    bounds: tuple[float, float] | None = None
    unit: str | None = None
    where: str | None = None
    name: str = "calibration"

    def adjust(self, survey: Survey) -> Survey:
        """Return the calibrated survey.

        Raises
        ------
        CalibrationError
            A control disagrees with the others or with the data, or cannot be met.
        """
        curve = distance(self.method, self.bounds)
        inside = _inside(survey, self.where)
        controls = join_controls(read_margins(self.margins), survey.table, inside)
        if self.unit is not None:
            controls = _shared(controls, survey, self.unit)
        cells = controls.cells

        def refit(before: np.ndarray) -> np.ndarray:
            factors = np.empty_like(before)
            for r in range(before.shape[1]):
                weight = np.bincount(cells.codes, before[:, r], len(cells.matrix))
                solution = solve(cells.matrix, weight, controls.totals, curve)
                refuse_unmet(solution.gap, controls.totals, controls.labels, self.bounds)
                factors[:, r] = np.where(inside, solution.factor[cells.codes], 1.0)
            return factors

        before = survey.weights
        factor = refit(before[:, None])[:, 0]
        weight = np.bincount(cells.codes, before, len(cells.matrix))
        return survey.adjusted(
            Adjustment(
                self.name,
                len(survey.levels) - 1,
                before,
                factor,
                refit,
                cells=cells,
                effect=-factor,
                entry=np.ones(len(before)),
                inverse=inverse_gram(cells.matrix, weight),
                external=True,
            )
        )


def _inside(survey: Survey, where: str | None) -> np.ndarray:
    if where is None:
        return np.ones(len(survey), bool)
    from nsm.condition import parse

    true, _ = survey.table.holds(parse(where))
    return np.ones(len(survey), bool) if true is None else true


def _shared(controls: Controls, survey: Survey, unit: str) -> Controls:
    """Give all rows of a unit the weighted mean of their regressors, hence one factor."""
    codes = survey.table.codes(unit).codes
    count = int(codes.max(initial=0)) + 1
    weight = survey.weights
    # Units without weight keep the plain mean: their factor matters to replicates only.
    share = np.where(weight > 0, weight, 1e-300)
    sums = controls.cells.sums(share, codes + 1, count)
    totals = np.bincount(codes, share, count)
    matrix = sums / np.maximum(totals, 1e-300)[:, None]
    return Controls(Cells(codes, matrix), controls.totals, controls.labels)


def poststratification(
    margins: Margins, *, name: str = "poststratification", **options: Any
) -> Calibration:
    """Return the calibration to one margin, whose factors are the ratios of totals.

    Raises
    ------
    OptionError
        There are several margins: rake or calibrate to them.
    """
    controls = read_margins(margins)
    if len(controls) != 1 or controls[0].numeric:
        raise OptionError(
            "Poststratification is to one margin of categories, crossed if need be; {given} were "
            "given. "
            "Use rake() or calibrate().",
            given=[c.name for c in controls],
        )
    return Calibration(margins, "linear", name=name, **options)
