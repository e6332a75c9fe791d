"""Texts: in every language, showing the same names, not too long, belonging to something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nsm.errors import nearest
from nsm.questionnaire.checks.references import text_places
from nsm.questionnaire.findings import Finding
from nsm.questionnaire.model import SILENT, YES_NO
from nsm.questionnaire.reach import Reach
from nsm.questionnaire.xpath import PLACEHOLDER

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

LONGEST = {"text": 400, "hint": 500, "code": 100}
SAME_WORDS = 3


def check_languages(form: Questionnaire, reach: Reach) -> Iterator[Finding]:
    """Compare every text over the languages."""
    places = {key: where for key, (where, _, _) in text_places(form, reach).items()}
    needed = _needed(form)
    labels = _labels(form)
    for key, where in {**places, **labels}.items():
        said = {language: form.texts[language].get(key, "").strip() for language in form.languages}
        if key in needed or key in labels or any(said.values()):
            yield from _missing(key, where, said)
        if all(said.values()):
            yield from _names(key, where, said)
            yield from _untranslated(key, where, said)
        yield from _long(form, key, where, said)
    yield from _orphans(form, {*places, *labels})


def _needed(form: Questionnaire) -> set[str]:
    """Return the keys that must have a text: what is asked, said or headed."""
    asked = {q.name for q in form.every_question if q.type not in SILENT or q.kind is not None}
    device = {q.name for q in form.every_question if q.type in {"start", "end", "today"}}
    rules = {rule.name for rule in form.rules}
    return (asked - device) | rules | {section.name for section in form.sections} | {"title"}


def _labels(form: Questionnaire) -> dict[str, str]:
    """Return key -> place of every code's label."""
    found: dict[str, str] = {}
    for question in form.every_question:
        where = f"{question.module}.{question.name}"
        if question.list:
            for code in form.lists[question.list].codes:
                found.setdefault(f"{question.list}: {code.code}", f"{where}, {code.code}")
        if question.type == "boolean":
            for answer in YES_NO:
                found.setdefault(f"yes_no: {answer}", where)
        for answer, reason in question.missing.items():
            found.setdefault(f"missing: {reason}", f"{where}, {answer}")
    return found


def _missing(key: str, where: str, said: dict[str, str]) -> Iterator[Finding]:
    for language, text in said.items():
        if not text:
            yield Finding(
                "Q601",
                f"{where} ({language})",
                "The text {key!r} is missing in {language}. Add it to i18n/{language}.",
                key=key,
                language=language,
            )


def _names(key: str, where: str, said: dict[str, str]) -> Iterator[Finding]:
    shown = {language: set(PLACEHOLDER.findall(text)) for language, text in said.items()}
    first = next(iter(shown))
    for language, names in shown.items():
        if names != shown[first]:
            yield Finding(
                "Q602",
                f"{where} ({language})",
                "The text {key!r} shows {names} in {first} but not in {language}, or the other way "
                "round. Show the same in both.",
                names=sorted(names ^ shown[first]),
                key=key,
                first=first,
                language=language,
            )


def _untranslated(key: str, where: str, said: dict[str, str]) -> Iterator[Finding]:
    first, text = next(iter(said.items()))
    for language, other in said.items():
        if language != first and other == text and len(text.split()) > SAME_WORDS:
            yield Finding(
                "Q605",
                f"{where} ({language})",
                "The text {key!r} is the same in {first} and {language}. Translate it.",
                key=key,
                first=first,
                language=language,
            )


def _long(form: Questionnaire, key: str, where: str, said: dict[str, str]) -> Iterator[Finding]:
    kind = "code" if ": " in key else "hint" if key.endswith(".hint") else "text"
    most = form.options.get("limits", {}).get(kind, LONGEST[kind])
    for language, text in said.items():
        if len(text) > most:
            yield Finding(
                "Q603",
                f"{where} ({language})",
                "The text {key!r} has {length} characters; more than {most} do not fit a screen.",
                key=key,
                length=len(text),
                most=most,
            )


def _orphans(form: Questionnaire, known: set[str]) -> Iterator[Finding]:
    """Find texts of the survey's own folder that belong to nothing in it."""
    lists = set(form.lists) | {"missing", "yes_no"}
    for key in sorted(form.own_keys - known):
        if not key.startswith("$") and key.split(": ")[0] not in lists:
            yield Finding(
                "Q604",
                f"i18n: {key}",
                "The text {key!r} belongs to no question, section, rule or code. {hint}",
                key=key,
                hint=nearest(key, known),
            )
