"""Trimming and smoothing: weights that are less unequal, for a little bias.

A trimmed weight is clip(a w, least, greatest), where a lets the others take what the trimmed ones
lose; a smoothed weight is a w^power. With margins, both are followed by calibration, under bounds
on the weight itself, so that margins and bounds hold together.

References
----------
Potter (1990), Proceedings of the ASA Survey Research Methods Section, p. 225-230; Kish (1992).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import CalibrationError, OptionError, WeightingError
from nsm.estimation.influence import Adjustment, Repeat
from nsm.totals import Cells
from nsm.weighting.calibration import Calibration
from nsm.weighting.margins import Margins
from nsm.weighting.weighting import Step

if TYPE_CHECKING:
    from nsm.estimation import Survey

HALVINGS = 60
CALIBRATED_HALVINGS = 30


@dataclass(frozen=True)
class Trimming(Step, word="trimming"):
    """A step that makes weights less unequal and keeps their sum, or known totals.

    Parameters
    ----------
    lower, upper
        Least and greatest weight.
    median
        Whether these are multiples of the median weight.
    kish
        Instead of `upper`: the design effect of unequal weights that may remain; the cut-off is the
        largest that reaches it.
    power
        Instead of cutting: smooth, to a multiple of w^power (0: equal weights, 1: as they are).
        With `kish`, the power follows from it, and any number says that weights are smoothed.
    cells
        Columns of the classes in which the sum of weights is kept.
    margins, method, unit, by, where
        Known totals that weights meet afterwards; see `Calibration`.
    name
        What reports call it.
    """

    lower: float | None = None
    upper: float | None = None
    median: bool = False
    kish: float | None = None
    power: float | None = None
    cells: tuple[str, ...] = ()
    margins: Margins | None = None
    method: str = "raking"
    unit: str | None = None
    by: str | None = None
    where: str | None = None
    name: str = "trimming"

    def adjust(self, survey: Survey) -> Survey:
        """Return the survey with trimmed weights.

        Raises
        ------
        OptionError
            Nothing says how far to trim, or two things do.
        WeightingError
            The sum of weights of a class, or the margins, or Kish's effect cannot be kept.
        """
        self._check()
        bounds = self._bounds(survey.weights)
        if self.power is not None:
            return self._smoothed(survey)
        if self.kish is not None:
            bounds = (bounds[0], self._cut_off(survey, bounds[0]))
        if self.margins is not None:
            return self._calibration(bounds).adjust(survey)
        return survey.adjusted(self._cut(survey, bounds))

    def _check(self) -> None:
        if self.lower is None and self.upper is None and self.kish is None and self.power is None:
            raise OptionError(
                "Step {name!r}: give upper= or lower=, kish=, or power=.", name=self.name
            )
        if self.upper is not None and self.power is None and self.kish is not None:
            raise OptionError(
                "Step {name!r}: kish= finds the cut-off, so upper= is not given too.",
                name=self.name,
            )
        if self.kish is not None and self.kish < 1:
            raise OptionError(
                "Step {name!r}: kish={kish}; the effect of unequal weights is at least 1.",
                name=self.name,
                kish=self.kish,
            )
        if self.power is not None and not 0 <= self.power <= 1:
            raise OptionError(
                "Step {name!r}: power={power} is not between 0 and 1.",
                name=self.name,
                power=self.power,
            )
        low, high = self.lower or 0.0, np.inf if self.upper is None else self.upper
        if not 0 <= low < high:
            raise OptionError(
                "Step {name!r}: lower={lower} and upper={upper} are not two weights, the least "
                "first.",
                name=self.name,
                lower=self.lower,
                upper=self.upper,
            )

    def _bounds(self, weights: np.ndarray) -> tuple[float, float]:
        unit = float(np.median(weights[weights > 0])) if self.median else 1.0
        high = np.inf if self.upper is None else self.upper * unit
        return (self.lower or 0.0) * unit, high

    def _calibration(self, bounds: tuple[float, float] | None) -> Calibration:
        assert self.margins is not None  # noqa: S101 (the caller has looked)
        return Calibration(
            self.margins,
            self.method,
            unit=self.unit,
            by=self.by,
            where=self.where,
            weight_bounds=bounds,
            name=self.name,
        )

    def _classes(self, survey: Survey) -> tuple[np.ndarray, int]:
        codes = np.zeros(len(survey), np.int64)
        for column in self.cells:
            own = survey.table.codes(column)
            codes = codes * (len(own.labels) + 1) + own.codes
        present, codes = np.unique(codes, return_inverse=True)
        return codes, len(present)

    def _cut(self, survey: Survey, bounds: tuple[float, float]) -> Adjustment:
        """Return the step that cuts weights and gives the rest to the others of their class."""
        codes, count = self._classes(survey)
        before = survey.weights
        _refuse_full(before, codes, count, bounds, self)

        def refit(other: np.ndarray, repeat: Repeat | None = None) -> np.ndarray:
            columns = []
            for r in range(other.shape[1]):
                times = _times(other[:, r], before) if repeat is None else repeat.times[:, r]
                one = np.where(times != 0, other[:, r] / np.where(times != 0, times, 1.0), 0.0)
                limits = bounds
                if repeat is not None and self.kish is not None:
                    high = least_cut(one, times, codes, count, (bounds[0], self.kish))
                    limits = (bounds[0], high)
                after = clipped(one, times, codes, count, limits)
                columns.append(np.where(one > 0, after / np.where(one > 0, one, 1.0), 1.0))
            return np.stack(columns).T

        factor = refit(before[:, None])[:, 0]
        after = before * factor
        free = (after > bounds[0] * (1 + 1e-12)) & (after < bounds[1] * (1 - 1e-12)) & (before > 0)
        kept = np.bincount(codes, before * free, count)
        return Adjustment(
            self.name,
            len(survey.levels) - 1,
            before,
            factor,
            refit,
            cells=Cells(codes, np.eye(count)),
            effect=1 - factor,
            entry=free.astype(float),
            inverse=np.diag(np.where(kept > 0, 1 / np.where(kept > 0, kept, 1.0), 0.0)),
            labels=tuple(f"class {k + 1}" for k in range(count)),
        )

    def _cut_off(self, survey: Survey, low: float) -> float:
        """Return the largest weight allowed that reaches Kish's effect."""
        assert self.kish is not None  # noqa: S101 (the caller has looked)
        weights = survey.weights
        if self.margins is None:
            codes, count = self._classes(survey)
            return least_cut(weights, np.ones(len(weights)), codes, count, (low, self.kish))

        def reached(high: float) -> float:
            problem = self._calibration((low, high)).problem(survey)
            return _effect(weights * problem.factors(weights), np.ones(len(weights)))

        mean = float(weights[weights > 0].mean())
        top = 2 * float(weights.max())
        return _largest(reached, mean, top, self.kish, CALIBRATED_HALVINGS)

    def _smoothed(self, survey: Survey) -> Survey:
        power = self.power
        assert power is not None  # noqa: S101 (the caller has looked)
        if self.kish is not None:
            power = self._power(survey)
        made = survey.adjusted(self._power_step(survey, power))
        if self.margins is None:
            return made
        bounds = self._bounds(made.weights)
        limited = bounds if self.upper is not None or self.lower is not None else None
        return self._calibration(limited).adjust(made)

    def _power(self, survey: Survey) -> float:
        """Return the largest power that reaches Kish's effect."""
        assert self.kish is not None  # noqa: S101 (the caller has looked)
        ones = np.ones(len(survey))

        def reached(power: float) -> float:
            return _effect(replace(self, kish=None, power=power).adjust(survey).weights, ones)

        return _largest(reached, 0.0, 1.0, self.kish, CALIBRATED_HALVINGS)

    def _power_step(self, survey: Survey, power: float) -> Adjustment:
        """Return the step to a multiple of w^power, with the sum of each class."""
        codes, count = self._classes(survey)
        before = survey.weights

        def refit(other: np.ndarray, repeat: Repeat | None = None) -> np.ndarray:
            columns = []
            for r in range(other.shape[1]):
                times = _times(other[:, r], before) if repeat is None else repeat.times[:, r]
                one = np.where(times != 0, other[:, r] / np.where(times != 0, times, 1.0), 0.0)
                raised = np.where(one > 0, np.maximum(one, 1e-300) ** (power - 1), 0.0)
                sums = np.bincount(codes, other[:, r], count)
                given = np.bincount(codes, other[:, r] * raised, count)
                scale = np.where(given != 0, sums / np.where(given != 0, given, 1.0), 1.0)
                columns.append(np.where(one > 0, scale[codes] * raised, 1.0))
            return np.stack(columns).T

        factor = refit(before[:, None])[:, 0]
        sums = np.bincount(codes, before * factor, count)
        return Adjustment(
            f"{self.name}: smoothing" if self.margins is not None else self.name,
            len(survey.levels) - 1,
            before,
            factor,
            refit,
            cells=Cells(codes, np.eye(count)),
            effect=1 - factor,
            entry=factor,
            inverse=np.diag(np.where(sums > 0, 1 / np.where(sums > 0, sums, 1.0), 0.0)),
            labels=tuple(f"class {k + 1}" for k in range(count)),
        )


def clipped(
    one: np.ndarray,
    times: np.ndarray,
    codes: np.ndarray,
    count: int,
    bounds: tuple[float, float],
) -> np.ndarray:
    """Return clip(a w, least, greatest), with a such that each class keeps its sum (rows,).

    Parameters
    ----------
    one, times
        Weight of each row, and how often it counts (rows,).
    codes, count
        Class of each row (rows,), and number of classes.
    """
    low, high = bounds
    wanted = np.bincount(codes, times * one, count)
    used = one > 0

    def made(scale: np.ndarray) -> np.ndarray:
        return np.where(used, np.clip(scale[codes] * one, low, high), 0.0)

    left, right = np.full(count, -40.0), np.full(count, 40.0)
    for _ in range(HALVINGS):
        middle = (left + right) / 2
        above = np.bincount(codes, times * made(np.exp(middle)), count) > wanted
        left, right = np.where(above, left, middle), np.where(above, middle, right)
    found = made(np.exp((left + right) / 2))
    # The bisection has told who is cut; the others take the rest to the last digit.
    free = used & (found > low) & (found < high)
    rest = wanted - np.bincount(codes, times * np.where(free, 0.0, found), count)
    share = np.bincount(codes, np.where(free, times * one, 0.0), count)
    exact = np.where(share > 0, rest / np.where(share > 0, share, 1.0), 0.0)
    return np.where(free, exact[codes] * one, found)


def least_cut(
    one: np.ndarray,
    times: np.ndarray,
    codes: np.ndarray,
    count: int,
    wanted: tuple[float, float],
) -> float:
    """Return the largest cut-off under which Kish's effect is reached.

    Parameters
    ----------
    wanted
        Least weight, and Kish's effect.
    """
    low, effect = wanted
    units = np.bincount(codes, times * (one > 0), count)
    means = np.bincount(codes, times * one, count)[units > 0] / units[units > 0]

    def reached(high: float) -> float:
        return _effect(clipped(one, times, codes, count, (low, high)), times)

    floor = max(float(means.max(initial=0.0)), low) * (1 + 1e-9)
    return _largest(reached, floor, 2 * float(one.max()), effect, HALVINGS)


def _largest(
    reached: Callable[[float], float], low: float, high: float, target: float, halvings: int
) -> float:
    """Return the largest argument at which a rising function is at most the target.

    Below a point it may fail with a CalibrationError: margins and bounds do not go together there.
    """

    def value(at: float) -> float:
        try:
            return reached(at)
        except CalibrationError:
            return np.nan

    if value(high) <= target:
        return high
    best: float | None = None
    nearest = np.inf
    for _ in range(halvings):
        middle = (low + high) / 2
        found = value(middle)
        if np.isnan(found):
            low = middle
            continue
        nearest = min(nearest, found)
        if found <= target:
            best, low = middle, middle
        else:
            high = middle
    if best is None:
        raise WeightingError(
            "Kish's effect {target} cannot be reached; the least found is {least:.3f}. Take a "
            "larger target, fewer classes, or fewer margins.",
            target=target,
            least=nearest,
        )
    return best


def _effect(weights: np.ndarray, times: np.ndarray) -> float:
    used = weights > 0
    units = float(times[used].sum())
    return float(units * np.sum(times * weights**2) / np.sum(times * weights) ** 2)


def _times(other: np.ndarray, before: np.ndarray) -> np.ndarray:
    return np.where(before > 0, other / np.where(before > 0, before, 1.0), 1.0)


def _refuse_full(
    before: np.ndarray, codes: np.ndarray, count: int, bounds: tuple[float, float], step: Trimming
) -> None:
    """Refuse bounds between which the sum of weights of a class does not fit."""
    units = np.bincount(codes, before > 0, count)
    mean = np.bincount(codes, before, count) / np.maximum(units, 1)
    wrong = (units > 0) & ((mean <= bounds[0]) | (mean >= bounds[1]))
    if wrong.any():
        raise WeightingError(
            "Step {name!r}: weights between {lower:,.2f} and {upper:,.2f} cannot add up to what "
            "they do now in {count} classes, where their mean is {means}. Widen the bounds, or "
            "join classes.",
            name=step.name,
            lower=bounds[0],
            upper=bounds[1],
            count=int(wrong.sum()),
            means=[round(float(m), 2) for m in mean[wrong]],
        )
