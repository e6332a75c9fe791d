"""How many more households a survey must add for a wanted precision.

With V the variance of an estimate from n persons in m areas, b = n / m of them in each, and deff
against simple random sampling:

- in *new* areas, drawn and worked as the old ones, V falls as 1 / n: n' = n V / V*;
- in the *same* areas, only b grows. With rho = (deff - 1) / (b - 1), V is proportional to
  (1 + (b - 1) rho) / b, which cannot fall below rho: b' = (1 - rho) / (deff V* / (b V) - rho)
  (Kish 1965, Survey Sampling, sec. 5.4 and 8.2; United Nations 2005, Household Sample Surveys in
  Developing and Transition Countries, ch. 6 and 7).

All of deff is taken for that of areas: what unequal weights do counts as if more persons of the
same areas could not mend it. Persons become households by the persons of
the universe that a household of the survey gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import OptionError
from nsm.estimation import Survey
from nsm.indicators.compute import Surveys, compute, survey_of
from nsm.indicators.registry import Indicator, checked, chosen

if TYPE_CHECKING:
    import pandas as pd


def need(
    survey: Surveys,
    code: str,
    *,
    cv: float | None = None,
    se: float | None = None,
    by: Sequence[str] = (),
    household: str = "household",
    persons: float | None = None,
    response: float = 1.0,
    registry: Mapping[str, Indicator] | None = None,
) -> pd.DataFrame:
    """Return how many households to add so that an indicator reaches a precision in each domain.

    Parameters
    ----------
    cv, se
        The wanted coefficient of variation or standard error; one of them.
    by
        Columns whose labels, together, are the domains.
    household
        Column of the households' key. Without such a column give `persons`.
    persons
        Persons in a household, all ages and origins.
    response
        Share of households that answer.

    Returns
    -------
    Domain columns, `estimate, se, cv, deff, n, households, rate, wanted_se, more_persons,
    more_households, more_households_same_areas`: `households` interviewed, `rate` persons of the
    universe and domain in one of them, and the households to visit in new areas or in the same
    areas; null where those areas cannot give it, or the estimate has no standard error.

    Raises
    ------
    OptionError
        Not exactly one of cv and se is given, or a number is out of its range.
    """
    wanted = [value for value in (cv, se) if value is not None]
    if len(wanted) != 1 or wanted[0] <= 0:
        raise OptionError("Give cv or se, one of them, above 0.")
    if not 0 < response <= 1:
        raise OptionError(
            "response={response} is not a fraction above 0, up to 1.", response=response
        )
    known = checked(registry)
    (one,) = chosen(known, [code])
    source = survey_of(survey, one)
    made = compute(source, [code], by=[tuple(by)], registry=known).table
    households = _households(survey, source, household, persons)
    target = se if se is not None else (cv or 0.0) * made["estimate"].abs()
    n, areas = made["n"].to_numpy(float), _areas(source, one, by, made)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (target / made["se"].to_numpy(float)) ** 2
        more = np.where(np.isfinite(ratio), np.maximum(n / ratio - n, 0.0), np.nan)
        same = _same_areas(made, areas, np.asarray(ratio, float))
        rate = n / households
        result = made[[*by, "category", "estimate", "se", "cv", "deff", "n"]].assign(
            households=households,
            rate=rate,
            wanted_se=target,
            more_persons=np.ceil(more),
            more_households=np.ceil(more / rate / response),
            more_households_same_areas=np.ceil(same / rate / response),
        )
    return result if result["category"].notna().any() else result.drop(columns="category")


def _areas(survey: Survey, one: Indicator, by: Sequence[str], made: pd.DataFrame) -> np.ndarray:
    """Return the areas that have persons of the universe, in each domain of the rows (rows,)."""
    whole = survey.count(by=list(by), where=one.universe or None, deff=None).table
    if not by:
        return np.full(len(made), float(whole["psus"].iloc[0]))
    return made[list(by)].merge(whole, on=list(by), how="left")["psus"].to_numpy(float)


def _households(surveys: Surveys, survey: Survey, household: str, persons: float | None) -> float:
    """Return the households visited: those of all who were screened, where a survey has them."""
    if not isinstance(surveys, Survey):
        survey = surveys.get("persons", survey)
    active = survey.weights > 0
    if persons is not None:
        if persons <= 0:
            raise OptionError("persons={persons} is not above 0.", persons=persons)
        return float(np.count_nonzero(active)) / persons
    if household not in survey.table.columns:
        raise OptionError(
            "The survey has no column {column!r} of households. Name it, or give the persons in a "
            "household.",
            column=household,
        )
    return float(survey.table.series(household)[active].nunique())


def _same_areas(made: pd.DataFrame, areas: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Return the persons to add in the areas that the survey has."""
    n, deff = made["n"].to_numpy(float), np.maximum(made["deff"].to_numpy(float), 1.0)
    b = n / np.maximum(areas, 1.0)
    rho = np.where(b > 1, (deff - 1) / (b - 1), np.nan)
    below = deff * ratio / b - rho
    wanted = np.where(below > 0, (1 - rho) / below, np.nan)
    return np.where(ratio >= 1, 0.0, np.maximum(wanted / b * n - n, 0.0))
