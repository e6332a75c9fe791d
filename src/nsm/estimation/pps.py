"""Unequal probabilities without replacement: quadratic forms from joint inclusion probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nsm.errors import DesignError, OptionError, nearest
from nsm.estimation.design import Design, Stage

ESTIMATORS = ("ht", "yg")


def with_joint(design: Design, joint: Any) -> Design:
    """Give the first stage the quadratic form of its joint probabilities, known or approximated.

    Parameters
    ----------
    joint
        Joint inclusion probabilities of the PSUs in the order of their first rows (psus, psus),
        with their own on the diagonal; a pandas table may instead be indexed by PSU. None: those
        of the declared approximation.

    Raises
    ------
    DesignError
        The matrix is not one of joint probabilities, or does not fit the PSUs.
    """
    declaration, first = design.declaration, design.stages[0]
    if declaration.joint_variance not in ESTIMATORS:
        raise OptionError(
            "{word}={value!r} is not known. {hint}",
            word="joint_variance",
            value=declaration.joint_variance,
            hint=nearest(declaration.joint_variance, ESTIMATORS),
        )
    if joint is None:
        forms = [_approximated(first, members, declaration.pps) for members in _strata(first)]
        probability = first.fraction
    else:
        known = _ordered(design, joint)
        _refuse(known)
        probability = np.diag(known).copy()
        forms = [_form(known, members) for members in _strata(first)]
    if declaration.joint_variance == "yg":
        forms = [(members, form - np.diag(form.sum(axis=1))) for members, form in forms]
    stage = replace(first, fraction=probability, joint=tuple(forms))
    return replace(design, stages=(stage, *design.stages[1:]))


def _strata(stage: Stage) -> list[np.ndarray]:
    return [np.flatnonzero(stage.stratum == s) for s in range(len(stage.n))]


def _form(joint: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (p_ij - p_i p_j) / p_ij (Särndal, Swensson & Wretman 1992, eq. 2.8.6)."""
    part = joint[np.ix_(members, members)]
    own = np.diag(part)
    return members, (part - np.outer(own, own)) / part


def _approximated(
    stage: Stage, members: np.ndarray, method: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same for p_ij approximated from p_i.

    Overton (1985); Hartley & Rao (1962), with the population's sum of squared probabilities
    estimated by the sample's sum of probabilities.
    """
    p, n = stage.fraction[members], len(members)
    pairs = np.add.outer(p, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "overton":
            form = 1 - (n - pairs / 2) / (n - 1)
        else:
            form = 1 - (n - pairs + p.mean()) / (n - 1)
    form[~np.isfinite(form) | (pairs == 2)] = 0.0
    np.fill_diagonal(form, 1 - p)
    return members, form


def _ordered(design: Design, joint: Any) -> np.ndarray:
    """Put the matrix in the order of the compiled PSUs."""
    first = np.full(design.psus, np.iinfo(np.int64).max)
    np.minimum.at(first, design.psu[design.unit], np.arange(len(design.unit)))
    matrix = np.asarray(joint, float)
    if matrix.shape != (design.psus, design.psus):
        raise DesignError(
            "joint= has {rows} x {columns} probabilities; the sample has {psus} PSUs.",
            rows=matrix.shape[0] if matrix.ndim else 0,
            columns=matrix.shape[1] if matrix.ndim > 1 else 0,
            psus=design.psus,
        )
    if hasattr(joint, "index") and design.declaration.psu:
        labels = list(design.labels[design.declaration.psu[0]])
        places = joint.index.get_indexer(labels)
        if (places < 0).any():
            raise DesignError(
                "joint= has no row for these PSUs: {psus}.",
                psus=[label for label, k in zip(labels, places, strict=True) if k < 0],
            )
        return matrix[np.ix_(places, places)]
    place = np.empty(design.psus, np.int64)
    place[np.argsort(first)] = np.arange(design.psus)
    return matrix[np.ix_(place, place)]


def _refuse(joint: np.ndarray) -> None:
    own = np.diag(joint)
    wrong = {
        "is not symmetric": not np.allclose(joint, joint.T, rtol=1e-9, atol=1e-12),
        "has probabilities outside (0, 1]": bool(((joint <= 0) | (joint > 1 + 1e-9)).any()),
        "has a joint probability above that of one of its units": bool(
            (joint > np.minimum.outer(own, own) * (1 + 1e-9)).any()
        ),
    }
    for reason, found in wrong.items():
        if found:
            raise DesignError(
                "joint= is no matrix of joint inclusion probabilities: it {reason}. A pair that "
                "can never be drawn leaves the variance without an estimate.",
                reason=reason,
            )
