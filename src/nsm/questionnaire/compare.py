"""What two questionnaires do not share: between rounds, countries, or a draft and its review."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from nsm.condition import Condition
from nsm.language import said as in_words
from nsm.questionnaire.model import Question
from nsm.questionnaire.outputs.codebook import definition, limits

if TYPE_CHECKING:
    import pandas as pd

    from nsm.questionnaire.questionnaire import Questionnaire

COLUMNS = ("change", "concept", "module", "question", "was", "now")


class Change(NamedTuple):
    """One difference between two questionnaires."""

    change: str
    concept: str
    module: str
    question: str
    was: str
    now: str


def diff(one: Questionnaire, other: Questionnaire, language: str = "en") -> pd.DataFrame:
    """Return what changed from one questionnaire to another.

    Questions are matched by name, then, where one question of a concept is left on each side, by
    concept.

    Returns
    -------
    One row per change: `change` (added, removed, renamed, moved, retyped, reworded, recoded,
    relabeled, re-routed, redefined), `concept, module, question, was, now`, in the order of the
    second questionnaire, removals last. Words of `was` and `now` stand in `language` where both
    questionnaires have it, otherwise in the first language that they share.
    """
    import pandas as pd

    shared = [each for each in other.languages if each in one.languages]
    said = language if language in shared else next(iter(shared), "")
    pairs = matched(one, other)
    rows: list[Change] = []
    for question in other.every_question:
        before = pairs.get(question.name)
        if before is None:
            rows.append(_alone("added", other, question, said))
        else:
            rows.extend(_changes(one, other, one.questions[before], question, said))
    gone = set(one.questions) - set(pairs.values())
    rows += [_alone("removed", one, q, said) for q in one.every_question if q.name in gone]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype("str")


def matched(one: Questionnaire, other: Questionnaire) -> dict[str, str]:
    """Return question of `other` -> the question of `one` that it continues."""
    pairs = {name: name for name in other.questions if name in one.questions}
    left = _by_concept(one, set(one.questions) - set(pairs))
    right = _by_concept(other, set(other.questions) - set(pairs))
    for concept, names in right.items():
        before = left.get(concept, [])
        if len(names) == 1 and len(before) == 1:
            pairs[names[0]] = before[0]
    return pairs


def _by_concept(form: Questionnaire, names: set[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for question in form.questions.values():
        concept = question.about.get("concept")
        if question.name in names and concept:
            found.setdefault(str(concept), []).append(question.name)
    return found


def _row(change: str, question: Question, was: str, now: str) -> Change:
    concept = str(question.about.get("concept", ""))
    return Change(change, concept, question.module, question.name, was, now)


def _alone(change: str, form: Questionnaire, question: Question, language: str) -> Change:
    text = form.text(question.name, language or form.languages[0])
    return _row(change, question, *(("", text) if change == "added" else (text, "")))


def _changes(
    one: Questionnaire, other: Questionnaire, was: Question, now: Question, language: str
) -> Iterator[Change]:
    if was.name != now.name:
        yield _row("renamed", now, was.name, now.name)
    if (was.module, was.table) != (now.module, now.table):
        yield _row("moved", now, f"{was.module} ({was.table})", f"{now.module} ({now.table})")
    kinds = tuple(_kind(question) for question in (was, now))
    if kinds[0] != kinds[1]:
        yield _row("retyped", now, *kinds)
    for each in [e for e in other.languages if e in one.languages]:
        texts = one.text(was.name, each), other.text(now.name, each)
        hints = tuple(f.texts[each].get(f"{n}.hint", "") for f, n in _both(one, other, was, now))
        if texts[0] != texts[1]:
            yield _row("reworded", now, f"[{each}] {texts[0]}", f"[{each}] {texts[1]}")
        if hints[0] != hints[1]:
            yield _row("reworded", now, f"[{each}] {hints[0]}", f"[{each}] {hints[1]}")
    yield from _codes(one, other, was, now, language)
    asked = tuple(_asked(question.asked, language) for question in (was, now))
    if asked[0] != asked[1]:
        yield _row("re-routed", now, *asked)
    made = definition(was), definition(now)
    if made[0] != made[1]:
        yield _row("redefined", now, *made)


def _both(
    one: Questionnaire, other: Questionnaire, was: Question, now: Question
) -> tuple[tuple[Questionnaire, str], tuple[Questionnaire, str]]:
    return (one, was.name), (other, now.name)


def _kind(question: Question) -> str:
    """Return type and range: `integer 0 - 110`."""
    return f"{question.type} {limits(question)}".strip()


def _asked(condition: Condition, language: str) -> str:
    text = str(condition)
    return in_words("everybody", language) if text == "true" else text


def _codes(
    one: Questionnaire, other: Questionnaire, was: Question, now: Question, language: str
) -> Iterator[Change]:
    before = {str(c): one.label(was, c, language) for c in _every(one, was)} if language else {}
    after = {str(c): other.label(now, c, language) for c in _every(other, now)} if language else {}
    if not language:
        before = {str(c): "" for c in _every(one, was)}
        after = {str(c): "" for c in _every(other, now)}
    gone = [f"{code}: {label}" for code, label in before.items() if code not in after]
    new = [f"{code}: {label}" for code, label in after.items() if code not in before]
    if gone or new:
        yield _row("recoded", now, "; ".join(gone), "; ".join(new))
    other_words = [c for c in after if c in before and before[c] != after[c]]
    if other_words:
        yield _row(
            "relabeled",
            now,
            "; ".join(f"{code}: {before[code]}" for code in other_words),
            "; ".join(f"{code}: {after[code]}" for code in other_words),
        )


def _every(form: Questionnaire, question: Question) -> tuple[object, ...]:
    codes = form.codes(question) if question.type != "calculated" else ()
    return (*codes, *form.missing_codes(question))
