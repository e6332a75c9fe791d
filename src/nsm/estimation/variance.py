"""The variance of a total: one between-unit covariance of scores, at every stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nsm.errors import SingletonStratumError
from nsm.estimation.design import SinglePsu, Stage
from nsm.totals import compressed


class Scores(NamedTuple):
    """Weighted linearized totals of sampling units, where they are not zero.

    Units that are not listed for a domain hold zero: they were drawn, and have no cases.

    Parameters
    ----------
    domain, unit
        Domain and finest unit of each pair (pairs,).
    value
        Scores (pairs, statistics).
    domains
        Number of domains.
    """

    domain: np.ndarray
    unit: np.ndarray
    value: np.ndarray
    domains: int


def refuse_singles(stages: Sequence[Stage], policy: SinglePsu) -> None:
    """Raise if a stratum has one unit and no rule says what to do.

    Raises
    ------
    SingletonStratumError
        With the labels of the strata.
    """
    if policy != "refuse":
        return
    for stage in stages:
        alone = stage.alone
        if len(alone):
            strata = [stage.labels[i] if stage.labels else int(i) for i in alone]
            raise SingletonStratumError(
                "One unit was sampled in these strata ({count}), so their variance cannot be "
                "estimated: {strata}. Collapse them (`nsm.estimation.collapse` proposes with "
                "which), "
                'declare their PSUs as certainties, or choose single_psu="adjust", "average", '
                '"certainty" or "remove".',
                count=len(strata),
                strata=strata,
            )


def variances(scores: Scores, stages: Sequence[Stage], policy: SinglePsu = "refuse") -> np.ndarray:
    """Return the variance of each domain's totals.

    Parameters
    ----------
    scores
        Scores of the finest units.
    stages
        The design.
    policy
        What a stratum with one unit means.

    Returns
    -------
    ndarray (domains, statistics), in squared units of the scores.

    References
    ----------
    Särndal, Swensson & Wretman (1992), sec. 3.7 and 4.3; for `adjust`, the deviation is taken from
    the mean of all units of the stage, as R survey does from version 4.3.
    """
    refuse_singles(stages, policy)
    result = np.zeros((scores.domains, scores.value.shape[1]))
    for stage in stages:
        if (stage.coefficient > 0).any() or stage.joint:
            result += _stage_variances(_merged(scores, stage), stage, policy)
    return result


def _merged(scores: Scores, stage: Stage) -> Scores:
    """Add up the scores of the units that share a unit of this stage."""
    unit = stage.unit[scores.unit]
    if stage.units == len(stage.unit):
        return scores._replace(unit=unit)
    joint = scores.domain * stage.units + unit + 1
    code, present = compressed(joint, scores.domains * stage.units)
    value = np.stack([np.bincount(code - 1, column) for column in scores.value.T], axis=1)
    return Scores(present // stage.units, present % stage.units, value, scores.domains)


def _stage_variances(scores: Scores, stage: Stage, policy: SinglePsu) -> np.ndarray:
    if stage.joint:
        return _joint_variances(scores, stage)
    coefficient, strata, stratum = _settled(stage, policy)
    cell = scores.domain * strata + stratum[scores.unit]
    cells = scores.domains * strata
    n = np.tile(np.bincount(stratum, minlength=strata), scores.domains)
    weight = coefficient[scores.unit]
    all_weight = np.tile(np.bincount(stratum, coefficient, strata), scores.domains)
    absent = all_weight - np.bincount(cell, weight, cells)
    alone = np.zeros(strata, bool)
    alone[stage.alone] = True
    result = np.zeros((scores.domains, scores.value.shape[1]))
    for s, value in enumerate(scores.value.T):
        center = np.zeros(cells)
        if stage.centered:
            center = np.bincount(cell, value, cells) / np.maximum(n, 1)
        if policy == "adjust" and alone.any():
            overall = np.bincount(scores.domain, value, scores.domains) / stage.units
            center = np.where(np.tile(alone, scores.domains), np.repeat(overall, strata), center)
        squares = np.bincount(cell, weight * (value - center[cell]) ** 2, cells)
        squares = squares + np.maximum(absent, 0.0) * center**2
        result[:, s] = squares.reshape(scores.domains, strata).sum(axis=1)
    if policy == "average" and alone.any():
        present = np.bincount(cell, minlength=cells).reshape(scores.domains, strata) > 0
        counted = present.sum(axis=1)
        fine = np.maximum((present & ~alone).sum(axis=1), 1)
        result *= (counted / fine)[:, None]
    return result


def _settled(stage: Stage, policy: SinglePsu) -> tuple[np.ndarray, int, np.ndarray]:
    """Return coefficients with the single units settled, the number of strata, strata of units."""
    coefficient = stage.coefficient
    if policy in {"certainty", "remove", "average"} and len(stage.alone):
        coefficient = np.where(np.isin(stage.stratum, stage.alone), 0.0, coefficient)
    return coefficient, len(stage.n), stage.stratum


def _joint_variances(scores: Scores, stage: Stage) -> np.ndarray:
    result = np.zeros((scores.domains, scores.value.shape[1]))
    for s, value in enumerate(scores.value.T):
        dense = np.zeros((stage.units, scores.domains))
        dense[scores.unit, scores.domain] = value
        for members, matrix in stage.joint:
            part = dense[members]
            result[:, s] += np.einsum("ud,uv,vd->d", part, matrix, part, optimize=True)
    return result


def covariance(
    scores: np.ndarray, stages: Sequence[Stage], policy: SinglePsu = "refuse"
) -> np.ndarray:
    """Return the covariance of totals from their scores.

    Parameters
    ----------
    scores
        Scores (finest units, statistics).

    Returns
    -------
    ndarray (statistics, statistics).
    """
    refuse_singles(stages, policy)
    count = scores.shape[1]
    result = np.zeros((count, count))
    for stage in stages:
        merged = np.zeros((stage.units, count))
        np.add.at(merged, stage.unit, scores)
        for members, matrix in stage.joint:
            result += merged[members].T @ matrix @ merged[members]
        if stage.joint or not (stage.coefficient > 0).any():
            continue
        coefficient, strata, stratum = _settled(stage, policy)
        if stage.centered:
            sums = np.zeros((strata, count))
            np.add.at(sums, stratum, merged)
            center = sums / np.maximum(stage.n, 1)[:, None]
            if policy == "adjust":
                center[stage.alone] = merged.mean(axis=0)
            merged = merged - center[stratum]
        scaled = merged * np.sqrt(coefficient)[:, None]
        part = scaled.T @ scaled
        if policy == "average" and len(stage.alone):
            part *= len(stage.n) / max(len(stage.n) - len(stage.alone), 1)
        result += part
    return result
