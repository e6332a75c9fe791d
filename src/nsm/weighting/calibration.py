"""Calibration to known totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.errors import CalibrationError, OptionError, nearest
from nsm.estimation.influence import Adjustment, Repeat
from nsm.weighting.margins import Control, Margins, read_margins, read_partitions
from nsm.weighting.problem import Problem, joined, partition_masks
from nsm.weighting.solver import check_method, inverse_gram
from nsm.weighting.weighting import Step

if TYPE_CHECKING:
    from nsm.estimation import Survey

Covariance = Mapping[str, float | Mapping[str, float]] | pd.DataFrame


@dataclass(frozen=True)
class Calibration(Step, word="calibration"):
    """A step that makes weighted totals equal to known ones.

    Parameters
    ----------
    margins
        The known totals; see `margins.read_margins`. With `by`: the margins of each partition, as
        a mapping from its label, or a table with a column of that name.
    method
        `linear`, `raking` or `logit`.
    bounds
        Least and greatest factor g.
    unit
        Column whose units get one factor each (the household).
    where
        Condition: units outside keep their weights.
    by
        Column of partitions (regions), each with controls of its own.
    weight_bounds
        Least and greatest weight afterwards.
    costs
        Soft controls: margin or control (`"sex"`, `"sex=M"`) -> cost of missing it. The weights
        minimize their distance plus cost * N / 2 * (relative deviation)^2; a control without a cost
        is met.
    covariance
        Controls that are estimates themselves: control -> variance, or control -> control ->
        covariance, or a square table of labels. It is added to the variance.
    controls
        Names of the margins (`sex`, `region*age_band`), for the template of the control table.
    seed
        For the errors of estimated controls that replicates are given.
    name
        What reports call it.

    References
    ----------
    Deville & Särndal (1992), Journal of the American Statistical Association 87, p. 376-382; for
    `unit`, Lemaître & Dufour (1987); for `costs`, Bocci & Beaumont (2008); for `covariance`, Dever
    & Valliant (2010), Survey Methodology 36, p. 45-56.
    """

    margins: Margins
    method: str = "raking"
    bounds: tuple[float, float] | None = None
    unit: str | None = None
    where: str | None = None
    by: str | None = None
    weight_bounds: tuple[float, float] | None = None
    costs: Mapping[str, float] | None = None
    covariance: Covariance | None = None
    controls: tuple[str, ...] = ()
    seed: int = 0
    name: str = "calibration"

    def adjust(self, survey: Survey) -> Survey:
        """Return the calibrated survey.

        Raises
        ------
        CalibrationError
            A control disagrees with the others or with the data, or cannot be met.
        OptionError
            An option is out of its range.
        """
        problem = self.problem(survey)
        before = survey.weights
        gram = problem.gram(before)
        problem.refuse_impossible(before, gram)
        root = self._root(problem)

        def refit(before: np.ndarray, repeat: Repeat | None = None) -> np.ndarray:
            factors = np.empty_like(before)
            moved = moved_totals(problem.controls.totals, root, repeat, self.seed)
            for r in range(before.shape[1]):
                times = None if repeat is None else repeat.times[:, r]
                totals = None if moved is None else moved[r]
                factors[:, r] = problem.factors(before[:, r], times, totals)
            return factors

        factor = problem.factors(before, gram=gram)
        cells = problem.controls.cells
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
                inverse=inverse_gram(gram, problem.slack),
                external=True,
                root=root,
                labels=problem.controls.labels,
            )
        )

    def problem(self, survey: Survey) -> Problem:
        """Return what is to be solved, with the controls joined to the survey's rows."""
        check_method(self.method, self.bounds)
        _check_weight_bounds(self.weight_bounds, self.method)
        inside = inside_of(survey, self.where)
        if self.by is None:
            controls = {"": read_margins(self.margins)}
            masks = {"": inside}
        else:
            controls = read_partitions(self.margins, self.by)
            masks = partition_masks(survey.table, self.by, controls, inside)
        unit = None
        if self.unit is not None:
            unit = (self._units(survey, inside), survey.weights)
        whole, owner, control_owner = joined(controls, survey.table, masks, unit)
        return Problem(
            whole,
            owner,
            control_owner,
            inside,
            self.method,
            self.bounds,
            self.weight_bounds,
            shared=unit is not None,
            slack=self._slack(whole.labels, whole.totals, float(survey.weights[inside].sum())),
        )

    def _units(self, survey: Survey, inside: np.ndarray) -> np.ndarray:
        """Return the unit of each row, from 1; refuse a unit that is in two partitions."""
        unit = survey.table.codes(str(self.unit))
        blank = inside & (unit.codes == 0)
        if blank.any():
            raise CalibrationError(
                "{count} units of {table} have no {unit!r} (rows {rows}), so they cannot share its "
                "factor.",
                count=int(blank.sum()),
                table=survey.table.name,
                unit=self.unit,
                rows=[int(i) + 1 for i in np.flatnonzero(blank)[:6]],
            )
        if self.by is not None:
            part = survey.table.codes(self.by).codes[inside]
            mine = unit.codes[inside]
            most, least = np.zeros(len(unit.labels) + 1), np.full(len(unit.labels) + 1, np.inf)
            np.maximum.at(most, mine, part)
            np.minimum.at(least, mine, part)
            split = np.flatnonzero((most > least) & (most > 0))
            if len(split):
                raise CalibrationError(
                    "{count} {unit} are split over partitions of {by!r}: {units}. One factor "
                    "cannot serve two partitions: put all of a {unit} into one.",
                    count=len(split),
                    unit=self.unit,
                    by=self.by,
                    units=[str(unit.labels[k - 1]) for k in split],
                )
        return unit.codes

    def _slack(self, labels: tuple[str, ...], totals: np.ndarray, population: float) -> np.ndarray:
        """Return how far each control may give: t^2 / (cost N), 0 for those without a cost."""
        slack = np.zeros(len(labels))
        for key, cost in (self.costs or {}).items():
            if not cost > 0:
                raise OptionError(
                    "costs: {key!r} is {cost}; a cost is above 0. A control that must be met has "
                    "none.",
                    key=key,
                    cost=cost,
                )
            mine = _named(key, labels)
            slack[mine] = np.maximum(totals[mine], 1.0) ** 2 / (cost * population)
        return slack

    def _root(self, problem: Problem) -> np.ndarray | None:
        """Return a square root of the covariance of the controls (controls, draws)."""
        if self.covariance is None:
            return None
        labels = problem.controls.labels
        matrix = np.zeros((len(labels), len(labels)))
        given = self.covariance
        if isinstance(given, pd.DataFrame):
            given = {str(row): dict(given.loc[row]) for row in given.index}
        for key, value in given.items():
            row = _named(key, labels)
            if isinstance(value, Mapping):
                for other, covariance in value.items():
                    matrix[np.ix_(row, _named(other, labels))] = float(covariance)
            else:
                matrix[row, row] = float(value)
        values, vectors = np.linalg.eigh(matrix)
        if not np.allclose(matrix, matrix.T) or values.min() < -1e-8 * max(values.max(), 1e-300):
            raise OptionError(
                "covariance is not that of controls: it must be symmetric, without negative "
                "variances of any combination."
            )
        kept = values > 1e-12 * values.max(initial=0.0)
        return vectors[:, kept] * np.sqrt(values[kept])


def _named(key: str, labels: tuple[str, ...]) -> np.ndarray:
    """Return the controls of a name: one control, or all of a margin."""
    plain = [label.split(": ", 1)[-1] for label in labels]
    found = [
        k
        for k, (label, short) in enumerate(zip(labels, plain, strict=True))
        if key in {label, short, short.split("=", 1)[0]}
    ]
    if not found:
        raise OptionError("There is no control {key!r}. {hint}", key=key, hint=nearest(key, labels))
    return np.array(found)


def moved_totals(
    totals: np.ndarray, root: np.ndarray | None, repeat: Repeat | None, seed: int
) -> np.ndarray | None:
    """Return the totals of each replicate, with the error of estimated ones (replicates, controls).

    A replicate's error is drawn from its own stream, so that blocks of replicates do not matter.
    """
    if root is None or repeat is None:
        return None
    draws = np.stack(
        [
            np.random.Generator(np.random.PCG64([seed, int(k)])).standard_normal(root.shape[1])
            for k in repeat.number
        ]
    )
    scale = 1 / np.sqrt(np.where(repeat.share > 0, repeat.share, 1.0))
    return totals + (draws * scale[:, None]) @ root.T


def _check_weight_bounds(bounds: tuple[float, float] | None, method: str) -> None:
    if bounds is None:
        return
    if not 0 <= bounds[0] < bounds[1]:
        raise OptionError(
            "weight_bounds={bounds} must be two weights, the least first.", bounds=str(bounds)
        )
    if method == "logit":
        raise OptionError(
            'weight_bounds= serve method="raking" and "linear"; "logit" has bounds of g around 1.'
        )


def inside_of(survey: Survey, where: str | None) -> np.ndarray:
    """Tell for which rows a condition is true; None: all (rows,)."""
    if where is None:
        return np.ones(len(survey), bool)
    from nsm.condition import parse

    true, _ = survey.table.holds(parse(where))
    return np.ones(len(survey), bool) if true is None else true


def poststratification(
    margins: Margins, *, name: str = "poststratification", **options: Any
) -> Calibration:
    """Return the calibration to one margin, whose factors are the ratios of totals.

    Raises
    ------
    OptionError
        There are several margins: rake or calibrate to them.
    """
    controls: list[Control] = read_margins(margins)
    if len(controls) != 1 or controls[0].numeric:
        raise OptionError(
            "Poststratification is to one margin of categories, crossed if need be; {given} were "
            "given. "
            "Use rake() or calibrate().",
            given=[c.name for c in controls],
        )
    return Calibration(margins, "linear", name=name, **options)
