"""The columns that rules need from other levels, and what the rows of a level owe each other.

| code | a row breaks it where |
|---|---|
| V201 | its key is repeated |
| V202 | the unit above did not come |
| V203 | another row of the same unit above has the same answers |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import narwhals as nw

from nsm.condition.rosters import join
from nsm.condition.tree import Name
from nsm.fieldwork.rules import Check
from nsm.questionnaire.model import Table
from nsm.questionnaire.questionnaire import Questionnaire
from nsm.questionnaire.reach import LINK, Reach

ROW = "row__"
_FOUND = "found__"
_SAME_KEY = "same_key__"
_SAME_ANSWERS = "same_answers__"


def structure(form: Questionnaire, table: Table) -> Iterator[Check]:
    """Give the rules on keys, links and repeated rows of a level."""
    yield Check(
        "V201",
        table.key,
        table.name,
        lambda _: ~nw.col(_SAME_KEY).is_null(),
        (Name(_SAME_KEY),),
        "{count} rows have a key that is repeated.",
    )
    if upper := _upper(form, table):
        yield Check(
            "V202",
            upper.key,
            table.name,
            lambda _: nw.col(_FOUND).is_null(),
            (Name(_FOUND),),
            "{count} rows belong to a {unit} that did not come.",
            {"unit": upper.unit},
        )
    if _answers(form, table):
        yield Check(
            "V203",
            "rows",
            table.name,
            lambda _: ~nw.col(_SAME_ANSWERS).is_null(),
            (Name(_SAME_ANSWERS),),
            "{count} rows have the same answers as another row of the same {unit}.",
            {"unit": upper.unit if upper else ""},
        )


def _answers(form: Questionnaire, table: Table) -> list[str]:
    """Return the answers of the first pass over a roster, by which its rows are told apart."""
    second = {section.name for section in form.sections if section.of is not None}
    return [
        question.name
        for question in form.columns(table.name).values()
        if question.rosters
        and question.required
        and not question.silent
        and question.type not in {"many", "date"}
        and not second & set(question.rosters)
    ]


def _upper(form: Questionnaire, table: Table) -> Table | None:
    return next((other for other in form.tables.values() if other.key == table.of), None)


def widened(
    form: Questionnaire,
    table: Table,
    frames: Mapping[str, Any],
    wanted: list[Check],
    by: Sequence[str],
) -> Any:
    """Return a table with the columns that its rules need from other levels.

    Parameters
    ----------
    frames
        Table -> its rows, as narwhals frames of one engine.
    by
        Columns of upper levels that are wanted besides.
    """
    reach = Reach(form)
    names = {name for check in wanted for name in check.names} | set(by)
    whole = _with_upper(form, table, frames, names)
    whole = _with_links(reach, table, whole, names)
    own = frames[table.name]
    whole = _with_repeats(whole, own, [table.key], _SAME_KEY)
    whole = _with_repeats(whole, own, [str(table.of), *_answers(form, table)], _SAME_ANSWERS)
    nodes = [node for check in wanted for node in check.aggregates]
    for roster in dict.fromkeys(node.roster for node in nodes):
        lower = form.tables[reach.rosters[roster].table]
        key = table.key if table.name != lower.name else str(lower.of)
        if lower.name in frames and key in frames[lower.name].collect_schema():
            chosen = [node for node in nodes if node.roster == roster]
            rows = frames[lower.name].drop(ROW, strict=False)
            whole = join(chosen, whole, {roster: rows}, key=[key])
    return whole


def _with_upper(
    form: Questionnaire, table: Table, frames: Mapping[str, Any], names: set[str]
) -> Any:
    """Join the answers of the levels above, and whether the unit above is there."""
    whole = frames[table.name]
    have = set(whole.collect_schema().names())
    above = _upper(form, table)
    for upper in form.tables.values():
        if upper.name == table.name:
            break
        if upper.name not in frames or upper.key not in have:
            continue
        held = set(frames[upper.name].collect_schema().names())
        new = sorted((names & held) - have - {ROW})
        rows = _one_each(frames[upper.name], [upper.key], new)
        if above is not None and upper.name == above.name:
            rows = rows.with_columns(nw.lit(1).alias(_FOUND))
        whole = whole.join(rows, on=upper.key, how="left")
        have |= set(new)
    return whole


def _one_each(rows: Any, key: list[str], columns: list[str]) -> Any:
    """Return one row for each key, so that a join adds no rows."""
    return rows.group_by(*key).agg(*(nw.col(name).min() for name in columns))


def _with_repeats(whole: Any, own: Any, columns: list[str], name: str) -> Any:
    """Mark the rows that share all of some columns with another row."""
    if not set(columns) <= set(own.collect_schema().names()):
        return whole
    times = own.group_by(*columns).agg(nw.len().alias(name)).filter(nw.col(name) > 1)
    return whole.join(times, on=columns, how="left")


def _with_links(reach: Reach, table: Table, whole: Any, names: set[str]) -> Any:
    """Join the answers of linked rows: `mother__age`."""
    position, above = table.position, table.of
    have = set(whole.collect_schema().names())
    rosters = [name for name, section in reach.rosters.items() if section.table == table.name]
    for roster in dict.fromkeys(reach.roster(name) for name in rosters):
        for link, pointer in reach.links(roster).items():
            asked = sorted(name for name in names if name.startswith(f"{link}{LINK}"))
            held = [name for name in asked if reach.base(name) in have]
            if not held or position is None or above is None or not {position, pointer} <= have:
                continue
            other = whole.select(
                above,
                nw.col(position).alias(pointer),
                *(nw.col(reach.base(name)).alias(name) for name in held),
            )
            rows = _one_each(other, [above, pointer], held)
            whole = whole.join(rows, on=[above, pointer], how="left")
    return whole
