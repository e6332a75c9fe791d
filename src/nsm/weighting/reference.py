"""Samples that nobody drew: weights from a reference survey, always labelled as such.

Volunteers have no known probability. A reference survey of the same population shows how they
differ from it in what both asked; what they differ in beyond that stays as bias, and no standard
error knows it. Every estimate from them says so in its `note`.

References
----------
Chen, Li & Wu (2020), Journal of the American Statistical Association 115, p. 2011-2021; Elliott &
Valliant (2017), Statistical Science 32, p. 249-264.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import linalg
from scipy.special import expit

from nsm.errors import OptionError, WeightingError
from nsm.estimation import Survey, total
from nsm.estimation.influence import Adjustment, Repeat
from nsm.totals import Memory
from nsm.weighting.calibration import moved_totals
from nsm.weighting.propensity import response_model
from nsm.weighting.weighting import Step

if TYPE_CHECKING:
    from nsm.totals import Cells

STEPS = 50


def volunteers(table: Any, *, psu: str | None = None) -> Survey:
    """Return the survey of a sample that was not drawn, each unit of weight 1.

    Estimates of it, whatever is done to its weights, carry a note that says so.

    Parameters
    ----------
    psu
        Column of groups that came together (a place, a recruiter).
    """
    memory = Memory(table, "the volunteers") if not isinstance(table, Memory) else table
    ones = memory.with_columns({"one #weight": np.ones(memory.rows)})
    return Volunteers().apply(Survey(ones, weight="one #weight", psu=psu))


@dataclass(frozen=True)
class Volunteers(Step, word="volunteers"):
    """A step that changes no weight and says that nobody drew the sample."""

    name: str = "non-probability sample"

    def adjust(self, survey: Survey) -> Survey:
        """Return the survey, labelled."""
        ones = np.ones(len(survey))
        return survey.adjusted(
            Adjustment(
                self.name,
                len(survey.levels) - 1,
                survey.weights,
                ones,
                lambda before, _=None: np.ones_like(before),
                assumed=True,
            )
        )


@dataclass(frozen=True)
class Reference(Step, word="reference"):
    """A step that weights volunteers by their propensity to be there, judged by a reference survey.

    Parameters
    ----------
    reference
        The reference survey, or the file that `survey.save` wrote.
    terms
        The model, such as `sex + age + zone:sex`, of columns that both have in the same codes.
    seed
        For the errors of the reference that replicates are given.
    name
        What reports call it; "non-probability" is put before it.
    """

    reference: Any
    terms: str
    seed: int = 0
    name: str = "reference weights"

    def adjust(self, survey: Survey) -> Survey:
        """Return the volunteers with pseudo-weights.

        Raises
        ------
        WeightingError
            The volunteers and the reference have no overlap in the model.
        """
        other = _opened(self.reference)
        joint, mine = _joint(survey, other, self.terms)
        cells = response_model(joint, self.terms, mine, np.ones(len(mine), bool)).cells
        both = np.concatenate([survey.weights, other.weights])
        model = _Propensity(cells, mine, np.where(mine, 0.0, both))
        before = survey.weights
        found = model.fit(before, None)
        p = expit(cells.matrix @ found)[cells.codes]
        root = self._root(other, (cells.matrix[cells.codes] * p[:, None])[~mine])

        def refit(weights: np.ndarray, repeat: Repeat | None = None) -> np.ndarray:
            zero = np.zeros(cells.matrix.shape[1])
            moved = moved_totals(zero, root, repeat, self.seed)
            columns = []
            for r in range(weights.shape[1]):
                again = model.fit(weights[:, r], None if moved is None else moved[r], found)
                columns.append(1 / expit(cells.matrix @ again)[cells.codes][mine])
            return np.stack(columns).T

        own = p[mine]
        spread = np.bincount(cells.codes, model.reference * p * (1 - p), len(cells.matrix))
        return survey.adjusted(
            Adjustment(
                f"non-probability: {self.name}",
                len(survey.levels) - 1,
                before,
                1 / own,
                refit,
                cells=cells.take(mine),
                effect=-np.ones(len(before)),
                entry=(1 - own) / own,
                inverse=linalg.pinvh((cells.matrix * spread[:, None]).T @ cells.matrix),
                root=root,
                assumed=True,
            )
        )

    def written(self) -> dict[str, Any]:
        """Return the step as plain data, if its reference is a file."""
        if not isinstance(self.reference, str | os.PathLike):
            raise OptionError(
                "Step {name!r} holds a reference survey. Save that survey and give its file, so "
                "that this one can be saved too.",
                name=self.name,
            )
        return {**super().written(), "reference": os.fspath(self.reference)}

    @staticmethod
    def _root(reference: Survey, scores: np.ndarray) -> np.ndarray:
        """Return a root of the covariance of the reference's totals (regressors, components)."""
        names = [f"x{k} #reference" for k in range(scores.shape[1])]
        columns = dict(zip(names, scores.T, strict=True))
        covariance = reference.with_columns(columns).estimate([total(n) for n in names]).covariance
        values, vectors = np.linalg.eigh(covariance)
        kept = values > 1e-12 * values.max(initial=0.0)
        return vectors[:, kept] * np.sqrt(values[kept])


@dataclass(frozen=True)
class _Propensity:
    """Solve sum over volunteers of x = weighted sum over the reference of p x."""

    cells: Cells
    mine: np.ndarray
    reference: np.ndarray

    def fit(
        self, weights: np.ndarray, moved: np.ndarray | None, start: np.ndarray | None = None
    ) -> np.ndarray:
        codes, matrix = self.cells.codes, self.cells.matrix
        wanted = np.bincount(codes[self.mine], weights, len(matrix)) @ matrix
        wanted = wanted - (0.0 if moved is None else moved)
        mass = np.bincount(codes, self.reference, len(matrix))
        found = start
        if found is None:
            found = np.zeros(matrix.shape[1])
            share = min(float(weights.sum() / self.reference.sum()), 0.99)
            found[0] = np.log(share / (1 - share))
        for _ in range(STEPS):
            p = expit(matrix @ found)
            gap = wanted - (mass * p) @ matrix
            if np.abs(gap).max() <= 1e-10 * max(float(weights.sum()), 1.0):
                return found
            curvature = (matrix * (mass * p * (1 - p))[:, None]).T @ matrix
            step = linalg.pinvh(curvature) @ gap
            found = found + step * min(1.0, 4.0 / max(float(np.abs(matrix @ step).max()), 1e-300))
        raise WeightingError(
            "The volunteers cannot be weighted by the reference: in some category there are "
            "(nearly) as many volunteers as the reference counts people, or only one of the two "
            "has it. Join categories of the model."
        )


def _opened(reference: Any) -> Survey:
    made = Survey(reference) if isinstance(reference, str | os.PathLike) else reference
    if not isinstance(made, Survey):
        raise OptionError(
            "reference= is a survey or the file of one, not {kind}.", kind=type(made).__name__
        )
    return made.in_memory()


def _joint(survey: Survey, other: Survey, terms: str) -> tuple[Memory, np.ndarray]:
    """Return the columns of the model for volunteers and reference, and who is a volunteer."""
    names = [
        n.strip() for n in terms.replace("C(", "").replace(")", "").replace(":", "+").split("+")
    ]
    columns = {
        n: pd.concat([survey.table.series(n), other.table.series(n)], ignore_index=True)
        for n in dict.fromkeys(names)
    }
    mine = np.r_[np.ones(len(survey), bool), np.zeros(len(other), bool)]
    return replace(Memory(pd.DataFrame(columns)), name="volunteers and reference"), mine
