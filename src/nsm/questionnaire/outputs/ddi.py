"""DDI-Codebook 2.5, the metadata that microdata catalogues (NADA, ANDA) and archives read."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from nsm.condition.tree import decimal
from nsm.language import said as in_words
from nsm.questionnaire.model import Question, Table
from nsm.questionnaire.outputs.codebook import definition, labels, missing, plain_label
from nsm.questionnaire.outputs.numbers import numbers
from nsm.questionnaire.outputs.words import Words

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

NAMESPACE = "ddi:codebook:2_5"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def ddi(form: Questionnaire) -> str:
    """Return the codebook as XML, with every text in every language of the form.

    References
    ----------
    DDI Alliance (2012), DDI-Codebook 2.5: elements stand in the order of its schema.
    """
    first = form.languages[0]
    root = ET.Element("codeBook", {"xmlns": NAMESPACE, "version": "2.5", _LANGUAGE: first})
    _citation(ET.SubElement(root, "docDscr"), form)
    study = ET.SubElement(root, "stdyDscr")
    _citation(study, form)
    if form.options.get("country"):
        info = ET.SubElement(ET.SubElement(study, "stdyInfo"), "sumDscr")
        country = str(form.options["country"])
        ET.SubElement(info, "nation", {"abbr": country}).text = _nation(country, first)
        for table in form.tables.values():
            ET.SubElement(info, "anlyUnit").text = table.unit
    for table in form.tables.values():
        _file(root, form, table)
    data = ET.SubElement(root, "dataDscr")
    _groups(data, form)
    writer = Variables(form)
    for question in form.every_question:
        if question.held:
            writer.add(data, question)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _nation(country: str, language: str) -> str:
    from nsm.questionnaire.library import standards

    names = standards().get("ISO 3166-1 alpha-3", {}).get(country, {})
    return names.get(language) or country


def _citation(parent: ET.Element, form: Questionnaire) -> None:
    citation = ET.SubElement(parent, "citation")
    titles = ET.SubElement(citation, "titlStmt")
    for number, language in enumerate(form.languages):
        tag = "parTitl" if number else "titl"
        ET.SubElement(titles, tag, {_LANGUAGE: language}).text = form.text("title", language)
    ET.SubElement(titles, "IDNo").text = form.name
    version = ET.SubElement(citation, "verStmt")
    ET.SubElement(version, "version").text = form.version


def _file(root: ET.Element, form: Questionnaire, table: Table) -> None:
    text = ET.SubElement(ET.SubElement(root, "fileDscr", {"ID": _file_id(table.name)}), "fileTxt")
    ET.SubElement(text, "fileName").text = f"{table.name}.csv"
    dimensions = ET.SubElement(text, "dimensns")
    ET.SubElement(dimensions, "varQnty").text = str(len(form.columns(table.name)))
    ET.SubElement(text, "fileType").text = "text/csv; charset=utf-8"


def _file_id(table: str) -> str:
    return f"F_{table}"


def _variable_id(name: str) -> str:
    return f"V_{name}"


def _groups(data: ET.Element, form: Questionnaire) -> None:
    for module, questions in form.modules.items():
        held = " ".join(_variable_id(q.name) for q in questions if q.held)
        group = ET.SubElement(data, "varGrp", {"ID": f"G_{module}", "type": "section", "var": held})
        for language in form.languages:
            label = ET.SubElement(group, "labl", {_LANGUAGE: language})
            label.text = form.text(module, language)


class Variables:
    """Writes the variables of a form."""

    def __init__(self, form: Questionnaire) -> None:
        self.form = form
        known = numbers(form)
        self.numbers = known
        self.words = {each: Words(form, each, known) for each in form.languages}

    def add(self, data: ET.Element, question: Question) -> None:
        """Add a variable; its parts stand in the order of the schema."""
        coded = bool(self.form.results(question)) or question.kind == "boolean"
        discrete = coded or question.kind not in {"number", "date"}
        attributes = {
            "ID": _variable_id(question.name),
            "name": question.name,
            "files": _file_id(question.table),
            "intrvl": "discrete" if discrete else "contin",
        }
        var = ET.SubElement(data, "var", attributes)
        for language in self.form.languages:
            label = ET.SubElement(var, "labl", {_LANGUAGE: language})
            label.text = plain_label(self.form, question, language)
        if question.about.get("protocol"):
            ET.SubElement(var, "security").text = f"protocol: {question.about['protocol']}"
        if not question.silent:
            self._question(var, question)
        self._ranges(var, question)
        self._universe(var, question)
        self._categories(var, question)
        self._meaning(var, question)
        kind = "numeric" if question.kind in {"number", "boolean"} else "character"
        form = {"type": kind, "schema": "other", "formatname": question.type}
        ET.SubElement(var, "varFormat", form)
        if question.about.get("standard"):
            ET.SubElement(var, "notes", {"type": "standard"}).text = str(question.about["standard"])

    def _question(self, var: ET.Element, question: Question) -> None:
        for language in self.form.languages:
            attributes = {_LANGUAGE: language}
            number = self.numbers.get(question.name)
            if number:
                attributes["seqNo"] = number
            asked = ET.SubElement(var, "qstn", attributes)
            text = plain_label(self.form, question, language)
            ET.SubElement(asked, "qstnLit", {_LANGUAGE: language}).text = text
            hint = self.form.texts[language].get(f"{question.name}.hint")
            if hint:
                ET.SubElement(asked, "ivuInstr", {_LANGUAGE: language}).text = hint

    def _ranges(self, var: ET.Element, question: Question) -> None:
        low, high = question.range
        ends = {
            name: decimal(limit)
            for name, limit in (("min", low), ("max", high))
            if limit is not None
        }
        if ends:
            ET.SubElement(ET.SubElement(var, "valrng"), "range", ends)
        if question.missing:
            invalid = ET.SubElement(var, "invalrng")
            for code in question.missing:
                ET.SubElement(invalid, "item", {"VALUE": str(code)})

    def _universe(self, var: ET.Element, question: Question) -> None:
        for language in self.form.languages:
            everyone = in_words("All units of the table", language)
            said = self.words[language].say(question.asked) if question.asks else everyone
            ET.SubElement(var, "universe", {_LANGUAGE: language, "clusion": "I"}).text = said

    def _categories(self, var: ET.Element, question: Question) -> None:
        for found, absent in ((labels, False), (missing, True)):
            named = {each: found(self.form, question, each) for each in self.form.languages}
            for place, (code, _) in enumerate(named[self.form.languages[0]]):
                category = ET.SubElement(var, "catgry", {"missing": "Y"} if absent else {})
                ET.SubElement(category, "catValu").text = code
                for language, pairs in named.items():
                    label = ET.SubElement(category, "labl", {_LANGUAGE: language})
                    label.text = pairs[place][1]

    def _meaning(self, var: ET.Element, question: Question) -> None:
        if question.about.get("concept"):
            ET.SubElement(var, "concept").text = str(question.about["concept"])
        made = definition(question)
        if made:
            ET.SubElement(ET.SubElement(var, "derivation"), "drvcmd").text = made
