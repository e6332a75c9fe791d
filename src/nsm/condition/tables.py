"""Conditions on tables: pandas, Polars, pyarrow, DuckDB, Spark, through narwhals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import reduce
from hashlib import sha256
from operator import and_, or_
from typing import Any

import narwhals as nw

from nsm.condition.kinds import Kind, kind_of
from nsm.condition.tree import Aggregate, Literal, Name, write
from nsm.errors import ConditionError

BLANKS = " \t\r\n"
_SMALL = {nw.Int8, nw.Int16, nw.Int32, nw.UInt8, nw.UInt16, nw.UInt32}
_INFERRED: dict[str, Kind] = {
    "boolean": "boolean",
    "date": "date",
    "datetime": "date",
    "string": "text",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "empty": None,
}


def frame(table: Any) -> Any:
    """Return any table as a narwhals frame."""
    return nw.from_native(table)


def kinds_of(table: Any, names: Iterable[str] = ()) -> dict[str, Kind]:
    """Return the kind of each column, None for one without values.

    The columns in `names` are the ones used: a pandas column of Python objects is looked into, and
    one of a type that has no place in a condition is refused.
    """
    whole = frame(table)
    found: dict[str, Kind] = {}
    for name, dtype in whole.collect_schema().items():
        found[name] = _kind(dtype)
        if name in names and whole.implementation.is_pandas():
            found[name] = _kind_in_pandas(whole.to_native()[name], found[name])
        elif name in names and found[name] is None and dtype != nw.Unknown:
            raise _unusable(name, str(dtype))
    return found


def _kind(dtype: Any) -> Kind:
    if dtype.is_numeric() or dtype.is_decimal():
        return "number"
    if dtype == nw.Boolean:
        return "boolean"
    if dtype in {nw.Date, nw.Datetime}:
        return "date"
    if dtype == nw.List:
        return "list"
    return "text" if dtype in {nw.String, nw.Categorical, nw.Enum} else None


def _kind_in_pandas(column: Any, kind: Kind) -> Kind:
    from pandas import DatetimeTZDtype
    from pandas.api.types import infer_dtype

    if isinstance(column.dtype, DatetimeTZDtype):
        return "date"  # narwhals does not know zones with an underscore in their name
    if kind == "number" and column.isna().all():
        return None  # a blank column of a CSV file is read as numbers
    if column.dtype != object:
        return kind
    held = infer_dtype(column, skipna=True)
    if held not in _INFERRED:
        raise _unusable(str(column.name), held)
    return _INFERRED[held]


def _unusable(name: str, held: str) -> ConditionError:
    return ConditionError(
        "Column {column!r} holds {held}, which has no place in a condition. Convert it.",
        column=name,
        held=held,
    )


@dataclass(frozen=True)
class Column:
    """A value in a table: its expression, whether it is constant, and where it is present."""

    expression: nw.Expr
    kind: Kind
    there: nw.Expr | None = None  # None for a constant, which always is
    held: Any = None  # the constant


@dataclass(frozen=True)
class Narwhals:
    """The engine of a table with a known schema."""

    schema: Mapping[str, Any]
    kinds: Mapping[str, Kind]

    def spread(self, constant: nw.Expr) -> nw.Expr:
        """Give a constant to every row."""
        return constant & (nw.col(next(iter(self.schema))).is_null() | nw.lit(value=True))

    def literal(self, node: Literal) -> Column:
        """Give a constant."""
        held = node.value
        if isinstance(held, bool):
            held = int(held)
        elif isinstance(held, date):
            held = datetime.combine(held, time())
        kind = kind_of(node.value)
        return Column(nw.lit(held), "number" if kind == "boolean" else kind, held=held)

    def name(self, node: Name) -> Column:
        """Give a column, in the one type of its kind."""
        raw: nw.Expr = nw.col(node.name)
        dtype, kind = self.schema[node.name], self.kinds[node.name]
        there = ~raw.is_null()
        if kind == "boolean":
            if dtype == nw.Boolean:
                return Column(raw.cast(nw.Int64), "number", there)
            held = nw.when(there).then(raw)  # objects: True, False and any kind of blank
            return Column(held.cast(nw.Float64), "number", there)
        if kind == "date":
            if dtype == nw.Unknown or (dtype == nw.Datetime and dtype.time_zone is not None):
                raw = raw.dt.replace_time_zone(None)
            elif dtype != nw.Datetime:
                raw = raw.cast(nw.Datetime("us"))
        elif kind == "text":
            raw = raw if dtype == nw.String else raw.cast(nw.String)
            there &= raw.str.strip_chars(BLANKS) != ""
        elif kind == "number":
            if dtype.is_float():
                there &= ~raw.is_nan()
            elif dtype != nw.Int64:
                raw = raw.cast(nw.Int64 if dtype in _SMALL else nw.Float64)
        return Column(raw, kind, there.fill_null(value=False))

    def arithmetic(self, operator: str, left: Column, right: Column) -> Column:
        """Compute in double precision."""
        a, b = (side.expression.cast(nw.Float64) for side in (left, right))
        there = [side.there for side in (left, right) if side.there is not None]
        result: nw.Expr
        if operator == "/":
            there.append((b != 0).fill_null(value=False))
            result = nw.when(b != 0).then(a / b)
        else:
            result = {"+": a + b, "-": a - b, "*": a * b}[operator]
        if not there:
            return Column(result, "number")
        return Column(result, "number", reduce(and_, there))

    def aggregate(self, node: Aggregate) -> Column:
        """Give the column that `join` has made of a roster."""
        return self.name(Name(roster_column(node)))

    def compare(self, operator: str, left: Column, right: Column) -> nw.Expr:
        """Compare where both sides are present."""
        if left.kind is None or right.kind is None:
            return self.present(left if left.kind is None else right, truth=True)
        a, b = left.expression, right.expression
        said = {
            "==": a == b,
            "!=": a != b,
            "<": a < b,
            "<=": a <= b,
            ">": a > b,
            ">=": a >= b,
        }[operator].fill_null(value=False)
        if operator == "==" and (left.there is None or right.there is None):
            return said  # a constant is never blank, so its equal is not either
        return reduce(and_, [said, *(s.there for s in (left, right) if s.there is not None)])

    def member(self, operand: Column, choices: Sequence[Column], *, truth: bool) -> nw.Expr:
        """Look a column up."""
        if operand.kind == "text" and operand.there is not None:
            held = operand.expression.is_in([choice.held for choice in choices])
            found = held.fill_null(value=False)
        else:
            found = self.some([self.compare("==", operand, choice) for choice in choices])
        return found if truth else self.present(operand, truth=True) & ~found

    def present(self, operand: Column, *, truth: bool) -> nw.Expr:
        """Tell values from blanks."""
        if operand.there is None:
            return nw.lit(truth)
        return operand.there if truth else ~operand.there

    def selected(self, operand: Column, code: str, *, truth: bool) -> nw.Expr:
        """Look a code up among several answers: a list, or codes with blanks between."""
        held = operand.expression
        if operand.kind is None:
            return self.present(operand, truth=True)
        if operand.kind == "list":
            found = held.list.contains(code)
        elif operand.kind == "number":
            found = (held == int(code)) if code.lstrip("-").isdigit() else nw.lit(value=False)
        else:
            padded = nw.concat_str(nw.lit(" "), held, nw.lit(" "))
            found = padded.str.contains(f" {code} ", literal=True)
        found = found.fill_null(value=False)
        return self.present(operand, truth=True) & (found if truth else ~found)

    def flag(self, operand: Column, *, truth: bool) -> nw.Expr:
        """Take a number for the truth that it is not 0."""
        return self.compare("!=" if truth else "==", operand, self.literal(Literal(0)))

    def any(self, node: Aggregate, *, truth: bool) -> nw.Expr:
        """Read the column that `join` has made of a roster: 2 some true, 0 all false."""
        column = self.name(Name(roster_column(node)))
        return self.compare("==", column, self.literal(Literal(2 if truth else 0)))

    def every(self, parts: Sequence[nw.Expr]) -> nw.Expr:
        """All hold."""
        return reduce(and_, parts)

    def some(self, parts: Sequence[nw.Expr]) -> nw.Expr:
        """At least one holds."""
        return reduce(or_, parts)


def roster_column(node: Aggregate) -> str:
    """Return the name of the column that holds an aggregate over a roster."""
    return f"{node.function}_{sha256(write(node).encode()).hexdigest()[:12]}"
