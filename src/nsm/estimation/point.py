"""Values of statistics by domain, and the scores that carry their variance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import MissingValueError
from nsm.estimation.design import Design, Stage
from nsm.estimation.influence import slopes
from nsm.estimation.phase import form_of
from nsm.estimation.rowwise import Made, Rows, Rowwise
from nsm.estimation.statistic import Linear, Statistic, Total
from nsm.estimation.variance import Scores, variances
from nsm.totals import Measure, Memory, Term, Totals, distinct

if TYPE_CHECKING:
    from nsm.condition import Condition
    from nsm.estimation.survey import Survey

BLOCK = 4_000_000


@dataclass(frozen=True)
class Point:
    """Statistics evaluated on one set of domains.

    Parameters
    ----------
    survey
        The survey, whose table has the columns that ranked statistics made.
    by, where
        The domains.
    statistics
        What is estimated.
    totals
        What the pass gave.
    linear
        Value and slopes of each statistic.
    limits
        Confidence limits that a statistic made itself, each (domains,).
    made
        What statistics made of the rows.
    """

    survey: Survey
    by: tuple[str, ...]
    where: Condition | None
    statistics: tuple[Statistic, ...]
    totals: Totals
    linear: tuple[Linear, ...]
    limits: tuple[tuple[np.ndarray, np.ndarray] | None, ...]
    made: Mapping[Statistic, Made]

    @property
    def domains(self) -> int:
        """Number of domains."""
        return len(self.totals)

    @property
    def values(self) -> np.ndarray:
        """Values (domains, statistics)."""
        return np.stack([np.broadcast_to(x.value, self.domains) for x in self.linear], axis=1)

    def scores(self) -> Scores:
        """Scores of the finest sampling units."""
        value = self._pair_scores(self.totals)
        sparse = Scores(self.totals.domain, self.totals.unit, value, self.domains)
        steps = self.survey.adjustments
        if not any(step.cells is not None for step in steps):
            return sparse
        units = self.survey.design.units
        dense = np.zeros((self.domains, units, len(self.statistics)))
        dense[sparse.domain, sparse.unit] = value
        for m, slope in enumerate(self.slopes):
            if slope.size:
                level = self.survey.levels[steps[m].level]
                spread = self._spread(m, level.unit, units)
                dense += _grid(spread @ slope, self.domains, len(self.statistics))
        return _full(dense)

    def _spread(self, m: int, unit: np.ndarray, units: int) -> np.ndarray:
        """Return what step m spreads over sampling units; made once for a survey."""
        step, kept = self.survey.adjustments[m], self.survey.table.kept
        key = ("spread", id(step), id(unit), units)
        if key not in kept:
            # The step and the units stay referenced, so that their ids stay their own.
            kept[key] = (step.spread(unit, units), step, unit)
        return kept[key][0]

    def _pair_scores(self, totals: Totals) -> np.ndarray:
        value = np.zeros((len(totals.domain), len(self.statistics)))
        for s, linear in enumerate(self.linear):
            for term, slope in linear.slopes.items():
                weight = np.broadcast_to(slope, self.domains)[totals.domain]
                with np.errstate(invalid="ignore"):  # a domain without a denominator has no scores
                    value[:, s] += totals.fine[Measure(term, fine=True)] * weight
        return value

    @cached_property
    def slopes(self) -> list[np.ndarray]:
        """B of each weighting step (regressors, domains x statistics)."""
        table, survey = self.survey.table, self.survey
        groups = table.group(self.by, self.where, survey.unit, survey.design.units)
        crossed = []
        for step in survey.adjustments:
            if step.current is None:
                crossed.append(np.zeros((0, self.domains * len(self.statistics))))
                continue
            right = np.zeros((self.domains, len(self.statistics), step.current.matrix.shape[1]))
            for term in _terms(self.linear):
                sums = table.crossed(term, step.current, weight=step.carried, groups=groups)
                for s, linear in enumerate(self.linear):
                    if term in linear.slopes:
                        weight = np.broadcast_to(linear.slopes[term], self.domains)
                        right[:, s] += np.where(np.isfinite(weight), weight, 0.0)[:, None] * sums
            crossed.append(right.reshape(-1, right.shape[2]).T)
        return slopes(survey.adjustments, crossed)

    def variances(self) -> np.ndarray:
        """Variances (domains, statistics)."""
        survey = self.survey
        if survey.replication is not None:
            return survey.replication.variance(self.replicates(), self.values)
        design = survey.design
        if design.form is not None:
            return design.form.variances(self.scores())
        result = variances(self.scores(), design.stages, design.declaration.single_psu)
        for m in phases(survey):
            result = result + self._phase_variances(m)
        return result + np.sum(self.control_scores() ** 2, axis=1)

    def _phase_variances(self, m: int) -> np.ndarray:
        """Variances of a phase inside the sample (domains, statistics)."""
        survey = self.survey
        if survey.adjustments[m].centered:
            stage = phase_stage(survey, m)
            return variances(_full(self.phase_scores(m)), [stage], "certainty")
        form = form_of(survey, m, phase_stage, _rows_above)
        totals = self._phase_totals(form.unit, form.units)
        with np.errstate(invalid="ignore"):
            return form.variances(totals, self._pair_scores(totals), self.slopes)

    def _phase_totals(self, unit: np.ndarray, units: int) -> Totals:
        """Make the pass by other units."""
        return self.survey.table.totals(
            [Measure(term, fine=True) for term in _terms(self.linear)],
            weight=self.survey.weight,
            unit=unit,
            units=units,
            by=self.by,
            where=self.where,
        )

    def control_scores(self) -> np.ndarray:
        """Scores of controls that are estimates (domains, their components, statistics)."""
        parts = [np.zeros((self.domains, 0, len(self.statistics)))]
        steps = self.survey.adjustments
        if any(step.root is not None for step in steps):
            for step, slope in zip(steps, self.slopes, strict=True):
                if step.root is not None:
                    parts.append(_grid(step.root.T @ slope, self.domains, len(self.statistics)))
        return np.concatenate(parts, axis=1)

    def replicates(self) -> np.ndarray:
        """Values in each replicate (domains, statistics, replicates)."""
        from nsm.estimation.repeated import replicate_values

        return replicate_values(self)

    def phase_scores(self, m: int) -> np.ndarray:
        """Scores in a phase inside the sample (domains, rows of the step's table, statistics)."""
        survey, step = self.survey, self.survey.adjustments[m]
        unit = survey.link(step.level)
        rows = len(step.factor)
        totals = self._phase_totals(unit, rows)
        dense = np.zeros((self.domains, rows, len(self.statistics)))
        dense[totals.domain, totals.unit] = self._pair_scores(totals)
        for k, slope in enumerate(self.slopes):
            later = survey.adjustments[k]
            if not slope.size or k < m:
                continue
            if k == m and later.cells is not None:
                own = later.cells.predicted(slope) * later.passing[:, None]
            else:
                own = later.spread(_rows_above(survey, later.level, step.level), rows) @ slope
            dense += _grid(own, self.domains, len(self.statistics))
        return dense


def phases(survey: Survey) -> list[int]:
    """Return the steps whose selection inside the sample adds variance, by position."""
    return [
        m
        for m, step in enumerate(survey.adjustments)
        if step.phase is not None and (survey.levels[step.level].remaining > 0).any()
    ]


def phase_stage(survey: Survey, m: int) -> Stage:
    """Return a phase inside the sample as a stage of its own, below those of the design."""
    step = survey.adjustments[m]
    phase = step.phase
    assert phase is not None  # noqa: S101 (the caller has looked)
    rows = len(step.factor)
    unit = np.arange(rows) if phase.unit is None else phase.unit
    units = int(unit.max(initial=-1)) + 1
    passed = step.factor > 0
    taken = np.zeros(units, bool)
    taken[unit[passed]] = True
    # Units that did not pass have no score; a stratum of their own keeps them from being counted.
    stratum, fraction, multiplier = np.zeros(units, np.int64), np.ones(units), np.zeros(units)
    fraction[unit[passed]] = phase.fraction[passed]
    multiplier[unit[passed]] = _before_phase(survey, m)[passed]
    if phase.stratum is not None:
        stratum[unit[passed]] = phase.stratum[passed] + 1
    n = np.bincount(stratum[taken], minlength=int(stratum.max(initial=0)) + 1)
    return Stage(unit, stratum, n, fraction, multiplier, centered=phase.stratum is not None)


def _before_phase(survey: Survey, m: int) -> np.ndarray:
    """Fraction drawn before step m for the rows of its table (rows,)."""
    step = survey.adjustments[m]
    remaining = survey.levels[step.level].remaining
    for later in survey.adjustments[m:]:
        if later.level == step.level and later.phase is not None:
            remaining = remaining / np.where(later.phase.fraction > 0, later.phase.fraction, 1.0)
    return remaining


def _rows_above(survey: Survey, below: int, above: int) -> np.ndarray:
    rows = np.arange(survey.levels[below].held.rows)
    for k in range(below, above, -1):
        link = survey.levels[k].link
        rows = rows if link is None else link[rows]
    return rows


def _grid(values: np.ndarray, domains: int, statistics: int) -> np.ndarray:
    """Turn (units, domains x statistics) into (domains, units, statistics)."""
    return values.reshape(-1, domains, statistics).transpose(1, 0, 2)


def _full(dense: np.ndarray) -> Scores:
    domains, units, statistics = dense.shape
    return Scores(
        np.repeat(np.arange(domains), units),
        np.tile(np.arange(units), domains),
        dense.reshape(-1, statistics),
        domains,
    )


def _terms(linear: Sequence[Linear]) -> list[Term]:
    return list(dict.fromkeys(term for x in linear for term in x.slopes))


def evaluate(
    survey: Survey,
    statistics: Sequence[Statistic],
    *,
    by: tuple[str, ...] = (),
    where: Condition | None = None,
    level: float = 0.95,
    df: Callable[[Totals], np.ndarray] | None = None,
    counted: bool = False,
    squared: bool = False,
) -> Point:
    """Evaluate statistics on one set of domains.

    Parameters
    ----------
    level, df
        Confidence level and degrees of freedom of intervals that statistics make themselves.
    counted, squared
        Whether the pass also counts units, and adds up the squares of a design effect.

    Raises
    ------
    MissingValueError
        A total misses values inside its domain.
    """
    statistics = tuple(statistics)
    leaves = tuple(dict.fromkeys(leaf for s in statistics for leaf in s.leaves))
    if survey.pushed and any(isinstance(leaf, Rowwise) for leaf in leaves):
        columns = {c for leaf in leaves for c in leaf.counted.columns}
        columns |= {c for x in leaves if isinstance(x, Total) for c in x.term.columns}
        survey = survey.in_memory([*columns, *by, *(where.names if where is not None else ())])
    survey, made = _made(survey, leaves, by, where, level=level, df=df)
    terms = {leaf: _terms_of(leaf, made) for leaf in leaves}
    needs = tuple(dict.fromkeys(need for s in statistics for need in s.required))
    needs = tuple(n for n in needs if survey.table.observed(n.column) is not None)
    measures = [Measure(term, fine=True) for found in terms.values() for term in found]
    measures += [Measure(t, "count") for need in needs for t in (need.units, need.observed)]
    for statistic in statistics:
        if counted:
            measures += [Measure(statistic.counted, "count"), PRESENT, cases_of(statistic)]
        if squared:
            measures += [Measure(everyone(statistic), "count"), Measure(everyone(statistic))]
            mine = [term for leaf in statistic.leaves for term in terms[leaf]]
            measures += [Measure(product) for _, _, product in products(mine)]
    totals = survey.table.totals(
        measures,
        weight=survey.weight,
        unit=survey.unit,
        units=survey.design.units,
        by=by,
        where=where,
    )
    for need in needs:
        lacking = totals.coarse[Measure(need.units, "count")]
        lacking = lacking - totals.coarse[Measure(need.observed, "count")]
        _refuse_missing(need.column, lacking, totals, survey.table)
    at = {leaf: _linear(leaf, made, totals) for leaf in leaves}
    linear = tuple(s.linearize(at) for s in statistics)
    limits = tuple(made[s].limits if s in made else None for s in statistics)
    return Point(survey, by, where, statistics, totals, linear, limits, made)


PRESENT = Measure(Term(), "count", fine=True)


def cases_of(statistic: Statistic) -> Measure:
    """Return the count of its cases, by sampling unit."""
    return Measure(statistic.observed_cases, "count", fine=True)


def everyone(statistic: Statistic) -> Term:
    """Return the term of the units that have every column of a statistic."""
    columns = (c for leaf in statistic.leaves for c in leaf.counted.columns)
    return Term(observed=tuple(dict.fromkeys(columns)))


def products(terms: Sequence[Term]) -> list[tuple[Term, Term, Term]]:
    """Return each pair of terms whose product is not always 0, with the product."""
    unique = list(dict.fromkeys(terms))
    pairs = ((a, b, a * b) for i, a in enumerate(unique) for b in unique[i:])
    return [(a, b, product) for a, b, product in pairs if product is not None]


def degrees_of_freedom(totals: Totals, design: Design) -> np.ndarray:
    """Return PSUs minus strata that hold each domain (domains,)."""
    psu = design.psu[totals.unit]
    holding, pairs = count_distinct(
        totals.domain, psu, totals.fine[PRESENT] > 0, len(totals), design.psus
    )
    strata = int(design.stratum.max(initial=0)) + 1
    stratum = design.stratum[pairs % design.psus]
    held, _ = count_distinct(pairs // design.psus, stratum, None, len(totals), strata)
    return (holding - held).astype(float)


def count_distinct(
    group: np.ndarray, member: np.ndarray, keep: np.ndarray | None, groups: int, members: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count distinct members of each group, and give the pairs as group * members + member."""
    pairs = group * members + member + 1
    if keep is not None:
        pairs = np.where(keep, pairs, 0)
    pairs = distinct(pairs, groups * members) - 1
    return np.bincount(pairs // members, minlength=groups), pairs


def _made(
    survey: Survey,
    leaves: Sequence[Statistic],
    by: tuple[str, ...],
    where: Condition | None,
    *,
    level: float,
    df: Callable[[Totals], np.ndarray] | None,
) -> tuple[Survey, dict[Statistic, Made]]:
    """Let the statistics that need rows make their columns."""
    wanted = [leaf for leaf in leaves if isinstance(leaf, Rowwise)]
    if not wanted:
        return survey, {}
    table, design = survey.table, survey.design
    groups = table.group(by, where, survey.unit, design.units)
    totals = table.totals(
        [PRESENT],
        weight=survey.weight,
        unit=survey.unit,
        units=design.units,
        by=by,
        where=where,
    )
    degrees = degrees_of_freedom(totals, design) if df is None else df(totals)
    rows = Rows(
        survey, survey.weights, by, where, groups.domain - 1, len(groups.labels), level, degrees
    )
    made: dict[Statistic, Made] = {
        leaf: leaf.make(rows, f"{leaf.text} #{k}") for k, leaf in enumerate(wanted)
    }
    columns = {name: column for m in made.values() for name, column in m.columns.items()}
    return survey.with_columns(columns), made


def _terms_of(leaf: Statistic, made: Mapping[Statistic, Made]) -> list[Term]:
    inner = made[leaf].inner if leaf in made else leaf
    return [part.term for part in inner.leaves if isinstance(part, Total)]


def _linear(leaf: Statistic, made: Mapping[Statistic, Made], totals: Totals) -> Linear:
    if leaf in made:
        inner = made[leaf].inner
        return made[leaf].linear(inner.linearize({x: _leaf(x, totals) for x in inner.leaves}))
    return _leaf(leaf, totals)


def _leaf(leaf: Statistic, totals: Totals) -> Linear:
    term = leaf.term  # type: ignore[attr-defined]  # leaves of this pass are totals
    return Linear(totals.coarse[Measure(term, fine=True)], {term: np.ones(len(totals))})


def _refuse_missing(column: str, lacking: np.ndarray, totals: Totals, table: Memory) -> None:
    if not lacking.any():
        return
    first = int(np.flatnonzero(lacking)[0])
    labels: Mapping[str, object] = (
        dict(totals.labels.iloc[first]) if len(totals.labels.columns) else {}
    )
    raise MissingValueError(
        "A total needs {column!r} for every unit, and {count:.0f} units of {table} miss "
        "it{domain}. "
        'Say what that means: missing="zero" (they have none) or missing="exclude" (the total of '
        "those observed), or estimate a mean.",
        column=column,
        count=float(lacking.sum()),
        table=table.name,
        domain=f" (first in {labels})" if labels else "",
    )
