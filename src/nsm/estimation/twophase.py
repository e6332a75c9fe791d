"""Two phases: a sample of a sample, such as interviews of those whom a screening found.

The variance is a quadratic form of the scores of the second-phase units. Pairs of units matter by
the finest group (stratum, PSU ... of either phase) they share, so the form is a sum of squared
group totals and no matrix of pairs is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nsm.errors import DesignError, KeyColumnError, OptionError, nearest
from nsm.estimation.design import Design, Stage
from nsm.estimation.variance import Scores

if TYPE_CHECKING:
    from nsm.estimation.survey import Survey

METHODS = ("full", "approximate", "simple")


class Group(NamedTuple):
    """A partition of the units, and the weight of the squared total of each part.

    Parameters
    ----------
    codes
        Part of each unit (units,).
    weight
        Weight of each part (parts,).
    scale
        Factor on each unit's score before it is added up (units,); None: 1.
    """

    codes: np.ndarray
    weight: np.ndarray
    scale: np.ndarray | None = None

    def times(self, other: Group) -> Group:
        """Return the product of two forms, with the sign of -D1 * D2: parts are pairs of parts."""
        joint = self.codes * len(other.weight) + other.codes
        present, codes = np.unique(joint, return_inverse=True)
        first, second = np.divmod(present, len(other.weight))
        return Group(codes, -self.weight[first] * other.weight[second])


@dataclass(frozen=True)
class NestedForm:
    """A quadratic form of scores: the sum over partitions of weighted squared totals."""

    groups: tuple[Group, ...]

    def with_phase(self, other: NestedForm) -> NestedForm:
        """Return D1 + D2 - D1 * D2, the form of a sample drawn from a sample.

        Särndal, Swensson & Wretman (1992), eq. 9.3.7, with D = (p_ij - p_i p_j) / p_ij.
        """
        both = tuple(a.times(b) for a in self.groups for b in other.groups)
        return NestedForm((*self.groups, *other.groups, *both))

    def variances(self, scores: Scores) -> np.ndarray:
        """Return the form of each domain's scores (domains, statistics)."""
        result = np.zeros((scores.domains, scores.value.shape[1]))
        for codes, weight, scale in self.groups:
            parts = len(weight)
            cell = scores.domain * parts + codes[scores.unit]
            for s, column in enumerate(scores.value.T):
                value = column if scale is None else column * scale[scores.unit]
                sums = np.bincount(cell, value, scores.domains * parts)
                result[:, s] += sums.reshape(-1, parts) ** 2 @ weight
        return result

    def covariance(self, scores: np.ndarray) -> np.ndarray:
        """Return the form of dense scores (units, statistics) as (statistics, statistics)."""
        result = np.zeros((scores.shape[1], scores.shape[1]))
        for codes, weight, scale in self.groups:
            sums = np.zeros((len(weight), scores.shape[1]))
            np.add.at(sums, codes, scores if scale is None else scores * scale[:, None])
            result += (sums * weight[:, None]).T @ sums
        return result


def two_phase(
    first: Survey, second: Any, *, on: str, method: str = "full", **design: Any
) -> Survey:
    """Return the survey of the second phase, with the variance of both.

    Parameters
    ----------
    first
        The survey of the first phase.
    second
        The survey of the units that were drawn again, with weights or fractions *given the first
        phase*; or their table, with `design` (`stratum`, `psu`), the fractions then being counted
        in the first phase.
    on
        Key that links the units, in both tables.
    method
        `full`: exact for designs without replacement. `approximate`: the two-step estimator that
        centers first-phase strata at their estimated means. `simple` is the same, as in R survey.

    Raises
    ------
    KeyColumnError
        A second-phase unit is not in the first phase.
    DesignError
        The first phase is weighted beyond its design, or a second-phase stratum has no fraction.
    """
    from nsm.estimation.survey import Survey

    if method not in METHODS:
        raise OptionError(
            "{word}={value!r} is not known. {hint}",
            word="method",
            value=method,
            hint=nearest(method, METHODS),
        )
    if first.adjustments or not first.design.stages:
        raise DesignError(
            "The first phase has weighting steps. Take a nsm.weighting.Subsample step on it "
            "instead, which carries their variance."
        )
    keys = _keys(first, on)
    if not isinstance(second, Survey):
        second = _counted(first, second, on, design)
    place = _places(keys, second, on)
    probability = 1 / second.weights
    weights = first.weights[place] * second.weights
    own = second.design
    if method == "full":
        form = _first_form(first.design, place).with_phase(_second_form(second, probability))
    else:
        form = _approximate(first, second, place, probability)
    size = len(second)
    compiled = replace(
        own,
        unit=np.arange(size),
        stages=(),
        psu=own.psu[own.unit],
        form=form,
        phases=(first.design, own),
    )
    return second.having(
        design=compiled,
        levels=(replace(second.levels[0], unit=np.arange(size), remaining=np.zeros(size)),),
        base=weights,
        weight=weights,
    )


def _keys(first: Survey, on: str) -> pd.Index:
    keys = pd.Index(first.table.series(on))
    if keys.has_duplicates:
        raise KeyColumnError(
            "{column!r} is repeated in {table}: {count} times ({keys}). It must name one unit.",
            column=on,
            table=first.table.name,
            count=int(keys.duplicated().sum()),
            keys=list(keys[keys.duplicated()][:6]),
        )
    return keys


def _places(keys: pd.Index, second: Survey, on: str) -> np.ndarray:
    found = second.table.series(on)
    place = keys.get_indexer(pd.Index(found))
    if (place < 0).any():
        raise KeyColumnError(
            "{count} units of the second phase are not in the first: {column!r} {keys}.",
            count=int((place < 0).sum()),
            column=on,
            keys=list(found[place < 0][:6]),
        )
    return place


def _counted(first: Survey, second: Any, on: str, design: dict[str, Any]) -> Survey:
    """Give a second-phase table its fractions, counted in the first phase."""
    from nsm.estimation.survey import Survey
    from nsm.totals import Memory

    table = Memory(second, "the second phase")
    stratum = design.get("stratum")
    known = first.table.series(stratum) if stratum else pd.Series(0, index=range(len(first)))
    units = first.table.series(design["psu"]) if design.get("psu") else first.table.series(on)
    sizes = units.groupby(known.to_numpy()).nunique()
    mine = table.series(stratum) if stratum else pd.Series(0, index=range(table.rows))
    population = mine.map(sizes).to_numpy(float)
    if np.isnan(population).any():
        raise DesignError(
            "Strata {strata} of the second phase are not in the first.",
            strata=list(mine[np.isnan(population)].unique()),
        )
    return Survey(table.with_columns({"population #1": population}), fpc="population #1", **design)


def _stage_form(stage: Stage, fraction: np.ndarray, unit: np.ndarray, n: np.ndarray) -> NestedForm:
    """Return the form of simple sampling in strata: one for pairs in a stratum, one for units.

    `unit` gives the stage's unit of each row (rows,), `fraction` is by unit.
    """
    apart = np.where(n[stage.stratum] > 1, -(1 - fraction) / np.maximum(n[stage.stratum] - 1, 1), 0)
    by_stratum = np.zeros(len(n))
    by_stratum[stage.stratum] = apart
    strata = Group(stage.stratum[unit], by_stratum)
    return NestedForm((strata, Group(unit, 1 - fraction - apart)))


def _first_form(design: Design, place: np.ndarray) -> NestedForm:
    form: NestedForm | None = None
    for stage in design.stages:
        unit = stage.unit[design.unit[place]]
        own = _stage_form(stage, stage.fraction, unit, stage.n)
        form = own if form is None else form.with_phase(own)
    assert form is not None  # noqa: S101 (a design has a stage)
    return form


def _second_form(second: Survey, probability: np.ndarray) -> NestedForm:
    stage = second.design.stages[0]
    unit = stage.unit[second.design.unit]
    fraction = np.ones(stage.units)
    fraction[unit] = probability
    return _stage_form(stage, fraction, unit, stage.n)


def _approximate(
    first: Survey, second: Survey, place: np.ndarray, probability: np.ndarray
) -> NestedForm:
    """First-phase variance at estimated stratum means, plus that of the second phase.

    Where first-phase units hold several second-phase ones, the first phase already sees the
    second's variance but for the fraction drawn, which scales the second.
    """
    stage = first.design.stages[0]
    unit = stage.unit[first.design.unit[place]]
    several = len(np.unique(unit)) < len(unit)
    share = np.ones(stage.units)
    if not several:
        share[unit] = probability
    taken = np.bincount(unit, minlength=stage.units) > 0
    inverse = np.bincount(stage.stratum, np.where(taken, 1 / share, 0.0), len(stage.n))
    coefficient = np.zeros(len(stage.n))
    coefficient[stage.stratum] = stage.coefficient
    center = coefficient * (inverse - 2 * stage.n) / stage.n**2
    below = second.design.stages[0]
    rows = below.unit[second.design.unit]
    fraction = np.ones(below.units)
    fraction[rows] = probability
    n = below.n[below.stratum]
    spread = (1 - fraction) * n / np.maximum(n - 1, 1)
    means = np.zeros(len(below.n))
    means[below.stratum] = -spread / n
    scale = np.sqrt(1 / first.weights[place]) if several else None
    return NestedForm(
        (
            Group(unit, stage.coefficient * share),
            Group(stage.stratum[unit], center),
            Group(rows, spread, scale),
            Group(below.stratum[rows], means, scale),
        )
    )
