"""Can these conditions all hold? Decided by search over codes and bounded numbers.

Each question takes a few values that stand for all its answers: every code that a condition names
and one that none names, the numbers around every limit, and a blank. So the search is exact where
answers are compared with constants, and enumerates whole ranges where they are compared with each
other. A question has an answer only where it is asked. What cannot be enumerated (a count over a
roster) may take any value: then "never" is certain and "possible" is not claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

from nsm.condition import Condition
from nsm.condition.logic import holds, value
from nsm.condition.rows import Python
from nsm.condition.tree import (
    Aggregate,
    Arithmetic,
    Compare,
    In,
    Literal,
    Name,
    Node,
    Selected,
    rewrite,
    walk,
    write,
)
from nsm.questionnaire.checks.references import possible
from nsm.questionnaire.model import Question
from nsm.questionnaire.reach import Reach

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

STEPS = 60_000
WIDEST = 2_000
OTHER = "\N{MIDDLE DOT}"  # a code or text that no condition names

Goal = tuple[Condition, str]  # and whether it is to be `true`, `false` or `not true`


class Undecided(Exception):  # noqa: N818  # an answer, not an error
    """The search was too large."""


@dataclass
class _Variable:
    """One name with the values that stand for all its answers."""

    name: str
    question: Question | None
    values: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class _Opaque:
    """Where a question is asked, and how it is computed."""

    asked: Node
    cases: tuple[tuple[Any, Node], ...]
    value: Node | None


class Solver:
    """Searches for answers that make conditions true or false."""

    def __init__(self, form: Questionnaire, reach: Reach) -> None:
        self.form = form
        self.reach = reach
        self.opaque: dict[str, _Opaque] = {}
        self.answers: dict[tuple[tuple[str, str], ...], dict[str, Any] | None] = {}

    def trees(self, question: Question) -> _Opaque:
        """Return what decides over a question, with what cannot be enumerated as names."""
        if question.name not in self.opaque:
            self.opaque[question.name] = _Opaque(
                _opaque(question.asked.tree),
                tuple((code, _opaque(case.tree)) for code, case in question.cases),
                None if question.value is None else _opaque(question.value.tree),
            )
        return self.opaque[question.name]

    def find(self, *goals: Goal) -> dict[str, Any] | None:
        """Return answers that meet all goals, or None if there are none.

        Raises
        ------
        Undecided
            The search is too large.
        """
        key = tuple((str(condition), verdict) for condition, verdict in goals)
        if key not in self.answers:
            self.answers[key] = _Search(self, goals).run()
        return self.answers[key]


def _opaque(tree: Node) -> Node:
    """Replace what cannot be enumerated by a name of its own."""
    return rewrite(
        tree, lambda node: Name("#" + write(node)) if isinstance(node, Aggregate) else node
    )


class _Search:
    def __init__(self, solver: Solver, goals: Sequence[Goal]) -> None:
        self.form, self.reach, self.solver = solver.form, solver.reach, solver
        self.goals = [(_opaque(condition.tree), verdict) for condition, verdict in goals]
        self.trees: list[Node] = [tree for tree, _ in self.goals]
        self.names: list[str] = []
        for tree in self.trees:
            self._close(tree)
        order = self.reach.order
        self.names.sort(key=lambda name: (name in order, order.get(name, 0)))
        self.steps = 0
        self.row: dict[str, Any] = {}
        self.engine = Python(self.row)
        self.variables = [self._variable(name) for name in self.names]
        self.due = self._due()

    def _close(self, tree: Node) -> None:
        """Take in every question that decides whether another has an answer."""
        for node in walk(tree):
            if not isinstance(node, Name) or node.name in self.names:
                continue
            self.names.append(node.name)
            question = self.form.questions.get(node.name)
            if question is None:
                continue
            known = self.solver.trees(question)
            parts = [known.asked, *(case for _, case in known.cases)]
            if known.value is not None:
                parts.append(known.value)
            self.trees.extend(parts)
            for part in parts:
                self._close(part)

    def _due(self) -> list[list[tuple[Node, str]]]:
        """Return for each variable the goals that can be judged once it has a value."""
        place = {name: number for number, name in enumerate(self.names)}
        due: list[list[tuple[Node, str]]] = [[] for _ in range(len(self.names) + 1)]
        for tree, verdict in self.goals:
            used = [place[node.name] for node in walk(tree) if isinstance(node, Name)]
            due[max(used, default=-1) + 1].append((tree, verdict))
        return due

    def run(self) -> dict[str, Any] | None:
        if not all(self._met(*goal) for goal in self.due[0]):
            return None
        return dict(self.row) if self._extend(0) else None

    def _extend(self, depth: int) -> bool:
        if depth == len(self.variables):
            return True
        variable = self.variables[depth]
        for held in self._values(variable):
            self.steps += 1
            if self.steps > STEPS:
                raise Undecided
            self.row[variable.name] = held
            if all(self._met(*goal) for goal in self.due[depth + 1]) and self._extend(depth + 1):
                return True
        return False

    def _met(self, tree: Node, verdict: str) -> bool:
        if verdict == "not true":
            return not holds(self.engine, tree)
        return holds(self.engine, tree, truth=verdict == "true")

    def _values(self, variable: _Variable) -> Iterator[Any]:
        """Give the values that a variable can have after the ones before it."""
        if variable.question is None:
            yield from variable.values
            return
        known = self.solver.trees(variable.question)
        if not holds(self.engine, known.asked):
            yield None
        elif known.cases:
            cases = (code for code, case in known.cases if holds(self.engine, case))
            yield next(cases, variable.question.otherwise)
        elif known.value is not None:
            yield self._computed(known.value)
        else:
            yield from variable.values

    def _computed(self, tree: Node) -> Any:
        if isinstance(tree, Literal | Name | Arithmetic):
            return value(self.engine, tree)
        if holds(self.engine, tree):
            return True
        return False if holds(self.engine, tree, truth=False) else None

    def _variable(self, name: str) -> _Variable:
        question = self.form.questions.get(name)
        said, free = _constants(self.trees, name)
        if question is None:
            return _Variable(name, None, _opaque_values(name, self.form, self.reach, said))
        if question.cases or question.value is not None:
            return _Variable(name, question)
        return _Variable(name, question, [*_domain(self.form, question, said, free=free), None])


def _constants(trees: Sequence[Node], name: str) -> tuple[list[Any], bool]:
    """Return the constants a name is compared with, and whether it meets other names."""
    said: list[Any] = []
    free = False
    for tree in trees:
        for node in walk(tree):
            match node:
                case Compare(left=left, right=right):
                    sides = [left, right]
                    if not any(_is(side, name) for side in sides):
                        free |= any(_within(side, name) for side in sides)
                        continue
                    other = right if _is(left, name) else left
                    if isinstance(other, Literal):
                        said.append(other.value)
                    else:
                        free = True
                case In(operand=operand, choices=choices) if _is(operand, name):
                    said.extend(choice.value for choice in choices)
                case In(operand=operand):
                    free |= _within(operand, name)
                case Selected(operand=operand, code=code) if _is(operand, name):
                    said.append(code)
                case Arithmetic():
                    free |= _within(node, name)
                case _:
                    pass
    return list(dict.fromkeys(said)), free


def _is(node: Node, name: str) -> bool:
    return isinstance(node, Name) and node.name == name


def _within(node: Node, name: str) -> bool:
    return any(_is(part, name) for part in walk(node))


def _domain(form: Questionnaire, question: Question, said: list[Any], *, free: bool) -> list[Any]:
    """Return the values that stand for all answers to a question."""
    codes = list(possible(form, question))
    if question.type == "boolean":
        return [1, 0]
    if question.kind == "list":
        return _subsets([str(code) for code in said])
    if codes:
        named = [code for code in codes if free or code in said]
        rest = [code for code in codes if code not in named]
        return [*named, *rest[:1]]
    if question.kind == "number":
        return _numbers(question, [float(number) for number in said], free=free)
    if question.kind == "date":
        days = [day for day in said if isinstance(day, date)] or [date(2000, 1, 1)]
        return [day + timedelta(days=shift) for day in days for shift in (-1, 0, 1)]
    if free:
        raise Undecided
    return [*said, OTHER]


def _subsets(codes: list[str]) -> list[list[str]]:
    if len(codes) > 10:
        raise Undecided
    chosen = [list(c) for n in range(len(codes) + 1) for c in combinations(codes, n)]
    return [codes or [OTHER] for codes in chosen]


def _numbers(question: Question, said: list[float], *, free: bool) -> list[float]:
    low, high = question.range
    if free:
        if question.type != "integer" or low is None or high is None or high - low > WIDEST:
            raise Undecided
        return list(range(int(low), int(high) + 1))
    step = 1.0 if question.type == "integer" else 1e-6
    near = {point + shift for point in said for shift in (-step, 0.0, step)}
    near |= {limit for limit in question.range if limit is not None}
    if question.type == "integer":
        near = {float(int(point)) for point in near}
    if low is None:
        near.add(min(near, default=0.0) - 1)
    if high is None:
        near.add(max(near, default=0.0) + 1)
    kept = [p for p in near if (low is None or p >= low) and (high is None or p <= high)]
    return [int(p) if p.is_integer() else p for p in sorted(kept)]


def _opaque_values(name: str, form: Questionnaire, reach: Reach, said: list[Any]) -> list[Any]:
    """Return values for what cannot be enumerated: an aggregate, or an answer of a linked row."""
    if not name.startswith("#"):
        question = form.questions[reach.base(name)]
        if question.cases or question.value is not None:
            codes = list(possible(form, question))
            return [*(codes or [True, False]), None]
        return [*_domain(form, question, said, free=False), None]
    if name.startswith("#any("):
        return [True, False, None]
    numbers = [float(n) for n in said if isinstance(n, int | float)]
    points = {point + shift for point in numbers or [0.0] for shift in (-1.0, 0.0, 1.0)}
    return [*sorted(points), None]
