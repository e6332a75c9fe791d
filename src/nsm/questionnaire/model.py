"""What a questionnaire consists of: code lists, questions, sections and rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nsm.condition import Condition, Kind, every

Answer = str | int

TYPES: dict[str, Kind] = {
    "text": "text",
    "integer": "number",
    "decimal": "number",
    "date": "date",
    "boolean": "boolean",
    "one": None,  # the kind of its codes
    "many": "list",
    "point": "text",
    "note": None,
    "calculated": None,
    "position": "number",
    "start": "date",
    "end": "date",
    "today": "date",
}
SILENT = frozenset({"calculated", "position", "start", "end", "today"})
CODED = frozenset({"one", "many"})
YES_NO = {1: "yes", 0: "no"}


@dataclass(frozen=True)
class Code:
    """One code of a list, with what is known of it (its group, its limits)."""

    code: Answer
    missing: bool = False
    attributes: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class CodeList:
    """The codes that a question may be answered with; `shared` if a library brought it."""

    name: str
    codes: tuple[Code, ...]
    standard: str | None = None
    source: str = ""
    shared: bool = False

    @cached_property
    def valid(self) -> tuple[Answer, ...]:
        """The codes that are answers."""
        return tuple(code.code for code in self.codes if not code.missing)

    @cached_property
    def missing(self) -> tuple[Answer, ...]:
        """The codes that say why there is no answer."""
        return tuple(code.code for code in self.codes if code.missing)

    @cached_property
    def kind(self) -> Kind:
        """Number if every code is one."""
        return "number" if all(isinstance(c.code, int) for c in self.codes) else "text"

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that its codes have."""
        return tuple(dict.fromkeys(key for code in self.codes for key in code.attributes))


@dataclass(frozen=True)
class Rule:
    """Answers that are refused (`error`) or doubted (`warning`) where the condition is true."""

    name: str
    when: Condition
    severity: str
    module: str
    table: str
    at: str | None = None
    rosters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """One variable: asked, computed, or known before.

    Parameters
    ----------
    asks
        The conditions of its sections and its own: it is asked where all are true.
    range
        Lowest and highest number.
    missing
        Code -> why there is no answer, for numbers and yes/no.
    sections
        The names of the sections that hold it, from the outermost.
    rosters
        The names of those that repeat.
    assigned
        Whether the answer is known before the visit and comes with the assignment.
    """

    name: str
    type: str
    module: str
    table: str
    asks: tuple[Condition, ...] = ()
    own: Condition | None = None
    list: str | None = None
    range: tuple[float | None, float | None] = (None, None)
    missing: Mapping[int, str] = field(default_factory=dict)
    required: bool = True
    filter: Condition | None = None
    value: Condition | None = None
    cases: tuple[tuple[Answer, Condition], ...] = ()
    otherwise: Answer | None = None
    pattern: str | None = None
    assigned: bool = False
    kind: Kind = None
    sections: tuple[str, ...] = ()
    rosters: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def asked(self) -> Condition:
        """Where it is asked."""
        return every(self.asks)

    @property
    def silent(self) -> bool:
        """Whether nobody is asked: it is computed, taken over or recorded by the device."""
        return self.assigned or self.type in SILENT

    @property
    def held(self) -> bool:
        """Whether it leaves a column in the data."""
        return self.type != "note"

    @property
    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Its own conditions, each with the key it stands under."""
        if self.own is not None:
            yield "ask", self.own
        if self.filter is not None:
            yield "filter", self.filter
        if self.value is not None:
            yield "value", self.value
        for code, case in self.cases:
            yield f"cases.{code}", case


@dataclass(frozen=True)
class Section:
    """Part of a questionnaire: a module, a group, or a roster that repeats for each row.

    Parameters
    ----------
    module
        The module that holds it, if one does.
    of
        The roster whose rows this one visits again, if it is a second pass.
    count
        The number of rows, where it is asked or computed.
    links
        Link -> the question that holds the position of another row: `mother` -> `mother_line`
        makes `mother__age` the age of that row.
    """

    name: str
    kind: str
    contents: tuple[Section | Question, ...]
    table: str
    ask: Condition | None = None
    module: str = ""
    of: str | None = None
    count: Condition | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def walk(self) -> Iterator[Section | Question]:
        """Give the section and all in it, in order."""
        yield self
        for part in self.contents:
            if isinstance(part, Section):
                yield from part.walk()
            else:
                yield part


@dataclass(frozen=True)
class Table:
    """A level of the data: one row per unit.

    Parameters
    ----------
    key
        The column that names a unit. Where it is no question, it is made of the key above and the
        unit's `position` in it: `dwelling-1`, `dwelling-1-03`.
    of
        The key of the level above.
    position
        The question that numbers the units within the one above.
    """

    name: str
    unit: str
    key: str
    of: str | None = None
    position: str | None = None
