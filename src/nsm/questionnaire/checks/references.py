"""What conditions and texts refer to: names in their reach, earlier questions, codes, types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nsm.condition.tree import Aggregate, Compare, In, Literal, Name, Node, Selected, walk
from nsm.errors import InputError, nearest
from nsm.questionnaire.findings import Finding
from nsm.questionnaire.model import Question
from nsm.questionnaire.reach import LINK, Chain, Reach
from nsm.questionnaire.uses import Use

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire


def check_references(
    form: Questionnaire, reach: Reach, used: list[Use], circles: set[tuple[str, str]]
) -> Iterator[Finding]:
    """Find names that do not exist, come later or are out of reach, and types that do not fit.

    Parameters
    ----------
    circles
        (question, name) pairs that are reported as part of a circle.
    """
    for use in used:
        where = f"{use.where} ({use.key})"
        wrong = list(_names(reach, use, where, circles))
        yield from wrong
        if wrong:
            continue
        attributes = _attributes(form, use)
        try:
            scope = reach.scope(use.chain)
            if attributes:
                kinds = {**(scope.kinds or {}), **dict.fromkeys(attributes)}
                scope = type(scope)(kinds, scope.rosters)
            use.condition.check(scope, boolean=use.boolean)
        except InputError as error:
            yield Finding("Q501", where, "{reason}", reason=error)
            continue
        yield from _codes(form, reach, use.condition.tree, where, attributes)


def _attributes(form: Questionnaire, use: Use) -> tuple[str, ...]:
    if use.key != "filter" or use.question is None or use.question.list is None:
        return ()
    return form.lists[use.question.list].attributes


def _names(reach: Reach, use: Use, where: str, circles: set[tuple[str, str]]) -> Iterator[Finding]:
    attributes = _attributes(reach.form, use)
    for node in use.condition.aggregates:
        known = reach.scope(use.chain).rosters or {}
        if node.roster not in known:
            yield Finding(
                "Q206",
                where,
                "There is no roster {roster!r} in reach. {hint}",
                roster=node.roster,
                hint=nearest(node.roster, known),
            )
            continue
        for part in walk(node):
            if isinstance(part, Name) and part.name not in known[node.roster]:  # type: ignore[operator]  # a form's scope has kinds
                yield from _name(reach, use, part.name, where, circles)
        yield from _roster_is_complete(reach, use, node, where)
    for name in use.condition.names:
        if name not in attributes:
            yield from _name(reach, use, name, where, circles)


def _roster_is_complete(reach: Reach, use: Use, node: Aggregate, where: str) -> Iterator[Finding]:
    if node.roster in use.chain:
        return
    names = [part.name for part in walk(node) if isinstance(part, Name)]
    inside = [n for n in names if n in reach.own((*use.chain, node.roster))]
    last = max((reach.order[name] for name in inside), default=-1)
    if last >= use.before:
        yield from _later(where, [name for name in inside if reach.order[name] >= use.before])


def _later(where: str, names: list[str]) -> Iterator[Finding]:
    yield Finding(
        "Q202",
        where,
        "{names} is asked later. Move that question up, or ask this one after it.",
        names=names,
    )


def _name(
    reach: Reach, use: Use, name: str, where: str, circles: set[tuple[str, str]]
) -> Iterator[Finding]:
    known = reach.scope(use.chain).kinds or {}
    base = reach.base(name)
    if name in known:
        late = LINK not in name and reach.order[base] >= use.before
        if late and not any((each, name) in circles for each in use.decides):
            yield from _later(where, [name])
    elif name in reach.order:
        yield _out_of_reach("Q203", where, name, reach.form.questions[name])
    else:
        yield Finding(
            "Q201",
            where,
            "There is no question {name!r}. {hint}",
            name=name,
            hint=nearest(name, known),
        )


def _out_of_reach(code: str, where: str, name: str, question: Question) -> Finding:
    return Finding(
        code,
        where,
        "{name!r} has one answer for each row of the roster {roster!r}, which is not in reach. "
        "Use count, any, min, max or sum over the roster.",
        name=name,
        roster=question.rosters[-1] if question.rosters else "",
    )


def _codes(
    form: Questionnaire, reach: Reach, tree: Node, where: str, attributes: tuple[str, ...]
) -> Iterator[Finding]:
    """Find codes that an answer cannot have."""
    for node in walk(tree):
        match node:
            case Compare(left=Name(name=name), right=Literal(value=value)):
                said: list[object] = [value]
            case Compare(left=Literal(value=value), right=Name(name=name)):
                said = [value]
            case In(operand=Name(name=name), choices=choices):
                said = [choice.value for choice in choices]
            case Selected(operand=Name(name=name), code=code):
                said = [code]
            case _:
                continue
        if name not in attributes:
            yield from _code(form, form.questions[reach.base(name)], said, where)


def _code(
    form: Questionnaire, question: Question, said: list[object], where: str
) -> Iterator[Finding]:
    missing = [str(code) for code in form.missing_codes(question)]
    valid = [str(code) for code in form.results(question)]
    for value in said:
        text = str(int(value) if isinstance(value, bool) else value)
        if text in missing:
            yield Finding(
                "Q401",
                where,
                "{value!r} is a code for missing answers of {name!r}: write {name} is missing.",
                value=text,
                name=question.name,
            )
        elif valid and text not in valid:
            yield Finding(
                "Q401",
                where,
                "{name!r} is never {value!r}. {hint}",
                name=question.name,
                value=text,
                hint=nearest(text, valid),
            )
        elif isinstance(value, int | float) and _outside(question, value):
            yield Finding(
                "Q503",
                where,
                "{name!r} is compared with {value}, but lies between {low} and {high}.",
                name=question.name,
                value=text,
                low=question.range[0],
                high=question.range[1],
            )


def _outside(question: Question, value: float) -> bool:
    low, high = question.range
    return (low is not None and value < low) or (high is not None and value > high)


def check_texts(form: Questionnaire, reach: Reach) -> Iterator[Finding]:
    """Find names in texts that cannot be shown there."""
    from nsm.questionnaire.xpath import PLACEHOLDER

    for key, (where, chain, before) in text_places(form, reach).items():
        known = reach.scope(chain).kinds or {}
        for language in form.languages:
            for name in PLACEHOLDER.findall(form.texts[language].get(key, "")):
                place = f"{where} ({language})"
                if name not in reach.order:
                    yield Finding(
                        "Q204",
                        place,
                        "The text shows {name!r}, which does not exist. {hint}",
                        name=name,
                        hint=nearest(name, known),
                    )
                elif name not in known:
                    yield _out_of_reach("Q204", place, name, form.questions[name])
                elif reach.order[name] >= before:
                    yield Finding(
                        "Q204",
                        place,
                        "The text shows the answer to {name!r}, which is asked later.",
                        name=name,
                    )


def text_places(form: Questionnaire, reach: Reach) -> dict[str, tuple[str, Chain, int]]:
    """Return every text's key -> where it is said, in which rosters, after how many questions."""
    found: dict[str, tuple[str, Chain, int]] = {}
    for question in form.every_question:
        chain, before = reach.chain(question), reach.order[question.name]
        where = f"{question.module}.{question.name}"
        for suffix in ("", ".hint"):
            found[question.name + suffix] = (where, chain, before)
    for rule in form.rules:
        at = reach.order.get(rule.at or "", len(reach.order) - 1)
        where = f"{rule.module}.{rule.name}"
        found[rule.name] = (where, reach.canonical(rule.rosters), at + 1)
    for section in form.sections:
        inside = next((p for p in section.walk() if isinstance(p, Question)), None)
        if inside is not None:
            above = inside.rosters
            if section.kind == "roster":
                above = above[: above.index(section.name)]
            first = reach.order[inside.name]
            found[section.name] = (section.name, reach.canonical(above), first)
            found[f"{section.name}.hint"] = found[section.name]
    found["title"] = ("survey.yaml", (), 0)
    return found
