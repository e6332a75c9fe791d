"""From the shapes that programs export to the levels of the form.

Column names lose their groups (`household/age`, `household-age`), repeats written sideways
(`members[1]/age`, `age_1`) become rows, and each row learns its place: the submission it belongs to
and its position in the repeat.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from nsm.fieldwork.formats import Raw
from nsm.questionnaire.model import Question
from nsm.questionnaire.questionnaire import Questionnaire

# Columns by which programs link a repeat's rows to the submission: own row, row above.
_LINKS = (
    ("KEY", "PARENT_KEY"),
    ("_index", "_parent_index"),
    ("interview__id", "interview__id"),
)
_META = re.compile(
    r"^(?:KEY|PARENT_KEY|SET-OF-.*|__.*|_.*|meta.*|instance(?:ID|Name)|interview__\w+|sssys_irnd|"
    r"has__errors|assignment__id|\w+__id|Submission\w*|Submitter\w*|DeviceID|ReviewState|Edits|"
    r"FormVersion|Attachments\w+|Status|formdef_version|deviceid|username)$"
)
_SIDEWAYS = re.compile(r"^(?P<path>.*)\[(?P<number>\d+)\](?P<rest>.*)$")


@dataclass(frozen=True)
class Rows:
    """Rows of one repeat, or of the submissions themselves.

    Parameters
    ----------
    table
        Columns named as the form's questions.
    own
        What later rows call a row.
    above
        What the row above is called; None for submissions.
    position
        The row's number in the repeat, counted from 1.
    """

    name: str
    table: pd.DataFrame
    own: pd.Series
    above: pd.Series | None = None
    position: pd.Series | None = None
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def shaped(form: Questionnaire, raw: Iterable[Raw]) -> list[Rows]:
    """Return the rows of every repeat with the form's names."""
    found: list[Rows] = []
    for each in raw:
        table, sideways = _split_sideways(form, each.table)
        top = _rows(form, replace(each, table=table))
        found.append(top)
        for roster, parts in sideways.items():
            found.append(_stacked(form, top, roster, parts))
    return [rows for rows in found if len(rows.table.columns)]


def plain(column: str) -> str:
    """Return a column's name without the groups around it.

    >>> plain("members/roster/age"), plain("household-size"), plain("age")
    ('age', 'size', 'age')
    """
    return re.split(r"[/:.-]", column)[-1]


def _names(form: Questionnaire) -> dict[str, str]:
    """Return lower-case name -> name; CSPro writes capitals."""
    keys = {table.key for table in form.tables.values()}
    held = [q.name for q in form.every_question if q.held]
    extra = ["interviewer", "team", "area", "disposition"]
    return {name.lower(): name for name in (*extra, *keys, *held)}


def _rows(form: Questionnaire, raw: Raw) -> Rows:
    table, names = raw.table, _names(form)
    columns: dict[str, pd.Series] = {}
    unknown: list[str] = []
    for column in map(str, table.columns):
        name = names.get(plain(column).lower())
        if name is not None:
            columns.setdefault(name, table[column])
        elif not (_META.match(plain(column)) or _ignored(form, column)):
            unknown.append(column)
    columns |= {
        name: column
        for name, column in _several(form, table).items()
        if name not in columns or columns[name].isna().all()
    }
    own, above = _linked(table)
    labels = {
        names[plain(c).lower()]: v for c, v in raw.labels.items() if plain(c).lower() in names
    }
    return Rows(
        raw.name,
        pd.DataFrame(columns, index=table.index),
        own,
        above,
        _position(table, raw.name),
        labels,
        tuple(unknown),
    )


def _ignored(form: Questionnaire, column: str) -> bool:
    """Whether a column is a copy, a note or one answer of several, made by the form itself."""
    name = plain(column)
    if name in {f"{s.name}_count" for s in form.sections if s.kind == "roster"}:
        return True
    rosters = {s.name for s in form.sections if s.kind == "roster" and s.of}
    if name.startswith("note_") or any(name.startswith(f"{each}_") for each in rosters):
        return True
    parts = re.split(r"/|__|\.", column)
    return len(parts) > 1 and parts[-2].lower() in {
        q.name.lower() for q in form.every_question if q.type == "many"
    }


def _linked(table: pd.DataFrame) -> tuple[pd.Series, pd.Series | None]:
    for own, above in _LINKS:
        if own in table.columns:
            roster = [c for c in table.columns if str(c).endswith("__id") and c != own]
            if own == above:
                return table[own].astype("str"), table[above].astype("str") if roster else None
            linked = table[above].astype("str") if above in table.columns else None
            return table[own].astype("str"), linked
    return pd.Series(table.index.astype("str"), index=table.index, dtype="str"), None


def _position(table: pd.DataFrame, name: str) -> pd.Series | None:
    """Return the number of a row in its repeat, where the file says it."""
    if f"{name}__id" in table.columns:
        return pd.to_numeric(table[f"{name}__id"], errors="coerce")
    if "KEY" in table.columns and "PARENT_KEY" in table.columns:
        number = table["KEY"].astype("str").str.extract(r"\[(\d+)\]$")[0]
        if number.notna().all():
            return pd.to_numeric(number)
    return None


def _several(form: Questionnaire, table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the answers to questions that allow several, from one 0/1 column for each code."""
    found: dict[str, pd.Series] = {}
    for question in form.every_question:
        if question.type != "many":
            continue
        codes = [str(c) for c in (*form.codes(question), *form.missing_codes(question))]
        columns = {code: _ticked(table, question, code) for code in codes}
        ticked = {code: column for code, column in columns.items() if column is not None}
        if ticked:
            yes = pd.DataFrame(ticked)
            answered = yes.notna().any(axis=1)
            said = yes.eq(1).apply(lambda row: " ".join(row.index[row]), axis=1)
            found[question.name] = said.where(answered & (said != ""))
    return found


def _ticked(table: pd.DataFrame, question: Question, code: str) -> pd.Series | None:
    pattern = re.compile(
        rf"(?:.*[/-])?{re.escape(question.name)}(?:/|__|\.){re.escape(code)}", re.IGNORECASE
    )
    for column in map(str, table.columns):
        if pattern.fullmatch(column):
            held = table[column].astype("str").str.lower().replace({"true": "1", "false": "0"})
            return pd.to_numeric(held, errors="coerce")
    return None


Parts = dict[int, dict[str, pd.Series]]


def _split_sideways(
    form: Questionnaire, table: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Parts]]:
    """Take the columns of repeats that are written sideways out of a table."""
    names = _names(form)
    inside = {q.name: q for q in form.every_question if q.rosters}
    found: dict[str, Parts] = {}
    taken = []
    for column in map(str, table.columns):
        name, number = _sideways(column, names, inside)
        if number is None:
            continue
        taken.append(column)
        if name in inside:
            parts = found.setdefault(inside[name].rosters[-1], {}).setdefault(number, {})
            parts[name] = table[column]
    return table.drop(columns=taken), found


def _sideways(
    column: str, names: Mapping[str, str], inside: Mapping[str, Question]
) -> tuple[str, int | None]:
    """Return the question and the row number of a column such as `members[2]/age` or `age_2`."""
    if match := _SIDEWAYS.match(column):
        name = names.get(plain(match["rest"]).lower(), "")
        return name, int(match["number"])
    base, _, number = plain(column).rpartition("_")
    name = names.get(base.lower(), "")
    known = names.get(plain(column).lower())
    if number.isdigit() and name in inside and known is None:
        return name, int(number)
    return "", None


def _stacked(form: Questionnaire, top: Rows, roster: str, parts: Parts) -> Rows:
    """Return the rows of a repeat that was written sideways; those without answers were none."""
    pieces = []
    for number, columns in sorted(parts.items()):
        piece = pd.DataFrame(columns)
        piece = piece[piece.notna().any(axis=1)]
        pieces.append(piece.assign(_above=top.own[piece.index], _position=number))
    table = pd.concat(pieces, ignore_index=True)
    above, position = table.pop("_above"), table.pop("_position")
    own = above.astype("str") + "/" + position.astype("str")
    labels = {name: codes for name, codes in top.labels.items() if name in form.questions}
    return Rows(roster, table, own, above.astype("str"), position, labels)
