"""The questionnaire: one specification, from which forms, codebooks and checks are made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsm.condition import Kind, Scope
from nsm.errors import InputError, QuestionnaireError
from nsm.questionnaire.findings import Finding
from nsm.questionnaire.library import Library, standards
from nsm.questionnaire.model import TYPES, YES_NO, CodeList, Question, Rule, Section, Table
from nsm.questionnaire.read import SURVEY_KEYS, Draft, Place, read_contents, read_tables

if TYPE_CHECKING:
    import pandas as pd

LANGUAGES = {"es": "Español", "en": "English", "fr": "Français", "ht": "Kreyòl ayisyen"}


@dataclass(frozen=True)
class Questionnaire:
    """A questionnaire in all its languages.

    Parameters
    ----------
    contents
        Modules, groups and rosters, in order.
    lists
        Code lists by name.
    texts
        Language -> key -> text: a question's name, `name.hint`, a rule's name, a section's name,
        and `sex: M` for the label of code M in the list `sex`.
    tables
        The levels of the data.
    options
        The rest of `survey.yaml`: indicators, weighting, routes, limits ...
    problems
        What was found wrong while reading.
    """

    name: str
    version: str
    languages: tuple[str, ...]
    contents: tuple[Section, ...]
    lists: Mapping[str, CodeList]
    texts: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, Table]
    rules: tuple[Rule, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Finding, ...] = ()
    own_keys: frozenset[str] = frozenset()

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Questionnaire:
        """Read the questionnaire in a folder with `survey.yaml`.

        What is wrong inside is not raised here: `check` lists it all.

        Raises
        ------
        QuestionnaireError, FileError
            A file or module is missing, or is no YAML.
        """
        library = Library.of(path)
        content = library.survey()
        library.known_keys("survey.yaml", content, SURVEY_KEYS)
        constants = dict(content.get("constants") or {})
        draft = Draft(library, constants, library.lists())
        tables = read_tables(content)
        root = content.get("table") or next(iter(tables))
        contents = read_contents(draft, content.get("contents") or (), Place("survey", root))
        languages = tuple(content.get("languages") or ("es", "en"))
        owners = _owners(contents, draft.rules)
        texts = {each: library.texts(each, owners) for each in languages}
        for language in languages:
            texts[language] = _named(draft.lists, language) | texts[language]
        said = {key for each in languages for key in library.texts_of(library.folders[0], each)}
        own = {key.split("/", 1)[-1] for key in said}
        form = cls(
            str(content.get("name") or Path(library.folders[0]).name),
            str(content.get("version") or "1"),
            languages,
            contents,
            draft.lists,
            {each: _with_constants(texts[each]) for each in languages},
            tables,
            tuple(draft.rules),
            {key: value for key, value in content.items() if key in OPTIONS},
            tuple(library.problems),
            frozenset(own),
        )
        return form.resolved()

    def resolved(self) -> Questionnaire:
        """Return the questionnaire with the kind of every question."""
        kinds: dict[str, Kind] = {}
        rosters = dict.fromkeys((s.name for s in self.sections if s.kind == "roster"), kinds)

        def settle(section: Section) -> Section:
            parts: list[Section | Question] = []
            for part in section.contents:
                if isinstance(part, Section):
                    parts.append(settle(part))
                else:
                    kinds[part.name] = _kind(part, self.lists, Scope(kinds, rosters))
                    parts.append(replace(part, kind=kinds[part.name]))
            return replace(section, contents=tuple(parts))

        return replace(self, contents=tuple(settle(each) for each in self.contents))

    @cached_property
    def parts(self) -> tuple[Section | Question, ...]:
        """All sections and questions, in order."""
        return tuple(part for section in self.contents for part in section.walk())

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """All sections, in order."""
        return tuple(part for part in self.parts if isinstance(part, Section))

    @cached_property
    def modules(self) -> dict[str, tuple[Question, ...]]:
        """Module -> its questions, in order."""
        found: dict[str, list[Question]] = {}
        for question in self.every_question:
            found.setdefault(question.module, []).append(question)
        return {name: tuple(questions) for name, questions in found.items()}

    @cached_property
    def every_question(self) -> tuple[Question, ...]:
        """All questions in order, also those whose names clash."""
        return tuple(part for part in self.parts if isinstance(part, Question))

    @cached_property
    def questions(self) -> dict[str, Question]:
        """Name -> question, in order."""
        found: dict[str, Question] = {}
        for question in self.every_question:
            found.setdefault(question.name, question)
        return found

    def columns(self, table: str) -> dict[str, Question]:
        """Return the questions that leave a column in a table, in order."""
        return {q.name: q for q in self.every_question if q.table == table and q.held}

    def codes(self, question: Question) -> tuple[Any, ...]:
        """Return the codes that are answers to a question; none if it is not coded."""
        if question.type == "boolean":
            return tuple(YES_NO)
        return self.lists[question.list].valid if question.list else ()

    def results(self, question: Question) -> tuple[Any, ...]:
        """Return the codes that a question can have, answered or computed."""
        if question.cases:
            codes = dict.fromkeys(code for code, _ in question.cases)
            otherwise = [] if question.otherwise is None else [question.otherwise]
            return tuple(dict.fromkeys([*codes, *otherwise]))
        return self.codes(question)

    def missing_codes(self, question: Question) -> tuple[Any, ...]:
        """Return the codes that say why an answer is missing."""
        listed = self.lists[question.list].missing if question.list else ()
        return (*question.missing, *listed)

    def text(self, key: str, language: str) -> str:
        """Return a text, or its key where the language lacks it."""
        return self.texts[language].get(key) or key

    def label(self, question: Question, code: object, language: str) -> str:
        """Return the label of a code of a question."""
        if question.type == "boolean" and code in YES_NO:
            return self.text(f"yes_no: {code}", language)
        if code in question.missing:
            return self.text(f"missing: {question.missing[int(str(code))]}", language)
        return self.text(f"{question.list}: {code}", language)

    def to_xlsform(self, path: str | os.PathLike[str]) -> Path:
        """Write the form for ODK, KoboToolbox or SurveyCTO: .xlsx, or compiled .xml.

        Raises
        ------
        QuestionnaireError
            A check finds an error, or pyxform refuses the form.
        """
        from nsm.questionnaire.xlsform import write_xlsform

        return write_xlsform(self, path)

    def build(self, folder: str | os.PathLike[str], only: Sequence[str] = ()) -> list[Path]:
        """Write all that is made from the questionnaire, or `only` some: see `outputs.build`.

        Raises
        ------
        QuestionnaireError
            A check finds an error.
        """
        from nsm.questionnaire.outputs import build

        return build(self, folder, only)

    def codebook(self, language: str = "en") -> pd.DataFrame:
        """Return one row per variable, with its codes, universe, concept and standard."""
        from nsm.questionnaire.outputs.codebook import codebook

        return codebook(self, language)

    def check(self, language: str = "en") -> pd.DataFrame:
        """Return all that is wrong, doubtful or worth knowing.

        Returns
        -------
        Findings: `code, severity, where, count, message, examples`, errors first.
        """
        from nsm.questionnaire.findings import table

        return table(self.findings, language)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All that the checks find, decided once."""
        from nsm.questionnaire.checks import findings

        return tuple(findings(self))

    def require_sound(self) -> None:
        """Raise QuestionnaireError if a check finds an error."""
        wrong = [f for f in self.findings if f.severity == "error"]
        if wrong:
            raise QuestionnaireError(
                "The questionnaire {name!r} has {count} errors, so nothing is built from it. "
                "First: {code} at {where}: {message}",
                name=self.name,
                count=len(wrong),
                code=wrong[0].code,
                where=wrong[0].where,
                message=wrong[0].text(),
            )


OPTIONS = frozenset(SURVEY_KEYS) - {"name", "version", "languages", "contents", "tables"}


def _owners(contents: tuple[Section, ...], rules: Sequence[Rule]) -> dict[str, str]:
    """Return the key of every text of a module -> that module."""
    found = {rule.name: rule.module for rule in rules}
    for section in contents:
        for part in section.walk():
            if isinstance(part, Question) or part.module:
                found |= dict.fromkeys((part.name, f"{part.name}.hint"), part.module)
    return found


def _named(lists: Mapping[str, CodeList], language: str) -> dict[str, str]:
    """Return the labels that a standard classification gives its codes."""
    found = {}
    for codes in lists.values():
        names = standards().get(str(codes.standard), {})
        for code in codes.codes:
            if language in names.get(str(code.code), {}):
                found[f"{codes.name}: {code.code}"] = names[str(code.code)][language]
    return found


def _with_constants(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts with `{home}` replaced by the text of `$home`."""
    constants = {key[1:]: text for key, text in texts.items() if key.startswith("$")}
    found = {}
    for key, text in texts.items():
        for name, said in constants.items():
            text = text.replace("{" + name + "}", said)  # noqa: PLW2901  # the same text, filled in
        found[key] = text
    return found


def _kind(question: Question, lists: Mapping[str, CodeList], scope: Scope) -> Kind:
    if question.type == "one":
        return lists[question.list].kind if question.list else "text"
    if question.cases:
        numbers = all(isinstance(code, int) for code, _ in question.cases)
        return "number" if numbers else "text"
    if question.value is not None:
        try:
            return question.value.check(scope)
        except InputError:
            return None  # the checks say why
    return TYPES[question.type]
