"""XLSForm, the spreadsheet form of ODK, KoboToolbox and SurveyCTO."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nsm.condition.tree import decimal
from nsm.errors import QuestionnaireError
from nsm.files import atomic
from nsm.language import said as in_words
from nsm.questionnaire.model import Question, Rule, Section
from nsm.questionnaire.reach import Reach
from nsm.questionnaire.xpath import XPath, all_of, copy_name, one_of, unwrapped

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

Row = dict[str, str]
LONG_LIST = 20
ASSIGNMENT = "assignment"
_TYPES = {"point": "geopoint", "calculated": "calculate", "position": "calculate"}


@dataclass
class Sheets:
    """The sheets of a form while they are written."""

    form: Questionnaire
    reach: Reach
    survey: list[Row] = field(default_factory=list)
    lists: dict[str, list[Row]] = field(default_factory=dict)
    copies: set[tuple[str, str]] = field(default_factory=set)

    def engine(self, rosters: tuple[str, ...], own: str | None = None) -> XPath:
        """Return what writes conditions at a place."""
        return XPath(self.form, self.reach, rosters, own, None, (), self.copies)

    def texts(self, column: str, key: str, rosters: tuple[str, ...], default: str = "") -> Row:
        """Return a text in all languages, if it is there in any."""
        engine, found = self.engine(rosters), {}
        for language in self.form.languages:
            text = self.form.texts[language].get(key) or (
                in_words(default, language) if default else ""
            )
            if text:
                found[f"{column}::{language_name(language)}"] = engine.filled(text)
        return found


def language_name(language: str) -> str:
    """Return a language as XLSForm names it: `Español (es)`."""
    from nsm.questionnaire.questionnaire import LANGUAGES

    return f"{LANGUAGES.get(language, language)} ({language})"


def sheets(form: Questionnaire) -> dict[str, list[Row]]:
    """Return the sheets `survey, choices, settings` as lists of rows."""
    draft = Sheets(form, Reach(form))
    for section in form.contents:
        _section(draft, section, ())
    rows = list(_with_copies(draft))
    choices = [row for codes in draft.lists.values() for row in codes]
    settings = {
        "form_title": form.text("title", form.languages[0]),
        "form_id": form.name,
        "version": form.version,
        "default_language": language_name(form.languages[0]),
    }
    return {"survey": rows, "choices": choices, "settings": [settings]}


def compile_form(form: Questionnaire) -> tuple[str, list[str]]:
    """Compile the form with pyxform.

    Returns
    -------
    The XForm as XML text, and pyxform's warnings.

    Raises
    ------
    QuestionnaireError
        pyxform refuses the form.
    """
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    try:
        with _sections_by_identity():
            result = convert(xlsform=sheets(form), form_name="data")
    except PyXFormError as error:
        raise QuestionnaireError(
            "pyxform cannot compile {name!r}: {reason}", name=form.name, reason=str(error)
        ) from error
    return str(result.xform), list(result.warnings)


@contextmanager
def _sections_by_identity() -> Iterator[None]:
    """Let pyxform tell repeats apart by identity.

    For each question, pyxform 4 asks whether the repeat around it is the one being written, and
    compares their whole contents as dictionaries: 4 of 4.4 seconds for 300 questions.
    """
    from pyxform.section import RepeatingSection

    compared = RepeatingSection.__dict__.get("__eq__")
    RepeatingSection.__eq__ = object.__eq__
    try:
        yield
    finally:
        if compared is None:
            del RepeatingSection.__eq__
        else:
            RepeatingSection.__eq__ = compared


def write_xlsform(form: Questionnaire, path: str | os.PathLike[str]) -> Path:
    """Write the form as .xlsx, or compiled as .xml."""
    form.require_sound()
    compiled, _ = compile_form(form)
    if Path(path).suffix.lower() == ".xml":
        from nsm.files import write_text

        return write_text(compiled, path)
    if Path(path).suffix.lower() != ".xlsx":
        raise QuestionnaireError(
            "Forms are written as .xlsx or .xml, not {suffix!r}.", suffix=Path(path).suffix
        )
    _write_workbook(sheets(form), path)
    return Path(path)


def write_both(form: Questionnaire, path: Path) -> tuple[Path, Path]:
    """Write a sound form as .xlsx, and beside it compiled as .xml."""
    from nsm.files import write_text

    compiled, _ = compile_form(form)
    _write_workbook(sheets(form), path)
    return path, write_text(compiled, path.with_suffix(".xml"))


def _write_workbook(content: dict[str, list[Row]], path: str | os.PathLike[str]) -> None:
    import xlsxwriter

    with atomic(path) as partial:
        book = xlsxwriter.Workbook(
            partial, {"strings_to_formulas": False, "strings_to_urls": False}
        )
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC)})  # same form, same file
        head = book.add_format({"bold": True, "bottom": 1})
        for name, rows in content.items():
            sheet = book.add_worksheet(name)
            columns = list(dict.fromkeys(key for row in rows for key in row))
            sheet.write_row(0, 0, columns, head)
            for number, row in enumerate(rows, start=1):
                for column, key in enumerate(columns):
                    if row.get(key):
                        sheet.write_string(number, column, row[key])
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(columns), 24)
        book.close()


def _section(draft: Sheets, section: Section, rosters: tuple[str, ...]) -> None:
    row = {"type": "begin_group", "name": section.name}
    inside = rosters
    if section.kind == "roster":
        row["type"] = "begin_repeat"
        inside = (*rosters, section.name)
        row["repeat_count"] = _count(draft, section, rosters)
    if section.ask is not None:
        row["relevant"] = draft.engine(rosters).condition(section.ask)
    draft.survey.append(row | draft.texts("label", section.name, rosters))
    for part in section.contents:
        if isinstance(part, Section):
            _section(draft, part, inside)
        else:
            draft.survey.extend(_question(draft, part))
            draft.survey.extend(_doubts(draft, part))
    if section.kind == "module":
        for rule in draft.form.rules:
            if rule.module == section.name and rule.at is None:
                draft.survey.append(_note(draft, rule))
    draft.survey.append({"type": row["type"].replace("begin", "end")})


def _count(draft: Sheets, section: Section, rosters: tuple[str, ...]) -> str:
    if section.of is not None:
        return f"count(${{{section.of}}})"
    return "" if section.count is None else draft.engine(rosters).value(section.count)


def _question(draft: Sheets, question: Question) -> Iterator[Row]:
    engine = draft.engine(question.rosters)
    row = {"type": _type(draft, question), "name": question.name}
    if not question.silent or question.kind == "date":
        row |= draft.texts("label", question.name, question.rosters)
    row |= draft.texts("hint", f"{question.name}.hint", question.rosters)
    if question.own is not None:
        row["relevant"] = engine.condition(question.own)
    if question.silent:
        row["calculation"] = _calculation(draft, question)
    elif question.type != "note":
        row |= _constraint(draft, question)
        row["required"] = "yes" if question.required else ""
    if question.filter is not None and question.list is not None:
        filtered = XPath(
            draft.form,
            draft.reach,
            question.rosters,
            None,
            None,
            draft.form.lists[question.list].attributes,
            draft.copies,
        )
        row["choice_filter"] = filtered.condition(question.filter)
    if question.list and len(draft.form.codes(question)) > LONG_LIST:
        row["appearance"] = "minimal autocomplete"
    yield {key: value for key, value in row.items() if value}


def _type(draft: Sheets, question: Question) -> str:
    if question.assigned:
        return "calculate"
    if question.type not in {"one", "many", "boolean"}:
        return _TYPES.get(question.type, question.type)
    form = draft.form
    name = question.list or "_".join(("yes_no", *(str(code) for code in question.missing)))
    if name not in draft.lists:
        listed = form.lists[question.list].codes if question.list else ()
        kept = _filtering(form, question.list)
        attributes = {
            code.code: {key: code.attributes[key] for key in kept if key in code.attributes}
            for code in listed
        }
        draft.lists[name] = [
            {"list_name": name, "name": str(code)}
            | {
                f"label::{language_name(each)}": form.label(question, code, each)
                for each in form.languages
            }
            | {key: str(value) for key, value in attributes.get(code, {}).items()}
            for code in (*form.codes(question), *form.missing_codes(question))
        ]
    return f"{'select_multiple' if question.type == 'many' else 'select_one'} {name}"


def _filtering(form: Questionnaire, name: str | None) -> list[str]:
    """Return the attributes of a list's codes that a filter looks at."""
    used = {
        each
        for question in form.every_question
        if question.list == name and question.filter is not None
        for each in question.filter.names
    }
    return [key for key in form.lists[name].attributes if key in used] if name else []


def _calculation(draft: Sheets, question: Question) -> str:
    engine = draft.engine(question.rosters)
    if question.assigned:
        key = draft.form.tables[question.table].key
        return f"pulldata('{ASSIGNMENT}', '{question.name}', '{key}', ${{{key}}})"
    if question.type == "position":
        above = len(question.sections) - question.sections.index(question.rosters[-1])
        return f"position({'/'.join(['..'] * above)})"
    if question.cases:
        text = _constant(question.otherwise)
        for code, case in reversed(question.cases):
            text = f"if({engine.condition(case)}, {_constant(code)}, {text})"
        return text
    return engine.value(question.value) if question.value is not None else ""


def _constant(code: object) -> str:
    if code is None:
        return "''"
    return str(code) if isinstance(code, int) else f"'{code}'"


def _constraint(draft: Sheets, question: Question) -> Row:
    engine = draft.engine(question.rosters, question.name)
    tests, keys = [], []
    if limits := _limits(question):
        tests.append(limits)
    if question.pattern is not None:
        tests.append(f"regex(., '^{question.pattern}$')")
    for rule in draft.form.rules:
        if rule.at == question.name and rule.severity == "error":
            tests.append(f"not({engine.condition(rule.when)})")
            keys.append(rule.name)
    if not tests:
        return {}
    return {"constraint": unwrapped(all_of(tests))} | _messages(draft, question, keys)


def _limits(question: Question) -> str:
    """Return the test that a number is in its range, or one of the codes for missing."""
    low, high = question.range
    tests = [f". >= {decimal(low)}"] if low is not None else []
    tests += [f". <= {decimal(high)}"] if high is not None else []
    if not tests:
        return ""
    return one_of([all_of(tests), *(f". = {code}" for code in question.missing)])


def _messages(draft: Sheets, question: Question, keys: list[str]) -> Row:
    """Return what is said when an answer is refused."""
    engine = draft.engine(question.rosters)
    found: Row = {}
    for language in draft.form.languages:
        limits = limit_messages(question.range, language, pattern=question.pattern is not None)
        said = [*limits, *(draft.form.text(key, language) for key in keys)]
        if said:
            column = f"constraint_message::{language_name(language)}"
            found[column] = engine.filled(" ".join(said))
    return found


def limit_messages(
    limits: tuple[float | None, float | None], language: str, *, pattern: bool
) -> list[str]:
    """Return what is said of an answer out of its range, or not of its form."""
    low, high = limits
    said = []
    if pattern:
        said.append(in_words("The answer does not have the form that is asked.", language))
    if low is not None and high is not None:
        text = in_words("The answer lies between {low} and {high}.", language)
        said.append(text.format(low=decimal(low), high=decimal(high)))
    return said


def _doubts(draft: Sheets, question: Question) -> Iterator[Row]:
    for rule in draft.form.rules:
        if rule.at == question.name and rule.severity == "warning":
            yield _note(draft, rule)


def _note(draft: Sheets, rule: Rule) -> Row:
    """Return a note that shows where a rule holds; one that refuses cannot be passed."""
    row = {"type": "note", "name": f"note_{rule.name.replace('.', '_')}"}
    row["relevant"] = draft.engine(rule.rosters).condition(rule.when)
    if rule.severity == "error":
        row["required"] = "yes"
    return row | draft.texts("label", rule.name, rule.rosters)


def _with_copies(draft: Sheets) -> Iterator[Row]:
    """Give the rows, with the first pass's answers at the head of each second pass."""
    for row in draft.survey:
        yield row
        if row["type"] == "begin_repeat":
            for roster, name in sorted(draft.copies, key=lambda c: draft.reach.order[c[1]]):
                if roster == row["name"]:
                    yield _copy(draft, roster, name)


def _copy(draft: Sheets, roster: str, name: str) -> Row:
    question = draft.form.questions[name]
    above = next(s for s in draft.form.sections if s.name == roster)
    path = _ancestors(draft, above)
    steps = []
    for depth, outer in enumerate(question.rosters):
        here = roster if depth == len(question.rosters) - 1 else outer
        up = "/".join([".."] * (len(path) - path.index(here)))
        steps.append(f"${{{outer}}}, position({up})")
    text = f"indexed-repeat(${{{name}}}, {', '.join(steps)})"
    return {"type": "calculate", "name": copy_name(roster, name), "calculation": text}


def _ancestors(draft: Sheets, section: Section) -> list[str]:
    """Return the names of the sections around a section and its own."""

    def search(parts: tuple[Section | Question, ...], path: list[str]) -> list[str]:
        for part in parts:
            if isinstance(part, Section):
                here = [*path, part.name]
                if part is section:
                    return here
                if found := search(part.contents, here):
                    return found
        return []

    return search(draft.form.contents, [])
