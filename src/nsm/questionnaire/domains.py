"""The few values that stand for all answers to a question.

Where answers are compared with constants only, one answer on each side of every constant is enough,
so decisions over them are exact. Where answers are compared with each other, all are taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

from nsm.condition.tree import Arithmetic, Compare, In, Literal, Missing, Name, Node, Selected, walk
from nsm.questionnaire.model import Question

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

WIDEST = 2_000
OTHER = "\N{MIDDLE DOT}"  # a code or text that no condition names


class Undecided(Exception):  # noqa: N818  # an answer, not an error
    """The search was too large."""


class Uses:
    """What every name in some conditions is compared with."""

    def __init__(self, trees: Iterable[Node], before: Uses | None = None) -> None:
        known = before.said if before else {}
        self.said: dict[str, list[Any]] = {name: list(said) for name, said in known.items()}
        self.free: set[str] = set(before.free) if before else set()
        for tree in trees:
            for node in walk(tree):
                self._note(node)

    def _note(self, node: Node) -> None:
        match node:
            case Compare(left=Name(name=name), right=Literal(value=value)):
                self._say(name, value)
            case Compare(left=Literal(value=value), right=Name(name=name)):
                self._say(name, value)
            case In(operand=Name(name=name), choices=choices):
                for choice in choices:
                    self._say(name, choice.value)
            case Selected(operand=Name(name=name), code=code):
                self._say(name, code)
            case Compare() | In() | Missing(operand=Arithmetic()):
                self.free |= {part.name for part in walk(node) if isinstance(part, Name)}
            case _:
                pass

    def _say(self, name: str, value: Any) -> None:
        held = int(value) if isinstance(value, bool) else value
        if held not in self.said.setdefault(name, []):
            self.said[name].append(held)


def domain(form: Questionnaire, question: Question, uses: Uses, name: str) -> list[Any]:
    """Return the answers that stand for all answers to a question; a blank is not among them."""
    said, free = uses.said.get(name, []), name in uses.free
    codes = list(form.results(question))
    if question.kind == "boolean":
        return [1, 0]
    if question.kind == "list":
        return _subsets([str(code) for code in said], [str(code) for code in codes])
    if codes:
        named = [code for code in codes if free or code in said]
        rest = [code for code in codes if code not in named]
        return [*named, *rest[:1]]
    if question.kind == "number":
        return numbers(question, [float(number) for number in said], free=free)
    if question.kind == "date":
        days = [day for day in said if isinstance(day, date)] or [date(2000, 1, 1)]
        return [day + timedelta(days=shift) for day in days for shift in (-1, 0, 1)]
    return [*said, OTHER]


def _subsets(said: list[str], codes: list[str]) -> list[list[str]]:
    """Return every choice among the codes that conditions name; one of the others if none is."""
    if len(said) > 12:
        raise Undecided
    rest = [code for code in codes if code not in said]
    chosen = [list(c) for n in range(1, len(said) + 1) for c in combinations(said, n)]
    return chosen if codes and not rest else [rest[:1] or [OTHER], *chosen]


def numbers(question: Question, said: Sequence[float], *, free: bool) -> list[float]:
    """Return the numbers around every limit, or all of a range that is not too wide."""
    low, high = question.range
    if free and question.type == "integer" and low is not None and high is not None:
        if high - low <= WIDEST:
            return list(range(int(low), int(high) + 1))
        middle = (low + high) // 2
        ends = {low, low + 1, low + 2, middle, middle + 1, high - 1, high, *said}
        return sorted(point for point in ends if low <= point <= high)
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
    return [int(p) if float(p).is_integer() else p for p in sorted(kept)]


def sampled(question: Question, uses: Uses, name: str) -> bool:
    """Whether the values of a number are a sample, from which nothing follows for the others."""
    low, high = question.range
    if name not in uses.free or question.kind != "number":
        return False
    bounded = question.type == "integer" and low is not None and high is not None
    return not bounded or (high or 0) - (low or 0) > WIDEST
