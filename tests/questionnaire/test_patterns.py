"""Patterns that name constants of the survey, and codes of a list's own that come first."""

from __future__ import annotations

from pathlib import Path

from tests.questionnaire.forms import small

from nsm.questionnaire import Questionnaire
from nsm.questionnaire.library import Library

TEXT = ("- name: person_name\n    type: text", "- name: person_name\n    type: text\n    pattern: ")


def with_pattern(folder: Path, pattern: str, constants: str = "{home: DOM}") -> Questionnaire:
    old, new = TEXT
    return small(
        folder, (old, f'{new}"{pattern}"'), ("constants: {home: DOM}", f"constants: {constants}")
    )


def test_a_constant_stands_in_a_pattern(tmp_path: Path) -> None:
    form = with_pattern(tmp_path, "[0-9]{digits}-[A-Z]{2}", "{home: DOM, digits: 6}")
    assert form.questions["person_name"].pattern == "[0-9]{6}-[A-Z]{2}"
    assert "Q209" not in set(form.check()["code"])


def test_an_unknown_constant_is_found(tmp_path: Path) -> None:
    found = with_pattern(tmp_path, "[0-9]{digits}").check()
    row = found[found["code"] == "Q209"].iloc[0]
    assert row["where"] == "person.person_name"
    assert "'digits'" in row["message"]


def test_counts_of_a_pattern_are_no_constants(tmp_path: Path) -> None:
    form = with_pattern(tmp_path, "[0-9]{13}|[a-z]{1,3}")
    assert form.questions["person_name"].pattern == "[0-9]{13}|[a-z]{1,3}"


def test_a_code_of_ones_own_may_come_first(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    (tmp_path / "survey.yaml").write_text("name: x\n", encoding="utf-8")
    (tmp_path / "codes" / "own.yaml").write_text(
        "land:\n  from: ISO 3166-1 alpha-3\n  first: [XAR, VEN]\n  codes:\n    XAR: {own: 1}\n"
        "    NONE: {own: 1}\n",
        encoding="utf-8",
    )
    codes = Library.of(tmp_path).lists()["land"].codes
    assert [c.code for c in codes[:3]] == ["XAR", "VEN", "ABW"]
    assert codes[0].attributes == {"own": 1}
    assert [c.code for c in codes].count("XAR") == 1
    assert codes[-1].code == "NONE"
