"""Tests of the independence of two categories: Rao and Scott, and Wald.

With p the proportions of the cells, V their covariance under the design and C an orthogonal
complement of the main effects, the generalized design effects are the eigenvalues of

    Delta = (C' D^-1 C / n)^-1 (C' D^-1 V D^-1 C),    D = diag(p)

and Pearson's X^2 is a sum of chi-squares weighted by them (Rao & Scott 1984, eq. 3.3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from nsm.errors import DesignError, OptionError, nearest
from nsm.estimation.matrix import require
from nsm.estimation.scored import complete, degrees_of
from nsm.estimation.significance import SignificanceTest, wald_statistic
from nsm.estimation.statistic import mean, total

if TYPE_CHECKING:
    from nsm.condition import Condition
    from nsm.estimation.survey import Survey

MOST_CELLS = 500


class CrossTable(NamedTuple):
    """Two categories, crossed.

    Parameters
    ----------
    totals
        Weighted units of each cell (rows, columns).
    covariance, spread
        Of the totals and of the proportions, cells in the order of `totals.ravel()` (cells, cells).
    n
        Unweighted units.
    df
        PSUs minus strata that hold them.
    """

    totals: np.ndarray
    covariance: np.ndarray
    spread: np.ndarray
    n: int
    df: float

    @property
    def free(self) -> int:
        """Degrees of freedom of the interaction."""
        rows, columns = self.totals.shape
        return (rows - 1) * (columns - 1)

    @property
    def proportions(self) -> np.ndarray:
        """Proportions of the cells (rows, columns)."""
        return self.totals / self.totals.sum()

    @property
    def pearson(self) -> float:
        """Pearson's X^2 of the proportions, as of n units."""
        p = self.proportions
        expected = np.outer(p.sum(axis=1), p.sum(axis=0))
        return float(self.n * ((p - expected) ** 2 / expected).sum())

    @property
    def effects(self) -> np.ndarray:
        """Matrix of the generalized design effects (interactions, interactions)."""
        p = self.proportions.ravel()
        inverse = np.divide(1.0, p, out=np.zeros_like(p), where=p > 0)
        scaled = _interactions(*self.totals.shape) * inverse[:, None]
        below = scaled.T @ (scaled * p[:, None]) / self.n
        return np.linalg.solve(below, scaled.T @ self.spread @ scaled)


def independence(
    survey: Survey,
    x: str,
    y: str,
    *,
    statistic: str = "rao-scott-f",
    where: Condition | None = None,
) -> SignificanceTest:
    """Test whether two categories are independent.

    Parameters
    ----------
    x, y
        Columns. Units without one of them are left out.
    statistic
        `rao-scott-f` (second-order correction, as an F), `rao-scott-chi2` (first-order correction:
        Pearson's X^2 is shown and `p` refers it to its mean design effect), `wald`,
        `adjusted-wald`.
    where
        Condition that a unit must meet.

    Raises
    ------
    OptionError
        The statistic is not known.
    DesignError
        A column has one category, or the design cannot tell the cells apart.

    References
    ----------
    Rao & Scott (1984), Annals of Statistics 12, p. 46-60; Thomas & Rao (1987), JASA 82,
    p. 630-636; Koch, Freeman & Freeman (1975) and Fellegi (1980) for Wald's.
    """
    if statistic not in TESTS:
        raise OptionError(
            "statistic={statistic!r} is not known. {hint}",
            statistic=statistic,
            hint=nearest(statistic, TESTS),
        )
    return TESTS[statistic](cross(survey, x, y, where=where), f"{x} x {y}")


def cross(survey: Survey, x: str, y: str, *, where: Condition | None = None) -> CrossTable:
    """Cross two categories over the units that have both."""
    require((x, y), survey.table)
    if survey.pushed:
        survey = survey.in_memory((x, y, *(() if where is None else where.names)))
    rows = complete(survey, (x, y), where)
    places, sizes = [], []
    for name in (x, y):
        used, place = np.unique(survey.table.codes(name).codes[rows], return_inverse=True)
        if len(used) < 2:
            raise DesignError(
                "{column!r} has one category among the units of the test: there is nothing to "
                "compare.",
                column=name,
            )
        places.append(place)
        sizes.append(len(used))
    cell = places[0] * sizes[1] + places[1]
    cells = sizes[0] * sizes[1]
    if cells > MOST_CELLS:
        raise DesignError(
            "{x!r} and {y!r} cross in {cells} cells; up to {most} can be tested. Join categories.",
            x=x,
            y=y,
            cells=cells,
            most=MOST_CELLS,
        )
    names = [f"cell #{k}" for k in range(cells)]
    indicators = np.full((cells, len(survey)), np.nan)
    indicators[:, rows] = np.arange(cells)[:, None] == cell
    covariance = (
        survey.with_columns(dict(zip(names, indicators, strict=True)))
        .estimate([*(total(c, missing="zero") for c in names), *map(mean, names)], deff=None)
        .covariance
    )
    return CrossTable(
        np.bincount(cell, survey.weights[rows], cells).reshape(sizes),
        covariance[:cells, :cells],
        covariance[cells:, cells:],
        len(rows),
        degrees_of(survey, rows),
    )


def _rao_scott_f(table: CrossTable, note: str) -> SignificanceTest:
    effects = table.effects
    trace = float(np.trace(effects))
    df1 = trace**2 / float((effects * effects.T).sum())
    return SignificanceTest.of_f(
        "Rao-Scott F", table.pearson / trace, df1=df1, df2=df1 * table.df, note=note
    )


def _rao_scott_chi2(table: CrossTable, note: str) -> SignificanceTest:
    mean = float(np.trace(table.effects)) / table.free
    p = float(special.chdtrc(table.free, table.pearson / mean))
    return SignificanceTest(
        "Rao-Scott chi-square", table.pearson, p, float(table.free), np.inf, note=note
    )


def _wald(table: CrossTable, note: str) -> SignificanceTest:
    return SignificanceTest.of_f(
        "Wald", _departure(table) / table.free, df1=table.free, df2=table.df, note=note
    )


def _adjusted_wald(table: CrossTable, note: str) -> SignificanceTest:
    df2 = table.df - table.free + 1
    f = _departure(table) * df2 / (table.free * table.df)
    return SignificanceTest.of_f("adjusted Wald", f, df1=table.free, df2=df2, note=note)


TESTS: dict[str, Callable[[CrossTable, str], SignificanceTest]] = {
    "rao-scott-f": _rao_scott_f,
    "rao-scott-chi2": _rao_scott_chi2,
    "wald": _wald,
    "adjusted-wald": _adjusted_wald,
}


def _departure(table: CrossTable) -> float:
    """Return Wald's statistic of observed minus expected totals, all but a row and a column."""
    t = table.totals
    rows, columns = t.shape
    down, across, whole = t.sum(axis=0), t.sum(axis=1), t.sum()
    expected = np.outer(across, down) / whole
    same_row = np.kron(np.eye(rows), np.ones((columns, columns)))
    same_column = np.kron(np.ones((rows, rows)), np.eye(columns))
    slope = (
        np.eye(t.size)
        - same_row * np.tile(down, rows)[:, None] / whole
        - same_column * np.repeat(across, columns)[:, None] / whole
        + expected.reshape(-1, 1) / whole
    )
    free = np.arange(t.size).reshape(rows, columns)[1:, 1:].ravel()
    spread = (slope @ table.covariance @ slope.T)[np.ix_(free, free)]
    return wald_statistic((t - expected).ravel()[free], spread)


def _interactions(rows: int, columns: int) -> np.ndarray:
    """Return an orthonormal complement of main effects (cells, interactions)."""
    return np.kron(_contrasts(rows), _contrasts(columns))


def _contrasts(levels: int) -> np.ndarray:
    """Return Helmert contrasts, orthonormal (levels, levels - 1)."""
    k = np.arange(1, levels)
    raw = np.where(np.arange(levels)[:, None] == k, -k, np.triu(np.ones((levels, levels - 1))))
    return raw / np.sqrt(k * (k + 1))
