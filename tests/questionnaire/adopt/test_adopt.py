"""An XLSForm becomes a source, and the source the same form again."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from tests.questionnaire.forms import small
from tests.questionnaire.walk import Interview, interviews

from nsm.condition.logic import holds
from nsm.errors import FileError, OptionError, QuestionnaireError
from nsm.files import library
from nsm.questionnaire import Question, Questionnaire
from nsm.questionnaire.adopt import adopt_xlsform
from nsm.questionnaire.reach import Reach
from nsm.questionnaire.xlsform import sheets

FORMS = ("eni-short", "eni")


def adopted(form: Questionnaire, folder: Path) -> Questionnaire:
    file = form.to_xlsform(folder / "form.xlsx")
    findings = adopt_xlsform(file, folder / "adopted")
    assert findings.empty, findings["message"].tolist()
    return Questionnaire.read(folder / "adopted")


@pytest.fixture(scope="module", params=FORMS)
def pair(request: Any, tmp_path_factory: Any) -> tuple[Questionnaire, Questionnaire]:
    form = Questionnaire.read(library(f"questionnaires/{request.param}"))
    return form, adopted(form, tmp_path_factory.mktemp(request.param))


def test_an_adopted_form_has_no_errors(pair: tuple[Questionnaire, Questionnaire]) -> None:
    found = pair[1].check()
    assert found[found["severity"] == "error"].empty
    assert set(found["code"]) <= {"Q803", "Q605"}  # an XLSForm has no concepts


def test_questions_texts_and_codes_are_kept(pair: tuple[Questionnaire, Questionnaire]) -> None:
    form, other = pair
    assert list(form.questions) == list(other.questions)
    assert other.languages == form.languages
    for name, question in form.questions.items():
        twin = other.questions[name]
        if not question.assigned:  # its type is nowhere in the sheets
            assert twin.type == question.type, name
        assert twin.range == question.range, name
        assert twin.required == question.required or question.silent, name
        assert twin.pattern == question.pattern, name
        assert set(twin.missing) == set(question.missing), name
        assert len(twin.rosters) == len(question.rosters)
        if question.silent:
            continue
        codes = (*form.codes(question), *form.missing_codes(question))
        others = (*other.codes(twin), *other.missing_codes(twin))
        assert sorted(map(str, codes)) == sorted(map(str, others)), name
        for language in form.languages:
            assert other.text(name, language) == form.text(name, language)
            for code in form.codes(question):
                said = form.label(question, code, language)
                assert other.label(twin, code, language) == said


def test_the_adopted_form_makes_the_same_form_again(
    pair: tuple[Questionnaire, Questionnaire], tmp_path: Path
) -> None:
    twice = adopted(pair[1], tmp_path)
    assert sheets(twice) == sheets(pair[1])


def test_the_adopted_form_asks_the_same_questions(
    pair: tuple[Questionnaire, Questionnaire],
) -> None:
    form, other = pair
    asked = 0
    for each in interviews(form, 8, seed=21):
        twin = _same_answers(each, other)
        for question in form.every_question:
            rows = _rows(each, question)
            others = _rows(twin, other.questions[question.name])
            for row, copy in zip(rows, others, strict=True):
                one = holds(each.engine(row), question.asked.tree)
                assert one is holds(twin.engine(copy), other.questions[question.name].asked.tree)
                asked += one
    assert asked > 200


def _rows(each: Interview, question: Question) -> list[dict[str, Any]]:
    """The rows that a question is asked in."""
    return each.rosters[each.reach.roster(question.rosters[-1])] if question.rosters else [{}]


def _same_answers(each: Interview, form: Questionnaire) -> Interview:
    """The same interview, as the adopted form holds it."""
    twin = Interview.__new__(Interview)
    twin.form, twin.reach, twin.row, twin.rosters = form, Reach(form), each.row, each.rosters
    return twin


def test_what_is_refused_stays_refused(tmp_path: Path) -> None:
    form = small(tmp_path / "form")
    other = adopted(form, tmp_path)
    (rule,) = other.rules
    assert (rule.name, str(rule.when)) == ("arrival_age.refuse", "arrival_age > age")
    assert other.text(rule.name, "en") == form.text(rule.name, "en")


# Forms from elsewhere


def foreign(folder: Path, survey: list[tuple[str, ...]], **sheets: list[tuple[str, ...]]) -> Path:
    file = folder / "form.xlsx"
    book = xlsxwriter.Workbook(str(file), {"strings_to_formulas": False})
    for name, rows in {"survey": survey, **sheets}.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    return file


SURVEY = [
    ("type", "name", "label::English", "label::Español", "relevant", "constraint", "calculation"),
    ("text", "person", "Name?", "¿Nombre?"),
    ("select_one sex", "sex", "Sex?", "¿Sexo?"),
    ("integer", "age", "Age of ${person}?", "¿Edad de ${person}?", "${sex} != 'm'", ". < 120"),
    ("begin_repeat", "child", "Children", "Hijos"),
    ("integer", "child_age", "Age?", "¿Edad?", "", ". <= ${age}"),
    ("end_repeat",),
    ("calculate", "young", "", "", "", "", "count(${child}[./child_age < 5])"),
    ("image", "photo", "Photo", "Foto"),
    ("audit", "audit"),
    ("text", "why", "Why?", "¿Por qué?", "string-length(${person}) > 5"),
]
CHOICES = [
    ("list_name", "name", "label::English", "label::Español"),
    ("sex", "m", "Male", "Hombre"),
    ("sex", "f", "Female", "Mujer"),
]


def test_a_form_from_elsewhere_is_adopted(tmp_path: Path) -> None:
    findings = adopt_xlsform(foreign(tmp_path, SURVEY, choices=CHOICES), tmp_path / "new")
    assert findings[["code", "where"]].to_numpy().tolist() == [
        ["Q901", "survey, 11: why (relevant)"],
        ["Q902", "survey, 9: photo"],
    ]
    form = Questionnaire.read(tmp_path / "new")
    assert form.languages == ("en", "es")
    assert str(form.questions["age"].asked) == 'sex != "m" or sex is missing'
    assert form.text("age", "es") == "¿Edad de {person}?"
    assert {rule.name: str(rule.when) for rule in form.rules} == {
        "age.refuse": "age >= 120",
        "child_age.refuse": "child_age > age or age is missing",
    }
    assert str(form.questions["young"].value) == "count(child, child_age < 5)"
    assert form.questions["child_age"].rosters == ("child",)
    assert "audit" not in form.questions
    found = form.check()
    assert found[found["severity"] == "error"].empty


def test_a_formula_in_a_cell_stays_text(tmp_path: Path) -> None:
    survey = [("type", "name", "label"), ("text", "q", "=HYPERLINK(A1)")]
    adopt_xlsform(foreign(tmp_path, survey), tmp_path / "new")
    form = Questionnaire.read(tmp_path / "new")
    assert form.text("q", "en") == "=HYPERLINK(A1)"


def test_files_that_are_no_form_are_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.xlsx"
    wrong.write_text("text", encoding="utf-8")
    with pytest.raises(FileError, match="cannot be read as XLSX"):
        adopt_xlsform(wrong, tmp_path / "new")
    with pytest.raises(QuestionnaireError, match="it is no XLSForm"):
        adopt_xlsform(foreign(tmp_path, [("a", "b"), ("1", "2")]), tmp_path / "new")
    with pytest.raises(FileError, match="does not exist"):
        adopt_xlsform(tmp_path / "none.xlsx", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_entities_are_refused(tmp_path: Path) -> None:
    file = foreign(tmp_path, SURVEY)
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(bomb, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>', 1)
            new.writestr(name, content)
    with pytest.raises(FileError, match="declares entities"):
        adopt_xlsform(bomb, tmp_path / "new")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(OptionError, match="is not empty"):
        adopt_xlsform(foreign(tmp_path, SURVEY), tmp_path / "new")
