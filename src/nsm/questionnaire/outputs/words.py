"""Conditions in the words of an interviewer: `C4 = Haiti and B3 ≥ 15`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsm.condition import Condition
from nsm.condition.logic import value
from nsm.condition.rows import Python
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
    decimal,
)
from nsm.language import said as in_words
from nsm.questionnaire.reach import LINK

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

SIGNS = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}


@dataclass(frozen=True)
class Words:
    """Writes conditions in one language.

    Parameters
    ----------
    numbers
        Question -> its number on paper; the others are called by their label.
    """

    form: Questionnaire
    language: str
    numbers: Mapping[str, str]

    def say(self, condition: Condition) -> str:
        """Write a condition."""
        return self._test(condition.tree)

    def name(self, name: str) -> str:
        """Write what stands for a question."""
        link, _, base = name.rpartition(LINK)
        question = base if link else name
        said = self.numbers.get(question) or f"«{self.form.text(question, self.language)}»"
        return f"{link}: {said}" if link else said

    def _translated(self, text: str, **values: str) -> str:
        return in_words(text, self.language).format(**values)

    def _test(self, node: Node) -> str:
        match node:
            case And(parts=parts):
                glue = f" {self._translated('and')} "
                return glue.join(self._inner(part, Or) for part in parts)
            case Or(parts=parts):
                glue = f" {self._translated('or')} "
                return glue.join(self._inner(part, And) for part in parts)
            case Compare(operator=operator, left=left, right=right):
                names = [side.name for side in (left, right) if isinstance(side, Name)]
                about = names[0] if len(names) == 1 else ""
                sides = (self._value(left, about), self._value(right, about))
                return f"{sides[0]} {SIGNS[operator]} {sides[1]}"
            case In(operand=operand, choices=choices):
                return self._member(operand, choices, "=")
            case Not(operand=In(operand=operand, choices=choices)):
                return self._member(operand, choices, "≠")
            case _:
                return self._other(node)

    def _other(self, node: Node) -> str:
        match node:
            case Missing(operand=operand) | Not(operand=Missing(operand=operand)):
                there = isinstance(node, Not)
                text = "{name} has an answer" if there else "{name} has no answer"
                return self._translated(text, name=self._value(operand))
            case Selected(operand=operand, code=code):
                return self._translated(
                    "{name} includes «{code}»",
                    name=self.name(operand.name),
                    code=self._code(operand.name, code),
                )
            case Name(name=name) | Not(operand=Name(name=name)):
                key = "yes_no: 1" if isinstance(node, Name) else "yes_no: 0"
                return f"{self.name(name)} = {self.form.text(key, self.language)}"
            case Not(operand=operand):
                return self._translated("not ({condition})", condition=self._test(operand))
            case _:
                return self._value(node)

    def _inner(self, node: Node, loose: type[Node]) -> str:
        text = self._test(node)
        return f"({text})" if isinstance(node, loose) else text

    def _member(self, operand: Node, choices: tuple[Literal, ...], sign: str) -> str:
        about = operand.name if isinstance(operand, Name) else ""
        said = [self._code(about, choice.value) for choice in choices]
        glue = f" {self._translated('or')} "
        listed = ", ".join(said[:-1]) + glue + said[-1] if len(said) > 1 else said[0]
        return f"{self._value(operand)} {sign} {listed}"

    def _code(self, name: str, code: Any) -> str:
        question = self.form.questions.get(name.rpartition(LINK)[2])
        listed = question is not None and (question.list or question.type == "boolean")
        if question is not None and listed:
            value = int(code) if isinstance(code, bool) else code
            return self.form.label(question, value, self.language).split(": ", maxsplit=1)[0]
        return decimal(code) if isinstance(code, int | float) else str(code)

    def _value(self, node: Node, about: str = "") -> str:
        match node:
            case Literal(value=said):
                return self._code(about, said)
            case Name(name=name):
                return self.name(name)
            case Arithmetic(left=Literal(), right=Literal()):
                return decimal(value(Python({}), node))
            case Arithmetic(operator=operator, left=left, right=right):
                sides = [self._value(side) for side in (left, right)]
                marked = [
                    f"({said})" if isinstance(side, Arithmetic) else said
                    for side, said in zip((left, right), sides, strict=True)
                ]
                return f"{marked[0]} {operator} {marked[1]}"
            case Aggregate():
                return self._aggregate(node)
            case _:
                return f"({self._test(node)})"

    def _aggregate(self, node: Aggregate) -> str:
        roster = f"«{self.form.text(node.roster, self.language)}»"
        where = "" if node.where is None else self._test(node.where)
        inner = "" if node.value is None else self._value(node.value)
        if node.function == "any":
            return self._translated("someone in {roster} has {where}", roster=roster, where=where)
        if node.function == "count" and not where:
            return self._translated("number in {roster}", roster=roster)
        if node.function == "count":
            return self._translated("number in {roster} with {where}", roster=roster, where=where)
        return f"{node.function}({inner}; {roster}{'; ' + where if where else ''})"
