"""Every place in a form where a condition stands, and what can be used there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nsm.condition import Condition
from nsm.questionnaire.model import Question, Section
from nsm.questionnaire.reach import Chain, Reach

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire


@dataclass(frozen=True)
class Use:
    """A condition (or value) in its place.

    Parameters
    ----------
    before
        The number of questions that are answered by then.
    decides
        The questions whose being asked, or whose value, depends on it.
    boolean
        Whether a condition is wanted, not a value.
    """

    where: str
    key: str
    condition: Condition
    chain: Chain
    before: int
    decides: tuple[str, ...]
    question: Question | None = None
    boolean: bool | None = True


def uses(form: Questionnaire, reach: Reach) -> Iterator[Use]:
    """Give every condition of a form, in order."""
    count = [0]
    for section in form.contents:
        yield from _section(section, (), count, reach)
    for rule in form.rules:
        chain = reach.canonical(rule.rosters)
        at = reach.order.get(rule.at or "", len(reach.order) - 1)
        where = f"{rule.module}.{rule.name}"
        key = "refuse" if rule.severity == "error" else "doubt"
        yield Use(where, key, rule.when, chain, at + 1, ())


def _section(section: Section, chain: Chain, count: list[int], reach: Reach) -> Iterator[Use]:
    inside = (*chain, reach.roster(section.name)) if section.kind == "roster" else chain
    held = tuple(part.name for part in section.walk() if isinstance(part, Question))
    if section.ask is not None:
        yield Use(section.name, "ask", section.ask, chain, count[0], held)
    if section.count is not None:
        yield Use(section.name, "count", section.count, chain, count[0], held, boolean=False)
    for part in section.contents:
        if isinstance(part, Section):
            yield from _section(part, inside, count, reach)
            continue
        where = f"{part.module}.{part.name}"
        for key, condition in part.conditions:
            boolean = None if key == "value" else True
            yield Use(where, key, condition, inside, count[0], (part.name,), part, boolean)
        count[0] += 1
