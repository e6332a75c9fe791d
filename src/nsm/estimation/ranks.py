"""Tests of the location of groups: of means (t), and of ranks.

A rank test compares the means of scores of the estimated population ranks, with the linearized
variance of a comparison of means (Lumley & Scott 2013, Biometrika 100, p. 831-842).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from nsm.errors import DesignError, OptionError, nearest
from nsm.estimation.fit import fit
from nsm.estimation.intervals import student_quantile
from nsm.estimation.likelihood import family_of
from nsm.estimation.matrix import require
from nsm.estimation.scored import complete, covariance_of_totals
from nsm.estimation.significance import SignificanceTest, wald_statistic

if TYPE_CHECKING:
    from nsm.condition import Condition
    from nsm.estimation.fit import Fit
    from nsm.estimation.survey import Survey

# Scores of ranks between 0 and 1.
SCORES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "wilcoxon": np.asarray,
    "van-der-waerden": special.ndtri,
    "median": lambda rank: (rank > 0.5).astype(float),
}


def ttest(
    survey: Survey,
    y: str,
    by: str | None = None,
    *,
    where: Condition | None = None,
    level: float = 0.95,
) -> SignificanceTest:
    """Test whether the means of two groups are equal; without groups, whether the mean is 0.

    Parameters
    ----------
    y
        A numeric column.
    by
        A column with two labels. The difference is the mean of the second minus that of the first.
    where
        Condition that a unit must meet.
    level
        Confidence level of the limits of the difference.

    Raises
    ------
    DesignError
        There are not two groups.
    """
    if by is None:
        row = survey.mean(y, where=where, level=level, deff=None).table.iloc[0]
        return _t("t", row["estimate"], row["se"], df=row["df"], level=level, note=y)
    fitted, labels = _compared(survey, y, by, where=where)
    _two(by, labels)
    se = float(np.sqrt(fitted.covariance[1, 1]))
    note = f"{y}: {labels[1]} - {labels[0]}"
    return _t("t", fitted.estimated[1], se, df=fitted.df, level=level, note=note)


def rank_test(
    survey: Survey,
    y: str,
    by: str,
    *,
    statistic: str = "wilcoxon",
    where: Condition | None = None,
    level: float = 0.95,
) -> SignificanceTest:
    """Test whether groups have one distribution, by their mean rank scores.

    Parameters
    ----------
    y
        A numeric column.
    by
        The groups. Two give t and the difference of mean scores; more give F (Kruskal-Wallis where
        the statistic is `wilcoxon`).
    statistic
        `wilcoxon`, `van-der-waerden` (normal scores) or `median` (Mood's).
    where
        Condition that a unit must meet.
    level
        Confidence level of the limits of the difference.

    Raises
    ------
    OptionError
        The statistic is not known.
    DesignError
        There is one group.
    """
    if statistic not in SCORES:
        raise OptionError(
            "statistic={statistic!r} is not known. {hint}",
            statistic=statistic,
            hint=nearest(statistic, SCORES),
        )
    fitted, labels = _compared(survey, y, by, where=where, score=SCORES[statistic])
    # The scores stay those of the sample in replicates, as in R.
    covariance = covariance_of_totals(fitted.survey, fitted.influence)[1:, 1:]
    if len(labels) == 2:
        se = float(np.sqrt(covariance[0, 0]))
        note = f"{y}: {labels[1]} - {labels[0]}"
        return _t(statistic, fitted.estimated[1], se, df=fitted.df, level=level, note=note)
    free = len(labels) - 1
    f = wald_statistic(fitted.estimated[1:], covariance) / free
    return SignificanceTest.of_f(statistic, f, df1=free, df2=fitted.df, note=f"{y} by {by}")


def weighted_ranks(y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the estimated population rank of each value, between 0 and 1 (rows,).

    It is the weight below the value plus half of the weight at it, over the whole weight, so that
    ties share a rank and the order of rows does not matter.
    """
    _, group = np.unique(y, return_inverse=True)
    at = np.bincount(group, weight)
    return ((np.cumsum(at) - at / 2) / at.sum())[group]


def _compared(
    survey: Survey,
    y: str,
    by: str,
    *,
    where: Condition | None,
    score: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[Fit, list[str]]:
    """Fit the differences of groups from the first, of values or of their rank scores."""
    require((y, by), survey.table)
    if survey.pushed:
        survey = survey.in_memory((y, by, *(() if where is None else where.names)))
    rows = complete(survey, (y, by), where)
    codes, names = survey.table.codes(by)
    used, place = np.unique(codes[rows], return_inverse=True)
    labels = [str(names[code - 1]) for code in used]
    if len(labels) < 2:
        raise DesignError(
            "{column!r} has one category among the units of the test: there is nothing to compare.",
            column=by,
        )
    values = survey.table.number(y).values[rows]
    if score is not None:
        values = score(weighted_ranks(values, survey.weights[rows]))
    matrix = (place[:, None] == np.arange(len(labels))).astype(float)
    matrix[:, 0] = 1.0
    family = family_of("gaussian")
    return fit(survey, rows, matrix, values, family=family, names=tuple(labels)), labels


def _two(by: str, labels: list[str]) -> None:
    if len(labels) != 2:
        raise DesignError(
            "A t test compares two groups; {column!r} has {count}: {labels}. Choose two with "
            "where=, or use glm() and wald().",
            column=by,
            count=len(labels),
            labels=labels,
        )


def _t(
    name: str, estimate: float, se: float, *, df: float, level: float, note: str
) -> SignificanceTest:
    """Return the two-sided t test of an estimate; its F would be t^2."""
    t = estimate / se if se > 0 else np.nan
    p = 2 * float(special.stdtr(df, -abs(t))) if df > 0 else np.nan
    half = float(student_quantile(level, np.array(df))) * se
    made = SignificanceTest(name, float(t), p, 1.0, float(df), note=note)
    return replace(
        made, estimate=float(estimate), se=float(se), lower=estimate - half, upper=estimate + half
    )
