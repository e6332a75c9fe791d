"""How long an interview takes, by route through the form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nsm.condition.logic import holds
from nsm.condition.rows import Python
from nsm.questionnaire.model import Question

if TYPE_CHECKING:
    import pandas as pd

    from nsm.questionnaire.questionnaire import Questionnaire

# Seconds: reading aloud at 150 words a minute; then finding and recording the answer. The response
# times are planning values of the order that Yan & Tourangeau (2008, Appl. Cogn. Psychol. 22:51-68)
# and field practice give; a pilot replaces them (`limits: {seconds: {integer: 8}}`).
WORDS_PER_SECOND = 150 / 60
OPTIONS_READ = 7
RESPONSE = {
    "text": 12.0,
    "integer": 6.0,
    "decimal": 8.0,
    "date": 10.0,
    "boolean": 3.0,
    "one": 5.0,
    "many": 9.0,
    "point": 20.0,
    "note": 0.0,
}


def routes(form: Questionnaire) -> pd.DataFrame:
    """Return the estimated length of each route declared in the survey.

    A route is a set of answers; a question is counted where the answers make it asked. What repeats
    is counted once, as for a household of one.

    Returns
    -------
    `route, questions, words, minutes`.
    """
    import pandas as pd

    declared: dict[str, dict[str, Any]] = form.options.get("routes") or {}
    rows = []
    for route, answers in declared.items():
        asked = followed(form, answers)
        words = sum(_words(form, question) for question in asked)
        seconds = sum(_seconds(form, question) for question in asked)
        rows.append((route, len(asked), words, seconds / 60))
    return pd.DataFrame(rows, columns=["route", "questions", "words", "minutes"])


def followed(form: Questionnaire, answers: dict[str, Any]) -> list[Question]:
    """Return the questions that are asked of somebody with these answers."""
    row = dict.fromkeys(form.questions) | answers
    empty: dict[str, list[dict[str, Any]]] = {s.name: [] for s in form.sections}
    found = []
    for question in form.every_question:
        engine = Python(row, empty)
        if question.name not in answers and question.silent:
            row[question.name] = _computed(question, engine)
        if not question.silent and holds(engine, question.asked.tree):
            found.append(question)
    return found


def _computed(question: Question, engine: Python) -> Any:
    if question.value is not None:
        return question.value.evaluate(engine.row, engine.rosters)
    for code, case in question.cases:
        if holds(engine, case.tree):
            return code
    return question.otherwise


def _words(form: Questionnaire, question: Question) -> int:
    """Return the words that are read aloud: the question, and its answers if they are few."""
    language = form.languages[0]
    count = len(form.text(question.name, language).split())
    codes = form.codes(question) if question.type != "boolean" else ()
    if len(codes) <= OPTIONS_READ:
        count += sum(len(form.label(question, code, language).split()) for code in codes)
    return count


def _seconds(form: Questionnaire, question: Question) -> float:
    own = ((form.options.get("limits") or {}).get("seconds") or {}).get(question.type)
    answering = RESPONSE.get(question.type, 5.0) if own is None else float(own)
    return _words(form, question) / WORDS_PER_SECOND + answering
