"""Calibration of households that are kept as counts of persons by class.

The factors are those of `nsm.weighting.Calibration` with `unit="household"` on persons: every
person of a household has the household's mean of the regressors, and counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nsm.errors import OptionError, SimulationError
from nsm.estimation import Survey
from nsm.estimation.influence import Adjustment
from nsm.totals import Cells
from nsm.weighting.feasibility import refuse_unmet
from nsm.weighting.margins import Control, as_code, read_margins
from nsm.weighting.solver import (
    Distance,
    check_method,
    distance,
    inverse_gram,
    solve,
    weighted_gram,
)

UNITS = ("household",)
_KEYS = {"step", "margins", "method", "bounds", "unit", "where", "name"}


@dataclass(frozen=True)
class HouseholdCalibration:
    """A calibration of persons, one factor for each household, ready to be taken many times.

    Parameters
    ----------
    curve
        The calibration function.
    regressors
        For each combination of area labels: persons of each class that count for each control
        (combinations, classes, controls).
    place
        Combination of each area (areas,).
    totals, labels
        The controls.
    where
        Condition on households; None: all.
    """

    curve: Distance
    regressors: np.ndarray
    place: np.ndarray
    totals: np.ndarray
    labels: tuple[str, ...]
    where: str | None
    name: str

    @classmethod
    def of(
        cls, step: Mapping[str, Any], areas: pd.DataFrame, classes: pd.DataFrame
    ) -> HouseholdCalibration:
        """Read a calibration step of a recipe.

        Raises
        ------
        OptionError
            Its unit is not the household, or it needs more than areas and classes have.
        """
        if step.get("unit") not in UNITS:
            raise OptionError(
                "A simulated survey calibrates households: say unit = 'household', not {unit!r}.",
                unit=step.get("unit"),
            )
        strange = [key for key in step if key not in _KEYS]
        if strange:
            raise OptionError(
                "A simulated survey does not calibrate with {keys}. It knows {known}.",
                keys=strange,
                known=sorted(_KEYS),
            )
        controls = read_margins(step["margins"])
        used = sorted({c for control in controls for c in control.columns if c in areas.columns})
        place = np.zeros(len(areas), np.int64)
        if used:
            place[:] = areas.groupby(used, sort=False).ngroup().to_numpy()
        first = np.unique(place, return_index=True)[1]
        parts = [_regressors(c, areas[used].iloc[first], classes) for c in controls]
        method, bounds = step.get("method", "raking"), step.get("bounds") or (-np.inf, np.inf)
        check_method(method, tuple(bounds))
        return cls(
            distance(method, *bounds),
            np.concatenate(parts, axis=2),
            place,
            np.concatenate([[*c.totals.values()] for c in controls]),
            tuple(label for c in controls for label in c.labels),
            step.get("where"),
            step.get("name", "calibration"),
        )

    def apply(self, survey: Survey, counts: np.ndarray, area: np.ndarray) -> Survey:
        """Return the calibrated survey of households.

        Parameters
        ----------
        counts
            Persons by household and class (households, classes).
        area
            Row of the area of each household (households,).
        """
        inside = self._inside(survey)
        cells, size = self._cells(counts, self.place[area], inside)
        before = survey.weights
        weight = np.bincount(cells.codes, before * size, len(cells.matrix))
        solution = solve(cells.matrix, weight, self.totals, self.curve)
        refuse_unmet(solution.gap, self.totals, self.labels)
        factor = np.where(inside, solution.factor[cells.codes], 1.0)
        return survey.adjusted(
            Adjustment(
                self.name,
                len(survey.levels) - 1,
                before,
                factor,
                _once,
                cells=cells,
                effect=-factor * size,
                entry=np.ones(len(before)),
                inverse=inverse_gram(weighted_gram(cells.matrix, weight)),
                external=True,
            )
        )

    def _inside(self, survey: Survey) -> np.ndarray:
        if self.where is None:
            return np.ones(len(survey), bool)
        from nsm.condition import parse

        true, _ = survey.table.holds(parse(self.where))
        return np.ones(len(survey), bool) if true is None else true

    def _cells(
        self, counts: np.ndarray, place: np.ndarray, inside: np.ndarray
    ) -> tuple[Cells, np.ndarray]:
        """Return the mean regressors of each household, alike ones once, and its persons."""
        size = counts.sum(axis=1, dtype=float)
        sums = np.zeros((len(counts), len(self.totals)))
        for k in range(len(self.regressors)):
            mine = inside & (place == k)
            sums[mine] = counts[mine] @ self.regressors[k]
        rows = np.ascontiguousarray(sums.astype(np.uint16)).view(
            np.dtype((np.void, 2 * sums.shape[1]))
        )
        codes, _ = pd.factorize(rows.ravel())
        first = np.unique(codes, return_index=True)[1]
        mean = sums[first] / np.maximum(size[first], 1)[:, None]
        return Cells(codes, mean), size


def _once(before: np.ndarray, repeat: Any = None) -> np.ndarray:  # noqa: ARG001 (a protocol)
    raise SimulationError("The weights of a simulated survey are not replicated.")


def _regressors(control: Control, areas: pd.DataFrame, classes: pd.DataFrame) -> np.ndarray:
    """Return which persons count for each category (combinations, classes, categories)."""
    known = {*areas.columns, *classes.columns}
    strange = [c for c in control.columns if c not in known]
    if strange or control.numeric:
        raise OptionError(
            "Margin {margin!r} needs {columns}, which a simulated survey does not have. It has "
            "{known}.",
            margin=control.name,
            columns=strange or list(control.columns),
            known=sorted(known),
        )
    out = np.ones((len(areas), len(classes), len(control.totals)))
    for position, column in enumerate(control.columns):
        wanted = [label[position] for label in control.totals]
        if column in areas.columns:
            have = np.array([as_code(v) for v in areas[column]])
            out *= (have[:, None] == wanted)[:, None, :]
        else:
            have = np.array([as_code(v) for v in classes[column]])
            out *= (have[:, None] == wanted)[None, :, :]
    return out


def steps_of(
    steps: Sequence[Mapping[str, Any]], areas: pd.DataFrame, classes: pd.DataFrame
) -> list[Any]:
    """Return the steps of a recipe on persons, ready for households."""
    from nsm.weighting import read_step

    return [
        HouseholdCalibration.of(step, areas, classes)
        if step.get("step") == "calibration"
        else read_step(step)
        for step in steps
    ]
