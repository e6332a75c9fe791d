"""XPath of a form as conditions: what the form says, in the one language of all engines.

In a form every test is true or false, and a blank differs from any code; a condition is missing
where an answer is. So `${sex} != 'M'` becomes `sex != "M" or sex is missing`, and
`${age} != '' and ${age} >= 15` becomes `age >= 15`: both hold where the form's test holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

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
    walk,
)
from nsm.errors import ConditionError
from nsm.questionnaire.adopt.xpath import Call, Expression, Here, Number, Ref, Rows, Text

_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_SIGNS = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_ARITHMETIC = {"+": "+", "-": "-", "*": "*", "div": "/"}
_SAME = {"number", "decimal-date-time", "decimal-date", "normalize-space", "string", "int"}


@dataclass(frozen=True)
class Answerable:
    """What is known of a question while conditions are read."""

    type: str
    numbers: bool = False  # its codes are whole numbers
    missing: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Reader:
    """Turns expressions into conditions.

    Parameters
    ----------
    names
        Question -> what is known of it.
    copies
        Copy in a second pass -> the question of the first.
    rosters
        Repeat -> itself, or the one whose rows it visits again.
    own
        The question that `.` stands for.
    links
        Where (question with the position) is noted, for `indexed-repeat`.
    """

    names: Mapping[str, Answerable]
    copies: Mapping[str, str]
    rosters: Mapping[str, str]
    own: str | None = None
    links: set[str] = field(default_factory=set, compare=False)

    def at(self, own: str) -> Reader:
        """Return a reader for a constraint on a question."""
        return replace(self, own=own)

    def test(self, expression: Expression, *, truth: bool = True) -> Node:
        """Return a condition that is true where the form's test is true (or false).

        Raises
        ------
        ConditionError
            It has no words here.
        """
        result: Node
        match expression:
            case Call(name="and" | "or" as word, parts=parts):
                kind = And if (word == "and") is truth else Or
                result = joined(kind, [self.test(part, truth=truth) for part in parts])
            case Call(name="not", parts=(part,)):
                result = self.test(part, truth=not truth)
            case Call(name="boolean" | "number", parts=(part,)):
                result = self.test(part, truth=truth)
            case Call(name="true" | "false" as word, parts=()):
                result = Literal((word == "true") is truth)
            case Call(name="selected", parts=(answer, Text(value=code))):
                result = self._selected(self._name(answer), code, truth=truth)
            case Call(name=operator, parts=(left, right)) if operator in _SIGNS:
                result = self._compare(operator if truth else _OPPOSITE[operator], left, right)
                if not truth and operator not in {"=", "!="}:  # a blank is not less either
                    result = _or_missing(result, self.value(left), self.value(right))
            case _:
                value = self.value(expression)
                result = value if truth else _or_missing(Not(value), value)
        return result

    def value(self, expression: Expression) -> Node:
        """Return a value.

        Raises
        ------
        ConditionError
            It has no words here.
        """
        result: Node
        match expression:
            case Number(value=number):
                result = Literal(int(number) if number == int(number) else number)
            case Text(value=text):
                result = Literal(text)
            case Ref() | Here(path="."):
                result = Name(self._name(expression))
            case Call(name=name, parts=(part,)) if name in _SAME:
                result = self.value(part)
            case Call(name="date", parts=(Text(value=day),)):
                result = Literal(_day(day))
            case Call(name=name, parts=(left, right)) if name in _ARITHMETIC:
                result = Arithmetic(_ARITHMETIC[name], self.value(left), self.value(right))
            case Call(name="count" | "sum" | "min" | "max" as name, parts=(rows,)):
                result = self._aggregate(name, rows)
            case Call(name="indexed-repeat", parts=(Ref(name=name), Ref(), Ref() | Here() as row)):
                position = self._name(row)
                self.links.add(position)
                result = Name(f"{link_of(position)}__{name}")
            case _:
                raise ConditionError("{part} has no words in conditions.", part=_said(expression))
        return result

    def _name(self, expression: Expression) -> str:
        if isinstance(expression, Here) and expression.path == "." and self.own:
            return self.own
        if isinstance(expression, Call) and expression.name in _SAME and len(expression.parts) == 1:
            return self._name(expression.parts[0])
        if isinstance(expression, Ref):
            return self.copies.get(expression.name, expression.name)
        raise ConditionError("{part} has no words in conditions.", part=_said(expression))

    def _selected(self, name: str, code: str, *, truth: bool) -> Node:
        kind = self.names.get(name, Answerable("text"))
        if kind.type != "many":
            return self._constant(Name(name), "==" if truth else "!=", code)
        found = Selected(Name(name), code)
        return found if truth else _or_missing(Not(found), Name(name))

    def _compare(self, operator: str, left: Expression, right: Expression) -> Node:
        blank = Text("")
        if blank in {left, right}:
            there = self.value(left if right == blank else right)
            return Missing(there) if operator == "=" else Not(Missing(there))
        counted = self._any(operator, left, right)
        if counted is not None:
            return counted
        one, other = self.value(left), self.value(right)
        if isinstance(other, Name) and isinstance(one, Literal):
            one, other, operator = other, one, _turned(operator)
        sign = _SIGNS[operator]
        if isinstance(one, Name) and isinstance(other, Literal):
            return self._constant(one, sign, other.value)
        found = Compare(sign, one, other)
        return _or_missing(found, one, other) if sign == "!=" else found

    def _constant(self, name: Name, sign: str, value: Any) -> Node:
        """Compare an answer with a constant of its own type."""
        kind = self.names.get(name.name.rpartition("__")[2], Answerable("text"))
        if isinstance(value, str) and kind.numbers and value.lstrip("-").isdigit():
            value = int(value)
        if isinstance(value, int) and value in kind.missing and sign in {"==", "!="}:
            return Missing(name) if sign == "==" else Not(Missing(name))
        if isinstance(value, int) and not kind.numbers and kind.type == "one":
            value = str(value)
        found: Node = Compare(sign, name, Literal(value))
        if kind.type == "boolean" and value in {0, 1} and sign in {"==", "!="}:
            found = name if (sign == "==") is (value == 1) else Not(name)
        return _or_missing(found, name) if sign == "!=" else found

    def _any(self, operator: str, left: Expression, right: Expression) -> Node | None:
        """Read `count(rows[x]) > 0`, which asks whether there is any."""
        match left, right:
            case Call(name="count", parts=(Rows(of=of, where=where, step=""),)), Number(value=0.0):
                if operator == ">" and where is not None:
                    return Aggregate("any", self.rosters.get(of, of), where=self.test(where))
        return None

    def _aggregate(self, function: str, rows: Expression) -> Node:
        match rows:
            case Ref(name=name) if name in self.rosters and function == "count":
                return Aggregate("count", self.rosters[name])
            case Rows(of=of, where=where, step=step):
                test = None if where is None else self.test(where)
                roster = self.rosters.get(of, of)
                if not step:
                    return Aggregate("count", roster, where=test)
                value = Name(self.copies.get(step, step))
                return Aggregate(function, roster, value, _beyond(test, value.name))
            case _:
                raise ConditionError("{part} has no words in conditions.", part=_said(rows))


def link_of(position: str) -> str:
    """Return the link that a question with another row's position makes: `mother_line`: mother."""
    for ending in ("_line", "_position", "_number"):
        if position.endswith(ending):
            return position.removesuffix(ending)
    return f"{position}_row"


def _beyond(test: Node | None, name: str) -> Node | None:
    """Leave out that the value is there: an aggregate takes the answers that are there."""
    there = Not(Missing(Name(name)))
    if test == there:
        return None
    if isinstance(test, And) and there in test.parts:
        return joined(And, [part for part in test.parts if part != there])
    return test


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConditionError("{text!r} is no date like 2027-01-31.", text=text) from error


def _turned(operator: str) -> str:
    return {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(operator, operator)


def _or_missing(test: Node, *values: Node) -> Node:
    """Let a blank pass too, as `!=` does in a form."""
    missing = [Missing(value) for value in values if not isinstance(value, Literal | Aggregate)]
    return joined(Or, [test, *missing]) if missing else test


def joined(kind: type[And | Or], parts: list[Node]) -> Node:
    """Join tests; among those that all must hold, leave out what another one settles."""
    flat = _flat(kind, parts)
    if kind is And:
        present = {name for part in flat if (name := _there(part)) is not None}
        present |= {name for part in flat for name in _needs(part)}
        flat = _flat(And, [_known(part, present) for part in flat])
        needed = {name for part in flat for name in _needs(part)}
        flat = [p for p in flat if _there(p) is None or _there(p) not in needed] or flat[:1]
    else:
        flat = _memberships(flat)
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _flat(kind: type[And | Or], parts: list[Node]) -> list[Node]:
    flat: list[Node] = []
    for part in parts:
        flat += list(part.parts) if isinstance(part, kind) else [part]
    return list(dict.fromkeys(flat))


def _known(node: Node, present: set[str]) -> Node:
    """Leave out that an answer may be missing, where it is known to be there."""
    if not isinstance(node, Or):
        return node
    rest = [p for p in node.parts if not (isinstance(p, Missing) and _absent(p) in present)]
    return rest[0] if len(rest) == 1 else Or(tuple(rest)) if rest else node


def _absent(node: Missing) -> str:
    return node.operand.name if isinstance(node.operand, Name) else ""


def without_missing(node: Node) -> Node:
    """Return a condition without the alternatives that an answer is missing."""
    if isinstance(node, And):
        return joined(And, [without_missing(part) for part in node.parts])
    if isinstance(node, Or):
        kept = [without_missing(p) for p in node.parts if not isinstance(p, Missing)]
        return joined(Or, kept) if kept else node
    return node


def _there(node: Node) -> str | None:
    match node:
        case Not(operand=Missing(operand=Name(name=name))):
            return name
        case _:
            return None


def _needs(node: Node) -> set[str]:
    """Return the answers without which a test is not true."""
    match node:
        case Compare() | In() | Selected() | Name():
            return {part.name for part in walk(node, rosters=False) if isinstance(part, Name)}
        case Not(operand=Name() | Selected() | In() | Compare() as operand):
            return _needs(operand)
        case And(parts=parts):
            return set().union(*(_needs(part) for part in parts))
        case Or(parts=parts):
            return set.intersection(*(_needs(part) for part in parts))
        case _:
            return set()


def _memberships(parts: list[Node]) -> list[Node]:
    """Write `x == a or x == b` as `x in (a, b)`."""
    codes: dict[Name, list[Literal]] = {}
    for part in parts:
        match part:
            case Compare(operator="==", left=Name() as name, right=Literal() as code):
                codes.setdefault(name, []).append(code)
    found: list[Node] = []
    for part in parts:
        match part:
            case Compare(operator="==", left=Name() as name, right=Literal()):
                if len(codes[name]) == 1:
                    found.append(part)
                elif In(name, tuple(codes[name])) not in found:
                    found.append(In(name, tuple(codes[name])))
            case _:
                found.append(part)
    return found


def _said(expression: Expression) -> str:
    match expression:
        case Call(name=name):
            return f"{name}(...)"
        case Here(path=path):
            return path
        case Rows(of=of):
            return f"${{{of}}}[...]"
        case Ref(name=name):
            return f"${{{name}}}"
        case _:
            return str(expression.value)
