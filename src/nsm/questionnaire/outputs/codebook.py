"""The codebook: every variable with its question, codes, universe, concept and standard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nsm.condition.tree import decimal
from nsm.questionnaire.model import CODED, Question
from nsm.questionnaire.outputs.numbers import numbers
from nsm.questionnaire.outputs.words import Words
from nsm.questionnaire.xpath import PLACEHOLDER

if TYPE_CHECKING:
    import pandas as pd

    from nsm.questionnaire.questionnaire import Questionnaire

COLUMNS = (
    "variable",
    "number",
    "table",
    "module",
    "label",
    "type",
    "codes",
    "range",
    "missing",
    "asked",
    "computed",
    "concept",
    "standard",
    "period",
    "protocol",
)


def codebook(form: Questionnaire, language: str) -> pd.DataFrame:
    """Return one row per variable.

    Returns
    -------
    `variable, number` (on paper), `table, module, label, type, codes` (code: label; ...), `range,
    missing, asked` (its universe in words), `computed` (its definition), `concept, standard,
    period, protocol`.
    """
    import pandas as pd

    known = numbers(form)
    words = Words(form, language, known)
    rows = []
    for question in form.every_question:
        if not question.held:
            continue
        about = question.about
        rows.append(
            (
                question.name,
                known.get(question.name, ""),
                question.table,
                question.module,
                plain_label(form, question, language),
                question.type,
                "; ".join(f"{code}: {label}" for code, label in labels(form, question, language)),
                limits(question),
                "; ".join(f"{c}: {label}" for c, label in missing(form, question, language)),
                words.say(question.asked) if question.asks else "",
                definition(question),
                about.get("concept", ""),
                about.get("standard", ""),
                about.get("period", ""),
                about.get("protocol", ""),
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype("str")


def plain_label(form: Questionnaire, question: Question, language: str) -> str:
    """Return the text of a question, with what it shows of other answers in brackets."""
    text = form.text(question.name, language)
    return PLACEHOLDER.sub(lambda found: f"[{found.group(1)}]", text)


def labels(form: Questionnaire, question: Question, language: str) -> list[tuple[str, str]]:
    """Return (code, label) of every answer."""
    codes = form.codes(question) if question.type in {*CODED, "boolean"} else ()
    if not codes and question.list:
        codes = form.results(question)
    return [(str(code), form.label(question, code, language)) for code in codes]


def missing(form: Questionnaire, question: Question, language: str) -> list[tuple[str, str]]:
    """Return (code, label) of every reason for a missing answer."""
    codes = form.missing_codes(question)
    return [(str(code), form.label(question, code, language)) for code in codes]


def limits(question: Question) -> str:
    """Write the range of a number: `0 - 110`."""
    low, high = question.range
    if low is None and high is None:
        return ""
    said = ["" if limit is None else decimal(limit) for limit in (low, high)]
    return " - ".join(said).strip()


def definition(question: Question) -> str:
    """Write how a computed variable is made, in the language of conditions."""
    if question.value is not None:
        return str(question.value)
    cases = [f"{code}: {case}" for code, case in question.cases]
    if question.otherwise is not None:
        cases.append(f"{question.otherwise}: otherwise")
    return "; ".join(cases)
