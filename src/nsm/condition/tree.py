"""The tree of a condition: what was said, not yet for any engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

Value = bool | int | float | str | date


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One part of a condition; `place` is where it starts in the text, counted from 0."""

    place: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, a quoted text, true or false, or a date."""

    value: Value


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A question or column."""

    name: str


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`left operator right`, the operator one of `+ - * /`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`left operator right`, the operator one of `== != < <= > >=`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """The operand is one of the choices."""

    operand: Node
    choices: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Missing(Node):
    """The operand has no value."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Selected(Node):
    """The code is among the answers to a question that allows several."""

    operand: Name
    code: str


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """`count, any, min, max` or `sum` over the rows of a roster."""

    function: str
    roster: str
    value: Node | None = None
    where: Node | None = None


@dataclass(frozen=True, slots=True)
class Not(Node):
    """The operand does not hold."""

    operand: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    """All parts hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """At least one part holds."""

    parts: tuple[Node, ...]


_PARTS: dict[type[Node], tuple[str, ...]] = {
    Arithmetic: ("left", "right"),
    Compare: ("left", "right"),
    In: ("operand", "choices"),
    Missing: ("operand",),
    Selected: ("operand",),
    Aggregate: ("value", "where"),
    Not: ("operand",),
    And: ("parts",),
    Or: ("parts",),
}


def children(node: Node) -> Iterator[Node]:
    """Give the nodes directly below `node`."""
    for name in _PARTS.get(type(node), ()):
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from value


def walk(node: Node, *, rosters: bool = True) -> Iterator[Node]:
    """Give `node` and all below it; without `rosters`, nothing inside an aggregate."""
    yield node
    if rosters or not isinstance(node, Aggregate):
        for child in children(node):
            yield from walk(child, rosters=rosters)


def rewrite(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the tree with `change` applied to every node, from the leaves up."""
    parts: dict[str, Any] = {}
    for name in _PARTS.get(type(node), ()):
        value = getattr(node, name)
        if isinstance(value, Node):
            parts[name] = rewrite(value, change)
        elif isinstance(value, tuple):
            parts[name] = tuple(rewrite(part, change) for part in value)
    return change(replace(node, **parts) if parts else node)


_LOOSE = {Or: 1, And: 2, Not: 3, Compare: 4, In: 4, Missing: 4}
_ARITHMETIC = {"+": 5, "-": 5, "*": 6, "/": 6}


def _tightness(node: Node) -> int:
    if isinstance(node, Arithmetic):
        return _ARITHMETIC[node.operator]
    return _LOOSE.get(type(node), 7)


def _inside(node: Node, tightness: int) -> str:
    text = write(node)
    return text if _tightness(node) >= tightness else f"({text})"


def write(node: Node) -> str:
    """Write a tree as the one text that stands for all its spellings.

    >>> write(Compare(">=", Name("age"), Literal(15)))
    'age >= 15'
    """
    match node:
        case Literal(value=value):
            text = _literal(value)
        case Name(name=name):
            text = name
        case Arithmetic(operator=operator, left=left, right=right):
            own = _ARITHMETIC[operator]
            text = f"{_inside(left, own)} {operator} {_inside(right, own + 1)}"
        case Compare(operator=operator, left=left, right=right):
            text = f"{_inside(left, 5)} {operator} {_inside(right, 5)}"
        case Selected(operand=operand, code=code):
            text = f"selected({operand.name}, {_literal(code)})"
        case Aggregate(function=function, roster=roster, value=value, where=where):
            inner = [roster, *(write(part) for part in (value, where) if part is not None)]
            text = f"{function}({', '.join(inner)})"
        case And(parts=parts):
            text = " and ".join(_inside(part, 3) for part in parts)
        case Or(parts=parts):
            text = " or ".join(_inside(part, 2) for part in parts)
        case _:
            text = _test(node)
    return text


def _test(node: Node) -> str:
    match node:
        case Not(operand=In(operand=operand, choices=choices)):
            return f"{_inside(operand, 5)} not in ({_list(choices)})"
        case In(operand=operand, choices=choices):
            return f"{_inside(operand, 5)} in ({_list(choices)})"
        case Not(operand=Missing(operand=operand)):
            return f"{_inside(operand, 5)} is not missing"
        case Missing(operand=operand):
            return f"{_inside(operand, 5)} is missing"
        case Not(operand=operand):
            return f"not {_inside(operand, 3)}"
        case _:
            raise TypeError(type(node).__name__)


def _list(choices: tuple[Literal, ...]) -> str:
    return ", ".join(_literal(choice.value) for choice in choices)


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return f'date("{value.isoformat()}")'
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else f'"{value}"'
    return decimal(value)


def decimal(value: float) -> str:
    """Write a number without exponent, as XPath 1.0 and readers want it.

    >>> decimal(1e-7), decimal(3)
    ('0.0000001', '3')
    """
    if isinstance(value, int) or value == int(value):
        return str(int(value))
    return format(Decimal(repr(value)), "f")
