"""The numbers of questions on paper: a letter for each module, then 1, 2, 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nsm.questionnaire.model import Question

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

ON_PAPER = frozenset({"position", "today"})  # what a device fills in and paper asks


def printed(question: Question) -> bool:
    """Whether a question stands on the printed form."""
    return not question.silent or question.assigned or question.type in ON_PAPER


def letters(number: int) -> str:
    """Return 0 -> A, 25 -> Z, 26 -> AA."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def numbers(form: Questionnaire) -> dict[str, str]:
    """Return question -> its number on paper: `C7`; notes have none."""
    found: dict[str, str] = {}
    shown = [q for q in form.every_question if printed(q)]
    modules = list(dict.fromkeys(q.module for q in shown))
    counts = dict.fromkeys(modules, 0)
    for question in shown:
        if question.held:
            counts[question.module] += 1
            letter = letters(modules.index(question.module))
            found[question.name] = f"{letter}{counts[question.module]}"
    return found


def module_letters(form: Questionnaire) -> dict[str, str]:
    """Return module -> its letter."""
    shown = dict.fromkeys(q.module for q in form.every_question if printed(q))
    return {module: letters(number) for number, module in enumerate(shown)}
