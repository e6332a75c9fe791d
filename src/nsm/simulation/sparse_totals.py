"""Many totals of one survey, with their variances, from the few rows that count anything.

In a survey of migrants most households count nothing, and a household lies in one domain of each
set. Values of all targets are one sparse matrix Y (rows, targets); scores, slopes and phases inside
the sample are then the formulas of `nsm.estimation` (see `influence`) as sparse products:

    total = w'Y,   B of a step: see `influence.slopes`,
    score of a unit = its sum of w Y, plus its sum of before * effect * x'B of every step,
    variance of a phase = sum c z^2 with z = Y + A B, taken apart as
        sum c Y^2 + 2 (Y'cA B) + B'(A'cA)B.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from nsm.estimation import Survey
from nsm.estimation.influence import Adjustment, slopes
from nsm.estimation.point import phase_stage, phases
from nsm.estimation.variance import Scores, variances
from nsm.totals import Cells


class Totals(NamedTuple):
    """Totals and their variances (targets,)."""

    total: np.ndarray
    variance: np.ndarray


def serves(survey: Survey) -> bool:
    """Say whether these formulas know the design and the weighting of a survey."""
    steps = survey.adjustments
    return (
        survey.replication is None
        and survey.design.form is None
        and all(step.root is None for step in steps)
        and all(
            step.phase is None or (step.phase.unit is None and step.phase.stratum is None)
            for step in steps
        )
    )


def sparse_totals(survey: Survey, values: sp.csr_array) -> Totals:
    """Return totals and their variances.

    Parameters
    ----------
    survey
        One that `serves`.
    values
        What each row counts for each target (rows, targets).
    """
    weighted = sp.csr_array(sp.diags_array(survey.weights) @ values)
    found = _slopes(survey.adjustments, values)
    units = survey.design.units
    scores = _added(weighted, survey.unit, units).toarray()
    for m, slope in enumerate(found):
        if slope.size:
            step = survey.adjustments[m]
            unit = survey.levels[step.level].unit
            scores += _spread(step, np.asarray(unit), units) @ slope
    one = np.zeros(units, np.int64)
    design = survey.design
    variance = variances(
        Scores(one, np.arange(units), scores, 1), design.stages, design.declaration.single_psu
    )[0]
    for m in phases(survey):
        variance = variance + _phase_variance(survey, m, weighted, found)
    return Totals(np.asarray(weighted.sum(axis=0)).ravel(), variance)


def _slopes(steps: tuple[Adjustment, ...], values: sp.csr_array) -> list[np.ndarray]:
    """Return B of each step (regressors, targets)."""
    mine = np.flatnonzero(np.diff(values.indptr))
    few = values[mine]
    crossed = []
    for step in steps:
        if step.current is None:
            crossed.append(np.zeros((0, values.shape[1])))
            continue
        x = _rows(step.current, mine)
        crossed.append((x.T @ (sp.diags_array(step.carried[mine]) @ few)).toarray())
    return slopes(steps, crossed)


def _phase_variance(
    survey: Survey, m: int, weighted: sp.csr_array, found: list[np.ndarray]
) -> np.ndarray:
    """Return what a phase inside the sample adds (targets,)."""
    step, steps = survey.adjustments[m], survey.adjustments
    rows = len(step.factor)
    own = _added(weighted, survey.link(step.level), rows)
    parts, below = [], []
    for k in range(m, len(steps)):
        later = steps[k]
        if not found[k].size or later.cells is None:
            continue
        if k == m:
            parts.append(sp.diags_array(step.passing) @ _rows(later.cells, None))
        else:
            parts.append(_spread(later, _above(survey, later.level, step.level), rows))
        below.append(found[k])
    stage = phase_stage(survey, m)
    weight = sp.diags_array(stage.coefficient[stage.unit])
    variance = np.asarray((weight @ own.power(2)).sum(axis=0)).ravel()
    if not parts:
        return variance
    held, slope = sp.csr_array(sp.hstack(parts)), np.concatenate(below)
    scaled = sp.csr_array(weight @ held)
    crossed = (scaled.T @ own).toarray()
    gram = sp.csr_array(held.T @ scaled)
    return variance + np.sum(slope * (2 * crossed + gram @ slope), axis=0)


def _spread(step: Adjustment, group: np.ndarray, groups: int) -> sp.csr_array:
    """Return before * effect * x, added up by group (groups, regressors)."""
    cells, effect = step.cells, step.effect
    if cells is None or effect is None:
        return sp.csr_array((groups, 0))
    held = (step.before * effect, (group, cells.codes))
    return sp.csr_array(
        sp.coo_array(held, shape=(groups, len(cells.matrix))).tocsr() @ _matrix(cells)
    )


def _matrix(cells: Cells) -> sp.csr_array:
    return sp.csr_array(cells.matrix) if cells.thin is None else cells.thin


def _rows(cells: Cells, rows: np.ndarray | None) -> sp.csr_array:
    """Return the regressors of some rows, or of all."""
    return _matrix(cells)[cells.codes if rows is None else cells.codes[rows]]


def _added(values: sp.csr_array, group: np.ndarray, groups: int) -> sp.csr_array:
    """Add up rows by group (groups, columns)."""
    rows = np.repeat(np.asarray(group), np.diff(values.indptr))
    shape = (groups, values.shape[1])
    return sp.coo_array((values.data, (rows, values.indices)), shape=shape).tocsr()


def _above(survey: Survey, below: int, above: int) -> np.ndarray:
    """Return the row of a table for each row of a table below it."""
    rows = np.arange(survey.levels[below].held.rows)
    for k in range(below, above, -1):
        link = survey.levels[k].link
        rows = rows if link is None else link[rows]
    return rows
