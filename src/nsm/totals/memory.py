"""The pass in memory: numpy on integer codes that are made once and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import scipy.sparse as sp

from nsm.condition import Condition, parse
from nsm.condition.kinds import TESTS
from nsm.errors import ColumnError, ConditionError, ValueInColumnError, nearest
from nsm.totals.term import Measure, Term, Totals

DENSE_CELLS = 1 << 22
THIN = 0.25  # share of regressors that are not 0, below which they are kept without zeros


class Number(NamedTuple):
    """A numeric column: values, 0 where missing, and where it is observed (None: everywhere)."""

    values: np.ndarray
    observed: np.ndarray | None


class Codes(NamedTuple):
    """A column of labels: 0 where missing, otherwise 1 + the index of the label."""

    codes: np.ndarray
    labels: pd.Index


@dataclass(frozen=True, eq=False)
class Cells:
    """Regressors that are equal for all rows of a cell.

    Parameters
    ----------
    codes
        Cell of each row (rows,).
    matrix
        Regressors of each cell (cells, regressors); a dense matrix is one cell a row.
    """

    codes: np.ndarray
    matrix: np.ndarray

    def take(self, rows: np.ndarray) -> Cells:
        """Return the regressors of other rows."""
        return Cells(self.codes[rows], self.matrix)

    def sums(self, values: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
        """Add up values times regressors by group (count, regressors); group 0 is outside."""
        cells = len(self.matrix)
        if (count + 1) * cells <= DENSE_CELLS:
            sums = np.bincount(groups * cells + self.codes, values, (count + 1) * cells)
            return self._times(sums.reshape(count + 1, cells)[1:])
        shape = (count + 1, cells)
        sparse = sp.coo_array((values, (groups, self.codes)), shape=shape).tocsr()[1:]
        if self.matrix.flags.c_contiguous:
            return np.asarray(sparse @ self.matrix)
        # Column by column: scipy copies a matrix that is not stored by row.
        return np.stack([sparse @ column for column in self.matrix.T], axis=1)

    @cached_property
    def thin(self) -> sp.csr_array | None:
        """The regressors without their zeros, where these are most of them."""
        found = np.count_nonzero(self.matrix)
        return sp.csr_array(self.matrix) if found < THIN * self.matrix.size else None

    def _times(self, left: np.ndarray) -> np.ndarray:
        """Return left times the regressors (rows of left, regressors)."""
        return left @ self.matrix if self.thin is None else np.asarray((self.thin.T @ left.T).T)

    def product(self, values: np.ndarray, other: Cells) -> np.ndarray:
        """Add up values times both regressors (regressors, other's regressors)."""
        shape = (len(self.matrix), len(other.matrix))
        sparse = sp.coo_array((values, (self.codes, other.codes)), shape=shape).tocsr()
        return np.asarray(self.matrix.T @ (sparse @ other.matrix))

    def predicted(self, slopes: np.ndarray) -> np.ndarray:
        """Return x'B of each row (rows, columns of B)."""
        held = self.matrix if self.thin is None else self.thin
        return np.asarray(held @ slopes)[self.codes]


class Grouping(NamedTuple):
    """Rows by domain and by pair of domain and unit; 0 is outside, the rest 1 + an index."""

    labels: pd.DataFrame
    domain: np.ndarray
    pair: np.ndarray
    pair_domain: np.ndarray
    pair_unit: np.ndarray
    unknown: np.ndarray | None


class ColumnFile:
    """A Parquet file whose columns are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.schema = pq.read_schema(path)
        self.rows = pq.ParquetFile(path).metadata.num_rows

    def column(self, name: str) -> pd.Series:
        """Read one column."""
        return pq.read_table(self.path, columns=[name])[name].to_pandas()


@dataclass(frozen=True)
class Memory:
    """A table in memory, read column by column.

    Parameters
    ----------
    table
        A pandas, Polars or pyarrow table, or a `ColumnFile`.
    name
        What messages call it.
    extra
        Columns made on the way, which hide those of the table: arrays (rows,).
    """

    table: Any
    name: str = "the table"
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)
    _kept: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def kept(self) -> dict[tuple[object, ...], Any]:
        """What was made of it once and is wanted again."""
        return self._kept

    @property
    def frame(self) -> nw.DataFrame[Any]:
        """The table, as narwhals sees it."""
        return nw.from_native(self.table, eager_only=True)

    @property
    def rows(self) -> int:
        """Number of rows."""
        if isinstance(self.table, ColumnFile):
            return self.table.rows
        return int(self.frame.shape[0])

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(dict.fromkeys([*self._own, *self.extra]))

    @property
    def _own(self) -> list[str]:
        if isinstance(self.table, ColumnFile):
            return self.table.schema.names
        return self.frame.columns

    def size(self, weight: np.ndarray) -> tuple[float, int]:
        """Return the sum of weights, and the number of units that have one."""
        return float(weight.sum()), int(np.count_nonzero(weight))

    def with_columns(self, extra: Mapping[str, np.ndarray]) -> Memory:
        """Return the table with more columns, keeping the codes that are made."""
        kept = {key: value for key, value in self._kept.items() if not set(key) & set(extra)}
        return Memory(self.table, self.name, {**self.extra, **extra}, kept)

    def series(self, name: str) -> pd.Series:
        """Return a column, or the values of an expression of columns, as pandas has it.

        Raises
        ------
        ColumnError
            There is no such column.
        """
        if name in self.extra:
            return pd.Series(self.extra[name])
        if ("series", name) in self._kept:
            return self._kept["series", name]
        if name not in self._own:
            self._kept["series", name] = self._expression(name)
            return self._kept["series", name]
        if isinstance(self.table, ColumnFile):
            self._kept["series", name] = self.table.column(name)
            return self._kept["series", name]
        return self.frame[name].to_pandas().reset_index(drop=True)

    def _expression(self, text: str) -> pd.Series:
        try:
            condition = parse(text)
        except ConditionError as error:
            raise self._unknown(text) from error
        if condition.names == (text,):
            raise self._unknown(text)
        if isinstance(condition.tree, TESTS):
            true, unknown = self.holds(condition)
            values = np.ones(self.rows) if true is None else true.astype(float)
            return pd.Series(values if unknown is None else np.where(unknown, np.nan, values))
        frame = self._narrow(condition)
        return frame.select(condition.value_expr(frame))[:, 0].to_pandas()

    def _unknown(self, name: str) -> ColumnError:
        return ColumnError(
            "{where} has no column {column!r}. {hint}",
            where=self.name,
            column=name,
            hint=nearest(name, self.columns),
        )

    def _narrow(self, condition: Condition) -> nw.DataFrame[Any]:
        """Return the columns of a condition as a frame."""
        columns = {name: self.series(name) for name in condition.names}
        return nw.from_native(pd.DataFrame(columns, index=range(self.rows)), eager_only=True)

    def number(self, name: str) -> Number:
        """Return a numeric or boolean column.

        Raises
        ------
        ColumnError
            It is not there.
        ValueInColumnError
            It holds text or dates.
        """
        key = ("number", name)
        if key not in self._kept:
            self._kept[key] = _number(self.series(name), name, self.name)
        return self._kept[key]

    def codes(self, name: str) -> Codes:
        """Return a column of labels as codes, in the order of the labels (or of its categories)."""
        key = ("codes", name)
        if key not in self._kept:
            self._kept[key] = _codes(self._labels(name))
        return self._kept[key]

    def _labels(self, name: str) -> pd.Series:
        """Return a column of labels; those of a condition are true and false."""
        values = self.series(name)
        if name in self.columns or not isinstance(parse(name).tree, TESTS):
            return values
        return values.map({1.0: True, 0.0: False}).astype("boolean")

    def observed(self, name: str) -> np.ndarray | None:
        """Tell where a column is observed; None: everywhere."""
        if ("codes", name) in self._kept or not _is_number(self.series(name)):
            present = self.codes(name).codes > 0
            return None if present.all() else present
        return self.number(name).observed

    def holds(self, where: Condition | None) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Tell where a condition is true, and where it is not known; None: everywhere, nowhere."""
        if where is None:
            return None, None
        key = ("where", where.text, *where.names)
        if key not in self._kept:
            frame = self._narrow(where)
            tests = where.where(frame), where.where(frame, truth=False)
            true, false = (frame.select(x)[:, 0].to_numpy().astype(bool) for x in tests)
            unknown = ~(true | false)
            self._kept[key] = true, unknown if unknown.any() else None
        return self._kept[key]

    def value(self, term: Term) -> np.ndarray | None:
        """Return a term for every unit (rows,), 0 where it does not count; None: 1 everywhere."""
        value: np.ndarray | None = None
        for name in term.factors:
            factor = self.number(name).values
            value = factor if value is None else value * factor
        for name in term.observed:
            mask = self.observed(name)
            if mask is not None:
                value = mask.astype(float) if value is None else value * mask
        for name, level in term.levels:
            codes, labels = self.codes(name)
            inside = codes == 1 + labels.get_indexer(pd.Index([level]))[0]
            value = inside.astype(float) if value is None else value * inside
        return value

    def group(
        self, by: Sequence[str], where: Condition | None, unit: np.ndarray, units: int
    ) -> Grouping:
        """Sort the rows into domains and pairs of domain and unit."""
        key = ("group", *by, None if where is None else where.text, id(unit))
        if key not in self._kept:
            labels, domain, unknown = self._domains(by, where)
            pair, pair_domain, pair_unit = _pairs(domain, len(labels), unit, units)
            grouping = Grouping(labels, domain, pair, pair_domain, pair_unit, unknown)
            # The array stays referenced, so that its id stays its own.
            self._kept[key] = (grouping, unit)
        return self._kept[key][0]

    def _domains(
        self, by: Sequence[str], where: Condition | None
    ) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
        true, unknown = self.holds(where)
        if not by:
            inside = np.ones(self.rows, np.int64) if true is None else true.astype(np.int64)
            return pd.DataFrame(index=pd.RangeIndex(1)), inside, unknown
        parts = [self.codes(name) for name in by]
        labeled = np.ones(self.rows, bool)
        joint = np.zeros(self.rows, np.int64)
        for part in parts:
            labeled &= part.codes > 0
            joint = joint * len(part.labels) + (part.codes - 1)
        shape = [len(part.labels) for part in parts]
        code, present = compressed(np.where(labeled, joint + 1, 0), int(np.prod(shape)))
        index = np.unravel_index(present, shape)
        labels = pd.DataFrame(
            {n: p.labels.take(i) for n, p, i in zip(by, parts, index, strict=True)}
        )
        open_rows = ~labeled if true is None else ~labeled & true
        if unknown is not None:
            open_rows = open_rows | unknown
        if true is not None:
            code = np.where(true, code, 0)
        return labels, code, open_rows if open_rows.any() else None

    def totals(
        self,
        measures: Sequence[Measure],
        *,
        weight: np.ndarray,
        unit: np.ndarray,
        units: int,
        by: Sequence[str] = (),
        where: Condition | None = None,
    ) -> Totals:
        """Make the pass.

        Parameters
        ----------
        measures
            The sums that are wanted.
        weight
            Weights (rows,).
        unit, units
            Index of each row's sampling unit (rows,), and the number of units.
        by
            Columns whose labels, together, are the domains; none is one domain.
        where
            Units that count; those for which it is not known do not.
        """
        groups = self.group(by, where, unit, units)
        coarse, fine = {}, {}
        pairs, domains = len(groups.pair_domain), len(groups.labels)
        for measure in dict.fromkeys(measures):
            row_values = self._measured(measure, weight)
            if measure.fine:
                sums = np.bincount(groups.pair, row_values, pairs + 1)[1:]
                fine[measure] = sums
                coarse[measure] = np.bincount(groups.pair_domain, sums, domains)
            else:
                coarse[measure] = np.bincount(groups.domain, row_values, domains + 1)[1:]
        return Totals(
            groups.labels,
            groups.pair_domain,
            groups.pair_unit,
            coarse,
            fine,
            _share(weight, groups),
        )

    def crossed(
        self, term: Term, cells: Cells, *, weight: np.ndarray, groups: Grouping
    ) -> np.ndarray:
        """Return weighted sums of a term times each regressor (domains, regressors)."""
        value = self.value(term)
        return cells.sums(
            weight if value is None else weight * value, groups.domain, len(groups.labels)
        )

    def _measured(self, measure: Measure, weight: np.ndarray) -> np.ndarray:
        value = self.value(measure.term)
        if measure.kind == "count":
            active = weight != 0
            return (active if value is None else active & (value != 0)).astype(float)
        return weight if value is None else weight * value


def _share(weight: np.ndarray, groups: Grouping) -> float:
    if groups.unknown is None:
        return 0.0
    unknown = float(weight[groups.unknown].sum())
    known = float(weight[groups.domain > 0].sum())
    return unknown / (unknown + known) if unknown else 0.0


def _is_number(series: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype)


def _number(series: pd.Series, name: str, where: str) -> Number:
    if series.dtype == object and series.dropna().map(type).isin([bool, int, float]).all():
        series = series.astype("Float64")
    if not _is_number(series) or isinstance(series.dtype, pd.CategoricalDtype):
        sample = series.dropna().index[:1]
        raise ValueInColumnError(
            "Column {column!r} of {where} is {kind}, not a number (first row that shows it: "
            "{row}). "
            "Convert it, or use it as a category (`by`, `proportion`).",
            column=name,
            where=where,
            kind=str(series.dtype),
            row=int(sample[0]) + 1 if len(sample) else 0,
        )
    values = series.to_numpy(dtype=float, na_value=np.nan)
    missing = np.isnan(values)
    if not missing.any():
        return Number(values, None)
    return Number(np.where(missing, 0.0, values), ~missing)


def _codes(series: pd.Series) -> Codes:
    """Encode labels; blank text is missing, unused categories are dropped."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        labels = series.cat.categories
        codes = series.cat.codes.to_numpy().astype(np.int64) + 1
    else:
        found, labels = pd.factorize(series, sort=True)
        labels = pd.Index(labels)
        codes = found.astype(np.int64) + 1
    blank = labels == ""
    used = np.bincount(codes, minlength=len(labels) + 1)[1:] > 0
    keep = used & ~np.asarray(blank)
    if not keep.all():
        remap = np.concatenate([[0], np.where(keep, np.cumsum(keep), 0)])
        codes, labels = remap[codes], labels[keep]
    return Codes(codes, labels)


def compressed(code: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Renumber codes to those that occur, in order.

    Parameters
    ----------
    code
        Codes from 1 to `cells`; 0 is outside and stays 0.

    Returns
    -------
    The new codes, and which old ones occur, counted from 0.
    """
    present = distinct(code, cells)
    if cells + 1 <= _dense_limit(code):
        remap = np.zeros(cells + 1, np.int64)
        remap[present] = np.arange(1, len(present) + 1)
        return remap[code], present - 1
    return np.where(code > 0, np.searchsorted(present, code) + 1, 0), present - 1


def distinct(code: np.ndarray, cells: int) -> np.ndarray:
    """Return which codes from 1 to `cells` occur, in order."""
    if cells + 1 <= _dense_limit(code):
        seen = np.zeros(cells + 1, bool)
        seen[code] = True
        seen[0] = False
        return np.flatnonzero(seen)
    ordered = np.sort(code[code > 0])
    return ordered[np.r_[True, ordered[1:] > ordered[:-1]]] if len(ordered) else ordered


def _dense_limit(code: np.ndarray) -> int:
    return max(4 * len(code), DENSE_CELLS)


def _pairs(
    domain: np.ndarray, domains: int, unit: np.ndarray, units: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    joint = np.where(domain > 0, (domain - 1) * units + unit + 1, 0)
    code, present = compressed(joint, domains * units)
    return code, present // max(units, 1), present % max(units, 1)
