"""The order of the interview: circles, questions nobody reaches, conditions without effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nsm.condition import Condition, parse
from nsm.questionnaire.findings import Finding
from nsm.questionnaire.model import Question, Rule, Section
from nsm.questionnaire.reach import Reach
from nsm.questionnaire.solve import Goal, Solver, Undecided
from nsm.questionnaire.uses import Use

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire


def circles(reach: Reach, used: list[Use]) -> list[list[str]]:
    """Return each circle of questions that depend on each other, as a path."""
    needs: dict[str, list[str]] = {}
    for use in used:
        for name in use.decides:
            known = [n for n in use.condition.all_names if n in reach.order]
            needs.setdefault(name, []).extend(known)
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            found.append([*path[path.index(name) :], name])
            return
        if name not in done:
            for other in dict.fromkeys(needs.get(name, ())):
                visit(other, [*path, name])
            done.add(name)

    for name in needs:
        visit(name, [])
    return found


def check_circles(reach: Reach, found: list[list[str]]) -> Iterator[Finding]:
    """Report circles with their path."""
    for path in found:
        question = reach.form.questions[path[0]]
        yield Finding(
            "Q301",
            f"{question.module}.{question.name}",
            "Whether {name!r} is asked depends on itself: {path}. Break the circle.",
            name=path[0],
            path=" -> ".join(path),
        )


def check_flow(form: Questionnaire, solver: Solver) -> Iterator[Finding]:
    """Decide for every condition whether it can be true, and whether it can be false."""
    for section in form.contents:
        yield from _section(solver, section, ())


def _section(solver: Solver, section: Section, above: tuple[Condition, ...]) -> Iterator[Finding]:
    inside = above
    if section.ask is not None:
        wrong = list(_ask(solver, section.name, section.ask, above))
        yield from wrong
        if any(finding.code == "Q302" for finding in wrong):
            return  # all below would be unreachable too
        inside = (*above, section.ask)
    for part in section.contents:
        if isinstance(part, Section):
            yield from _section(solver, part, inside)
        elif part.own is not None:
            yield from _ask(solver, f"{part.module}.{part.name}", part.own, inside)


def _ask(
    solver: Solver, where: str, ask: Condition, above: tuple[Condition, ...]
) -> Iterator[Finding]:
    before: list[Goal] = [(condition, "true") for condition in above]
    try:
        if solver.find(*before, (ask, "true")) is None:
            yield Finding(
                "Q302",
                where,
                "Nobody reaches this: {condition} is never true here. Mend the condition, or "
                "leave the question out.",
                condition=str(ask),
            )
        elif solver.find(*before, (ask, "false")) is None:
            yield Finding(
                "Q303",
                where,
                "{condition} is never false here, so it decides nothing. Leave it out.",
                condition=str(ask),
            )
    except Undecided:
        yield _undecided(where, ask)


def _undecided(where: str, condition: Condition) -> Finding:
    return Finding(
        "Q304",
        where,
        "{condition} depends on too many answers to be decided. Try it with test interviews.",
        condition=str(condition),
    )


def check_rules(form: Questionnaire, solver: Solver) -> Iterator[Finding]:
    """Decide whether a rule lets any answer pass, and whether it stops any."""
    for rule in form.rules:
        where = f"{rule.module}.{rule.name}"
        question = form.questions.get(rule.at or "")
        try:
            yield from _rule(solver, rule, where, question)
        except Undecided:
            yield _undecided(where, rule.when)


def _rule(solver: Solver, rule: Rule, where: str, question: Question | None) -> Iterator[Finding]:
    before: list[Goal] = []
    if question is not None:
        answered = parse(f"{question.name} is not missing")
        before = [*((ask, "true") for ask in question.asks), (answered, "true")]
    if solver.find(*before, (rule.when, "true")) is None:
        yield Finding(
            "Q306",
            where,
            "{condition} is never true, so the rule stops no answer. Mend it, or leave it out.",
            condition=str(rule.when),
        )
    elif rule.severity == "error" and solver.find(*before, (rule.when, "not true")) is None:
        yield Finding(
            "Q305",
            where,
            "{condition} is always true, so the rule refuses every answer.",
            condition=str(rule.when),
        )
