"""Covariances of estimates that are not totals, from the score of each row.

An estimate whose linearized variable is known for every row goes through the same pass as a total:
the columns are added up by sampling unit, adjusted for the weighting steps, and every design's
variance applies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import MissingValueError
from nsm.estimation.repeated import rank_of
from nsm.estimation.statistic import total

if TYPE_CHECKING:
    from nsm.condition import Condition
    from nsm.estimation.survey import Survey


def covariance_of_totals(survey: Survey, columns: np.ndarray) -> np.ndarray:
    """Return the covariance of the weighted totals of columns.

    Parameters
    ----------
    columns
        Linearized variables, 0 where a row does not count (rows, estimates).

    Returns
    -------
    ndarray (estimates, estimates).
    """
    names = {f"score #{k}": column for k, column in enumerate(columns.T)}
    statistics = [total(name, missing="zero") for name in names]
    return survey.with_columns(names).estimate(statistics, deff=None).covariance


def complete(survey: Survey, names: tuple[str, ...], where: Condition | None) -> np.ndarray:
    """Return the rows that a condition admits, that have weight and all columns, in order.

    Raises
    ------
    MissingValueError
        There are none.
    """
    inside = survey.weights != 0
    true, _ = survey.table.holds(where)
    if true is not None:
        inside = inside & true
    for name in names:
        observed = survey.table.observed(name)
        if observed is not None:
            inside = inside & observed
    rows = np.flatnonzero(inside)
    if not len(rows):
        raise MissingValueError(
            "No unit of {table} meets the condition and has {columns}.",
            table=survey.table.name,
            columns=list(names),
        )
    return rows


def degrees_of(survey: Survey, rows: np.ndarray) -> float:
    """Return PSUs minus strata that hold the rows; of replicate columns, their rank minus 1."""
    replication = survey.replication
    if replication is not None and replication.factors is None:
        weights = np.concatenate([w[rows] for _, w in replication.weights(survey)], axis=1)
        return rank_of(weights) - 1
    psu = np.unique(survey.design.psu[survey.unit[rows]])
    return float(len(psu) - len(np.unique(survey.design.stratum[psu])))
