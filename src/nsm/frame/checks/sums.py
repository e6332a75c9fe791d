"""Sums: parts that do not add to their whole, levels that do not, and two totals for one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from nsm.files import require_columns
from nsm.frame.findings import Finding, finding, findings_table
from nsm.frame.reading import as_text

if TYPE_CHECKING:
    from nsm.frame.frame import Frame

_HALF = 0.5


def check_parts(frame: Frame) -> list[Finding]:
    """Look for rows whose parts do not add to their whole: F201 to F203."""
    found: list[Finding] = []
    table = frame.table
    for whole, parts in frame.description.get("parts", {}).items():
        if not all(pd.api.types.is_numeric_dtype(table[c]) for c in (whole, *parts)):
            continue  # F305 says so.
        held = table[list(parts)]
        gap = held.sum(axis=1, min_count=1) - table[whole]
        missing = held.isna().any(axis=1) & table[whole].notna()
        twice = _whole_among_parts(table, whole, list(parts))
        wrong = (gap.abs() > _HALF) & ~missing & ~twice
        lacking = held.isna().all(axis=1) & table[whole].gt(0)
        some = missing & ~lacking & (gap.abs() > _HALF)
        names = ", ".join(parts)
        found += [
            *finding(
                "F201", "error", whole, _shown(frame, (wrong | some), gap),
                "In {count} areas {parts} do not add up to {whole}; together they differ by {gap}.",
                parts=names, whole=whole, gap=f"{gap[wrong | some].sum():+.0f}",
            ),
            *finding(
                "F202", "error", whole, list(table.loc[lacking, frame.key]),
                "{count} areas have {whole} but none of its parts: {parts}.",
                parts=names, whole=whole,
            ),
            *finding(
                "F203", "error", whole, list(table.loc[twice, frame.key]),
                "In {count} areas a part of {whole} holds the whole, and the parts add up to twice "
                "as much: the columns have slipped.",
                whole=whole,
            ),
        ]  # fmt: skip
    return found


def _whole_among_parts(table: pd.DataFrame, whole: str, parts: Sequence[str]) -> pd.Series:
    """Say where one part is the whole and the parts add up to it twice."""
    total = table[list(parts)].sum(axis=1)
    equal = table[list(parts)].eq(table[whole], axis=0).any(axis=1)
    return equal & (total == 2 * table[whole]) & table[whole].gt(0)


def _shown(frame: Frame, wrong: pd.Series, gap: pd.Series) -> list[str]:
    codes, by = frame.table.loc[wrong, frame.key], gap[wrong]
    return [f"{code} ({difference:+.0f})" for code, difference in zip(codes, by, strict=True)]


def check_totals(frame: Frame, totals: Mapping[str, float]) -> list[Finding]:
    """Look for columns whose sum is not the known one: F204."""
    found: list[Finding] = []
    for column, wanted in totals.items():
        held = frame.total(column)
        if abs(held - wanted) > _HALF:
            found += finding(
                "F204",
                "error",
                column,
                [f"{held - wanted:+.0f}"],
                "Column {column} adds up to {held}; its known total is {wanted}.",
                column=column,
                held=f"{held:.0f}",
                wanted=f"{wanted:.0f}",
            )
    return found


def compare(
    one: pd.DataFrame,
    other: pd.DataFrame,
    *,
    on: str,
    columns: Mapping[str, str] | Sequence[str],
    language: str = "en",
) -> pd.DataFrame:
    """Find where two tables give two figures for one thing: F204, F205, F206.

    Parameters
    ----------
    one, other
        Tables with one row for each unit.
    on
        The column of codes or names, in both.
    columns
        Columns of both, or column of `one` -> column of `other`.

    Returns
    -------
    Findings. Codes of two systems, where nearly none matches, are named as such (F206).
    """
    pairs = dict(columns) if isinstance(columns, Mapping) else {c: c for c in columns}
    require_columns(one, [on, *pairs], "The first table")
    require_columns(other, [on, *pairs.values()], "The second table")
    left = one.assign(**{on: as_text(one[on])}).drop_duplicates(on).set_index(on)
    right = other.assign(**{on: as_text(other[on])}).drop_duplicates(on).set_index(on)
    found = _unmatched(left.index, right.index, on)
    common = left.index.intersection(right.index)
    for a, b in pairs.items():
        found += _two_totals(left[a], right[b], common, (a, b))
    return findings_table(found, language)


def _unmatched(one: pd.Index, other: pd.Index, on: str) -> list[Finding]:
    lone, others = one.difference(other), other.difference(one)
    common = len(one) - len(lone)
    if common < 0.05 * min(len(one), len(other)):
        return (
            finding(
                "F206",
                "error",
                on,
                [*one[:2], *other[:2]],
                "Hardly any code of the two tables matches ({common} of {size}): they use two code "
                "systems. Write a table from one to the other.",
                common=common,
                size=min(len(one), len(other)),
            )
            if len(one) and len(other)
            else []
        )
    template = "{count} units stand in one table only."
    return finding("F205", "warning", on, [*lone, *others], template)


def _two_totals(
    one: pd.Series, other: pd.Series, common: pd.Index, names: tuple[str, str]
) -> list[Finding]:
    gap = one[common] - other[common]
    wrong = gap[gap.abs() > _HALF]
    whole = float(one.sum()), float(other.sum())
    cases = [f"{unit} ({difference:+.0f})" for unit, difference in wrong.items()]
    if abs(whole[0] - whole[1]) > _HALF and not cases:
        cases = ["(units of one table only)"]
    return finding(
        "F204",
        "error",
        names[0],
        cases,
        "Two figures for one thing: {one} adds up to {first}, {other} to {second}; {count} units "
        "differ.",
        one=names[0],
        other=names[1],
        first=f"{whole[0]:.0f}",
        second=f"{whole[1]:.0f}",
    )


def level_sums(
    table: pd.DataFrame,
    *,
    level: str,
    keys: Mapping[str, Sequence[str]],
    sizes: Sequence[str],
    language: str = "en",
) -> pd.DataFrame:
    """Find where a published table of several levels does not add up: F207.

    Parameters
    ----------
    table
        One row for each unit of each level.
    level
        The column that says the level of a row.
    keys
        Level -> columns that name its units, from the largest level to the smallest. Columns that
        are no key of the level above separate rows that are added (urban and rural).
    sizes
        The columns that must add up.
    """
    require_columns(table, [level, *sizes, *(c for k in keys.values() for c in k)], "The table")
    found: list[Finding] = []
    names = list(keys)
    for upper, lower in pairwise(names):
        by = list(keys[upper])
        whole = table[table[level] == upper].groupby(by, dropna=False)[list(sizes)].sum()
        parts = table[table[level] == lower].groupby(by, dropna=False)[list(sizes)].sum()
        joined = whole.index.union(parts.index)
        gap = parts.reindex(joined).fillna(0) - whole.reindex(joined).fillna(0)
        for size in sizes:
            wrong = gap.loc[gap[size].abs() > _HALF, size]
            cases = [f"{_name(unit)} ({difference:+.0f})" for unit, difference in wrong.items()]
            found += finding(
                "F207",
                "error",
                f"{upper}/{lower}",
                cases,
                "In {count} units of level {upper}, {size} of the units below does not add up to "
                "theirs.",
                upper=upper,
                size=size,
            )
    return findings_table(found, language)


def _name(unit: object) -> str:
    return " / ".join(str(u) for u in unit) if isinstance(unit, tuple) else str(unit)
