"""The pass where the data are: DuckDB, Polars or Spark group and add, and hand over sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, mul
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from nsm.condition import Condition, parse
from nsm.condition.kinds import TESTS
from nsm.errors import ColumnError, ConditionError, ValueInColumnError, nearest
from nsm.totals.memory import Codes, Memory
from nsm.totals.term import Measure, Term, Totals

NUMBERS = (nw.Float64, nw.Float32)


@dataclass(frozen=True)
class UnitIndex:
    """The finest sampling unit of each combination of design columns.

    Parameters
    ----------
    keys
        The columns that tell units apart, one row per combination.
    unit
        Unit of each combination (combinations,).
    """

    keys: pd.DataFrame
    unit: np.ndarray

    def find(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the unit of each row (rows,)."""
        if not len(self.keys.columns):
            return np.zeros(len(rows), np.int64)
        names = list(self.keys.columns)
        known = self.keys.assign(**{" unit": self.unit})
        return rows[names].merge(known, on=names, how="left")[" unit"].to_numpy()


@dataclass(frozen=True)
class Pushdown:
    """A table that an engine holds.

    Parameters
    ----------
    table
        A DuckDB relation, Polars LazyFrame or Spark table.
    name
        What messages call it.
    owner
        What must stay alive while the table is read (an open database).
    """

    table: Any
    name: str = "the table"
    owner: Any = None
    _kept: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def frame(self) -> nw.LazyFrame[Any]:
        """The table, as narwhals sees it."""
        return nw.from_native(self.table).lazy()

    @property
    def schema(self) -> Mapping[str, Any]:
        """Columns and their types."""
        if "schema" not in self._kept:
            self._kept["schema",] = dict(self.frame.collect_schema())
        return self._kept["schema",]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(self.schema)

    def collect(self, columns: Iterable[str] | None = None) -> Memory:
        """Bring columns (of expressions too) into memory; all by default."""
        if columns is None:
            return Memory(self.frame.collect().to_pandas(), self.name)
        names: dict[str, None] = {}
        for column in columns:
            parts = [column] if column in self.schema else self._parsed(column).names
            names |= dict.fromkeys(parts)
        for column in names:
            self._require(column)
        table = self.frame.select(*names).collect().to_pandas()
        return Memory(table, self.name)

    def observed(self, name: str) -> np.ndarray | None:
        """Say whether a column is observed in all rows (None), or not (an empty mask)."""
        key = ("observed", name)
        if key not in self._kept:
            value = self._present(name)
            query = self.frame.select(value.alias("present").all())
            self._kept[key] = None if bool(query.collect()["present"][0]) else np.zeros(0, bool)
        return self._kept[key]

    def codes(self, name: str) -> Codes:
        """Return the labels of a column; rows have no codes here."""
        key = ("codes", name)
        if key not in self._kept:
            column = self._clean(name).alias(name)
            labels = self.frame.select(column).unique().collect()[name].to_pandas()
            labels = labels[labels.notna() & (labels.astype(str) != "")]
            ordered = pd.Index(labels.drop_duplicates().sort_values())
            self._kept[key] = Codes(np.zeros(0, np.int64), ordered)
        return self._kept[key]

    def units(self, columns: Sequence[str]) -> Memory:
        """Return the combinations of design columns that occur, as a table in memory."""
        for column in columns:
            self._require(column)
        if not columns:
            return Memory(pd.DataFrame(index=range(1)), self.name)
        rows = self.frame.select(*(self._clean(c).alias(c) for c in columns)).unique().collect()
        return Memory(rows.to_pandas(), self.name)

    def size(self, weight: str) -> tuple[float, int]:
        """Return the sum of weights, and the number of units that have one."""
        value = self._number(weight).fill_null(0.0)
        active = (value != 0).cast(nw.Int64)
        found = self.frame.select(value.sum().alias("sum"), active.sum().alias("n")).collect()
        return float(found["sum"][0] or 0.0), int(found["n"][0] or 0)

    def weights_sound(self, column: str) -> None:
        """Refuse weights that are negative, infinite, missing, or all zero.

        Raises
        ------
        ValueInColumnError
        """
        self._require(column)
        weight = self._number(column)
        bad = (weight.is_null() | (weight < 0) | (weight > np.finfo(float).max)).cast(nw.Int64)
        found = self.frame.select(bad.sum().alias("bad"), weight.sum().alias("sum")).collect()
        if int(found["bad"][0]):
            raise ValueInColumnError(
                "Weight {column!r} of {table} is negative, infinite or missing in {count} rows. A "
                "unit that does not count has weight 0.",
                column=column,
                table=self.name,
                count=int(found["bad"][0]),
            )
        if not found["sum"][0]:
            raise ValueInColumnError(
                "All weights {column!r} of {table} are 0.", column=column, table=self.name
            )

    def totals(
        self,
        measures: Sequence[Measure],
        *,
        weight: str,
        unit: UnitIndex,
        units: int,
        by: Sequence[str] = (),
        where: Condition | None = None,
    ) -> Totals:
        """Make the pass; see `Memory.totals`. `weight` is a column."""
        wanted = list(dict.fromkeys(measures))
        self._require(weight)
        frame = self.frame
        if where is not None:
            frame = frame.filter(where.where(frame))
        keys = [c for c in unit.keys.columns if c not in by]
        groups = {f"by {k}": self._clean(name) for k, name in enumerate(by)}
        groups |= {f"key {k}": self._clean(name) for k, name in enumerate(keys)}
        values = {f"m{k}": self._measured(m, weight) for k, m in enumerate(wanted)}
        selected = frame.select(
            *(e.alias(n) for n, e in {**groups, **values}.items()), nw.lit(1).alias("one")
        )
        sums = [nw.col(n).sum() for n in values]
        grouped = selected.group_by(*groups).agg(*sums) if groups else selected.select(*sums)
        renamed = {f"by {k}": n for k, n in enumerate(by)}
        renamed |= {f"key {k}": n for k, n in enumerate(keys)}
        table = grouped.collect().to_pandas().rename(columns=renamed)
        unknown = self._unknown(by, weight, where)
        return self._assembled(table, wanted, (unit, units), by, unknown)

    def _assembled(
        self,
        table: pd.DataFrame,
        wanted: list[Measure],
        index: tuple[UnitIndex, int],
        by: Sequence[str],
        unknown: float,
    ) -> Totals:
        """Turn groups into pairs of domain and unit."""
        labels = self._labels(by)
        unit, units = index
        domain = np.zeros(len(table), np.int64)
        if by:
            known = labels.assign(**{" domain": np.arange(len(labels))})
            place = table[list(by)].merge(known, on=list(by), how="left")[" domain"]
            table = table[place.notna().to_numpy()]
            domain = place.dropna().to_numpy(np.int64)
        pairs = domain * units + unit.find(table).astype(np.int64)
        present, code = np.unique(pairs, return_inverse=True)
        coarse, fine = {}, {}
        for k, measure in enumerate(wanted):
            values = table[f"m{k}"].to_numpy(float, na_value=0.0)
            sums = np.bincount(code, values, len(present))
            coarse[measure] = np.bincount(present // units, sums, len(labels))
            if measure.fine:
                fine[measure] = sums
        return Totals(
            labels,
            present // units,
            present % units,
            coarse,
            fine,
            unknown,
        )

    def _labels(self, by: Sequence[str]) -> pd.DataFrame:
        """Return the domains that occur, whatever the condition."""
        if not by:
            return pd.DataFrame(index=pd.RangeIndex(1))
        key = ("labels", *by)
        if key not in self._kept:
            rows = self.frame.select(*(self._clean(n).alias(n) for n in by)).unique().collect()
            table = rows.to_pandas().dropna()
            self._kept[key] = table.sort_values(list(by)).reset_index(drop=True)
        return self._kept[key]

    def _unknown(self, by: Sequence[str], weight: str, where: Condition | None) -> float:
        """Return the weighted share of units whose domain or condition is not known."""
        if not by and where is None:
            return 0.0
        frame = self.frame
        labeled = reduce(and_, (self._present(n) for n in by), nw.lit(value=True))
        if where is None:
            known, candidate = labeled, nw.lit(value=True)
        else:
            known = labeled & where.where(frame)
            candidate = ~where.where(frame, truth=False)
        total = self._number(weight)
        sums = frame.select(
            (total * known.cast(nw.Float64)).sum().alias("known"),
            (total * candidate.cast(nw.Float64)).sum().alias("all"),
        ).collect()
        known_sum, all_sum = float(sums["known"][0] or 0), float(sums["all"][0] or 0)
        return max(all_sum - known_sum, 0.0) / all_sum if all_sum else 0.0

    def _measured(self, measure: Measure, weight: str) -> nw.Expr:
        value = self._value(measure.term)
        if measure.kind == "count":
            active = self._number(weight).fill_null(0.0) != 0
            if value is not None:
                active = active & (value != 0)
            return active.cast(nw.Int64)
        return self._number(weight) if value is None else self._number(weight) * value

    def _value(self, term: Term) -> nw.Expr | None:
        parts = [self._number(name).fill_null(0.0) for name in term.factors]
        parts += [self._present(name).cast(nw.Float64) for name in term.observed]
        for name, level in term.levels:
            equal = (self._clean(name) == level).fill_null(value=False)
            parts.append(equal.cast(nw.Float64))
        return reduce(mul, parts) if parts else None

    def _number(self, name: str) -> nw.Expr:
        """Return a column, or an expression of columns, as a number; null where missing."""
        if name not in self.schema:
            condition = self._parsed(name)
            if isinstance(condition.tree, TESTS):
                true, false = self._tested(condition)
                return nw.when(true | false).then(true.cast(nw.Float64))
            return condition.value_expr(self.frame).cast(nw.Float64)
        kind = self.schema[name]
        if not (kind.is_numeric() or kind == nw.Boolean):
            raise ValueInColumnError(
                "Column {column!r} of {where} is {kind}, not a number. Convert it, or use it as a "
                "category (`by`, `proportion`).",
                column=name,
                where=self.name,
                kind=str(kind),
            )
        return self._clean(name).cast(nw.Float64)

    def _present(self, name: str) -> nw.Expr:
        if name not in self.schema:
            return ~self._number(name).is_null()
        return ~self._clean(name).is_null()

    def _clean(self, name: str) -> nw.Expr:
        """Return a column, or an expression of columns, with blank text and NaN as null."""
        if name not in self.schema:
            condition = self._parsed(name)
            if not isinstance(condition.tree, TESTS):
                return condition.value_expr(self.frame)
            true, false = self._tested(condition)
            return nw.when(true | false).then(true)
        kind = self.schema[name]
        column = nw.col(name)
        if kind in NUMBERS:
            return nw.when(~column.is_nan()).then(column)
        if kind == nw.String:
            return nw.when(column != "").then(column)
        return column

    def _tested(self, condition: Condition) -> tuple[nw.Expr, nw.Expr]:
        """Return where a condition is true, and where it is false."""
        return condition.where(self.frame), condition.where(self.frame, truth=False)

    def _parsed(self, text: str) -> Condition:
        try:
            condition = parse(text)
        except ConditionError as error:
            raise self._unknown_column(text) from error
        for name in condition.names:
            self._require(name)
        return condition

    def _require(self, name: str) -> None:
        if name not in self.schema:
            raise self._unknown_column(name)

    def _unknown_column(self, name: str) -> ColumnError:
        return ColumnError(
            "{where} has no column {column!r}. {hint}",
            where=self.name,
            column=name,
            hint=nearest(name, self.columns),
        )
