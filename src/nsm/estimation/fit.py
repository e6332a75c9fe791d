"""Coefficients fitted to the rows of a survey, with their design-based covariance.

The coefficients solve sum w x (y - mean) = 0. By Taylor, the linearized variable of a row is
A^-1 x (y - mean), A the information (Binder 1983, eq. 3.6); its total has the variance of any other
total. With replicates the model is fitted again to each replicate's weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from nsm.errors import DesignError, ValueInColumnError
from nsm.estimation.likelihood import Basis, Family, Maximum, basis, information, maximize
from nsm.estimation.scored import covariance_of_totals, degrees_of

if TYPE_CHECKING:
    from nsm.estimation.survey import Survey


@dataclass(frozen=True)
class Fit:
    """A model fitted to some rows of a survey.

    Parameters
    ----------
    survey
        The survey.
    rows
        The rows that have all variables (rows,).
    y
        Their response (rows,).
    family
        Distribution and link.
    names
        Name of each coefficient (coefficients,).
    basis
        Of the columns that are no combination of others.
    of_basis
        Coefficients of the basis (kept coefficients,).
    """

    survey: Survey
    rows: np.ndarray
    y: np.ndarray
    family: Family
    names: tuple[str, ...]
    basis: Basis
    of_basis: np.ndarray

    @property
    def kept(self) -> np.ndarray:
        """Positions of the coefficients that were estimated."""
        return self.basis.kept

    @property
    def weight(self) -> np.ndarray:
        """Weights of its rows (rows,)."""
        return self.survey.weights[self.rows]

    @property
    def estimated(self) -> np.ndarray:
        """The coefficients that were estimated (kept coefficients,)."""
        return self.basis.coefficients(self.of_basis)

    @property
    def psus(self) -> int:
        """PSUs that hold its rows."""
        return len(np.unique(self.survey.design.psu[self.survey.unit[self.rows]]))

    @cached_property
    def df(self) -> float:
        """Degrees of freedom of its rows, minus coefficients, plus 1 (R's `df.residual`)."""
        return degrees_of(self.survey, self.rows) + 1 - len(self.kept)

    @cached_property
    def influence(self) -> np.ndarray:
        """Linearized variable of each coefficient (rows of the survey, kept coefficients)."""
        columns = self.basis.columns
        eta = columns @ self.of_basis
        curvature = information(columns, self.weight * self.family.slope(eta))
        score = columns * (self.y - self.family.mean(eta))[:, None]
        spread = np.zeros((len(self.survey), len(self.kept)))
        spread[self.rows] = score @ self.basis.coefficients(linalg.inv(curvature)).T
        return spread

    @cached_property
    def replicates(self) -> np.ndarray:
        """The coefficients in each replicate (kept coefficients, replicates).

        Raises
        ------
        DesignError
            The model cannot be fitted to some replicates.
        """
        replication = self.survey.replication
        assert replication is not None  # noqa: S101 (the caller has looked)
        found = np.empty((len(self.kept), replication.count))
        failed = []
        for part, weights in replication.weights(self.survey):
            for r, weight in zip(range(replication.count)[part], weights[self.rows].T, strict=True):
                again = maximize(self.basis.columns, self.y, weight, self.family, self.of_basis)
                found[:, r] = self.basis.coefficients(again.coefficients)
                if not again.settled:
                    failed.append(r + 1)
        if failed:
            raise DesignError(
                "The model cannot be fitted to {count} of {all} replicates ({replicates}): in them "
                "a category has no units, or units of one outcome only. Join categories, or use "
                "the survey without replicates.",
                count=len(failed),
                all=replication.count,
                replicates=failed,
            )
        return found

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the estimated coefficients (kept coefficients, kept coefficients)."""
        replication = self.survey.replication
        if replication is None:
            return covariance_of_totals(self.survey, self.influence)
        deviations = replication.deviations(self.replicates, self.estimated)
        return deviations @ deviations.T


def fit(
    survey: Survey,
    rows: np.ndarray,
    matrix: np.ndarray,
    y: np.ndarray,
    *,
    family: Family,
    names: tuple[str, ...],
) -> Fit:
    """Fit a model to some rows of a survey.

    Parameters
    ----------
    rows
        Which rows (rows,).
    matrix
        Their regressors (rows, coefficients).
    y
        Their response (rows,).

    Raises
    ------
    ValueInColumnError
        The response is not what the family has.
    DesignError
        The likelihood has no maximum: some coefficients grow without bound.
    """
    outside = np.flatnonzero((y < family.least) | (y > family.greatest))
    if len(outside):
        raise ValueInColumnError(
            "The response of a {family} model is from {least:g} to {greatest:g}; {count} rows of "
            "{table} are outside (rows {rows}).",
            family=family.name,
            least=family.least,
            greatest=family.greatest,
            count=len(outside),
            table=survey.table.name,
            rows=[int(i) + 1 for i in rows[outside[:6]]],
        )
    weight = survey.weights[rows]
    found = basis(matrix, weight)
    maximum = maximize(found.columns, y, weight, family)
    if not maximum.settled:
        raise DesignError(
            "The coefficients of {terms} grow without bound: their units have one outcome only. "
            "Join categories, or leave the terms out.",
            terms=_unsettled(found, maximum, names),
        )
    return Fit(survey, rows, y, family, names, found, maximum.coefficients)


def _unsettled(found: Basis, maximum: Maximum, names: tuple[str, ...]) -> list[str]:
    """Name the coefficients that still move."""
    moved = np.abs(found.coefficients(maximum.step))
    return [names[k] for k, size in zip(found.kept, moved, strict=True) if size > 0.1 * moved.max()]
