"""The tables of a delivery while it is being answered: columns of one level and of those above."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import narwhals as nw
import numpy as np
import pandas as pd

from nsm.condition import Condition
from nsm.errors import ColumnError, nearest


@dataclass
class Level:
    """One table of a delivery.

    Parameters
    ----------
    columns
        Question -> its answers (rows,): numbers with NaN, or text with None.
    codes
        Question -> the rows whose answer is not given, and the form's codes for it.
    above
        The levels above, each with the row there of every row here (rows,).
    """

    size: int
    columns: dict[str, np.ndarray]
    codes: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    above: tuple[tuple[Level, np.ndarray], ...] = ()
    _held: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, table: pd.DataFrame, above: Iterable[tuple[Level, np.ndarray]] = ()) -> Level:
        """Make a level from a table with what is known before anything is asked."""
        return cls(len(table), {str(c): plain(table[c]) for c in table}, above=tuple(above))

    def column(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Return a column of this level or of one above, at some rows.

        Raises
        ------
        ColumnError
        """
        if name in self.columns:
            return self.columns[name][rows]
        for level, row in self.above:
            if name in level.columns:
                return level.columns[name][row[rows]]
        known = [*self.columns, *(c for level, _ in self.above for c in level.columns)]
        raise ColumnError(
            "A rule of the rehearsed answers needs {name!r}, which is not known there. {hint}",
            name=name,
            hint=nearest(name, known),
        )

    def true(self, condition: Condition, rows: np.ndarray) -> np.ndarray:
        """Say where a condition is true, at some rows."""
        if not len(rows):
            return np.zeros(0, dtype=bool)
        table = self._table(condition, rows)
        found = table.select(found=condition.where(table))["found"]
        return np.asarray(found.to_numpy(), dtype=bool)

    def value(self, condition: Condition, rows: np.ndarray) -> np.ndarray:
        """Return the value of an expression at some rows."""
        if not len(rows):
            return np.zeros(0)
        if condition.names == (str(condition),):
            return self.column(str(condition), rows)
        table = self._table(condition, rows)
        found = table.with_columns(found=condition.value_expr(table))["found"]
        return plain(found.to_native())

    def asked(self, conditions: Iterable[Condition]) -> np.ndarray:
        """Return the rows where all conditions are true; each is looked at once."""
        rows = np.arange(self.size)
        key = ""
        for condition in conditions:
            key += f"{condition}\n"
            if key not in self._held:
                self._held[key] = rows[self.true(condition, rows)]
            rows = self._held[key]
        return rows

    def write(self, name: str, rows: np.ndarray, values: np.ndarray) -> None:
        """Write answers at some rows; the others are blank."""
        whole = np.full(self.size, np.nan)
        if values.dtype == object:
            whole = np.full(self.size, None)
        elif values.dtype.kind == "M":
            whole = np.full(self.size, np.datetime64("NaT"), dtype=values.dtype)
        whole[rows] = values
        self.columns[name] = whole

    def answer(
        self, name: str, rows: np.ndarray, values: np.ndarray, missing: Iterable[object]
    ) -> None:
        """Write answers at some rows; codes for those not given are kept apart."""
        hidden = np.isin(values, np.array([*missing], dtype=object))
        self.codes[name] = rows[hidden], values[hidden]
        self.write(name, rows[~hidden], values[~hidden])

    def with_codes(self, name: str) -> np.ndarray:
        """Return a column with the codes for answers that are not given."""
        column = self.columns[name]
        if name in self.codes:
            rows, codes = self.codes[name]
            column = column.copy()
            column[rows] = codes
        return column

    def _table(self, condition: Condition, rows: np.ndarray) -> nw.DataFrame[pd.DataFrame]:
        names = condition.names or (next(iter(self.columns)),)
        held = {name: self.column(name, rows) for name in names}
        return nw.from_native(pd.DataFrame({name: _typed(column) for name, column in held.items()}))


def plain(column: pd.Series) -> np.ndarray:
    """Return a column as numbers with NaN, as moments, or as text with None."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.to_numpy()
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=float, na_value=np.nan)
    return column.astype(object).where(column.notna(), None).to_numpy(dtype=object)


def _typed(column: np.ndarray) -> pd.Series:
    return pd.Series(column, dtype="str") if column.dtype == object else pd.Series(column)
