"""Inequality and poverty.

Each statistic is a value found from the rows in order, with the exact derivative of that value on
the weight of each unit; where a quantile moves with the weights, the density at it is estimated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from nsm.errors import OptionError
from nsm.estimation.quantile import quantile
from nsm.estimation.rowwise import Made, Rows, Rowwise
from nsm.estimation.statistic import Label, Statistic, Total
from nsm.totals import Term


@dataclass(frozen=True)
class Indicator(Rowwise):
    """A statistic computed domain by domain from sorted values and weights."""

    def make(self, rows: Rows, name: str) -> Made:
        """Compute the value and the derivative on each weight."""
        derivative = np.full(len(rows.weight), np.nan)
        value = self._each(rows, derivative)
        return Made({name: derivative}, Total(term=Term((name,))), value, np.ones(rows.domains))

    def recompute(self, rows: Rows) -> np.ndarray:
        """Return the value for the weights of `rows` (domains,)."""
        return self._each(rows, np.empty(len(rows.weight)))

    def _each(self, rows: Rows, derivative: np.ndarray) -> np.ndarray:
        (y,) = self.columns
        inside = np.flatnonzero(rows.observed(y))
        values = rows.survey.table.number(y).values
        order = inside[np.lexsort((values[inside], rows.domain[inside]))]
        start = np.searchsorted(rows.domain[order], np.arange(rows.domains + 1))
        found = np.full(rows.domains, np.nan)
        for d in range(rows.domains):
            part = order[start[d] : start[d + 1]]
            if len(part):
                with np.errstate(divide="ignore", invalid="ignore"):
                    found[d], derivative[part] = self.compute(values[part], rows.weight[part])
        return found

    def compute(self, y: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value, and its derivative on each weight, from sorted values."""
        raise NotImplementedError


@dataclass(frozen=True)
class Gini(Indicator):
    """2 * sum w y (N - w/2) / (N Y) - 1, with N the weight up to each unit."""

    def compute(self, y: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the Gini coefficient."""
        size, total = w.sum(), w @ y
        upto = np.cumsum(w)
        pairs = 2 * (w * y) @ (upto - w / 2)
        # Of tied values, all stand at the end of the tie.
        last = np.searchsorted(y, y, side="right") - 1
        earned = np.cumsum(w * y)
        moved = 2 * (y * upto[last] + total - earned[last])
        derivative = (moved - pairs * (total + size * y) / (size * total)) / (size * total)
        return pairs / (size * total) - 1, derivative


@dataclass(frozen=True)
class ShareRatio(Indicator):
    """Total above the upper quantile over total up to the lower one."""

    share: float = 0.2

    def compute(self, y: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the quintile share ratio."""
        low, high = (_quantile(y, w, p) for p in (self.share, 1 - self.share))
        poor, rich = y <= low, y > high
        below, above = w @ (y * poor), w @ (y * rich)
        d_below = y * poor - low * (poor - self.share)
        d_above = y * rich - high * (rich - self.share)
        return above / below, (d_above - above / below * d_below) / below


@dataclass(frozen=True)
class Poverty(Indicator):
    """Foster-Greer-Thorbecke below `share` of the median: rate (power 0) or gap (power 1)."""

    share: float = 0.6
    power: int = 0

    def compute(self, y: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the rate or the gap."""
        size, median = w.sum(), _quantile(y, w, 0.5)
        line = self.share * median
        poor = y < line
        short = poor * (1 - y / line) ** self.power
        value = w @ short / size
        slope = _density(y, w, line) if self.power == 0 else w @ (poor * y) / (line**2 * size)
        d_line = -self.share * ((y <= median) - 0.5) / (size * _density(y, w, median))
        return value, (short - value) / size + slope * d_line


@dataclass(frozen=True)
class MedianGap(Indicator):
    """How far the median of the poor lies below the line, as a fraction of the line."""

    share: float = 0.6

    def compute(self, y: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the relative median gap."""
        size, median = w.sum(), _quantile(y, w, 0.5)
        line = self.share * median
        poor = y < line
        if not poor.any():
            return np.nan, np.full(len(y), np.nan)
        rate = w @ poor / size
        middle = _quantile(y[poor], w[poor], 0.5)
        d_line = -self.share * ((y <= median) - 0.5) / (size * _density(y, w, median))
        d_rate = (poor - rate) / size + _density(y, w, line) * d_line
        d_middle = (d_rate / 2 - ((y <= middle) - rate / 2) / size) / _density(y, w, middle)
        return (line - middle) / line, middle / line**2 * d_line - d_middle / line


def _quantile(y: np.ndarray, w: np.ndarray, p: float) -> float:
    share = np.cumsum(w) / w.sum()
    return float(y[min(int(np.searchsorted(share, p - 1e-12)), len(y) - 1)])


def _density(y: np.ndarray, w: np.ndarray, at: float) -> float:
    """Estimate the density at a point from quantiles at either side of it.

    References
    ----------
    Hall & Sheather (1988) for the distance; Koenker (2005), Quantile Regression, sec. 3.4.2. Unlike
    a kernel on the scale of y, it does not depend on the skewness of y.
    """
    p = float(np.clip(w @ (y <= at) / w.sum(), 0.01, 0.99))
    z = special.ndtri(p)
    bell = np.exp(-(z**2)) / (2 * np.pi)
    apart = len(y) ** (-1 / 3) * (special.ndtri(0.975) ** 2 * 1.5 * bell / (2 * z**2 + 1)) ** (
        1 / 3
    )
    low, high = max(p - apart, 0.0), min(p + apart, 1.0)
    width = _quantile(y, w, high) - _quantile(y, w, low)
    return (high - low) / width if width > 0 else np.nan


def gini(y: str) -> Statistic:
    """Return the Gini coefficient of `y`.

    Parameters
    ----------
    y
        A numeric column: income, pay.

    Returns
    -------
    Statistic, 0 to 1 where y >= 0.

    References
    ----------
    Langel & Tillé (2013), J. R. Stat. Soc. A 176, eq. 4 and 12.
    """
    return Gini(text=f"gini({y})", label=Label(y, "gini"), columns=(y,))


def quintile_share_ratio(y: str, share: float = 0.2) -> Statistic:
    """Return the total of the richest fifth over that of the poorest (S80/S20).

    Parameters
    ----------
    y
        A numeric column.
    share
        Fraction of units at each end, up to a half; a fifth by default.

    Returns
    -------
    Statistic, a ratio.

    Raises
    ------
    OptionError
        The share is not between 0 and a half.

    References
    ----------
    Langel & Tillé (2011), Survey Methodology 37, p. 79-89.
    """
    _refuse_share(share, 0.5)
    text = f"quintile_share_ratio({y})"
    return ShareRatio(text=text, label=Label(y, "quintile share ratio"), columns=(y,), share=share)


def poverty_line(y: str, share: float = 0.6) -> Statistic:
    """Return a fraction of the median of `y`.

    Parameters
    ----------
    y
        A numeric column.
    share
        Fraction of the median, above 0.

    Returns
    -------
    Statistic in the unit of `y`.

    Raises
    ------
    OptionError
        The share is not above 0.
    """
    _refuse_share(share, np.inf)
    return (share * quantile(y, 0.5)).named(y, "poverty line")


def poverty_rate(y: str, share: float = 0.6) -> Statistic:
    """Return the share of units below `share` times the median, the line being estimated.

    Parameters
    ----------
    y
        A numeric column.
    share
        Fraction of the median, above 0.

    Returns
    -------
    Statistic, a fraction (0-1).

    Raises
    ------
    OptionError
        The share is not above 0.

    References
    ----------
    Deville (1999); Osier (2009), Survey Research Methods 3, sec. 2.
    """
    _refuse_share(share, np.inf)
    text = f"poverty_rate({y})"
    return Poverty(text=text, label=Label(y, "poverty rate"), columns=(y,), share=share)


def poverty_gap(y: str, share: float = 0.6, *, kind: str = "mean") -> Statistic:
    """Return how far the poor are below the line, as a fraction of it.

    Parameters
    ----------
    y
        A numeric column.
    share
        Fraction of the median that is the line, above 0.
    kind
        `mean`: the mean shortfall over all units (0 for those above the line; FGT 1). `median`: how
        far the median of the poor lies below the line (the relative median gap).

    Returns
    -------
    Statistic, a fraction (0-1).

    Raises
    ------
    OptionError
        The kind is unknown, or the share not above 0.

    References
    ----------
    Foster, Greer & Thorbecke (1984); Osier (2009), sec. 3.
    """
    _refuse_share(share, np.inf)
    if kind == "median":
        text = f"median_poverty_gap({y})"
        label = Label(y, "median poverty gap")
        return MedianGap(text=text, label=label, columns=(y,), share=share)
    if kind != "mean":
        raise OptionError("kind={kind!r} is not 'mean' or 'median'.", kind=kind)
    text = f"poverty_gap({y})"
    return Poverty(text=text, label=Label(y, "poverty gap"), columns=(y,), share=share, power=1)


def _refuse_share(share: float, most: float) -> None:
    if not 0 < share < most:
        raise OptionError(
            "share={share} is not a positive fraction{most}.",
            share=share,
            most=f" below {most}" if np.isfinite(most) else "",
        )
