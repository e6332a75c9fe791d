"""One changed answer in a sound delivery of the full survey breaks a rule, whichever it is."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fieldwork.exports import tables
from tests.questionnaire.walk import interviews

from nsm.fieldwork import read_delivery, validate
from nsm.files import library
from nsm.questionnaire import Question, Questionnaire

FORM = Questionnaire.read(library("questionnaires/eni"))


@cache
def _sound() -> dict[str, pd.DataFrame]:
    """A delivery that keeps every rule (a random walk may meet a rule about a later row)."""
    source = tables(FORM, interviews(FORM, 4, 3, outcome="completed", household_size=3), Path())
    found = read_delivery(source, FORM).tables
    checked = validate(FORM, found)
    wrong = checked.failures[checked.failures["severity"] == "error"]
    assert set(wrong["code"]) <= {"V106"}
    return found


def wrong_answers(question: Question, answer: Any) -> list[Any]:
    """What cannot be answered there: a blank where one must, an answer where none is asked."""
    asked = not pd.isna(answer)
    low, high = question.range
    if not asked:
        return [low if low is not None else 1]
    found: list[Any] = [None] if question.required else []
    if high is not None:
        found.append(high + 10_000_000)
    if question.type == "one":
        found.append("no such code")
    return found


@cache
def candidates() -> list[tuple[str, str]]:
    """Table and column of every answer that is a number or a code in text."""
    return [
        (name, column)
        for name in FORM.tables
        for column, q in FORM.columns(name).items()
        if column in _sound().get(name, ())
        and not q.silent
        and (q.type == "integer" or (q.type == "one" and q.kind == "text"))
    ]


@pytest.mark.simulation
@settings(max_examples=100, deadline=None)
@given(st.deferred(lambda: st.sampled_from(candidates())), st.integers(0, 10_000))
def test_no_mutated_answer_passes(place: tuple[str, str], pick: int) -> None:
    _judge(place, pick)


@pytest.mark.parametrize("pick", range(3))
def test_a_mutated_answer_does_not_pass(pick: int) -> None:
    _judge(candidates()[pick * 37 % len(candidates())], pick)


def _judge(place: tuple[str, str], pick: int) -> None:
    name, column = place
    table = _sound()[name].copy()
    question = FORM.questions[column]
    row = table.index[pick % len(table)]
    options = wrong_answers(question, table.loc[row, column])
    blank = bool(pd.isna(table.loc[row, column]))
    if not options or (blank and (question.missing or not question.required)):
        return  # a blank may be a code for a missing answer, which the intake has taken out
    value = options[pick % len(options)]
    if value is None and FORM.missing_codes(question):
        return
    table[column] = table[column].astype("object")
    table.loc[row, column] = "habitaculo" if blank and question.type == "one" else value
    table[column] = _typed(table[column], question)
    found = validate(FORM, {**_sound(), name: table}).failures
    key = FORM.tables[name].key
    hits = found[(found["table"] == name) & (found["key"] == table.loc[row, key])]
    assert (hits["severity"] == "error").any(), (name, column, value)


def _typed(column: pd.Series, question: Question) -> pd.Series:
    if question.kind == "number":
        return pd.to_numeric(column.replace({None: np.nan})).astype("float64")
    return column.astype("str").where(column.notna(), None)
