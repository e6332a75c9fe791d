"""Statistics in each replicate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from nsm.estimation.rowwise import Rows, Rowwise
from nsm.estimation.statistic import Linear, Statistic, Total
from nsm.totals import Grouping, Measure, Memory, Term

if TYPE_CHECKING:
    from nsm.condition import Condition
    from nsm.estimation.point import Point
    from nsm.estimation.survey import Survey


def replicate_values(point: Point) -> np.ndarray:
    """Evaluate the statistics of a point in each replicate of its survey.

    Returns
    -------
    ndarray (domains, statistics, replicates).
    """
    survey = point.survey
    replication = survey.replication
    assert replication is not None  # noqa: S101 (the caller has looked)
    shape = (point.domains, replication.count)
    leaves = tuple(dict.fromkeys(leaf for s in point.statistics for leaf in s.leaves))
    again = [leaf for leaf in leaves if isinstance(leaf, Rowwise) and leaf.recomputed]
    values: dict[Statistic, np.ndarray] = {leaf: np.empty(shape) for leaf in again}
    inner = [
        part
        for leaf in leaves
        if leaf not in again
        for part in (point.made[leaf].inner.leaves if leaf in point.made else (leaf,))
    ]
    terms = list(dict.fromkeys(part.term for part in inner if isinstance(part, Total)))
    sums = {term: np.empty(shape) for term in terms}
    if replication.factors is not None and not survey.adjustments and not again:
        for term in terms:
            sums[term] = _from_units(point, term) @ replication.factors
    else:
        groups = survey.table.group(point.by, point.where, survey.unit, survey.design.units)
        maps = {term: _row_map(survey.table, term, groups) for term in terms}
        for part, weights in replication.weights(survey):
            for term in terms:
                for k, column in enumerate(weights.T, part.start):
                    sums[term][:, k] = maps[term] @ column
            for leaf in again:
                values[leaf][:, part] = _again(point, leaf, groups, weights)
    at = {leaf: _at(point, leaf, sums, values) for leaf in leaves}
    found = [s.linearize(at).value for s in point.statistics]
    size = point.domains * replication.count
    return np.stack([np.broadcast_to(f, size).reshape(shape) for f in found], axis=1)


def _from_units(point: Point, term: Term) -> sp.csr_array:
    totals = point.totals
    return sp.coo_array(
        (totals.fine[Measure(term, fine=True)], (totals.domain, totals.unit)),
        shape=(point.domains, point.survey.design.units),
    ).tocsr()


def _row_map(table: Memory, term: Term, groups: Grouping) -> sp.csr_array:
    """Return the matrix that adds up weights times term by domain (domains, rows)."""
    value = table.value(term)
    value = np.ones(table.rows) if value is None else value
    rows = np.flatnonzero((groups.domain > 0) & (value != 0))
    return sp.coo_array(
        (value[rows], (groups.domain[rows] - 1, rows)), shape=(len(groups.labels), table.rows)
    ).tocsr()


def _again(point: Point, leaf: Rowwise, groups: Grouping, weights: np.ndarray) -> np.ndarray:
    rows = Rows(
        point.survey,
        point.survey.weights,
        point.by,
        point.where,
        groups.domain - 1,
        point.domains,
        level=0.95,
        df=np.ones(point.domains),
    )
    columns = [leaf.recompute(replace(rows, weight=column)) for column in weights.T]
    return np.stack(columns, axis=1)


def _at(
    point: Point,
    leaf: Statistic,
    sums: Mapping[Term, np.ndarray],
    values: Mapping[Statistic, np.ndarray],
) -> Linear:
    """Return the values of a leaf, one after the other for domains and replicates."""
    if leaf in values:
        return Linear(values[leaf].ravel(), {})
    made = point.made.get(leaf)
    inner = leaf if made is None else made.inner
    totals = [part for part in inner.leaves if isinstance(part, Total)]
    at: dict[Statistic, Linear] = {p: Linear(sums[p.term].ravel(), {}) for p in totals}
    moved = inner.linearize(at)
    if made is None or made.slope is None:
        return moved
    sample = point.totals.coarse
    at = {p: Linear(sample[Measure(p.term, fine=True)], {}) for p in totals}
    center = inner.linearize(at).value
    value = center if made.value is None else made.value
    deviations = moved.value.reshape(point.domains, -1) - center[:, None]
    return Linear((value[:, None] + made.slope[:, None] * deviations).ravel(), {})


def column_degrees(survey: Survey, by: tuple[str, ...], where: Condition | None) -> np.ndarray:
    """Return the degrees of freedom that replicate columns give each domain (domains,)."""
    replication = survey.replication
    assert replication is not None  # noqa: S101 (the caller has looked)
    weights = np.concatenate([w for _, w in replication.weights(survey)], axis=1)
    groups = survey.table.group(by, where, survey.unit, survey.design.units)
    return np.array(
        [rank_of(weights[groups.domain == d + 1]) - 1 for d in range(len(groups.labels))], float
    )


def rank_of(columns: np.ndarray) -> float:
    """Return the rank of a tall matrix (rows, replicates).

    Rows are added up in random groups with random signs, which keeps the rank (Woodruff 2014, sec.
    2.2), so that millions of rows cost one pass.
    """
    replicates = columns.shape[1]
    groups = 4 * replicates
    rng = np.random.Generator(np.random.PCG64(0))
    if len(columns) > groups:
        place = rng.integers(0, groups, len(columns))
        signs = rng.choice([-1.0, 1.0], len(columns))
        map_ = sp.coo_array((signs, (place, np.arange(len(columns)))), shape=(groups, len(columns)))
        columns = map_.tocsr() @ columns
    return float(np.linalg.matrix_rank(columns, rtol=1e-7)) if len(columns) else 0.0
