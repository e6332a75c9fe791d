"""XPath as XLSForms write it, read into a tree of calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from nsm.errors import ConditionError

LONGEST = 20_000
DEEPEST = 60
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<ref>\$\{[A-Za-z_][\w.-]*\})
  | (?P<number>\d+(?:\.\d+)?|\.\d+)
  | (?P<text>"[^"]*"|'[^']*')
  | (?P<path>\.\.(?:/\.\.)*(?:/[A-Za-z_][\w.-]*)*|\.(?:/[A-Za-z_][\w.-]*)+|\.)
  | (?P<name>[A-Za-z_][\w.:-]*)
  | (?P<mark>!=|<=|>=|[-+*=<>()\[\],/])
    )""",
    re.VERBOSE,
)
# From the loosest to the tightest.
_LEVELS = (("or",), ("and",), ("=", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "div", "mod"))


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True)
class Text:
    """A quoted text."""

    value: str


@dataclass(frozen=True)
class Ref:
    """A question: `${age}`, or its name at the end of a path."""

    name: str


@dataclass(frozen=True)
class Here:
    """The answer that is judged, `.`, or a path upward, as in `position(..)`."""

    path: str


@dataclass(frozen=True)
class Call:
    """A function, or an operator, with its arguments."""

    name: str
    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Rows:
    """`${roster}[where]/step`: the rows of a repeat, or one answer of each."""

    of: str
    where: Expression | None
    step: str = ""


Expression = Number | Text | Ref | Here | Call | Rows


def read_xpath(text: str) -> Expression:
    """Read an expression.

    Raises
    ------
    ConditionError
        It is none, or uses more of XPath than forms do.
    """
    if len(text) > LONGEST:
        raise ConditionError(
            "An expression of {length} letters is too long to be read.", length=len(text)
        )
    return _Reader(text).whole()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        self.depth = 0
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                self.fail(text[place : place + 12].strip())
            kind = str(found.lastgroup)
            self.tokens.append((kind, found.group(kind)))
            place = found.end()
        self.place = 0

    def fail(self, near: str) -> NoReturn:
        raise ConditionError(
            "The expression cannot be read near {near!r}: {text}", near=near, text=self.text
        )

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def take(self, *said: str) -> str:
        kind, token = self.peek()
        if said and token not in said:
            self.fail(token or "...")
        if kind == "end":
            self.fail("...")
        self.place += 1
        return token

    def whole(self) -> Expression:
        made = self.level(0)
        if self.peek()[0] != "end":
            self.fail(self.peek()[1])
        return made

    def level(self, number: int) -> Expression:
        if number == len(_LEVELS):
            return self.unary()
        left = self.level(number + 1)
        while self.peek()[0] in {"mark", "name"} and self.peek()[1] in _LEVELS[number]:
            operator = self.take()
            left = Call(operator, (left, self.level(number + 1)))
        return left

    def unary(self) -> Expression:
        if self.peek() == ("mark", "-"):
            self.take()
            return Call("-", (Number(0), self.unary()))
        return self.primary()

    def primary(self) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail("(")
        kind, token = self.peek()
        self.take()
        made: Expression
        match kind:
            case "number":
                made = Number(float(token))
            case "text":
                made = Text(token[1:-1])
            case "ref":
                made = self.rows(token[2:-1])
            case "path":
                last = token.rsplit("/", 1)[-1]
                made = Here(token) if last in {".", ".."} else Ref(last)
            case "name" if self.peek() == ("mark", "("):
                made = self.call(token)
            case "name":
                made = Ref(token)
            case "mark" if self.tokens[self.place - 1][1] == "(":
                made = self.level(0)
                self.take(")")
            case _:
                self.fail(token)
        self.depth -= 1
        return made

    def rows(self, name: str) -> Expression:
        where = None
        if self.peek() == ("mark", "["):
            self.take()
            where = self.level(0)
            self.take("]")
        step = ""
        while self.peek() == ("mark", "/"):
            self.take()
            step = self.take()
        return Ref(name) if where is None and not step else Rows(name, where, step)

    def call(self, name: str) -> Call:
        self.take("(")
        parts: list[Expression] = []
        while self.peek() != ("mark", ")"):
            parts.append(self.level(0))
            if self.peek() != ("mark", ")"):
                self.take(",")
        self.take(")")
        return Call(name, tuple(parts))
