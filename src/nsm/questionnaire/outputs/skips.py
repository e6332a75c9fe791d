"""Where an answer leads on paper: the next question that it does not rule out.

An answer rules a question out where it alone makes the question's condition impossible, whatever
the other answers are. So an arrow is never wrong; what two answers decide together is said by the
condition above the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsm.condition.logic import holds
from nsm.condition.rows import Python
from nsm.condition.tree import (
    Aggregate,
    And,
    Compare,
    In,
    Literal,
    Name,
    Node,
    Not,
    Or,
    rewrite,
    walk,
)
from nsm.questionnaire.model import YES_NO, Question
from nsm.questionnaire.outputs.numbers import printed

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

LONGEST = 20  # codes; longer lists decide by condition only


@dataclass(frozen=True)
class Skip:
    """After `question`, the answer `code` leads to `to`; None is the end of the person's sheet."""

    question: str
    code: Any
    to: str | None


def skips(form: Questionnaire) -> list[Skip]:
    """Return every answer that leads elsewhere than to the next question, in order."""
    shown = [q for q in form.every_question if printed(q) and q.held]
    conditions = {q.name: _plain(form, q.asked.tree) for q in shown}
    found = []
    for place, question in enumerate(shown):
        after = [q for q in shown[place + 1 :] if q.rosters == question.rosters]
        if not after or after[0].rosters != question.rosters:
            continue
        for code in answers(form, question):
            known = {question.name: None if code in form.missing_codes(question) else code}
            to = _next(after, conditions, known)
            if to is None or to is not after[0]:
                found.append(Skip(question.name, code, to.name if to else None))
    return found


def answers(form: Questionnaire, question: Question) -> tuple[Any, ...]:
    """Return the codes that can be ticked on paper."""
    codes = tuple(YES_NO) if question.type == "boolean" else form.codes(question)
    every = (*codes, *form.missing_codes(question))
    return every if question.type in {"one", "boolean"} and len(every) <= LONGEST else ()


def _next(
    after: list[Question], conditions: dict[str, Node], known: dict[str, Any]
) -> Question | None:
    """Return the first question that is not ruled out; those that are passed stay blank."""
    for question in after:
        if possible(conditions[question.name], known):
            return question
        known[question.name] = None
    return None


def _plain(form: Questionnaire, tree: Node) -> Node:
    """Replace computed yes/no answers and computed codes by what they are computed from."""

    def change(node: Node) -> Node:
        match node:
            case Name(name=name) if name in form.questions:
                value = form.questions[name].value
                flag = value is not None and form.questions[name].kind == "boolean"
                return _plain(form, value.tree) if flag and value is not None else node
            case Compare(operator="==", left=Name(name=name), right=Literal(value=code)):
                return _case(form, name, [code]) or node
            case In(operand=Name(name=name), choices=choices):
                return _case(form, name, [choice.value for choice in choices]) or node
            case _:
                return node

    return rewrite(tree, change)


def _case(form: Questionnaire, name: str, codes: list[Any]) -> Node | None:
    question = form.questions.get(name)
    if question is None or not question.cases or question.otherwise in codes:
        return None
    parts = tuple(_plain(form, case.tree) for code, case in question.cases if code in codes)
    return Or(parts) if len(parts) > 1 else parts[0] if parts else None


def possible(node: Node, known: dict[str, Any], *, truth: bool = True) -> bool:
    """Whether a condition can be true (or false) when only some answers are known."""
    match node:
        case Not(operand=operand):
            return possible(operand, known, truth=not truth)
        case And(parts=parts) | Or(parts=parts):
            joined = all if isinstance(node, And) is truth else any
            return joined(possible(part, known, truth=truth) for part in parts)
        case _:
            below = list(walk(node))
            names = {part.name for part in below if isinstance(part, Name)}
            if not names <= set(known) or any(isinstance(part, Aggregate) for part in below):
                return True
            return bool(holds(Python(known), node, truth=truth))
