"""Adjustment for unknown eligibility and non-response, in classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.errors import ValueInColumnError, WeightingError, nearest
from nsm.estimation.influence import Adjustment, Phase
from nsm.totals import Cells
from nsm.weighting.classes import response_classes
from nsm.weighting.weighting import Step

if TYPE_CHECKING:
    from nsm.estimation import Survey

DISPOSITIONS = ("respondent", "nonrespondent", "unknown", "ineligible")


@dataclass(frozen=True)
class Nonresponse(Step, word="nonresponse"):
    """A step that lets respondents stand for those who did not answer, within classes.

    Units of unknown eligibility first hand their weight to those known, then non-respondents to
    respondents. Ineligible units are no part of the population: their weight becomes 0.

    Parameters
    ----------
    status
        Column of dispositions: `respondent`, `nonrespondent`, `unknown`, `ineligible`.
    cells
        Columns whose labels, together, are the classes.
    eligibility
        Columns of the classes in which units of unknown eligibility hand over their weight; those
        of `cells` by default. What is recorded of units that answer only is of no use here.
    minimum
        Least number of respondents of a class; smaller ones are joined to a neighbor under the same
        label of the columns before.
    name
        What reports call it.

    References
    ----------
    Särndal & Lundström (2005), ch. 6 and 11; Little (1986).
    """

    status: str = "disposition"
    cells: tuple[str, ...] = ()
    eligibility: tuple[str, ...] | None = None
    minimum: int = 1
    name: str = "nonresponse"

    def adjust(self, survey: Survey) -> Survey:
        """Return the survey of respondents, with the variance of their being few.

        Raises
        ------
        ValueInColumnError
            A disposition is missing or unknown.
        WeightingError
            A class has no respondent.
        """
        status = dispositions(survey, self.status)
        codes = self._codes(survey, self.cells)
        known = status != "unknown"
        if not known.all():
            everyone = np.ones(len(known), bool)
            first = self._codes(
                survey, self.cells if self.eligibility is None else self.eligibility
            )
            classes = response_classes(first, known, everyone, self.minimum)
            self._refuse_empty(survey, classes, known)
            name = f"{self.name}: eligibility"
            survey = survey.adjusted(class_adjustment(survey, classes, known, everyone, name))
        respondent = status == "respondent"
        eligible = respondent | (status == "nonrespondent")
        classes = response_classes(codes, respondent, eligible, self.minimum)
        self._refuse_empty(survey, classes, respondent, eligible)
        return survey.adjusted(class_adjustment(survey, classes, respondent, eligible, self.name))

    @staticmethod
    def _codes(survey: Survey, columns: tuple[str, ...]) -> list[np.ndarray]:
        return [survey.table.codes(name).codes for name in columns]

    def _refuse_empty(
        self,
        survey: Survey,
        classes: np.ndarray,
        respondent: np.ndarray,
        eligible: np.ndarray | None = None,
    ) -> None:
        weight = survey.weights
        eligible = np.ones(len(weight), bool) if eligible is None else eligible
        count = int(classes.max(initial=0)) + 1
        wanted = np.bincount(classes[eligible], weight[eligible], count)
        given = np.bincount(classes[respondent], weight[respondent], count)
        empty = np.flatnonzero((wanted > 0) & (given == 0))
        if not len(empty):
            return
        rows = [int(np.flatnonzero((classes == c) & eligible)[0]) for c in empty[:6]]
        names = [
            " x ".join(str(survey.table.series(column).iloc[row]) for column in self.cells)
            for row in rows
        ]
        raise WeightingError(
            "{count} response classes have no respondent: {classes}. Join classes (minimum=1 or "
            "more joins each to its neighbor in the last of {cells}), or use fewer columns.",
            count=len(empty),
            classes=names,
            cells=list(self.cells),
        )


def dispositions(survey: Survey, column: str) -> np.ndarray:
    """Return the disposition of each row, refusing words that are none."""
    values = survey.table.series(column)
    wrong = ~values.isin(DISPOSITIONS)
    if wrong.any():
        first = values[wrong].iloc[0]
        raise ValueInColumnError(
            "{column!r} holds {count} values that are no disposition (rows {rows}), such as "
            "{value!r}. {hint}",
            column=column,
            count=int(wrong.sum()),
            rows=[int(i) + 1 for i in np.flatnonzero(wrong)[:6]],
            value=None if pd.isna(first) else first,
            hint=nearest(first, DISPOSITIONS),
        )
    return values.to_numpy(dtype=object)


def class_adjustment(
    survey: Survey, classes: np.ndarray, respondent: np.ndarray, eligible: np.ndarray, name: str
) -> Adjustment:
    """Return the step in which respondents take the weight of all eligible units of their class.

    Parameters
    ----------
    classes
        Class of each row, from 0 (rows,).
    respondent, eligible
        Who answers, and for whom they stand (rows,); the others' weight becomes 0.
    """
    count = int(classes.max(initial=0)) + 1

    def refit(before: np.ndarray) -> np.ndarray:
        sums = np.zeros((count, before.shape[1]))
        given = np.zeros_like(sums)
        np.add.at(sums, classes[eligible], before[eligible])
        np.add.at(given, classes[respondent], before[respondent])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(given > 0, sums / given, 0.0)
        return ratio[classes] * respondent[:, None]

    before = survey.weights
    factor = refit(before[:, None])[:, 0]
    given = np.bincount(classes[respondent], before[respondent], count)
    wanted = np.bincount(classes[eligible], before[eligible], count)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.diag(np.where(given > 0, 1 / given, 0.0))
        rate = np.where(wanted > 0, given / wanted, 1.0)
    return Adjustment(
        name,
        len(survey.levels) - 1,
        before,
        factor,
        refit,
        cells=Cells(classes, np.eye(count)),
        effect=np.where(eligible, 1 - factor, 0.0),
        entry=respondent.astype(float),
        inverse=inverse,
        phase=Phase(np.where(eligible, rate[classes], 1.0)),
    )
