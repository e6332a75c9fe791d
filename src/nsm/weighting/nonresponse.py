"""Adjustment for unknown eligibility and non-response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.errors import OptionError, ValueInColumnError, WeightingError, nearest
from nsm.estimation.influence import Adjustment
from nsm.weighting.classes import (
    ClassRule,
    FixedClasses,
    PropensityClasses,
    TreeClasses,
    class_adjustment,
    joined_names,
    response_classes,
)
from nsm.weighting.propensity import response_model
from nsm.weighting.weighting import Step

if TYPE_CHECKING:
    from nsm.estimation import Survey

DISPOSITIONS = ("respondent", "nonrespondent", "unknown", "ineligible")


@dataclass(frozen=True)
class Nonresponse(Step, word="nonresponse"):
    """A step that lets respondents stand for those who did not answer.

    Units of unknown eligibility first hand their weight to those known, then non-respondents to
    respondents. Ineligible units are no part of the population: their weight becomes 0. A unit
    whose weight is already 0 (not contacted, in a step before) stands for nobody.

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
        label of the columns before. 0: none is joined, and a class without respondents is refused.
    propensity
        A logistic model of response instead of classes, such as `zone + age + zone:door_language`;
        weights are divided by the probability that it gives.
    classes
        With `propensity`: number of classes of about equal weight, by that probability, in which
        respondents take the weight of all. None: the probability itself.
    tree
        Columns by which classes are split, as long as response differs between the parts.
    name
        What reports call it.

    References
    ----------
    Särndal & Lundström (2005), ch. 6 and 11; Little (1986); Kim & Kim (2007).
    """

    status: str = "disposition"
    cells: tuple[str, ...] = ()
    eligibility: tuple[str, ...] | None = None
    minimum: int = 0
    propensity: str | None = None
    classes: int | None = None
    tree: tuple[str, ...] = ()
    name: str = "nonresponse"

    def adjust(self, survey: Survey) -> Survey:
        """Return the survey of respondents, with the variance of their being few.

        Raises
        ------
        ValueInColumnError
            A disposition is missing or unknown.
        WeightingError
            A class has no respondent, or a response model cannot be fitted.
        """
        self._check()
        status = dispositions(survey, self.status)
        survey = self._settle_eligibility(survey, status != "unknown")
        counted = survey.weights > 0
        respondent = (status == "respondent") & counted
        eligible = respondent | ((status == "nonrespondent") & counted)
        if not respondent.any():
            raise WeightingError(
                "{table} has no respondent of positive weight in {column!r}.",
                table=survey.table.name,
                column=self.status,
            )
        return survey.adjusted(self._response(survey, respondent, eligible))

    def _check(self) -> None:
        chosen = [bool(self.cells), self.propensity is not None, bool(self.tree)]
        if sum(chosen) > 1:
            raise OptionError(
                "Step {name!r}: give one of cells, propensity and tree. For classes in a model, "
                "put the columns into it.",
                name=self.name,
            )
        if self.classes is not None and (self.propensity is None or self.classes < 2):
            raise OptionError(
                "Step {name!r}: classes={classes} is the number of classes of a propensity, at "
                "least 2.",
                name=self.name,
                classes=self.classes,
            )

    def _response(self, survey: Survey, respondent: np.ndarray, eligible: np.ndarray) -> Adjustment:
        """Return the step from eligible units to respondents."""
        rule: ClassRule
        if self.propensity is not None:
            model = response_model(survey.table, self.propensity, respondent, eligible)
            if self.classes is None:
                return model.adjustment(survey, self.name)
            rule = PropensityClasses(model, self.classes, self.minimum)
        elif self.tree:
            rule = TreeClasses.of(survey.table, self.tree, respondent, eligible, self.minimum)
        else:
            return self._in_cells(survey, self.cells, respondent, eligible, self.name)
        return class_adjustment(survey, rule, respondent, eligible, self.name)

    def _settle_eligibility(self, survey: Survey, known: np.ndarray) -> Survey:
        """Let units of known eligibility take the weight of the others."""
        everyone = survey.weights > 0
        if (known | ~everyone).all():
            return survey
        columns = self.cells if self.eligibility is None else self.eligibility
        name = f"{self.name}: eligibility"
        return survey.adjusted(self._in_cells(survey, columns, known & everyone, everyone, name))

    def _in_cells(
        self,
        survey: Survey,
        columns: tuple[str, ...],
        respondent: np.ndarray,
        eligible: np.ndarray,
        name: str,
    ) -> Adjustment:
        codes = [survey.table.codes(column).codes for column in columns]
        if self.minimum < 1:
            self._refuse_empty(survey, columns, respondent, eligible)
        found = response_classes(codes, respondent, eligible, self.minimum)
        names = joined_names(survey.table, columns, found)
        return class_adjustment(survey, FixedClasses(found, names), respondent, eligible, name)

    @staticmethod
    def _refuse_empty(
        survey: Survey, columns: tuple[str, ...], respondent: np.ndarray, eligible: np.ndarray
    ) -> None:
        """Refuse classes without respondents, saying with which each could be joined."""
        codes = [survey.table.codes(column).codes for column in columns]
        own = response_classes(codes, respondent, eligible, 0)
        count = int(own.max(initial=0)) + 1
        answered = np.bincount(own[respondent], minlength=count)
        empty = np.flatnonzero((np.bincount(own[eligible], minlength=count) > 0) & (answered == 0))
        if not len(empty):
            return
        names = joined_names(survey.table, columns, own)
        wider = response_classes(codes, respondent, eligible, 1)
        proposals = []
        for k in empty:
            target = int(wider[np.flatnonzero((own == k) & eligible)[0]])
            others = [names[c] for c in np.unique(own[(wider == target) & eligible]) if c != k]
            proposals.append(f"{names[k]} -> {' + '.join(others[:3])}")
        raise WeightingError(
            "{count} response classes have no respondent: {classes}. They could be joined: "
            "{proposals}. minimum=1 does so; or use fewer columns.",
            count=len(empty),
            classes=[names[k] for k in empty],
            proposals="; ".join(proposals[:5]) + (" ..." if len(proposals) > 5 else ""),
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
