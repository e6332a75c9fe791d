"""CSPro 8 dictionary (.dcf, JSON): a case is a household form, its tables are records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nsm.condition.tree import decimal
from nsm.errors import QuestionnaireError
from nsm.questionnaire.model import Question, Table
from nsm.questionnaire.outputs.codebook import labels, missing, plain_label

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

Item = dict[str, Any]
LENGTHS = {"text": 100, "point": 40, "date": 8, "today": 8, "start": 14, "end": 14, "position": 2}
MOST_ROWS = 99
ID_LENGTH = 30


def dictionary(form: Questionnaire) -> dict[str, Any]:
    """Return the dictionary: one level, with a record for each table.

    Raises
    ------
    QuestionnaireError
        Two names are the same to CSPro, which has capitals only.
    """
    name = f"{form.name.upper()}_DICT"
    _require_distinct(form)
    ids = _ids(form)
    return {
        "software": "CSPro",
        "version": 8.0,
        "fileType": "dictionary",
        "name": name,
        "languages": [{"name": each.upper(), "label": each} for each in form.languages],
        "labels": _labels(form, "title"),
        "readOptimization": True,
        "recordType": {"start": 1, "length": 1},
        "defaults": {"decimalMark": True, "zeroFill": False},
        "relativePositions": True,
        "levels": [
            {
                "name": f"{form.name.upper()}_LEVEL",
                "labels": _labels(form, "title"),
                "ids": {"items": ids},
                "records": [
                    _record(form, table, str(number), {item["name"] for item in ids})
                    for number, table in enumerate(form.tables.values(), start=1)
                ],
            }
        ],
    }


def _require_distinct(form: Questionnaire) -> None:
    names = [question.name.upper() for question in form.every_question if question.held]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise QuestionnaireError(
            "CSPro writes names in capitals, so these are the same to it: {names}. Rename them.",
            names=twice,
        )


def _ids(form: Questionnaire) -> list[Item]:
    """Return what tells the cases apart: the keys and positions above the rosters."""
    found: list[Item] = []
    start = 2
    for table in form.tables.values():
        for name in (table.key, table.position):
            question = form.questions.get(str(name))
            if question is not None and not question.rosters:
                item = _item(form, question)
                item |= {"start": start, "length": item["length"]}
                start += item["length"]
                found.append(item)
    if found:
        return found
    label = [{"text": "ID", "language": each.upper()} for each in form.languages]
    return [
        {
            "name": "CASE_ID",
            "labels": label,
            "contentType": "alpha",
            "start": 2,
            "length": ID_LENGTH,
        }
    ]


def _record(form: Questionnaire, table: Table, number: str, ids: set[str]) -> dict[str, Any]:
    questions = form.columns(table.name)
    repeats = any(question.rosters for question in questions.values())
    items = [_item(form, q) for q in questions.values() if q.name.upper() not in ids]
    return {
        "name": f"{table.name.upper()}_REC",
        "labels": [{"text": table.name, "language": each.upper()} for each in form.languages],
        "recordType": number,
        "occurrences": {"required": not repeats, "maximum": MOST_ROWS if repeats else 1},
        "items": items,
    }


def _labels(form: Questionnaire, key: str) -> list[dict[str, str]]:
    return [{"text": form.text(key, each), "language": each.upper()} for each in form.languages]


def _item(form: Questionnaire, question: Question) -> Item:
    texts = [(each, plain_label(form, question, each)) for each in form.languages]
    numeric, length = _shape(form, question)
    item: Item = {
        "name": question.name.upper(),
        "labels": [{"text": text[:255], "language": each.upper()} for each, text in texts],
        "contentType": "numeric" if numeric else "alpha",
        "length": length,
    }
    if numeric and (question.type == "decimal" or _computed_number(form, question)):
        item["decimal"] = 2
    values = _values(form, question)
    if values:
        name = f"{question.name.upper()}_VS1"
        item["valueSets"] = [{"name": name, "labels": item["labels"], "values": values}]
    return item


def _computed_number(form: Questionnaire, question: Question) -> bool:
    return question.value is not None and question.kind == "number" and not form.codes(question)


def _shape(form: Questionnaire, question: Question) -> tuple[bool, int]:
    """Return whether an item is a number, and how many characters it takes."""
    if question.type in LENGTHS:
        numeric = question.kind in {"number", "date"}
        return numeric, LENGTHS[question.type]
    if question.kind == "boolean":
        return True, max(1, *(len(str(code)) for code in (0, *question.missing)))
    codes = [str(c) for c in (*form.results(question), *form.missing_codes(question))]
    if question.type == "many":
        return False, sum(len(code) + 1 for code in codes)
    if question.kind == "number" and not codes:
        return True, 15
    if question.kind == "number":
        ends = [decimal(limit) for limit in question.range if limit is not None]
        length = max(len(text) for text in (*codes, *ends, "0"))
        return True, min(15, length + (3 if question.type == "decimal" else 0))
    return False, max((len(code) for code in codes), default=LENGTHS["text"])


def _values(form: Questionnaire, question: Question) -> list[dict[str, Any]]:
    if question.type in {"text", "note"}:
        return []
    found = []
    low, high = question.range
    if low is not None and high is not None:
        said = [{"text": f"{decimal(low)} - {decimal(high)}"}]
        found.append({"labels": said, "pairs": [{"range": [decimal(low), decimal(high)]}]})
    named = {each: _named(form, question, each) for each in form.languages}
    for place, (code, _) in enumerate(named[form.languages[0]]):
        texts = [{"text": named[each][place][1], "language": each.upper()} for each in named]
        found.append({"labels": texts, "pairs": [{"value": code}]})
    return found


def _named(form: Questionnaire, question: Question, language: str) -> list[tuple[str, str]]:
    return [*labels(form, question, language), *missing(form, question, language)]
