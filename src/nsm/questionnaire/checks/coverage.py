"""What the questionnaire is for: every indicator and every weighting step finds its variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsm.condition import Condition, parse
from nsm.errors import InputError, nearest
from nsm.files import library
from nsm.questionnaire.findings import Finding
from nsm.questionnaire.model import Question
from nsm.questionnaire.solve import OTHER, Goal, Solver, Undecided
from nsm.questionnaire.source import read_yaml

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

STEPS = ("design", "response", "calibration")


# The registry of indicators is data of a lower room: read as files, never imported.
_REGISTRY = Path(__file__).parents[2] / "indicators" / "data"


@cache
def indicators() -> Mapping[str, Any]:
    """Return indicator -> what it `asks` of a questionnaire, if it says so, and its `variables`.

    What is asked: a `universe` in the words of the modules, and `needs`: concept -> the part of the
    universe it is needed for. A variant (`8.5.2-youth`) asks what its indicator asks.
    """
    found: dict[str, Any] = {}
    for file in sorted(_REGISTRY.glob("*.yaml")):
        found |= read_yaml(file)["indicators"]
    asks = {code: content["asks"] for code, content in found.items() if "asks" in content}
    official = {code: content for code, content in found.items() if content["class"] != "proxy"}
    base = {code: code.split("-")[0] for code in official}
    return {
        code: {**content, "asks": asks.get(base.get(code, code))} for code, content in found.items()
    }


def check_indicators(form: Questionnaire, solver: Solver) -> Iterator[Finding]:
    """Find variables of the declared indicators that are not collected, or not of everybody."""
    for code in form.options.get("indicators") or ():
        where = f"survey.yaml: {code}"
        if str(code) not in indicators():
            yield Finding(
                "Q704",
                where,
                "There is no indicator {indicator!r}. {hint}",
                indicator=code,
                hint=nearest(code, indicators()),
            )
            continue
        content = indicators()[str(code)]
        if content["asks"]:
            for concept, part in content["asks"]["needs"].items():
                yield from _variable(form, solver, where, content["asks"], (concept, part or {}))
        else:
            yield from _collected(form, where, content.get("variables") or [])


def _collected(form: Questionnaire, where: str, variables: Iterable[str]) -> Iterator[Finding]:
    """Find columns of an indicator that no question, frame column or derived variable gives."""
    given = {*form.questions, *(form.options.get("frame") or ()), *_derived(), "age_band"}
    for name in variables:
        if name not in given:
            yield Finding(
                "Q701",
                where,
                "The indicator needs {concept!r}, which no question collects. Add the module that "
                "does, or withdraw the indicator.",
                concept=name,
            )


@cache
def _derived() -> frozenset[str]:
    return frozenset(read_yaml(library("questionnaires") / "derived.yaml"))


def by_concept(form: Questionnaire) -> dict[str, list[Question]]:
    """Return concept -> the questions that collect it."""
    found: dict[str, list[Question]] = {}
    for question in form.every_question:
        if question.held:
            found.setdefault(str(question.about.get("concept")), []).append(question)
    return found


def _variable(
    form: Questionnaire,
    solver: Solver,
    where: str,
    content: Mapping[str, Any],
    need: tuple[str, Mapping[str, Any]],
) -> Iterator[Finding]:
    concept, part = need
    questions = by_concept(form).get(concept, [])
    if not questions:
        yield Finding(
            "Q701",
            where,
            "The indicator needs {concept!r}, which no question collects. Add the module that "
            "does, or withdraw the indicator.",
            concept=concept,
        )
        return
    if part.get("period") and not any(q.about.get("period") for q in questions):
        yield Finding(
            "Q703",
            where,
            "{concept!r} needs a reference period ({period}), which no question declares.",
            concept=concept,
            period=part["period"],
        )
    try:
        universe = _universe(form, content, part)
        gap = _gap(solver, universe, questions)
    except InputError as error:
        yield Finding("Q701", where, "{reason}", reason=error)
        return
    except Undecided:
        yield Finding(
            "Q304",
            where,
            "{condition} depends on too many answers to be decided. Try it with test interviews.",
            condition=f"{concept}: {content['universe']}",
        )
        return
    if gap is not None:
        yield Finding(
            "Q702",
            where,
            "The indicator needs {concept!r} of everybody in its universe ({universe}), but "
            "{name!r} is not asked where {case}.",
            concept=concept,
            universe=" and ".join(str(u) for u in universe),
            name=questions[0].name,
            case=gap,
        )


def _universe(
    form: Questionnaire, content: Mapping[str, Any], part: Mapping[str, Any]
) -> list[Condition]:
    phase = form.options.get("interviewed") if content.get("phase") != "household" else None
    said = [phase, content.get("universe"), part.get("where")]
    constants = form.options.get("constants") or {}
    found = [parse(str(text)).bind(constants) for text in said if text]
    known = {question.name for question in form.every_question}
    for condition in found:
        for name in condition.names:
            if name not in known:
                raise InputError(
                    "The universe {condition!r} uses {name!r}, which no question collects. {hint}",
                    condition=str(condition),
                    name=name,
                    hint=nearest(name, known),
                )
    return found


def _gap(solver: Solver, universe: list[Condition], questions: list[Question]) -> str | None:
    """Return answers with which somebody of the universe is asked none of the questions."""
    goals: list[Goal] = [(condition, "true") for condition in universe]
    goals += [(question.asked, "false") for question in questions]
    found = solver.find(*goals)
    if found is None:
        return None
    names = {n for q in questions for n in q.asked.names} | {n for u in universe for n in u.names}
    shown = {name: held for name, held in found.items() if name in names and held is not None}
    return ", ".join(f"{n} = {'...' if held == OTHER else held}" for n, held in shown.items())


def check_weighting(form: Questionnaire, solver: Solver) -> Iterator[Finding]:
    """Find weighting variables that are neither collected nor in the frame."""
    weighting = form.options.get("weighting") or {}
    frame = set(form.options.get("frame") or ())
    keys = {table.key for table in form.tables.values()}
    known = {*form.questions, *frame, *keys}
    for step in STEPS:
        for name in weighting.get(step) or ():
            where = f"survey.yaml: weighting.{step}"
            if name not in known:
                yield Finding(
                    "Q711",
                    where,
                    "{name!r} is neither a question nor a column of the frame. {hint}",
                    name=name,
                    hint=nearest(name, known),
                )
            elif step == "calibration" and name in form.questions:
                yield from _of_everybody(form, solver, where, form.questions[name])


def _of_everybody(
    form: Questionnaire, solver: Solver, where: str, question: Question
) -> Iterator[Finding]:
    """Find people in the survey who are not asked for a calibration variable."""
    rows = form.options.get("responds") or 'outcome in ("completed", "partial")'
    goals: list[Goal] = [(question.asked, "false")]
    if set(parse(rows).names) <= set(form.questions):
        goals.insert(0, (parse(rows), "true"))
    try:
        found = solver.find(*goals)
    except Undecided:
        found = {}
    if found is not None:
        yield Finding(
            "Q712",
            where,
            "{name!r} is asked only where {condition}; a calibration variable is asked of "
            "everybody.",
            name=question.name,
            condition=str(question.asked),
        )
