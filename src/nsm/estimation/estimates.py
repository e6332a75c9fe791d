"""Estimates: a tidy table, with the covariance behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from nsm.errors import OptionError, nearest
from nsm.estimation.intervals import student_quantile

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

COLUMNS = (
    "variable",
    "statistic",
    "category",
    "order",
    "estimate",
    "se",
    "cv",
    "lower",
    "upper",
    "df",
    "deff",
    "n",
    "cases",
    "psus",
    "note",
)


@dataclass(frozen=True)
class Estimates:
    """Estimates with their precision.

    Parameters
    ----------
    table
        One row per statistic and domain: the domain columns, then `COLUMNS`. Proportions, cv and
        deff are fractions; `df` may be infinite.
    by
        The domain columns.
    covariances
        Gives the covariance of given rows (rows, rows).
    unknown
        Weighted share of units whose domain or condition is not known.
    """

    table: pd.DataFrame
    by: tuple[str, ...] = ()
    level: float = 0.95
    unknown: float = 0.0
    covariances: Callable[[np.ndarray], np.ndarray] | None = field(
        default=None, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.table)

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of all rows of the table (rows, rows)."""
        if self.covariances is None:
            return np.diag(self.table["se"].to_numpy(float) ** 2)
        return self.covariances(np.arange(len(self.table)))

    def contrast(
        self, weights: Mapping[Any, float] | Sequence[float], *, name: str = "contrast"
    ) -> Self:
        """Estimate a linear combination of rows, with its standard error.

        Parameters
        ----------
        weights
            One number per row, or label -> number: the label of a domain (a tuple for several
            columns), or the category of a proportion.

        Returns
        -------
        Estimates of one row: sum a_i t_i with the variance a'Va, V the covariance of the rows; its
        df is the smallest of them.

        Raises
        ------
        OptionError
            A label is unknown or names several rows, or a number is not finite.

        References
        ----------
        Wolter (2007), Introduction to Variance Estimation, sec. 6.5.
        """
        vector = self._vector(weights)
        rows = np.flatnonzero(vector)
        estimates = self.table["estimate"].to_numpy(float)
        value = float(estimates[rows] @ vector[rows])
        covariance = (
            self.covariances(rows)
            if self.covariances is not None
            else np.diag(self.table["se"].to_numpy(float)[rows] ** 2)
        )
        se = float(np.sqrt(max(vector[rows] @ covariance @ vector[rows], 0.0)))
        first = self.table.iloc[rows]
        df = float(first["df"].min())
        half = float(student_quantile(self.level, np.array(df))) * se
        row = {
            "variable": name,
            "statistic": "contrast",
            "category": None,
            "order": np.nan,
            "estimate": value,
            "se": se,
            "cv": se / abs(value) if value else np.nan,
            "lower": value - half,
            "upper": value + half,
            "df": df,
            "deff": np.nan,
            "n": int(first["n"].sum()),
            "cases": int(first["cases"].sum()),
            "psus": int(first["psus"].max()),
            "note": None,
        }
        return replace(
            self,
            table=tidy(pd.DataFrame([row]), ()),
            by=(),
            covariances=lambda _rows: np.array([[se**2]]),
        )

    def _vector(self, weights: Mapping[Any, float] | Sequence[float]) -> np.ndarray:
        given = list(weights.values()) if isinstance(weights, Mapping) else list(weights)
        if not all(isinstance(w, int | float | np.number) and np.isfinite(w) for w in given):
            raise OptionError("A contrast has finite numbers; {given} was given.", given=given)
        if not isinstance(weights, Mapping):
            vector = np.asarray(weights, float)
            if vector.shape != (len(self.table),):
                raise OptionError(
                    "A contrast of {rows} rows needs as many numbers; {given} were given.",
                    rows=len(self.table),
                    given=vector.size,
                )
            return vector
        labels = self._labels()
        vector = np.zeros(len(self.table))
        for label, weight in weights.items():
            found = [i for i, known in enumerate(labels) if label in known]
            if len(found) != 1:
                raise OptionError(
                    "{label!r} names {count} rows of these estimates. {hint}",
                    label=label,
                    count=len(found),
                    hint=nearest(label, {str(k) for known in labels for k in known}),
                )
            vector[found[0]] += weight
        return vector

    def _labels(self) -> list[set[object]]:
        labels: list[set[object]] = []
        for row in self.table.itertuples(index=False):
            domain = tuple(getattr(row, name, None) for name in self.by) if self.by else ()
            known: set[object] = {domain, row.variable}
            if len(domain) == 1:
                known.add(domain[0])
            if isinstance(row.category, str):
                known |= {row.category, (*domain, row.category)}
            known.add((*domain, row.variable))
            labels.append(known)
        return labels

    def wide(self, columns: str, values: str = "estimate") -> pd.DataFrame:
        """Give one column per label of a column, the rest in rows: a table for reading.

        Parameters
        ----------
        columns
            A domain column, or `variable`, `statistic`, `category`, `order`.
        values
            What stands in the cells, such as `estimate`, `se`, `cv` or `n`.

        Returns
        -------
        The other columns that tell rows apart, then one column per label, in the order of the
        table. The margin of a domain column is named `total`; a cell that no row has is null.

        Raises
        ------
        OptionError
            `columns` or `values` is no such column, or rows have no names to tell them apart.
        """
        keys = (*self.by, *COLUMNS[:4])
        for given, known in ((columns, keys), (values, tuple(self.table))):
            if given not in known:
                raise OptionError(
                    "These estimates have no column {given!r} to show. {hint}",
                    given=given,
                    hint=nearest(given, known),
                )
        kept = [c for c in keys if c != columns and self.table[c].notna().any()]
        label = self.table[columns].astype(object)
        label = label.where(label.notna(), "total" if columns in self.by else "")
        # Margins have null labels, which pandas leaves out of a pivot; numbered rows keep them.
        row = self.table.groupby(kept, sort=False, dropna=False, observed=True).ngroup()
        cells = pd.DataFrame({"row": row, "label": label, "value": self.table[values]})
        if cells.duplicated(["row", "label"]).any():
            raise OptionError(
                "Some of these estimates differ neither in domain nor in variable. Give the "
                "statistics names: estimate({{'name': statistic, ...}}).",
            )
        made = cells.pivot(index="row", columns="label", values="value")  # noqa: PD010 - pivot_table drops nulls
        made = made[label.drop_duplicates()].rename_axis(index=None, columns=None)
        return self.table[kept].groupby(row).head(1).reset_index(drop=True).join(made)

    def flag(self, rule: Any = "eclac2023", **options: Any) -> Self:
        """Return the estimates with a verdict on each; see `nsm.publication.flag`."""
        from nsm.publication.quality import flag

        return flag(self, rule, **options)

    def plot(self, **options: Any) -> Figure:
        """Draw the estimates with their intervals; see `nsm.publication.interval_chart`."""
        from nsm.publication.charts import interval_chart

        return interval_chart(self, **{"titled": True, **options})

    def to_excel(self, path: str | os.PathLike[str]) -> None:
        """Write a workbook with the estimates."""
        from nsm.publication.workbook import write_estimates

        write_estimates(self, path)

    def to_csv(self, path: str | None = None) -> str | None:
        """Write the table as CSV, or return its text."""
        from nsm.files import harmless, write_table

        if path is None:
            return harmless(self.table).to_csv(index=False, lineterminator="\n")
        write_table(self.table, path)
        return None

    def _repr_html_(self) -> str:
        shown = _shown(self.table)
        return shown.to_html(index=False, na_rep="", border=0, formatters=_formatters(shown))

    def __str__(self) -> str:
        shown = _shown(self.table)
        return shown.to_string(index=False, na_rep="", formatters=_formatters(shown))


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out what says nothing here: a category, an order or a note that no row has."""
    empty = [c for c in ("category", "order", "note") if table[c].isna().all()]
    return table.drop(columns=empty)


def _formatters(table: pd.DataFrame) -> dict[Any, Callable[[Any], str]]:
    return {name: _CELLS.get(name, _number) for name in table}


def _number(x: Any) -> str:
    if x is None or x is pd.NA or (isinstance(x, float) and np.isnan(x)):
        return ""
    return f"{x:,.4g}" if isinstance(x, float) else str(x)


def _count(x: int) -> str:
    return f"{x:,}"


def _percent(x: float) -> str:
    return "" if np.isnan(x) else f"{100 * x:.1f} %"


_CELLS: dict[Any, Callable[[Any], str]] = {
    "cv": _percent,
    **dict.fromkeys(("n", "cases", "psus"), _count),
}


def tidy(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Put the columns of a table of estimates in order, with their types."""
    made = table[[*by, *COLUMNS]].reset_index(drop=True)
    counts = {name: made[name].astype("int64") for name in ("n", "cases", "psus")}
    texts = {
        name: made[name].astype(object).where(made[name].notna(), None)
        for name in ("category", "note")
    }
    floats = {
        name: made[name].astype(float)
        for name in ("order", "estimate", "se", "cv", "lower", "upper", "df", "deff")
    }
    return made.assign(**counts, **texts, **floats)
