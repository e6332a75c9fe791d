"""Code lists: codes that stand twice, overlap, collide with missing, or are not in the standard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from nsm.questionnaire.findings import Finding
from nsm.questionnaire.library import standards
from nsm.questionnaire.model import Code, CodeList, Question

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire


def check_lists(form: Questionnaire) -> Iterator[Finding]:
    """Check every code list that is used or that the survey brings itself."""
    used = {question.list for question in form.every_question}
    for codes in form.lists.values():
        where = f"{codes.source}: {codes.name}"
        if codes.name in used or not codes.shared:
            yield from _list(codes, where)
        if codes.name not in used and not codes.shared:
            yield Finding(
                "Q406",
                where,
                "No question uses the code list {name!r}. Use it or leave it out.",
                name=codes.name,
            )


def _list(codes: CodeList, where: str) -> Iterator[Finding]:
    if not codes.valid:
        yield Finding("Q408", where, "The code list {name!r} has no codes.", name=codes.name)
    times = Counter(code.code for code in codes.codes)
    twice = [code for code, count in times.items() if count > 1]
    if twice:
        yield Finding("Q402", where, "These codes stand twice: {codes}. Keep one.", codes=twice)
    alike: dict[str, list[object]] = {}
    for code in times:
        alike.setdefault(_plain(code), []).append(code)
    for group in alike.values():
        if len(group) > 1:
            yield Finding(
                "Q403",
                where,
                "These codes are the same to some programs: {codes}. Write one of them otherwise.",
                codes=group,
            )
    yield from _intervals(codes, where)
    yield from _standard(codes, where)


def _plain(code: object) -> str:
    """Return a code as a careless program reads it: `01` as 1, `m` as M."""
    text = str(code).strip().upper()
    return str(int(text)) if text.lstrip("-").isdigit() else text


def _intervals(codes: CodeList, where: str) -> Iterator[Finding]:
    """Find classes such as 0-14 and 10-19 that overlap; limits stand in `low` and `high`."""
    classes = [c for c in codes.codes if {"low", "high"} <= set(c.attributes)]

    def low(code: Code) -> float:
        return float(code.attributes["low"])

    classes.sort(key=low)
    for one, other in pairwise(classes):
        if low(other) <= float(one.attributes["high"]):
            yield Finding(
                "Q403",
                where,
                "The classes {one!r} and {other!r} overlap.",
                one=one.code,
                other=other.code,
            )


def _standard(codes: CodeList, where: str) -> Iterator[Finding]:
    known = standards().get(str(codes.standard))
    if known is None:
        return
    own = [c.code for c in codes.codes if not c.missing and "own" not in c.attributes]
    strange = [code for code in own if str(code) not in known]
    if strange:
        yield Finding(
            "Q407",
            where,
            "These codes are not in {standard}: {codes}. Mend them, or mark them `own: 1`.",
            codes=strange,
            standard=codes.standard,
        )


def check_answers(form: Questionnaire) -> Iterator[Finding]:
    """Check ranges and codes for missing answers of each question."""
    for question in form.every_question:
        where = f"{question.module}.{question.name}"
        low, high = question.range
        if low is not None and high is not None and low > high:
            yield Finding(
                "Q502",
                where,
                "The range from {low} to {high} holds no number.",
                low=low,
                high=high,
            )
        if not (low is None and high is None) and question.type not in {"integer", "decimal"}:
            yield Finding(
                "Q502",
                where,
                "A question of type {kind} has no range.",
                kind=question.type,
            )
        collide = [code for code in question.missing if _is_answer(question, code)]
        if collide:
            yield Finding(
                "Q404",
                where,
                "These codes for missing answers are also answers: {codes}. Take codes outside of "
                "the range.",
                codes=collide,
            )
        yield from _cases(form, question, where)


def _is_answer(question: Question, code: int) -> bool:
    if question.type == "boolean":
        return code in {0, 1}
    low, high = question.range
    if low is None and high is None:
        return question.type in {"integer", "decimal"}
    return (low is None or code >= low) and (high is None or code <= high)


def _cases(form: Questionnaire, question: Question, where: str) -> Iterator[Finding]:
    """Find results of a computed question that its list does not have."""
    if question.type != "calculated":
        return
    if not question.cases and question.value is None:
        yield Finding("Q209", where, "A calculated question needs a `value` or `cases`.")
    results = [code for code, _ in question.cases]
    results += [] if question.otherwise is None else [question.otherwise]
    if question.list and question.cases:
        strange = [c for c in results if c not in form.lists[question.list].valid]
        if strange:
            yield Finding(
                "Q401",
                where,
                "These results are not in the code list {list!r}: {codes}.",
                codes=strange,
                list=question.list,
            )
