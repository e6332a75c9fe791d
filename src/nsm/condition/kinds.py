"""Kinds of values, checked before anything is computed.

A kind is `number, text, date, boolean, list` (the answers to a question that allows several) or
None where it is not known. A boolean counts as the number 1 or 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from nsm.condition.parser import where
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
    children,
    write,
)
from nsm.errors import ColumnError, ConditionError, nearest

Kind = str | None
TESTS = (Compare, In, Missing, Selected, Not, And, Or)


def kind_of(value: object) -> Kind:
    """Return the kind of a Python value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "date" if isinstance(value, date) else None


@dataclass(frozen=True)
class Scope:
    """The names a condition may use, with their kinds.

    Parameters
    ----------
    kinds
        Name -> kind; None where any name may stand, each of unknown kind.
    rosters
        Roster -> kinds of its names, or None where any name may stand.
    """

    kinds: Mapping[str, Kind] | None = None
    rosters: Mapping[str, Mapping[str, Kind] | None] | None = None

    def kind(self, node: Name, text: str) -> Kind:
        """Return the kind of a name, or refuse it with the nearest known one."""
        if self.kinds is None:
            return None
        if node.name not in self.kinds:
            raise ColumnError(
                "{condition!r} uses {column!r}, which is not there. {hint}",
                condition=text,
                column=node.name,
                hint=nearest(node.name, self.kinds),
            )
        return self.kinds[node.name]

    def inside(self, node: Aggregate, text: str) -> Scope:
        """Return the scope of one row of a roster: its own names come before those outside."""
        if self.rosters is None:
            return Scope()
        if node.roster not in self.rosters:
            raise ConditionError(
                "There is no roster {roster!r} (column {column}). {hint}\n{shown}",
                roster=node.roster,
                hint=nearest(node.roster, self.rosters),
                **where(text, node.place),
            )
        own = self.rosters[node.roster]
        return Scope() if own is None else Scope({**(self.kinds or {}), **own}, {})


def check(node: Node, text: str, scope: Scope, *, boolean: bool | None = None) -> Kind:
    """Return the kind of a tree, or refuse what cannot be compared or computed.

    Parameters
    ----------
    boolean
        Whether a condition (True), a value (False) or either (None) is wanted.
    """
    checker = _Checker(text, scope)
    if boolean:
        checker.truth(node)
    return checker.kind(node) if boolean is not False else checker.value(node)


@dataclass(frozen=True)
class _Checker:
    text: str
    scope: Scope

    def kind(self, node: Node) -> Kind:
        match node:
            case Literal(value=value):
                return kind_of(value)
            case Name():
                return self.scope.kind(node, self.text)
            case Arithmetic():
                for part in children(node):
                    self.numeric(part)
                return "number"
            case Aggregate():
                return self.aggregate(node)
            case _:
                self.test(node)
                return "boolean"

    def test(self, node: Node) -> None:
        match node:
            case Compare(operator=operator, left=left, right=right):
                self.compared(operator, left, right)
            case In(operand=operand, choices=choices):
                for choice in choices:
                    self.compared("==", operand, choice)
            case Missing(operand=operand):
                self.value(operand)
            case Selected(operand=operand):
                self.listed(operand)
            case _:
                for part in children(node):
                    self.truth(part)

    def refuse(self, node: Node, why: str) -> None:
        """Refuse a part; the reasons are whole templates, so that they can be translated."""
        raise ConditionError(why, part=write(node), **where(self.text, node.place))

    def value(self, node: Node) -> Kind:
        if isinstance(node, TESTS) or (isinstance(node, Aggregate) and node.function == "any"):
            self.refuse(node, "{part} is true or false, not a value (column {column}).\n{shown}")
        return self.kind(node)

    def numeric(self, node: Node) -> None:
        kind = self.value(node)
        if kind not in {"number", "boolean", None}:
            self.refuse(
                node, "{part} is no number and cannot be computed with (column {column}).\n{shown}"
            )

    def truth(self, node: Node) -> None:
        kind = self.kind(node)
        bare = isinstance(node, Name) and kind in {"number", None}
        if kind != "boolean" and not bare:
            self.refuse(
                node,
                "{part} is neither true nor false (column {column}): compare it with something."
                "\n{shown}",
            )

    def listed(self, node: Name) -> None:
        if self.kind(node) not in {"list", "text", "number", None}:
            self.refuse(node, "{part} does not hold several answers (column {column}).\n{shown}")

    def compared(self, operator: str, left: Node, right: Node) -> None:
        kinds = self.value(left), self.value(right)
        for part, kind in zip((left, right), kinds, strict=True):
            if kind == "list":
                self.refuse(
                    part,
                    "{part} holds several answers (column {column}): use selected({part}, code)."
                    "\n{shown}",
                )
            if kind == "text" and operator not in {"==", "!="}:
                self.refuse(
                    part,
                    "{part} is text, which has no order (column {column}): use ==, != or in."
                    "\n{shown}",
                )
        one, other = ("number" if kind == "boolean" else kind for kind in kinds)
        if one and other and one != other:
            raise ConditionError(
                "{left} ({one}) and {right} ({other}) cannot be compared (column {column})."
                "\n{shown}",
                left=write(left),
                one=one,
                right=write(right),
                other=other,
                **where(self.text, left.place),
            )

    def aggregate(self, node: Aggregate) -> Kind:
        inside = _Checker(self.text, self.scope.inside(node, self.text))
        if node.where is not None:
            inside.truth(node.where)
        if node.value is None:
            return "number" if node.function == "count" else "boolean"
        if node.function == "sum":
            inside.numeric(node.value)
            return "number"
        kind = inside.value(node.value)
        if kind in {"text", "list"}:
            inside.refuse(
                node.value,
                "{part} is text, which has no order (column {column}): use ==, != or in.\n{shown}",
            )
        return "number" if kind == "boolean" else kind
