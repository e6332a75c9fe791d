"""A rehearsed delivery: every question of a form, in its order, for those who are asked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nsm.errors import OptionError
from nsm.questionnaire.model import Answer, Question
from nsm.questionnaire.questionnaire import Questionnaire
from nsm.simulation.answers.drawing import computed, drawn
from nsm.simulation.answers.level import Level
from nsm.simulation.answers.rules import AnswerRules, Teams
from nsm.simulation.draws import Draws, generator


def answer(
    tables: Mapping[str, pd.DataFrame], form: Questionnaire, rules: AnswerRules, *, seed: int
) -> dict[str, pd.DataFrame]:
    """Answer a form: what fieldwork gave, and by rules what the form asks besides.

    Parameters
    ----------
    tables
        As `nsm.simulation.fieldwork` gives them. A question that has a column there keeps it; one
        that the form computes is computed, and until then its column can be used in rules.
    rules
        Question -> how it is answered.
    seed
        An answer does not depend on what else is asked, nor on which other areas are drawn.

    Returns
    -------
    Table -> keys and the questions of the form. Synthetic.

    Raises
    ------
    OptionError
        A question that must be answered has no rule, or looks into a list of persons.
    ColumnError
        A rule needs an answer that is not there yet.
    """
    tables = {name: tables[name].copy() for name in form.tables if name in tables}
    first = next(iter(tables))
    tables[first] = staffed(tables[first], rules.teams)
    levels = _levels(form, tables)
    given = {name: {*table.columns} for name, table in tables.items()}
    lost = {n: _carelessness(level, rules.teams, seed) for n, level in levels.items()}
    for question in form.every_question:
        level = levels.get(question.table)
        if level is None or not question.held:
            continue
        name = question.name
        missing = form.missing_codes(question)
        if question.type == "calculated":
            rows = _rows(question, level)
            level.write(name, rows, computed(question, level, rows))
        elif name in given[question.table]:
            rows = _rows(question, level)
            level.answer(name, rows, level.columns[name][rows], missing)
        elif name in rules.questions:
            _answered(question, level, (rules, seed, missing), lost[question.table])
        elif question.required and not question.silent:
            raise OptionError(
                "The rehearsal has no answers to {name!r} of the form {form!r}. Add a rule.",
                name=name,
                form=form.name,
            )
    return {name: _delivered(form, name, table, levels[name]) for name, table in tables.items()}


def staffed(dwellings: pd.DataFrame, teams: Teams) -> pd.DataFrame:
    """Give every dwelling a team and an interviewer: areas to teams in turn, parts of them to one.

    Examples
    --------
    >>> table = pd.DataFrame({"area": ["a", "a", "b"]})
    >>> staffed(table, Teams(2, 2))["interviewer"].tolist()
    ['T01-1', 'T01-2', 'T02-1']
    """
    codes, _ = pd.factorize(dwellings["area"], sort=True)
    size = np.bincount(codes)[codes]
    place = dwellings.groupby("area").cumcount().to_numpy()
    team = [f"T{code % teams.number + 1:02d}" for code in codes]
    who = place * teams.interviewers // size + 1
    names = [f"{t}-{w}" for t, w in zip(team, who, strict=True)]
    return dwellings.assign(team=team, interviewer=names)


def _levels(form: Questionnaire, tables: Mapping[str, pd.DataFrame]) -> dict[str, Level]:
    levels: dict[str, Level] = {}
    for name, table in tables.items():
        above = []
        for upper, level in reversed(levels.items()):
            key = form.tables[upper].key
            if key in table:
                above.append((level, pd.Index(tables[upper][key]).get_indexer(table[key])))
        levels[name] = Level.of(table, above)
    return levels


def _rows(question: Question, level: Level) -> np.ndarray:
    conditions = [*question.asks, *(case for _, case in question.cases)]
    conditions += [question.value] if question.value is not None else []
    if any(condition.aggregates for condition in conditions):
        raise OptionError(
            "The question {name!r} looks into a list of persons, which is not rehearsed.",
            name=question.name,
        )
    return level.asked(question.asks)


def _answered(
    question: Question,
    level: Level,
    how: tuple[AnswerRules, int, tuple[Answer, ...]],
    lost: np.ndarray,
) -> None:
    """Write the answers to one question, those not given, and those that get lost."""
    rules, seed, missing = how
    rule = rules.questions[question.name]
    rows = _rows(question, level)
    numbers = _numbers(level, rows, question.name, seed)
    values = drawn(question, rule, level, rows, numbers[0])
    if rule.code is not None:
        values[numbers[1] < rule.not_given] = rule.code
    values[numbers[2] < rule.lost * lost[rows]] = None if values.dtype == object else np.nan
    level.answer(question.name, rows, values, missing)


def _numbers(level: Level, rows: np.ndarray, name: str, seed: int) -> np.ndarray:
    """Return uniform numbers of a question (3, rows): answer, not given, lost."""
    areas = level.column("area", np.arange(level.size))
    codes, labels = pd.factorize(areas)
    order = np.argsort(codes, kind="stable")
    purposes = ("answer", "given", "lost")
    draws = Draws(seed, [*labels], np.bincount(codes), table=f"answers {name}", purposes=purposes)
    place = np.empty(level.size, dtype=np.int64)
    place[order] = np.arange(level.size)
    return np.array([draws[purpose][place[rows]] for purpose in purposes])


def _carelessness(level: Level, teams: Teams, seed: int) -> np.ndarray:
    """Return by how much more often than usual each row's interviewer loses answers (rows,)."""
    who = level.column("interviewer", np.arange(level.size))
    codes, labels = pd.factorize(who)
    draws = np.array([generator(seed, "interviewer", each).random() for each in labels])
    return np.where(draws < teams.careless, teams.times, 1.0)[codes]


def _delivered(form: Questionnaire, name: str, table: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Return a table with its keys and the questions of the form, codes in place."""
    keys = [t.key for t in form.tables.values() if t.key in table]
    out = {key: table[key] for key in dict.fromkeys([*keys, "area"]) if key in table}
    for question in form.columns(name).values():
        if question.name in out or question.name not in level.columns:
            continue
        out[question.name] = _stored(level.with_codes(question.name))
    return pd.DataFrame(out)


def _stored(values: np.ndarray) -> pd.Series:
    """Return text, moments, whole numbers or others as a column of their kind."""
    column = pd.Series(values)
    if values.dtype == object:
        return column if column.map(type).isin([float, int]).any() else column.astype("str")
    if values.dtype.kind == "f" and np.array_equal(values, np.round(values), equal_nan=True):
        return column.astype("Int64")
    return column
