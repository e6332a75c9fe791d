"""Deliveries: files from the field become one table for each level, with what is wrong in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from nsm.errors import FieldworkError, nearest
from nsm.fieldwork.coerce import REASONS, answers
from nsm.fieldwork.formats import read_raw
from nsm.fieldwork.levels import leveled
from nsm.fieldwork.shape import Rows, shaped
from nsm.frame.findings import Finding, finding, findings_table
from nsm.questionnaire.questionnaire import Questionnaire


class Delivery(NamedTuple):
    """What came from the field.

    Parameters
    ----------
    tables
        Table -> its rows: keys, the area, and one column for each question of the level.
    reasons
        Why answers are missing, where it was recorded: `table, key, question, code, reason`.
    findings
        What was found wrong: `code, severity, where, count, message, examples`.
    """

    tables: dict[str, pd.DataFrame]
    reasons: pd.DataFrame
    findings: pd.DataFrame


def read_delivery(
    source: Any, form: Questionnaire, *, encoding: str = "utf-8", language: str = "en"
) -> Delivery:
    """Read what came from the field, from any of the usual programs.

    Parameters
    ----------
    source
        A file, folder or archive of ODK, KoboToolbox, SurveyCTO, Survey Solutions, CSPro, SPSS or
        Stata; an Excel or Parquet file; a table; or a mapping of names (those of the form's tables,
        or of its rosters) to files or tables.
    encoding
        Of text files.
    language
        Of the findings.

    Raises
    ------
    FileError
        A file is missing, in another encoding, or not what its name says.
    FieldworkError
        Nothing in it belongs to the questionnaire, or rows have no key.

    Notes
    -----
    Nothing is dropped: rows with repeated keys, without the unit above, or with answers that cannot
    be read stay, and are listed in the findings by their keys.
    """
    rows = shaped(form, read_raw(source, encoding))
    if not any(set(each.table.columns) & set(form.questions) for each in rows):
        raise FieldworkError(
            "No column of {source} is a question of {form!r}. {hint}",
            source=str(source) if not isinstance(source, Mapping) else list(source),
            form=form.name,
            hint=nearest(next((c for r in rows for c in r.unknown), ""), form.questions),
        )
    tables, problems = leveled(form, rows)
    problems = [*_unknown(form, rows), *problems]
    labels = {c: codes for each in rows for c, codes in each.labels.items()}
    reasons = []
    for name, table in tables.items():
        typed, why, found = _typed(form, name, table, labels)
        tables[name] = typed
        reasons.append(why)
        problems.extend(found)
        problems.extend(_lacking(form, name, table))
    return Delivery(
        tables, pd.concat(reasons, ignore_index=True), findings_table(problems, language)
    )


def _typed(
    form: Questionnaire, name: str, table: pd.DataFrame, labels: Mapping[str, Mapping[str, str]]
) -> tuple[pd.DataFrame, pd.DataFrame, list[Finding]]:
    """Return a table with typed answers, the reasons for missing, and what could not be read."""
    keys = table[form.tables[name].key]
    columns: dict[str, pd.Series] = {}
    reasons: list[pd.DataFrame] = [pd.DataFrame(columns=list(REASONS), dtype="str")]
    problems: list[Finding] = []
    for column in table.columns:
        question = form.questions.get(str(column))
        if question is None:
            columns[str(column)] = table[column]
            continue
        held, why, found = answers(form, question, table[column], keys, labels.get(column, {}))
        columns[str(column)] = held
        reasons.append(why.assign(table=name, question=question.name)[list(REASONS)].astype("str"))
        problems.extend(found)
    return pd.DataFrame(columns), pd.concat(reasons, ignore_index=True), problems


def _unknown(form: Questionnaire, rows: list[Rows]) -> list[Finding]:
    found: list[Finding] = []
    for each in rows:
        first = each.unknown[0] if each.unknown else ""
        found += finding(
            "D101",
            "warning",
            each.name,
            each.unknown,
            "{count} columns belong to no question and are left out. {hint}",
            hint=nearest(first, form.questions),
        )
    return found


def _lacking(form: Questionnaire, name: str, table: pd.DataFrame) -> list[Finding]:
    """Find questions of a level that the delivery does not have."""
    absent = [c for c, q in form.columns(name).items() if c not in table.columns and not q.silent]
    return finding(
        "D102",
        "error",
        name,
        absent,
        "{count} questions have no column in the delivery: {names}.",
        names=", ".join(absent[:5]),
    )
