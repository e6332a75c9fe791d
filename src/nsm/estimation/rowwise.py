"""Statistics that need rows first: a center, an order, a cut point.

Each looks at the rows once, makes a column, and is from then on a statistic of totals like any
other, so that domains, contrasts and every variance are the same path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nsm.estimation.statistic import (
    Label,
    Linear,
    Required,
    Rule,
    Statistic,
    leaf_rule,
    mean,
)
from nsm.totals import Term

if TYPE_CHECKING:
    from nsm.condition import Condition
    from nsm.estimation.survey import Survey


@dataclass(frozen=True)
class Rows:
    """The rows of a survey, sorted into domains.

    Parameters
    ----------
    weight
        Weights (rows,).
    domain
        Domain of each row, from 0; -1 outside (rows,).
    domains
        Number of domains.
    level
        Confidence level of intervals.
    df
        Degrees of freedom of each domain (domains,).
    """

    survey: Survey
    weight: np.ndarray
    by: tuple[str, ...]
    where: Condition | None
    domain: np.ndarray
    domains: int
    level: float
    df: np.ndarray

    def observed(self, *names: str) -> np.ndarray:
        """Tell which rows are in a domain, have weight, and have all columns (rows,)."""
        inside = (self.domain >= 0) & (self.survey.weights != 0)
        for name in names:
            mask = self.survey.table.observed(name)
            if mask is not None:
                inside &= mask
        return inside

    def sums(self, values: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """Add up values by domain (domains,)."""
        return np.bincount(self.domain[inside], values[inside], self.domains)

    def at(self, by_domain: np.ndarray) -> np.ndarray:
        """Give each row the value of its domain; null outside (rows,)."""
        return np.append(by_domain, np.nan)[self.domain]

    def precision(
        self, columns: Mapping[str, np.ndarray], statistic: Statistic
    ) -> tuple[np.ndarray, np.ndarray]:
        """Estimate a statistic of made columns: value and standard error (domains,)."""
        from nsm.estimation.point import evaluate

        made = self.survey.with_columns(columns)
        point = evaluate(made, [statistic], by=self.by, where=self.where)
        return point.values[:, 0], np.sqrt(np.maximum(point.variances()[:, 0], 0.0))


@dataclass(frozen=True)
class Made:
    """What a statistic made of the rows.

    Parameters
    ----------
    columns
        Columns that `inner` reads.
    inner
        A statistic of totals with the right slopes.
    value
        The value where it is not that of `inner` (domains,).
    slope
        Factor on the slopes of `inner` (domains,).
    limits
        Confidence limits where they are not those of estimate and standard error (domains,).
    """

    columns: Mapping[str, np.ndarray]
    inner: Statistic
    value: np.ndarray | None = None
    slope: np.ndarray | None = None
    limits: tuple[np.ndarray, np.ndarray] | None = None

    def linear(self, inner: Linear) -> Linear:
        """Return value and slopes from those of `inner`."""
        value = inner.value if self.value is None else self.value
        if self.slope is None:
            return Linear(value, inner.slopes)
        with np.errstate(invalid="ignore"):
            return Linear(value, {term: s * self.slope for term, s in inner.slopes.items()})


@dataclass(frozen=True)
class Rowwise(Statistic):
    """A leaf that looks at rows.

    Parameters
    ----------
    columns
        Columns that must be observed for a unit to count.
    """

    operands: tuple[Statistic, ...] = ()
    rule: Rule = field(default=leaf_rule, compare=False)
    text: str = ""
    columns: tuple[str, ...] = ()

    __repr__ = Statistic.__repr__

    @property
    def leaves(self) -> tuple[Statistic, ...]:
        """Itself."""
        return (self,)

    @property
    def required(self) -> tuple[Required, ...]:
        """Nothing: it is taken over the units that have its columns."""
        return ()

    @property
    def counted(self) -> Term:
        """The units that have its columns."""
        return Term(observed=self.columns)

    observed_cases = counted

    def linearize(self, at: Mapping[Statistic, Linear]) -> Linear:
        """Look it up."""
        return at[self]

    def make(self, rows: Rows, name: str) -> Made:
        """Look at the rows; made columns start with `name`."""
        raise NotImplementedError

    @property
    def recomputed(self) -> bool:
        """Whether replicates compute it anew, rather than through its slopes."""
        return True

    def recompute(self, rows: Rows) -> np.ndarray:
        """Return the value for the weights of `rows` (domains,)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Covariance(Rowwise):
    """Population covariance of two columns, with the n / (n - 1) of a sample."""

    first: str = ""
    second: str = ""

    def make(self, rows: Rows, name: str) -> Made:
        """Center both columns at their means, and average the products."""
        table, inside = rows.survey.table, rows.observed(*self.columns)
        weight = rows.sums(rows.weight, inside)
        n = np.bincount(rows.domain[inside], minlength=rows.domains)
        product = np.full(len(rows.weight), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            deviations = [
                values - rows.at(rows.sums(rows.weight * values, inside) / weight)
                for values in (table.number(self.first).values, table.number(self.second).values)
            ]
            scaled = deviations[0] * deviations[1] * rows.at(n / (n - 1.0))
        product[inside] = scaled[inside]
        return Made({name: product}, mean(name))

    def recompute(self, rows: Rows) -> np.ndarray:
        """Return the covariance for the weights of `rows`; n stays that of the sample."""
        table, inside = rows.survey.table, rows.observed(*self.columns)
        x, y = (table.number(name).values for name in (self.first, self.second))
        n = np.bincount(rows.domain[inside], minlength=rows.domains)
        with np.errstate(invalid="ignore", divide="ignore"):
            size = rows.sums(rows.weight, inside)
            centers = [rows.sums(rows.weight * v, inside) / size for v in (x, y)]
            product = (x - rows.at(centers[0])) * (y - rows.at(centers[1]))
            return rows.sums(rows.weight * product, inside) / size * n / (n - 1.0)


def variance(y: str) -> Statistic:
    """Return the population variance of `y`, where it is observed."""
    return _covariance(y, y, (y,), Label(y, "variance"))


def covariance(x: str, y: str) -> Statistic:
    """Return the population covariance of `x` and `y`, where both are observed."""
    return _covariance(x, y, (x, y), Label(f"{x}, {y}", "covariance"))


def correlation(x: str, y: str) -> Statistic:
    """Return the correlation of `x` and `y`, where both are observed."""
    both, one, other = (_covariance(a, b, (x, y)) for a, b in ((x, y), (x, x), (y, y)))
    return (both / (one * other).sqrt()).named(f"{x}, {y}", "correlation")


def _covariance(
    first: str, second: str, columns: tuple[str, ...], label: Label | None = None
) -> Covariance:
    return Covariance(
        text=f"covariance({first}, {second})",
        label=label,
        columns=columns,
        first=first,
        second=second,
    )
