"""Frictionless Data Package: the tables of the data with their types, codes and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nsm.questionnaire.model import Question, Table
from nsm.questionnaire.outputs.codebook import labels, plain_label

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

TYPES = {
    "integer": "integer",
    "decimal": "number",
    "boolean": "boolean",
    "date": "date",
    "start": "datetime",
    "end": "datetime",
    "today": "date",
    "position": "integer",
}


def datapackage(form: Questionnaire, language: str) -> dict[str, Any]:
    """Return the descriptor (`datapackage.json`) of the form's tables, one CSV each.

    Rows that break a constraint are marked by validation, not dropped; a package that is published
    is made of clean tables.
    """
    return {
        "profile": "tabular-data-package",
        "name": form.name.lower().replace("_", "-"),
        "title": form.text("title", language),
        "version": form.version,
        "resources": [_resource(form, table, language) for table in form.tables.values()],
    }


def keys(form: Questionnaire, table: Table) -> list[str]:
    """Return the key columns of a table, from the outermost unit to its own."""
    chain = [table.key]
    above = table.of
    while above is not None:
        chain.insert(0, above)
        upper = next((other for other in form.tables.values() if other.key == above), None)
        above = upper.of if upper else None
    return chain


def _resource(form: Questionnaire, table: Table, language: str) -> dict[str, Any]:
    questions = form.columns(table.name)
    chain = keys(form, table)
    fields = [_key(name, own=name == table.key) for name in chain]
    fields += [_field(form, q, language) for name, q in questions.items() if name not in chain]
    schema: dict[str, Any] = {
        "fields": fields,
        "missingValues": [""],
        "primaryKey": [table.key],
    }
    upper = next((other for other in form.tables.values() if other.key == table.of), None)
    if upper is not None:
        reference = {"resource": upper.name, "fields": [upper.key]}
        schema["foreignKeys"] = [{"fields": [upper.key], "reference": reference}]
    return {
        "name": table.name,
        "path": f"{table.name}.csv",
        "profile": "tabular-data-resource",
        "encoding": "utf-8",
        "schema": schema,
    }


def _key(name: str, *, own: bool) -> dict[str, Any]:
    field: dict[str, Any] = {"name": name, "type": "string"}
    return field | {"constraints": {"required": True, "unique": own}} if own else field


def _field(form: Questionnaire, question: Question, language: str) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": question.name,
        "type": _type(form, question),
        "title": plain_label(form, question, language),
    }
    if question.about.get("concept"):
        field["concept"] = str(question.about["concept"])
    if field["type"] == "boolean":
        field |= {"trueValues": ["True", "true", "1"], "falseValues": ["False", "false", "0"]}
    if field["type"] in {"date", "datetime"}:
        field["format"] = "any"
    if constraints := _constraints(form, question):
        field["constraints"] = constraints
    named = labels(form, question, language)
    if named and field["type"] != "boolean":
        field["categories"] = [{"value": code, "label": label} for code, label in named]
    return field


def _type(form: Questionnaire, question: Question) -> str:
    if question.type in TYPES:
        return TYPES[question.type]
    if question.kind == "boolean":
        return "boolean"
    if question.kind == "number":
        codes = form.results(question)
        return "integer" if codes else "number"
    return "string"


def _constraints(form: Questionnaire, question: Question) -> dict[str, Any]:
    low, high = question.range
    found: dict[str, Any] = {}
    if low is not None:
        found["minimum"] = low
    if high is not None:
        found["maximum"] = high
    codes = form.results(question) if question.list and question.type != "many" else ()
    if codes:
        found["enum"] = list(codes)
    if question.pattern is not None and question.kind == "text":
        found["pattern"] = question.pattern
    return found
