"""The matrix of a model: its columns, and how to make them again for other rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nsm.errors import ColumnError, DesignError, OptionError, ValueInColumnError, nearest
from nsm.estimation.terms import Factor, Formula

if TYPE_CHECKING:
    from nsm.totals import Memory

MOST_COLUMNS = 1_000
_INVENTED = "nsm_{}_"


@dataclass(frozen=True)
class Encoding:
    """How the rows of a table become the matrix of a model.

    Parameters
    ----------
    formula
        The formula.
    names
        Name of each column (columns,).
    term
        Term of each column, by position; -1 is the intercept (columns,).
    labels
        Categories of each factor that has them, the reference first.
    spec
        What formulaic keeps of the knots and coefficients of its bases.
    """

    formula: Formula
    names: tuple[str, ...]
    term: np.ndarray
    labels: Mapping[Factor, pd.Index]
    spec: Any

    def matrix(self, table: Memory, rows: np.ndarray) -> np.ndarray:
        """Return the matrix of some rows of a table (rows, columns).

        Raises
        ------
        OptionError, ValueInColumnError
            A category or a value is outside of what the model was fitted to.
        """
        columns = {
            _INVENTED.format(k): _column(factor, table, rows, self.labels.get(factor))
            for k, factor in enumerate(self.formula.factors)
        }
        return _made(self.spec, columns, len(rows), self.formula)


class Encoded(NamedTuple):
    """A matrix (rows, columns), and how it was made."""

    matrix: np.ndarray
    encoding: Encoding


def encode(formula: Formula, table: Memory, rows: np.ndarray) -> Encoded:
    """Make the matrix of a formula from some rows of a table.

    Categories are coded against their reference, the first unless `Treatment` says another.

    Raises
    ------
    DesignError
        It has no column, or too many, or a category that does not vary.
    """
    from formulaic import Formula as Outside

    factors = formula.factors
    labels = {f: _labels(f, table, rows) for f in factors if is_category(f, table)}
    invented = {f: _INVENTED.format(k) for k, f in enumerate(factors)}
    columns = {invented[f]: _column(f, table, rows, labels.get(f)) for f in factors}
    width = sum(prod(_width(f, labels) for f in term.factors) for term in formula.terms)
    if not 0 < width + formula.intercept <= MOST_COLUMNS:
        raise DesignError(
            "The model {formula!r} has {width} columns; from 1 to {most} can be fitted.",
            formula=formula.text,
            width=width,
            most=MOST_COLUMNS,
        )
    _enough_values(columns, invented)
    calls = {f: _call(f, invented[f]) for f in factors}
    parts = [":".join(calls[f] for f in term.factors) for term in formula.terms]
    text = " + ".join(["1" if formula.intercept else "0", *parts])
    made = Outside(text).get_model_matrix(
        pd.DataFrame(columns, index=range(len(rows))),
        context={},
        output="numpy",
        na_action="ignore",
    )
    spec = made.model_spec
    places = {frozenset(calls[f] for f in t.factors): k for k, t in enumerate(formula.terms)}
    term = np.full(len(spec.column_names), -1)
    for outside, part in spec.term_slices.items():
        term[part] = places.get(frozenset(str(factor) for factor in outside.factors), -1)
    names = tuple(_shown(name, calls) for name in spec.column_names)
    return Encoded(np.asarray(made, float), Encoding(formula, names, term, labels, spec))


def is_category(factor: Factor, table: Memory) -> bool:
    """Tell whether a factor is a category: `C()`, or a column that is not a number."""
    if factor.kind != "column":
        return factor.kind == "category"
    dtype = table.series(factor.inner.text).dtype
    return not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype))


def numbers(factor: Factor, table: Memory, rows: np.ndarray) -> np.ndarray:
    """Return the values of a number (rows,).

    Raises
    ------
    ColumnError, ValueInColumnError
        A column is not there, or it is not defined somewhere.
    """
    columns = {name: table.number(name).values[rows] for name in factor.inner.names}
    values = np.broadcast_to(factor.inner.evaluate(columns), len(rows))
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise ValueInColumnError(
            "{factor} is not a finite number in {count} rows of {table} (rows {rows}). Leave them "
            "out with where=, or repair the column.",
            factor=factor.text,
            count=len(wrong),
            table=table.name,
            rows=[int(i) + 1 for i in rows[wrong[:6]]],
        )
    return values


def require(names: Iterable[str], table: Memory) -> None:
    """Raise ColumnError for the first name that is no column of a table."""
    for name in names:
        if name not in table.columns:
            raise ColumnError(
                "{where} has no column {column!r}. {hint}",
                where=table.name,
                column=name,
                hint=nearest(name, table.columns),
            )


def _labels(factor: Factor, table: Memory, rows: np.ndarray) -> pd.Index:
    """Return the categories that occur, the reference first."""
    codes, labels = table.codes(factor.inner.text)
    used = labels[np.bincount(codes[rows], minlength=len(labels) + 1)[1:] > 0]
    if factor.reference is not None:
        same = [label for label in used if label == factor.reference]
        same = same or [label for label in used if str(label) == str(factor.reference)]
        if not same:
            raise OptionError(
                "{factor}: no unit of the model has this category. {hint}",
                factor=factor.text,
                hint=nearest(factor.reference, list(used)),
            )
        used = pd.Index([same[0], *used.drop(same[0])])
    if len(used) < 2:
        raise DesignError(
            "{factor} has one category among the units of the model ({category}): leave it out.",
            factor=factor.text,
            category=list(used),
        )
    return used


def _width(factor: Factor, labels: Mapping[Factor, pd.Index]) -> int:
    return (
        len(labels[factor])
        if factor in labels
        else max((value for _, value in factor.options), default=1)
    )


def _column(
    factor: Factor, table: Memory, rows: np.ndarray, labels: pd.Index | None
) -> np.ndarray | pd.Categorical:
    if labels is None:
        return numbers(factor, table, rows)
    codes, here = table.codes(factor.inner.text)
    place = np.append(labels.get_indexer(here), -1)[codes[rows] - 1]
    if (place < 0).any():
        lost = codes[rows][place < 0]
        raise OptionError(
            "The model knows no category {categories} of {factor}, or it is missing. {hint}",
            categories=sorted({str(here[c - 1]) if c else "" for c in lost}),
            factor=factor.text,
            hint=nearest("", list(labels)),
        )
    return pd.Categorical.from_codes(place, labels)


def _call(factor: Factor, invented: str) -> str:
    """Return what formulaic reads: an invented name, or a basis of one with whole numbers."""
    if not factor.options:
        return invented
    return f"{factor.kind}({invented}, {', '.join(f'{k}={v}' for k, v in factor.options)})"


def _shown(name: str, calls: Mapping[Factor, str]) -> str:
    for factor, call in calls.items():
        name = name.replace(call, factor.text)
    return name


def _made(spec: Any, columns: Mapping[str, Any], rows: int, formula: Formula) -> np.ndarray:
    from formulaic.errors import FactorEvaluationError

    try:
        made = spec.get_model_matrix(pd.DataFrame(columns, index=range(rows)), context={})
    except FactorEvaluationError as error:
        raise OptionError(
            "The model {formula!r} has no answer here: a value is outside of those that it was "
            "fitted to.",
            formula=formula.text,
        ) from error
    return np.asarray(made, float)


def _enough_values(columns: Mapping[str, Any], invented: Mapping[Factor, str]) -> None:
    """Refuse a basis of more columns than a number has values."""
    for factor, name in invented.items():
        wanted = max((value for _, value in factor.options), default=0)
        if wanted and len(np.unique(columns[name])) <= wanted:
            raise DesignError(
                "{factor} needs more than {wanted} different values; there are {found}.",
                factor=factor.text,
                wanted=wanted,
                found=len(np.unique(columns[name])),
            )
