"""Aggregates over rosters, joined to the table above as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw

from nsm.condition.kinds import Scope, check
from nsm.condition.logic import holds, value
from nsm.condition.tables import Narwhals, frame, kinds_of, roster_column
from nsm.condition.tree import Aggregate, Name, walk
from nsm.errors import ConditionError, nearest


def join(
    nodes: Iterable[Aggregate], table: Any, rosters: Mapping[str, Any], *, key: Sequence[str]
) -> Any:
    """Return the table with one column for each aggregate over a roster.

    A row without roster rows counts and sums 0, has no minimum, and its `any` is false.
    """
    upper = frame(table)
    wanted = {roster_column(node): node for node in nodes}
    for roster in dict.fromkeys(node.roster for node in wanted.values()):
        if roster not in rosters:
            raise ConditionError(
                "There is no table for the roster {roster!r}. {hint}",
                roster=roster,
                hint=nearest(roster, rosters),
            )
        chosen = {name: node for name, node in wanted.items() if node.roster == roster}
        sums = _sums(chosen, upper, frame(rosters[roster]), list(key))
        zero = [name for name, node in chosen.items() if node.function in {"count", "any", "sum"}]
        upper = upper.join(sums, on=list(key), how="left").with_columns(
            nw.col(name).cast(nw.Float64).fill_null(0) for name in zero
        )
    return upper


def _sums(nodes: Mapping[str, Aggregate], upper: Any, lower: Any, key: list[str]) -> Any:
    """Return one row per key and one column per aggregate."""
    columns = lower.collect_schema().names()
    used = {name for node in nodes.values() for name in _names(node)} - set(columns)
    outside = [name for name in upper.collect_schema().names() if name in used]
    if outside:
        lower = lower.join(upper.select(*key, *outside), on=key, how="left")
    kinds = kinds_of(lower, {name for node in nodes.values() for name in _names(node)})
    engine = Narwhals(dict(lower.collect_schema()), kinds)
    parts = []
    for name, node in nodes.items():
        for part in (node.value, node.where):
            if part is not None:
                check(part, str(name), Scope(kinds, {}))
        parts.append(_contribution(engine, node).alias(name))
    found = {
        "count": nw.Expr.sum,
        "sum": nw.Expr.sum,
        "any": nw.Expr.max,
        "min": nw.Expr.min,
        "max": nw.Expr.max,
    }
    totals = [found[node.function](nw.col(name)) for name, node in nodes.items()]
    return lower.select(*key, *parts).group_by(*key).agg(*totals)


def _names(node: Aggregate) -> set[str]:
    return {part.name for part in walk(node) if isinstance(part, Name)}


def _contribution(engine: Narwhals, node: Aggregate) -> nw.Expr:
    """Return what one roster row brings to an aggregate."""
    chosen = nw.lit(value=True) if node.where is None else holds(engine, node.where)
    if node.function == "any" and node.where is not None:
        refuted = holds(engine, node.where, truth=False)
        return nw.when(chosen).then(2).otherwise(nw.when(refuted).then(0).otherwise(1))
    if node.value is None:
        return chosen.cast(nw.Int64)
    held = value(engine, node.value)
    return nw.when(chosen & engine.present(held, truth=True)).then(held.expression)
