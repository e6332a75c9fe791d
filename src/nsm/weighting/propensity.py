"""The probability to respond, as a logistic model of what is known of everyone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg
from scipy.special import expit

from nsm.errors import OptionError, WeightingError
from nsm.estimation.influence import Adjustment, Phase, Repeat
from nsm.totals import Cells

if TYPE_CHECKING:
    from nsm.estimation import Survey
    from nsm.totals import Memory

STEPS = 50
_TERM = re.compile(r"^(?:C\(\s*(?P<category>[A-Za-z_]\w*)\s*\)|(?P<column>[A-Za-z_]\w*))$")


@dataclass(frozen=True)
class ResponseModel:
    """A logistic model of response, fitted by weighted maximum likelihood.

    Parameters
    ----------
    cells
        Its regressors, equal for all rows of a cell.
    names
        What messages call them (regressors,).
    respondent, eligible
        Who answers, and who could (rows,).
    """

    cells: Cells
    names: tuple[str, ...]
    respondent: np.ndarray
    eligible: np.ndarray

    def counts(self, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the weight of respondents and of all eligible units by cell, each (cells,)."""
        codes, size = self.cells.codes, len(self.cells.matrix)
        answered = np.bincount(codes, before * self.respondent, size)
        return answered, np.bincount(codes, before * self.eligible, size)

    def fit(self, before: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
        """Return the coefficients for weights before the step (regressors,)."""
        answered, wanted = self.counts(before)
        return fit_logistic(self.cells.matrix, answered, wanted, start)

    def settled(self, before: np.ndarray) -> np.ndarray:
        """Return the coefficients, refusing a fit without an end.

        Raises
        ------
        WeightingError
            All units of some kind respond, or none do, so that their coefficient is infinite.
        """
        found = self.fit(before)
        if np.abs(found).max(initial=0.0) > 15:
            wild = [n for n, b in zip(self.names, found, strict=True) if abs(b) > 15]
            raise WeightingError(
                "The response model has no finite fit: all units, or none, respond where {terms} "
                "differ. Join their categories, or leave the terms out.",
                terms=wild,
            )
        return found

    def probability(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the probability to respond of each row (rows,)."""
        fitted = expit(self.cells.matrix @ coefficients)
        return np.maximum(fitted, 1e-6)[self.cells.codes]

    def adjustment(self, survey: Survey, name: str) -> Adjustment:
        """Return the step that divides weights by the probability to respond.

        References
        ----------
        Kim & Kim (2007), Canadian Journal of Statistics 35, p. 501-514, eq. 8.
        """
        before = survey.weights
        found = self.settled(before)
        p = np.where(self.eligible, self.probability(found), 1.0)
        wanted = self.counts(before)[1]

        def refit(before: np.ndarray, repeat: Repeat | None = None) -> np.ndarray:  # noqa: ARG001 (the weights say all)
            columns = [self.probability(self.fit(w, found)) for w in before.T]
            return self.respondent[:, None] / np.stack(columns).T

        own = expit(self.cells.matrix @ found)
        return Adjustment(
            name,
            len(survey.levels) - 1,
            before,
            self.respondent / p,
            refit,
            cells=self.cells,
            effect=np.where(self.eligible, p - self.respondent, 0.0),
            entry=self.respondent * (1 - p) / p,
            inverse=_inverse_information(self.cells.matrix, wanted * own * (1 - own)),
            phase=Phase(p, effect=np.where(self.eligible, -1.0, 0.0)),
            labels=self.names,
        )


def response_model(
    table: Memory, terms: str, respondent: np.ndarray, eligible: np.ndarray
) -> ResponseModel:
    """Return the model of a text such as `zone + age + zone:door_language`.

    Parameters
    ----------
    terms
        Columns joined by `+`; `:` crosses them. Text is categories and numbers are slopes;
        `C(column)` makes categories of numbers.
    respondent, eligible
        Who answers, and who could (rows,).

    Raises
    ------
    OptionError
        The text is none of that.
    WeightingError
        A column is missing for units that could answer.
    """
    columns, names = [np.ones((table.rows, 1))], ["1"]
    for term in terms.split("+"):
        made, labels = np.ones((table.rows, 1)), [""]
        for part in term.split(":"):
            block, own = _encoded(table, part.strip(), terms, eligible)
            made = (made[:, :, None] * block[:, None, :]).reshape(table.rows, -1)
            labels = [f"{a}:{b}" if a else b for a in labels for b in own]
        columns.append(made)
        names += labels
    matrix = np.where(eligible[:, None], np.concatenate(columns, axis=1), 0.0)
    distinct, codes = np.unique(matrix, axis=0, return_inverse=True)
    return ResponseModel(Cells(codes.ravel(), distinct), tuple(names), respondent, eligible)


def _encoded(
    table: Memory, part: str, terms: str, eligible: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Return the columns of one factor of a term, and their names."""
    found = _TERM.match(part)
    if found is None:
        raise OptionError(
            "The response model {terms!r} cannot be read at {part!r}. Write columns joined by "
            "`+`, crossed by `:`, and C(column) for numbers that are categories.",
            terms=terms,
            part=part,
        )
    name = found["category"] or found["column"]
    series = table.series(name)
    if found["category"] is None and series.dtype.kind in "iufb":
        values, observed = table.number(name)
        if observed is not None:
            _refuse_missing(name, eligible & ~observed)
        mine = values[eligible]
        spread = float(mine.std()) if len(mine) else 0.0
        if spread == 0:
            return np.zeros((table.rows, 0)), []
        return ((values - mine.mean()) / spread)[:, None], [name]
    codes, labels = table.codes(name)
    _refuse_missing(name, eligible & (codes == 0))
    present = np.unique(codes[eligible])
    block = (codes[:, None] == present[1:]).astype(float)
    return block, [f"{name}={labels[c - 1]}" for c in present[1:]]


def _refuse_missing(name: str, rows: np.ndarray) -> None:
    if rows.any():
        raise WeightingError(
            "{column!r} is missing for {count} units that respond or could have (rows {rows}). A "
            "response model needs what is known of both: give the blank a category of its own, or "
            "leave the column out.",
            column=name,
            count=int(rows.sum()),
            rows=[int(i) + 1 for i in np.flatnonzero(rows)[:6]],
        )


def fit_logistic(
    matrix: np.ndarray, answered: np.ndarray, wanted: np.ndarray, start: np.ndarray | None = None
) -> np.ndarray:
    """Return the coefficients of largest likelihood, by Newton's method with halved steps.

    Parameters
    ----------
    matrix
        Regressors (cells, regressors).
    answered, wanted
        Weight of those who answer, and of all (cells,).
    start
        Where to begin (regressors,).
    """
    found = np.zeros(matrix.shape[1]) if start is None else start
    size = max(float(wanted.sum()), 1e-300)

    def likelihood(b: np.ndarray) -> float:
        u = matrix @ b
        return float(answered @ u - wanted @ np.logaddexp(0, u))

    level = likelihood(found)
    for _ in range(STEPS):
        p = expit(matrix @ found)
        score = (answered - wanted * p) @ matrix
        step = _inverse_information(matrix, wanted * p * (1 - p)) @ score
        if np.abs(score).max(initial=0.0) <= 1e-12 * size or np.abs(step).max() <= 1e-12:
            break
        length = 1.0
        while length > 1e-6 and likelihood(found + length * step) < level - 1e-14 * abs(level):
            length /= 2
        found = found + length * step
        level = likelihood(found)
        if np.abs(found).max() > 30:
            break
    return found


def _inverse_information(matrix: np.ndarray, weight: np.ndarray) -> np.ndarray:
    information = (matrix * weight[:, None]).T @ matrix
    return linalg.pinvh(information, rtol=1e-12)


def quantile_classes(p: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """Return the class of each row by its probability, of about equal weight (rows,).

    Rows of one probability are in one class.

    References
    ----------
    Little (1986), International Statistical Review 54, p. 139-157: five classes.
    """
    values, codes = np.unique(np.round(p, 12), return_inverse=True)
    mass = np.bincount(codes, weight, len(values))
    middle = (np.cumsum(mass) - mass / 2) / max(float(mass.sum()), 1e-300)
    classes = np.minimum((middle * count).astype(np.int64), count - 1)
    _, dense = np.unique(classes[codes], return_inverse=True)
    return dense
