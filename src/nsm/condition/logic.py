"""Three-valued logic for engines that have two values.

A condition is true, false, or missing where a value it needs is missing. Each part is compiled
into an expression that is never missing: one that says where the part is true, or one that says
where it is false. T(not e) = F(e); T(a and b) = T(a) & T(b); F(a and b) = F(a) | F(b); and so on.
So every engine, and XPath, takes the same rows, whatever it thinks of null, NaN and "".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from nsm.condition.tree import (
    Aggregate,
    And,
    Arithmetic,
    Compare,
    In,
    Literal,
    Missing,
    Name,
    Node,
    Not,
    Or,
    Selected,
)

V = TypeVar("V")
B = TypeVar("B")

INVERSE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Engine(Protocol[V, B]):
    """What an engine owes: values `V`, and tests `B` that are true or false, never missing."""

    def literal(self, node: Literal) -> V:
        """Give a constant."""
        ...

    def name(self, node: Name) -> V:
        """Give a question or column."""
        ...

    def arithmetic(self, operator: str, left: V, right: V) -> V:
        """Give a number, missing where an operand is missing or a divisor is 0."""
        ...

    def aggregate(self, node: Aggregate) -> V:
        """Give a count, minimum, maximum or sum over a roster."""
        ...

    def compare(self, operator: str, left: V, right: V) -> B:
        """Say where both are present and the comparison holds."""
        ...

    def member(self, operand: V, choices: Sequence[V], *, truth: bool) -> B:
        """Say where the operand is present and is (or is not) one of the choices."""
        ...

    def present(self, operand: V, *, truth: bool) -> B:
        """Say where the operand has (or has not) a value."""
        ...

    def selected(self, operand: V, code: str, *, truth: bool) -> B:
        """Say where something was answered and the code is (or is not) among the answers."""
        ...

    def flag(self, operand: V, *, truth: bool) -> B:
        """Say where a value is present and is (or is not) true, that is, not 0."""
        ...

    def any(self, node: Aggregate, *, truth: bool) -> B:
        """Say where the condition is true in some row, or false in all rows of a roster."""
        ...

    def every(self, parts: Sequence[B]) -> B:
        """Say where all hold."""
        ...

    def some(self, parts: Sequence[B]) -> B:
        """Say where at least one holds."""
        ...


def value(engine: Engine[V, B], node: Node) -> V:
    """Compile a tree that stands for a value."""
    match node:
        case Literal():
            return engine.literal(node)
        case Name():
            return engine.name(node)
        case Arithmetic(operator=operator, left=left, right=right):
            return engine.arithmetic(operator, value(engine, left), value(engine, right))
        case Aggregate():
            return engine.aggregate(node)
        case _:
            raise TypeError(type(node).__name__)


def holds(engine: Engine[V, B], node: Node, *, truth: bool = True) -> B:
    """Compile a tree into where it is true, or with `truth=False` where it is false."""
    match node:
        case Not(operand=operand):
            result = holds(engine, operand, truth=not truth)
        case And(parts=parts) | Or(parts=parts):
            join = engine.every if isinstance(node, And) is truth else engine.some
            result = join([holds(engine, part, truth=truth) for part in parts])
        case Compare(operator=operator, left=left, right=right):
            said = operator if truth else INVERSE[operator]
            result = engine.compare(said, value(engine, left), value(engine, right))
        case In(operand=operand, choices=choices):
            codes = [engine.literal(choice) for choice in choices]
            result = engine.member(value(engine, operand), codes, truth=truth)
        case Missing(operand=operand):
            result = engine.present(value(engine, operand), truth=not truth)
        case Selected(operand=operand, code=code):
            result = engine.selected(engine.name(operand), code, truth=truth)
        case Aggregate(function="any"):
            result = engine.any(node, truth=truth)
        case _:
            result = engine.flag(value(engine, node), truth=truth)
    return result
