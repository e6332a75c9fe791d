"""Conditions as XPath 1.0 for ODK, Kobo and SurveyCTO forms.

In a form, a blank is "" and a refused number is 999: every test says what it needs to be present,
so that the form takes the same branch as the tables do. Names are written as XLSForm does
(`${age}`); pyxform makes paths of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from nsm.condition import Condition, Kind
from nsm.condition.kinds import kind_of
from nsm.condition.logic import holds, value
from nsm.condition.tree import Aggregate, Literal, Name, decimal, walk
from nsm.errors import QuestionnaireError
from nsm.questionnaire.model import Question
from nsm.questionnaire.reach import LINK, Reach

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
TRUE, FALSE = "true()", "false()"
_SIGNS = {"==": "=", "+": "+", "-": "-", "*": "*", "/": "div"}


@dataclass(frozen=True)
class Value:
    """A value in XPath, its kind, and the tests that say it is present."""

    text: str
    kind: Kind
    there: tuple[str, ...] = ()  # beyond not being blank: codes for missing, divisors
    blank: tuple[str, ...] = ()  # that it is not blank; a comparison with a constant needs none
    constant: bool = False

    @property
    def present(self) -> tuple[str, ...]:
        """All tests that say the value is there."""
        return (*self.blank, *self.there)


def _both(parts: Sequence[str], word: str, empty: str, absorbing: str) -> str:
    kept = list(dict.fromkeys(part for part in parts if part != empty))
    if absorbing in kept:
        return absorbing
    if len(kept) < 2:
        return kept[0] if kept else empty
    return "(" + f" {word} ".join(kept) + ")"


def all_of(parts: Sequence[str]) -> str:
    """Join tests with `and`."""
    return _both(parts, "and", TRUE, FALSE)


def one_of(parts: Sequence[str]) -> str:
    """Join tests with `or`."""
    return _both(parts, "or", FALSE, TRUE)


def quoted(text: str) -> str:
    """Quote a text."""
    return f'"{text}"' if "'" in text else f"'{text}'"


@dataclass(frozen=True)
class XPath:
    """The engine of one place in a form.

    Parameters
    ----------
    own
        The question whose answer is judged, which XPath calls `.`.
    row
        The roster pass whose rows stand inside a predicate, where names are paths from the row.
    attributes
        Names of the codes of a list, in a filter.
    copies
        Where (roster, name) is noted for each first-pass answer that a second pass needs.
    """

    form: Questionnaire
    reach: Reach
    rosters: tuple[str, ...] = ()
    own: str | None = None
    row: str | None = None
    attributes: tuple[str, ...] = ()
    copies: set[tuple[str, str]] = field(default_factory=set, compare=False)

    def literal(self, node: Literal) -> Value:
        """Give a constant."""
        held = node.value
        if isinstance(held, bool):
            return Value(str(int(held)), "number", constant=True)
        if isinstance(held, date):
            text = f"decimal-date-time(date('{held.isoformat()}'))"
        else:
            text = quoted(held) if isinstance(held, str) else decimal(held)
        return Value(text, kind_of(held), constant=True)

    def name(self, node: Name) -> Value:
        """Give an answer, with the tests that it is one."""
        if node.name in self.attributes:
            return Value(node.name, "text", constant=True)
        question = self.form.questions[self.reach.base(node.name)]
        path = self.path(node.name)
        kind = question.kind
        codes = self.form.missing_codes(question)
        if question.type == "many":
            there = tuple(f"not(selected({path}, {quoted(str(code))}))" for code in codes)
        else:
            there = tuple(
                f"{path} != {code}" if isinstance(code, int) else f"{path} != {quoted(code)}"
                for code in codes
            )
        blank = (f"normalize-space({path}) != ''" if question.type == "text" else f"{path} != ''",)
        text = f"decimal-date-time({path})" if kind == "date" else path
        return Value(text, kind, there, blank)

    def path(self, name: str) -> str:
        """Return the path to a question from here."""
        question = self.form.questions[self.reach.base(name)]
        if name == self.own:
            return "."
        if LINK in name:
            return self._linked(name.split(LINK, 1)[0], question)
        if self.row is not None and self._inside(question):
            return "./" + "/".join(self._steps(question, self.row))
        if self._copied(question):
            return f"${{{self.copy(self.rosters[-1], name)}}}"
        return f"${{{name}}}"

    def _inside(self, question: Question) -> bool:
        """Whether the question stands in the rows that a predicate runs over."""
        return bool(question.rosters) and self.reach.roster(question.rosters[-1]) == (
            self.reach.roster(str(self.row))
        )

    def _copied(self, question: Question) -> bool:
        """Whether the question belongs to the first pass of the roster that this one revisits."""
        if not self.rosters or question.rosters == self.rosters:
            return False
        return self.reach.rosters[self.rosters[-1]].of in question.rosters

    def _steps(self, question: Question, row: str) -> tuple[str, ...]:
        """Return the path from a row: in a second pass, first-pass answers are copies."""
        if question.rosters[-1] != row:
            return (self.copy(row, question.name),)
        sections = question.sections
        return (*sections[sections.index(row) + 1 :], question.name)

    def copy(self, roster: str, name: str) -> str:
        """Return the name under which a second pass holds an answer of the first."""
        self.copies.add((roster, name))
        return copy_name(roster, name)

    def _linked(self, link: str, question: Question) -> str:
        roster = self.rosters[-1]
        position = self.path(self.reach.links(self.reach.roster(roster))[link])
        return f"indexed-repeat(${{{question.name}}}, ${{{question.rosters[-1]}}}, {position})"

    def arithmetic(self, operator: str, left: Value, right: Value) -> Value:
        """Compute with two numbers."""
        text = f"({left.text} {_SIGNS[operator]} {right.text})"
        there = [*left.there, *right.there]
        if operator == "/":
            there.append(f"{right.text} != 0")
        blank = tuple(dict.fromkeys((*left.blank, *right.blank)))
        return Value(text, "number", tuple(dict.fromkeys(there)), blank)

    def aggregate(self, node: Aggregate) -> Value:
        """Count or sum up the rows of a roster."""
        rows, inside = self.rows(node)
        if node.value is None:
            chosen = TRUE if node.where is None else holds(inside, node.where)
            return Value(f"count({rows}{_predicate(chosen)})", "number", constant=True)
        if not isinstance(node.value, Name):
            raise QuestionnaireError(
                "Forms take the {function} of a question, not of a computed value: make a "
                "calculated variable of it inside the roster {roster!r}.",
                function=node.function,
                roster=node.roster,
            )
        held = inside.name(node.value)
        tests = [*held.present, TRUE if node.where is None else holds(inside, node.where)]
        found = f"{rows}{_predicate(all_of(tests))}/{inside.path(node.value.name)[2:]}"
        if node.function == "sum":
            return Value(f"sum({found})", "number", constant=True)
        return Value(f"{node.function}({found})", "number", (f"count({found}) > 0",))

    def rows(self, node: Aggregate) -> tuple[str, XPath]:
        """Return the node-set of a roster, and the engine inside its rows.

        If a name of the second pass is used, its rows are taken: they have copies of the first's.
        """
        names = [part.name for part in walk(node) if isinstance(part, Name)]
        passes = [node.roster]
        for name in names:
            question = self.form.questions[self.reach.base(name)]
            if question.rosters and self.reach.roster(question.rosters[-1]) == node.roster:
                passes.append(question.rosters[-1])
        row = max(passes, key=lambda name: list(self.reach.rosters).index(name))
        inside = XPath(self.form, self.reach, self.rosters, None, row, (), self.copies)
        return f"${{{row}}}", inside

    def any(self, node: Aggregate, *, truth: bool) -> str:
        """Ask the rows of a roster."""
        rows, inside = self.rows(node)
        where = node.where or Literal(value=True)
        found = f"count({rows}{_predicate(holds(inside, where, truth=truth))})"
        return f"{found} > 0" if truth else f"{found} = count({rows})"

    def compare(self, operator: str, left: Value, right: Value) -> str:
        """Compare two values that are present."""
        a, b = left.text, right.text
        numbers = {left.kind, right.kind} & {"number", "boolean"}
        constant = left.constant or right.constant
        if numbers and operator in {"==", "!="} and not constant:
            a, b = f"number({a})", f"number({b})"
        if operator == "==" and constant:  # an answer equal to a constant is present
            return f"{a} = {b}"
        enough = operator != "!=" and numbers
        tests = [*left.there, *right.there] if enough else [*left.present, *right.present]
        return all_of([*tests, f"{a} {_SIGNS.get(operator, operator)} {b}"])

    def member(self, operand: Value, choices: Sequence[Value], *, truth: bool) -> str:
        """Look a value up."""
        tests = [f"{operand.text} = {choice.text}" for choice in choices]
        if truth:
            return one_of(tests)
        return all_of([*operand.present, *(test.replace(" = ", " != ", 1) for test in tests)])

    def present(self, operand: Value, *, truth: bool) -> str:
        """Tell a value from a blank."""
        tests = all_of(operand.present)
        if truth or tests == TRUE:
            return tests if truth else FALSE
        return f"not({unwrapped(tests)})"

    def selected(self, operand: Value, code: str, *, truth: bool) -> str:
        """Look a code up among several answers."""
        test = f"selected({operand.text}, {quoted(code)})"
        if truth:
            return all_of([*operand.there, test])
        return all_of([*operand.present, f"not({test})"])

    def flag(self, operand: Value, *, truth: bool) -> str:
        """Take a number for the truth that it is not 0."""
        if operand.constant:
            return TRUE if (operand.text != "0") is truth else FALSE
        if operand.kind == "boolean":
            return self.compare("==", operand, Value(str(int(truth)), "number", constant=True))
        return self.compare("!=" if truth else "==", operand, Value("0", "number", constant=True))

    def every(self, parts: Sequence[str]) -> str:
        """All hold."""
        return all_of(parts)

    def some(self, parts: Sequence[str]) -> str:
        """At least one holds."""
        return one_of(parts)

    def condition(self, condition: Condition, *, truth: bool = True) -> str:
        """Write where a condition is true (or false)."""
        return unwrapped(holds(self, condition.tree, truth=truth))

    def filled(self, text: str) -> str:
        """Write a text whose `{names}` are answers."""
        return PLACEHOLDER.sub(lambda found: self.path(found.group(1)), text)

    def value(self, condition: Condition) -> str:
        """Write a value, blank where it is missing."""
        kind = condition.check(self.reach.scope(self.reach.canonical(self.rosters)))
        if kind == "boolean":
            yes, no = (self.condition(condition, truth=truth) for truth in (True, False))
            return f"if({yes}, 1, if({no}, 0, ''))"
        held = value(self, condition.tree)
        tests = all_of(held.present)
        return held.text if tests == TRUE else f"if({tests}, {held.text}, '')"


def copy_name(roster: str, name: str) -> str:
    """Return the name under which a second pass holds an answer of the first."""
    return f"{roster}_{name}"


def _predicate(test: str) -> str:
    if test == TRUE:
        return ""
    return f"[{unwrapped(test)}]"


def unwrapped(text: str) -> str:
    """Return an expression without the parentheses around the whole of it."""
    return text[1:-1] if _wrapped(text) else text


def _wrapped(text: str) -> bool:
    """Whether the first parenthesis closes at the end."""
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth, quote = 0, ""
    for place, letter in enumerate(text):
        if quote or letter in "'\"":
            quote = "" if letter == quote else quote or letter
            continue
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place == len(text) - 1
    return False
