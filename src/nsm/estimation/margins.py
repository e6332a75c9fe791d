"""Predictive margins of a model: the mean outcome if everybody had the same value of a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nsm.errors import OptionError, nearest
from nsm.estimation.estimates import Estimates, tidy
from nsm.estimation.intervals import Estimated, limits
from nsm.estimation.scored import covariance_of_totals

if TYPE_CHECKING:
    from nsm.estimation.models import Model

POPULATIONS = ("joint", "independent", "fixed")


class _Margin(NamedTuple):
    """The units of a model with one value of the column.

    Parameters
    ----------
    matrix
        Regressors (rows, kept coefficients).
    fitted
        Predicted means (rows,).
    mean
        Their weighted mean.
    slope
        Derivative of the mean on the coefficients (kept coefficients,).
    """

    matrix: np.ndarray
    fitted: np.ndarray
    mean: float
    slope: np.ndarray


def margins(
    model: Model, column: str, values: Sequence[Any] | None = None, *, population: str = "joint"
) -> Estimates:
    """Estimate predictive margins of a model.

    The margin of a value is the weighted mean, over the units of the model, of the outcome
    predicted with that value in the place of their own.

    Parameters
    ----------
    column
        A column of the formula.
    values
        Values of it; all categories by default.
    population
        What the covariance takes the units as: `joint`, sampled with the coefficients;
        `independent`, sampled, their covariance with the coefficients left out, which is what R's
        `svypredmeans` does; `fixed`, the variance of the coefficients alone.

    Returns
    -------
    One row per value, as `category`. Differences of margins are contrasts of it.

    Raises
    ------
    OptionError
        The column is not in the formula, or is a number and has no values.

    References
    ----------
    Graubard & Korn (1999), Biometrics 55, p. 652-659.
    """
    if population not in POPULATIONS:
        raise OptionError(
            "population={population!r} is not known. {hint}",
            population=population,
            hint=nearest(population, POPULATIONS),
        )
    values = _values(model, column, values)
    parts = [_margin(model, column, value) for value in values]
    covariance = _covariance(model, parts, population)
    means = np.array([part.mean for part in parts])
    fitted = model.fitted
    size = len(values)
    se = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    df = np.full(size, model.df)
    low, high = limits(Estimated(means, se, df, df), "t", model.level)
    with np.errstate(divide="ignore", invalid="ignore"):
        cv = np.where(means != 0, se / np.abs(means), np.nan)
    table = pd.DataFrame(
        {
            "variable": column,
            "statistic": "margin",
            "category": [str(value) for value in values],
            "order": np.nan,
            "estimate": means,
            "se": se,
            "cv": cv,
            "lower": low,
            "upper": high,
            "df": df,
            "deff": np.nan,
            "n": model.n,
            "cases": model.n,
            "psus": fitted.psus,
            "note": None,
        }
    )
    return Estimates(
        tidy(table, ()), (), model.level, covariances=lambda rows: covariance[np.ix_(rows, rows)]
    )


def _values(model: Model, column: str, values: Sequence[Any] | None) -> list[Any]:
    mine = [f for f in model.encoding.formula.factors if column in f.inner.names]
    if not mine:
        known = {name for f in model.encoding.formula.factors for name in f.inner.names}
        raise OptionError(
            "{column!r} is not in {formula!r}. {hint}",
            column=column,
            formula=model.formula,
            hint=nearest(column, known),
        )
    if values is not None:
        return list(values)
    labels = model.encoding.labels.get(mine[0])
    if labels is None:
        raise OptionError(
            "{column!r} is a number: say at which values, such as values=[20, 40].", column=column
        )
    return list(labels.sort_values())


def _margin(model: Model, column: str, value: Any) -> _Margin:
    fitted = model.fitted
    survey, rows, weight = fitted.survey, fitted.rows, fitted.weight
    table = survey.table.with_columns({column: np.full(len(survey), value)})
    matrix = model.encoding.matrix(table, rows)[:, fitted.kept]
    eta = matrix @ fitted.estimated
    predicted = fitted.family.mean(eta)
    slope = (weight * fitted.family.slope(eta)) @ matrix / weight.sum()
    return _Margin(matrix, predicted, float(weight @ predicted / weight.sum()), slope)


def _covariance(model: Model, parts: Sequence[_Margin], population: str) -> np.ndarray:
    fitted = model.fitted
    slopes = np.stack([part.slope for part in parts])
    if population == "fixed":
        return slopes @ fitted.covariance @ slopes.T
    if fitted.survey.replication is not None:
        return _replicated(model, parts, population)
    sampled = np.zeros((len(fitted.survey), len(parts)))
    for k, part in enumerate(parts):
        sampled[fitted.rows, k] = (part.fitted - part.mean) / fitted.weight.sum()
    if population == "independent":
        own = covariance_of_totals(fitted.survey, sampled)
        return slopes @ fitted.covariance @ slopes.T + own
    return covariance_of_totals(fitted.survey, sampled + fitted.influence @ slopes.T)


def _replicated(model: Model, parts: Sequence[_Margin], population: str) -> np.ndarray:
    """Average again in each replicate, over its weights; jointly, with its coefficients."""
    fitted = model.fitted
    replication = fitted.survey.replication
    assert replication is not None  # noqa: S101 (the caller has looked)
    means = np.empty((len(parts), replication.count))
    for block, weights in replication.weights(fitted.survey):
        mine = weights[fitted.rows]
        for k, part in enumerate(parts):
            predicted = part.fitted[:, None]
            if population == "joint":
                predicted = fitted.family.mean(part.matrix @ fitted.replicates[:, block])
            means[k, block] = (mine * predicted).sum(axis=0) / mine.sum(axis=0)
    deviations = replication.deviations(means, np.array([part.mean for part in parts]))
    covariance = deviations @ deviations.T
    if population == "independent":
        slopes = np.stack([part.slope for part in parts])
        covariance = covariance + slopes @ fitted.covariance @ slopes.T
    return covariance
