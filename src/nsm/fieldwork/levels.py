"""From rows as they were exported to one table for each level, linked by keys."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import pandas as pd

from nsm.errors import FieldworkError
from nsm.fieldwork.shape import Rows
from nsm.frame.findings import Finding, finding
from nsm.questionnaire.model import Table
from nsm.questionnaire.questionnaire import Questionnaire

ROW, SUBMISSION, POSITION = "_row", "_submission", "_position"


def leveled(form: Questionnaire, rows: list[Rows]) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    """Return table -> its rows with their keys, and what does not fit together.

    Raises
    ------
    FieldworkError
        The rows of a level cannot be told apart for want of a key.
    """
    problems: list[Finding] = []
    keyed = {each.name: _keyed(form, each, rows) for each in rows if each.above is None}
    keyed |= {each.name: _keyed(form, each, rows, keyed) for each in rows if each.above is not None}
    tables = {}
    for table in form.tables.values():
        pieces = [_piece(form, table, each, keyed[each.name]) for each in rows]
        found = [piece for piece in pieces if piece is not None]
        tables[table.name] = _united(form, table, found, problems)
    _linked_down(form, tables)
    problems.extend(_orphans(form, tables))
    return tables, problems


def level(form: Questionnaire, rows: Rows) -> Table:
    """Return the level of the rows: the deepest whose questions they hold."""
    if rows.name in form.tables:
        return form.tables[rows.name]
    held = {form.questions[c].table for c in rows.table.columns if c in form.questions}
    deepest = [table for table in form.tables.values() if table.name in held]
    return deepest[-1] if deepest else next(iter(form.tables.values()))


def _keyed(
    form: Questionnaire, rows: Rows, every: list[Rows], above: dict[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Return the keys of every level for the rows, with the submission and position."""
    keys = pd.DataFrame({ROW: rows.own.astype("str")}, index=rows.table.index)
    keys[SUBMISSION] = rows.own if rows.above is None else rows.above
    if above is not None and rows.above is not None:
        keys = _inherited(form, every, above, keys)
    own = level(form, rows)
    for table in form.tables.values():
        if table.key in rows.table.columns:
            keys[table.key] = rows.table[table.key].astype("str")
        elif table.key not in keys.columns:
            keys[table.key] = _composed(form, table, rows, keys)
        if table.name == own.name:
            break
    if own.key not in keys.columns or keys[own.key].isna().all():
        raise FieldworkError(
            "{name}: the rows have no key. Give the column {key!r}, or {above!r} with the number "
            "of each {unit} in it.",
            name=rows.name,
            key=own.key,
            above=own.of,
            unit=own.unit,
        )
    keys[POSITION] = _position(own, rows, keys)
    return keys


def _inherited(
    form: Questionnaire, every: list[Rows], above: dict[str, pd.DataFrame], keys: pd.DataFrame
) -> pd.DataFrame:
    """Take over the keys of the submission, which more than one table may hold."""
    wanted = [table.key for table in form.tables.values()]
    known = [above[each.name] for each in every if each.above is None and each.name in above]
    linked = pd.concat(known, ignore_index=True).drop_duplicates(ROW).set_index(ROW)
    for key in wanted:
        if key in linked.columns:
            keys[key] = keys[SUBMISSION].map(linked[key])
    return keys


def _position(table: Table, rows: Rows, keys: pd.DataFrame) -> pd.Series:
    """Return the number of each row among those of the unit above."""
    if table.position in rows.table.columns:
        return pd.to_numeric(rows.table[table.position], errors="coerce")
    if rows.position is not None:
        return rows.position
    group = table.of if table.of in keys.columns else SUBMISSION
    return keys.groupby(group if rows.above is None else SUBMISSION).cumcount() + 1


def _composed(form: Questionnaire, table: Table, rows: Rows, keys: pd.DataFrame) -> pd.Series:
    """Make a key of the key above and the position."""
    if table.of not in keys.columns:
        return pd.Series(pd.NA, index=keys.index, dtype="str")
    numbered = table.position in rows.table.columns or rows.position is not None
    if rows.above is None and not numbered:
        return pd.Series(pd.NA, index=keys.index, dtype="str")
    number = _position(table, rows, keys).astype("Int64").astype("str")
    repeats = bool(form.questions[table.position].rosters) if table.position else True
    return keys[table.of].astype("str") + "-" + (number.str.zfill(2) if repeats else number)


def _piece(
    form: Questionnaire, table: Table, rows: Rows, keys: pd.DataFrame
) -> pd.DataFrame | None:
    """Return what some rows say of a level, or None if nothing."""
    columns = [c for c in rows.table.columns if c in form.columns(table.name)]
    own = level(form, rows).name == table.name
    if table.key not in keys.columns or not (columns or own):
        return None
    if not own and set(columns) <= {table.key}:
        return None
    above = [t.key for t in _above(form, table) if t.key in keys.columns]
    extra = [c for c in rows.table.columns if c not in form.questions and c not in keys.columns]
    held = rows.table[[c for c in columns if c not in keys.columns] + (extra if own else [])]
    piece = pd.concat([keys[[*above, table.key, SUBMISSION, POSITION]], held], axis=1)
    said = [c for c in columns if c != table.key]
    if not own:
        piece = piece.drop(columns=[SUBMISSION, POSITION]).assign(**{SUBMISSION: piece[table.key]})
        return piece[piece[table.key].notna()]
    exists = piece[table.key].notna() if table.of is None else piece[said].notna().any(axis=1)
    return piece[exists | (rows.name == table.name) | (table is next(iter(form.tables.values())))]


def _above(form: Questionnaire, table: Table) -> list[Table]:
    found: list[Table] = []
    for other in form.tables.values():
        if other.name == table.name:
            break
        found.append(other)
    return found


def _united(
    form: Questionnaire, table: Table, pieces: list[pd.DataFrame], problems: list[Finding]
) -> pd.DataFrame:
    """Join the pieces of a level: passes over the same rows side by side, repetitions as one."""
    if not pieces:
        return pd.DataFrame({key: pd.Series(dtype="str") for key in _keys(form, table)})
    order = {q.name: number for number, q in enumerate(form.every_question)}
    own = [piece for piece in pieces if POSITION in piece.columns]
    own.sort(key=lambda piece: min((order[c] for c in piece.columns if c in order), default=0))
    lifted = [_distinct(table, piece, problems) for piece in pieces if POSITION not in piece]
    found = []
    if own:
        found.append(reduce(_side_by_side, own))
    found.extend(lifted)
    united = found[0]
    for other in found[1:]:
        new = [c for c in other.columns if c not in united.columns]
        united = united.merge(other[[table.key, *new]], on=table.key, how="left")
    united = united.drop(columns=[SUBMISSION, POSITION], errors="ignore").reset_index(drop=True)
    problems.extend(_repeated(table, united))
    return united


def _keys(form: Questionnaire, table: Table) -> list[str]:
    return [*(other.key for other in _above(form, table)), table.key]


def _side_by_side(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Join two passes over the rows of a repeat; rows of one pass only are kept."""
    place = [SUBMISSION, POSITION]
    shared = [c for c in other.columns if c in one.columns and c not in place]
    joined = one.merge(other, on=place, how="outer", suffixes=("", "_again"), sort=False)
    for column in shared:
        again = joined.pop(f"{column}_again")
        joined[column] = joined[column].where(joined[column].notna(), again)
    return joined


def _distinct(table: Table, piece: pd.DataFrame, problems: list[Finding]) -> pd.DataFrame:
    """Return one row for each unit of an upper level, and where its rows contradict each other."""
    columns = [c for c in piece.columns if c not in {table.key, SUBMISSION}]
    grouped = piece.groupby(table.key, sort=False)
    for column in columns:
        several = grouped[column].min() != grouped[column].max()
        several &= grouped[column].count() > 1
        problems.extend(
            finding(
                "D109",
                "warning",
                f"{table.name}.{column}",
                list(several.index[several]),
                "{count} units have several values; the first is taken.",
            )
        )
    return grouped[columns].first().reset_index()


def _repeated(table: Table, united: pd.DataFrame) -> list[Finding]:
    keys = united[table.key]
    twice = keys[keys.duplicated(keep=False) & keys.notna()]
    return finding(
        "D103",
        "error",
        f"{table.name}.{table.key}",
        list(dict.fromkeys(twice)),
        "{count} keys are repeated. Both rows are kept and marked; find out which one is right.",
    )


def _linked_down(form: Questionnaire, tables: dict[str, pd.DataFrame]) -> None:
    """Give every row the area of its outermost unit."""
    first, *lower = form.tables.values()
    if first.of is None or first.of not in tables[first.name].columns:
        return
    area = tables[first.name].drop_duplicates(first.key).set_index(first.key)[first.of]
    for table in lower:
        held = tables[table.name]
        if first.key in held.columns and first.of not in held.columns:
            held.insert(0, first.of, held[first.key].map(area))


def _orphans(form: Questionnaire, tables: dict[str, pd.DataFrame]) -> Iterable[Finding]:
    """Find rows whose unit above did not come."""
    for table in form.tables.values():
        upper = next((t for t in form.tables.values() if t.key == table.of), None)
        held = tables[table.name]
        if upper is None or upper.key not in held.columns or tables[upper.name].empty:
            continue
        lost = held[~held[upper.key].isin(tables[upper.name][upper.key])]
        yield from finding(
            "D104",
            "error",
            f"{table.name}.{table.of}",
            list(lost[table.key]),
            "{count} rows belong to a {unit} that did not come.",
            unit=upper.unit,
        )
