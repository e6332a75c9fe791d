"""Questions of an XLSForm in the words of a source: types, ranges, codes, conditions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nsm.condition.tree import And, Compare, Literal, Missing, Name, Node, Not, Or, write
from nsm.errors import ConditionError
from nsm.questionnaire.adopt.conditions import Answerable, Reader, joined, without_missing
from nsm.questionnaire.adopt.workbook import Line
from nsm.questionnaire.adopt.xpath import Call, Expression, Here, Number, Ref, Text, read_xpath
from nsm.questionnaire.findings import Finding

TYPES = {
    "text": "text",
    "string": "text",
    "integer": "integer",
    "int": "integer",
    "decimal": "decimal",
    "date": "date",
    "today": "today",
    "start": "start",
    "end": "end",
    "geopoint": "point",
    "note": "note",
    "calculate": "calculated",
    "acknowledge": "boolean",
    "trigger": "boolean",
    "range": "integer",
}
DEVICE = {
    "audit",
    "deviceid",
    "subscriberid",
    "simserial",
    "phonenumber",
    "username",
    "email",
    "start-geopoint",
    "background-audio",
}
_SELECT = re.compile(r"select_(?P<kind>one|multiple)\s+(?P<list>[\w.-]+)(?P<other>\s+or_other)?$")
_PATTERN = re.compile(r"^\^?(?P<pattern>.*?)\$?$", re.DOTALL)


@dataclass
class Adoption:
    """What is known while a form is read.

    Parameters
    ----------
    lists
        List -> its codes.
    key
        The question by which answers come with the assignment.
    kinds
        Question -> what is known of it.
    """

    lists: dict[str, list[str]]
    kinds: dict[str, Answerable] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    rosters: dict[str, str] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)
    key: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def reader(self) -> Reader:
        """Return what reads conditions."""
        return Reader(self.kinds, self.copies, self.rosters, links=self.links)

    def condition(self, line: Line, column: str) -> str | None:
        """Return the condition in a cell; one that has no words is a finding."""
        return self.attempt(line, column, lambda: write(self.reader.test(read_xpath(line[column]))))

    def attempt(self, line: Line, column: str, read: Callable[[], Any]) -> Any:
        """Return what `read` gives, or None with a finding."""
        if not line[column]:
            return None
        try:
            return read()
        except ConditionError as error:
            self.findings.append(
                Finding(
                    "Q901",
                    f"survey, {line.number}: {line['name']} ({column})",
                    "This has no words here and is left out: {text}. {reason}",
                    text=line[column][:200],
                    reason=error,
                )
            )
            return None


def shape(adoption: Adoption, line: Line) -> tuple[str, str | None]:
    """Return type and list of a question."""
    kind = line["type"].strip()
    found = _SELECT.match(kind)
    if found:
        name = found.group("list")
        codes = adoption.lists.get(name, [])
        if found.group("other"):
            _left_out(adoption, line, "or_other")
        if found.group("kind") == "one" and name.startswith("yes_no") and {"1", "0"} <= set(codes):
            return "boolean", None
        return ("one" if found.group("kind") == "one" else "many"), name
    if kind not in TYPES:
        _left_out(adoption, line, kind)
    return TYPES.get(kind.split()[0], "text"), None


def _left_out(adoption: Adoption, line: Line, what: str) -> None:
    adoption.findings.append(
        Finding(
            "Q902",
            f"survey, {line.number}: {line['name']}",
            "{what!r} has no type here; the question is kept as far as it goes.",
            what=what,
        )
    )


def known(adoption: Adoption, line: Line) -> Answerable:
    """Return what conditions need to know of a question."""
    kind, name = shape(Adoption(adoption.lists), line)
    codes = adoption.lists.get(name or "", [])
    numbers = kind in {"integer", "decimal", "boolean"} or (bool(codes) and all(map(_whole, codes)))
    missing: frozenset[int] = frozenset()
    if kind == "boolean":
        listed = adoption.lists.get(line["type"].split()[-1], [])
        missing = frozenset(int(code) for code in listed if code not in {"0", "1"})
    elif kind in {"integer", "decimal"} and line["constraint"]:
        try:
            parts = _parts(read_xpath(line["constraint"]))
        except ConditionError:
            parts = []
        missing = frozenset(code for part in parts for code in (_range(part) or ((), ()))[1])
    if kind == "calculated" and _yes_or_no(line["calculation"]):
        kind, numbers = "boolean", True
    return Answerable(kind, numbers, missing)


def _yes_or_no(calculation: str) -> bool:
    """Whether a calculation is `if(yes, 1, if(no, 0, ''))`."""
    return calculation.startswith("if(") and calculation.endswith(", 0, ''))")


def _whole(code: str) -> bool:
    return re.fullmatch(r"-?(?:0|[1-9]\d*)", code) is not None


def plain(code: str) -> str | int:
    """Return a code as a source writes it: whole numbers as numbers, `01` as text."""
    return int(code) if _whole(code) else code


def _parts(expression: Expression) -> list[Expression]:
    """Return what a constraint joins with `and`."""
    if isinstance(expression, Call) and expression.name == "and":
        return [part for each in expression.parts for part in _parts(each)]
    return [expression]


def _range(
    expression: Expression,
) -> tuple[tuple[float | None, float | None], tuple[int, ...]] | None:
    """Read `. >= 0 and . <= 110 or . = 998`: a range, and codes for missing answers."""
    low: float | None = None
    high: float | None = None
    codes: list[int] = []
    options = [expression]
    while isinstance(options[0], Call) and options[0].name == "or":
        options = [*options[0].parts, *options[1:]]
    for option in options[1:]:
        match option:
            case Call(name="=", parts=(Here(path="."), Number(value=code))) if code == int(code):
                codes.append(int(code))
            case _:
                return None
    for part in _parts(options[0]):
        match part:
            case Call(name=">=", parts=(Here(path="."), Number(value=limit))):
                low = limit
            case Call(name="<=", parts=(Here(path="."), Number(value=limit))):
                high = limit
            case _:
                return None
    return (low, high), tuple(codes)


def constraint(adoption: Adoption, line: Line, entry: dict[str, Any]) -> None:
    """Write a constraint as range, codes for missing, pattern, and what is refused."""
    read = adoption.attempt(line, "constraint", lambda: _parts(read_xpath(line["constraint"])))
    others: list[Expression] = []
    lows: list[float] = []
    highs: list[float] = []
    for part in read or ():
        limits = _range(part)
        match part:
            case Call(name="regex", parts=(Here(path="."), Text(value=pattern))):
                entry["pattern"] = _PATTERN.sub(r"\g<pattern>", pattern, count=1)
            case _ if limits is not None:
                (low, high), codes = limits
                lows += [] if low is None else [low]
                highs += [] if high is None else [high]
                if codes:
                    entry["missing"] = {code: f"code_{abs(code)}" for code in codes}
            case _:
                others.append(part)
    refused = adoption.attempt(line, "constraint", lambda: _refused(adoption, line, others))
    if lows or highs:
        entry["range"] = [_short(max(lows, default=None)), _short(min(highs, default=None))]
    if refused is not None:
        entry["refuse"] = write(refused)


def _short(limit: float | None) -> float | int | None:
    return int(limit) if limit is not None and limit == int(limit) else limit


def _refused(adoption: Adoption, line: Line, parts: list[Expression]) -> Node | None:
    """Return where a constraint is false, for an answer that is there."""
    reader = adoption.reader.at(line["name"])
    if not parts:
        return None
    refused = joined(Or, [reader.test(part, truth=False) for part in parts])
    here = Not(Missing(Name(line["name"])))
    found = joined(And, [here, refused])
    if isinstance(found, And) and here in found.parts:
        return joined(And, [part for part in found.parts if part != here])
    return found


def calculation(adoption: Adoption, line: Line, entry: dict[str, Any]) -> None:
    """Write a calculation as a position, an assignment, a value, or cases."""
    text = line["calculation"]
    if not text:
        return
    made = adoption.attempt(line, "calculation", lambda: calculated(adoption, read_xpath(text)))
    entry |= made or {"type": "text", "required": False}


def calculated(adoption: Adoption, expression: Expression) -> dict[str, Any]:
    """Return how a question is computed, in the words of a source.

    Raises
    ------
    ConditionError
        It has no words here.
    """
    match expression:
        case Call(name="position"):
            return {"type": "position"}
        case Call(name="pulldata", parts=(Text(), Text(), Text(), Ref(name=key))):
            adoption.key = key
            return {"type": "text", "assigned": True}
        case Call(name="if", parts=(test, Number(value=1.0), rest)) if flag := _flag(
            adoption, test, rest
        ):
            return {"value": flag}
        case Call(name="if", parts=(test, value, Text(value=""))) if not _constant(value):
            return {"value": _value(adoption, test, value)}
        case Call(name="if"):
            return _cases(adoption, expression)
        case _:
            return {"value": write(adoption.reader.value(expression))}


def _constant(expression: Expression) -> bool:
    return isinstance(expression, Number | Text)


def _flag(adoption: Adoption, test: Expression, rest: Expression) -> str | None:
    """Read `if(yes, 1, if(no, 0, ''))` as one condition, if `no` is no more than not `yes`."""
    match rest:
        case Call(name="if", parts=(no, Number(value=0.0), Text(value=""))):
            reader = adoption.reader
            yes, other = reader.test(test), reader.test(no)
            opposite = without_missing(reader.test(test, truth=False))
            return write(yes) if _same(opposite, without_missing(other)) else None
        case _:
            return None


def _same(one: Node, other: Node) -> bool:
    """Whether two conditions say the same, apart from order and presence."""
    return _shape(one) == _shape(other)


def _shape(node: Node) -> Any:
    match node:
        case And(parts=parts) | Or(parts=parts):
            inner = {_shape(part) for part in parts} - {None}
            return next(iter(inner)) if len(inner) == 1 else (type(node).__name__, frozenset(inner))
        case Not(operand=Missing()):
            return None
        case Compare(operator="!=", left=Name() as name, right=Literal() as code):
            return ("Not", write(Compare("==", name, code)))
        case Not(operand=operand):
            return ("Not", write(operand))
        case _:
            return write(node)


def _value(adoption: Adoption, test: Expression, value: Expression) -> str:
    """Read `if(presence, value, '')`: a value is missing by itself where its parts are."""
    condition, said = adoption.reader.test(test), adoption.reader.value(value)
    parts = condition.parts if isinstance(condition, And) else (condition,)
    if any(not _presence(part) for part in parts):
        raise ConditionError("{part} has no words in conditions.", part="if(...)")
    return write(said)


def _presence(node: Node) -> bool:
    match node:
        case Not(operand=Missing()):
            return True
        case Compare(operator="!=", right=Literal(value=0)):
            return True  # a divisor
        case Compare(operator=">", right=Literal(value=0)):
            return True  # how many there are
        case Or(parts=parts):
            return any(_presence(part) for part in parts)
        case _:
            return False


def _cases(adoption: Adoption, expression: Expression) -> dict[str, Any]:
    cases: dict[str | int, str] = {}
    while isinstance(expression, Call) and expression.name == "if":
        test, value, rest = expression.parts
        cases_of = write(adoption.reader.test(test))
        code = _code(value)
        cases[code] = f"{cases[code]} or {cases_of}" if code in cases else cases_of
        expression = rest
    last = _code(expression)
    made: dict[str, Any] = {"cases": cases}
    return made if last == "" else made | {"otherwise": last}


def _code(expression: Expression) -> str | int:
    match expression:
        case Number(value=number) if number == int(number):
            return int(number)
        case Text(value=text):
            return text
        case _:
            raise ConditionError("{part} has no words in conditions.", part="if(...)")
