"""Conditions in plain Python, one row at a time."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from nsm.condition.kinds import Kind, Scope, kind_of
from nsm.condition.logic import holds, value
from nsm.condition.tree import Aggregate, Literal, Name

Row = Mapping[str, Any]
Rosters = Mapping[str, Sequence[Row]]
_OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def clean(answer: Any) -> Any:
    """Return an answer as Python sees it: None for blank, null and NaN, a moment for a day."""
    answer = answer.item() if hasattr(answer, "item") else answer
    if answer is None or answer != answer:  # noqa: PLR0124  # NaN and NaT are unlike themselves
        return None
    if isinstance(answer, str):
        return answer if answer.strip(" \t\r\n") else None
    if isinstance(answer, date) and not isinstance(answer, datetime):
        return datetime.combine(answer, time())
    return answer.replace(tzinfo=None) if isinstance(answer, datetime) else answer


def _kind(held: Any) -> Kind:
    return "list" if isinstance(held, list | tuple | set) else kind_of(clean(held))


@dataclass(frozen=True)
class Python:
    """The engine of one row: values are Python objects, None where missing."""

    row: Row
    rosters: Rosters = field(default_factory=dict)

    def scope(self) -> Scope:
        """Return the names of the row and its rosters, with the kinds of their values."""
        inside = {
            roster: {name: _kind(held) for row in rows for name, held in row.items()} or None
            for roster, rows in self.rosters.items()
        }
        return Scope({name: _kind(held) for name, held in self.row.items()}, inside)

    def literal(self, node: Literal) -> Any:
        """Give a constant."""
        return clean(node.value)

    def name(self, node: Name) -> Any:
        """Give an answer."""
        found = self.row[node.name]
        return list(found) or None if isinstance(found, list | tuple | set) else clean(found)

    def arithmetic(self, operator: str, left: Any, right: Any) -> Any:
        """Compute with two numbers."""
        if left is None or right is None or (operator == "/" and right == 0):
            return None
        if operator == "/":
            return clean(float(left) / float(right))
        return clean(_OPERATORS[operator](float(left), float(right)))

    def aggregate(self, node: Aggregate) -> Any:
        """Count or sum up the rows of a roster."""
        rows = [
            engine
            for engine in self.inside(node)
            if node.where is None or holds(engine, node.where)
        ]
        if node.value is None:
            return len(rows)
        found = [value(engine, node.value) for engine in rows]
        found = [each for each in found if each is not None]
        if node.function == "sum":
            return math.fsum(found)
        return (min if node.function == "min" else max)(found, default=None)

    def inside(self, node: Aggregate) -> list[Python]:
        """Give an engine for each row of a roster; outside names follow the row's own."""
        return [Python({**self.row, **each}) for each in self.rosters[node.roster]]

    def compare(self, operator: str, left: Any, right: Any) -> bool:
        """Compare two values that are both present."""
        return left is not None and right is not None and bool(_OPERATORS[operator](left, right))

    def member(self, operand: Any, choices: Sequence[Any], *, truth: bool) -> bool:
        """Look a value up."""
        return operand is not None and (operand in choices) is truth

    def present(self, operand: Any, *, truth: bool) -> bool:
        """Tell a value from a blank."""
        return (operand is not None) is truth

    def selected(self, operand: Any, code: str, *, truth: bool) -> bool:
        """Look a code up among several answers."""
        if operand is None:
            return False
        if isinstance(operand, list):
            codes = [str(each) for each in operand]
        elif isinstance(operand, float) and operand.is_integer():
            codes = [str(int(operand))]
        else:
            codes = str(operand).split()
        return (code in codes) is truth

    def flag(self, operand: Any, *, truth: bool) -> bool:
        """Take a number for the truth that it is not 0."""
        return operand is not None and (operand != 0) is truth

    def any(self, node: Aggregate, *, truth: bool) -> bool:
        """Ask the rows of a roster one after the other."""
        assert node.where is not None  # noqa: S101  # the grammar gives `any` a condition
        answers = [holds(engine, node.where, truth=truth) for engine in self.inside(node)]
        return any(answers) if truth else all(answers)

    def every(self, parts: Sequence[bool]) -> bool:
        """All hold."""
        return all(parts)

    def some(self, parts: Sequence[bool]) -> bool:
        """At least one holds."""
        return any(parts)
