"""One question: the answers of those who are asked."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from nsm.condition import Condition
from nsm.errors import OptionError
from nsm.questionnaire.model import Question
from nsm.simulation.answers.level import Level
from nsm.simulation.answers.rules import AnswerRule, Case


def drawn(
    question: Question, rule: AnswerRule, level: Level, rows: np.ndarray, chance: np.ndarray
) -> np.ndarray:
    """Return an answer for each of some rows, from uniform numbers.

    Raises
    ------
    OptionError
        The rule leaves some of those who are asked without an answer.
    """
    out = np.full(len(rows), None, dtype=object)
    left = np.arange(len(rows))
    for case in rule.cases:
        hit = np.ones(len(left), dtype=bool)
        if case.where is not None:
            hit = level.true(case.where, rows[left])
        mine = left[hit]
        out[mine] = _answers(case, level, rows[mine], chance[mine])
        left = left[~hit]
    if len(left):
        raise OptionError(
            "{count} who are asked {name!r} have no answer: no case of its rule is for them. "
            "Add a case without `where`.",
            count=len(left),
            name=question.name,
        )
    if question.type == "one" and question.kind == "text":
        return np.array([None if v is None else str(v) for v in out], dtype=object)
    return out if question.kind in {"text", "list"} else out.astype(float)


def _answers(case: Case, level: Level, rows: np.ndarray, chance: np.ndarray) -> np.ndarray:
    if case.shares is not None:
        ends = np.cumsum([*case.shares.values()])
        place = np.searchsorted(ends, chance * ends[-1], side="right")
        return np.array([*case.shares], dtype=object)[np.minimum(place, len(ends) - 1)]
    if case.share is not None:
        return (chance < case.share).astype(int).astype(object)
    if case.text is not None:
        return _words(case.text, level, rows)
    if case.value is not None:
        return _limited(case, level, rows, level.value(case.value, rows)).astype(object)
    assert case.median is not None  # noqa: S101 (a case has one kind of answer)
    normal = ndtri(np.clip(chance, 1e-12, 1 - 1e-12))
    around = level.value(case.median, rows) * np.exp(case.spread * normal)
    return _limited(case, level, rows, case.step * np.round(around / case.step)).astype(object)


def _limited(case: Case, level: Level, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    def limit(bound: Condition | None, otherwise: float) -> np.ndarray:
        return np.full(len(rows), otherwise) if bound is None else level.value(bound, rows)

    if case.least is None and case.most is None:
        return values
    return np.clip(values.astype(float), limit(case.least, -np.inf), limit(case.most, np.inf))


def _words(text: str, level: Level, rows: np.ndarray) -> np.ndarray:
    names = [part.split("}")[0] for part in text.split("{")[1:]]
    held = {name: level.column(name, rows) for name in names}
    out = np.full(len(rows), text, dtype=object)
    for name, values in held.items():
        shown = [f"{v:g}" if isinstance(v, float) else str(v) for v in values]
        out = np.array(
            [said.replace(f"{{{name}}}", v) for said, v in zip(out, shown, strict=True)], object
        )
    return out


def computed(question: Question, level: Level, rows: np.ndarray) -> np.ndarray:
    """Return what the definition of a computed question gives, at some rows."""
    if question.cases:
        out = np.full(len(rows), question.otherwise, dtype=object)
        left = np.arange(len(rows))
        for code, case in question.cases:
            hit = level.true(case, rows[left])
            out[left[hit]] = code
            left = left[~hit]
        return out if question.kind == "text" else out.astype(float)
    assert question.value is not None  # noqa: S101 (a computed question has cases or a value)
    if question.kind != "boolean":
        return level.value(question.value, rows)
    from nsm.condition.tree import Not

    false = Condition(question.value.text, Not(question.value.tree))
    yes, no = level.true(question.value, rows), level.true(false, rows)
    return np.where(yes, 1.0, np.where(no, 0.0, np.nan))
