"""Arrows on paper: where an answer leads."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.questionnaire.forms import HOME, PERSON, small
from tests.questionnaire.walk import interviews

from nsm.condition import parse
from nsm.condition.logic import holds
from nsm.condition.rows import Python
from nsm.questionnaire import Questionnaire
from nsm.questionnaire.outputs.numbers import letters, numbers
from nsm.questionnaire.outputs.skips import possible, skips

FULL = Questionnaire.read(Path(__file__).parents[3] / "questionnaires" / "eni")
ROUTED = """\
  - name: works
    type: boolean
    missing: {8: dont_know}
  - name: job
    type: text
    ask: works
  - name: wants
    type: boolean
    ask: not works
  - name: unwell
    type: calculated
    value: works or wants
  - name: last
    type: text
    ask: unwell
"""


def test_letters_go_on_after_z() -> None:
    assert [letters(n) for n in (0, 25, 26, 27, 51, 52)] == ["A", "Z", "AA", "AB", "AZ", "BA"]


def test_an_answer_leads_past_what_it_rules_out(tmp_path: Path) -> None:
    labels = "works: a\njob: b\nwants: c\nunwell: d\nlast: e\n"
    form = small(
        tmp_path,
        (HOME, HOME + ROUTED),
        ("i18n/es.yaml: title:", labels + "title:"),
        ("i18n/en.yaml: title:", labels + "title:"),
    )
    known = numbers(form)
    assert known["works"] == "A3"
    assert "unwell" not in known
    found = {(s.question, s.code): s.to for s in skips(form)}
    assert found == {
        ("works", 0): "wants",
        ("works", 8): "abroad_now",  # nobody knows: neither a job nor a wish is asked for
        ("birth_country", "DOM"): "employed",
    }


def test_the_last_question_leads_to_the_end(tmp_path: Path) -> None:
    text = PERSON.replace(
        "ask: age >= 15", "ask: age >= 15\n  - name: sector\n    type: text\n    ask: employed"
    ).replace("  - name: languages\n    type: many\n    list: language\n", "")
    form = small(tmp_path, (PERSON, text))
    found = [(s.question, s.code, s.to) for s in skips(form)]
    assert found == [("birth_country", "DOM", "employed"), ("employed", 0, None)]


def test_no_interview_takes_another_way_than_the_arrows() -> None:
    by_answer = {(s.question, s.code): s.to for s in skips(FULL)}
    order = [q.name for q in FULL.every_question]
    for each in interviews(FULL, 30, seed=11):
        sheets = [each.row, *(row for rows in each.rosters.values() for row in rows)]
        for row in sheets:
            for (name, code), to in by_answer.items():
                if row.get(name) != code or name not in row:
                    continue
                rosters = FULL.questions[name].rosters
                end = order.index(to) if to else len(order)
                passed = [
                    other
                    for other in order[order.index(name) + 1 : end]
                    if FULL.questions[other].rosters == rosters and not FULL.questions[other].silent
                ]
                assert all(row.get(other) is None for other in passed), (name, code)


NAMES = ("a", "b", "c")
atom = st.builds(
    "{} {} {}".format, st.sampled_from(NAMES), st.sampled_from(["==", "!=", "<"]), st.integers(0, 2)
) | st.sampled_from([f"{name} is missing" for name in NAMES])
tests = st.recursive(
    atom,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("not ({})".format, inner)
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(text=tests, a=st.sampled_from([0, 1, 2, None]))
def test_what_is_called_impossible_never_holds(text: str, a: int | None) -> None:
    tree = parse(text).tree
    rows = [{"a": a, "b": b, "c": c} for b in (0, 1, 2, None) for c in (0, 1, 2, None)]
    for truth in (True, False):
        if not possible(tree, {"a": a}, truth=truth):
            assert not any(holds(Python(row), tree, truth=truth) for row in rows)


@pytest.mark.parametrize("language", FULL.languages)
def test_every_condition_can_be_said(language: str) -> None:
    from nsm.questionnaire.outputs.words import Words

    words = Words(FULL, language, numbers(FULL))
    said = [words.say(q.asked) for q in FULL.every_question]
    assert all(said)
    assert not any("==" in text or "Arithmetic" in text for text in said)
