"""Quantiles: the rules of R survey, and Woodruff's intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from nsm.errors import OptionError, nearest
from nsm.estimation.intervals import Estimated, korn_graubard, student_quantile
from nsm.estimation.rowwise import Made, Rows, Rowwise
from nsm.estimation.statistic import Label, Statistic, mean

Rule = Callable[[np.ndarray, np.ndarray, float], float]
SAME = 1e-12


def _position(weight: np.ndarray, p: float) -> tuple[int, bool]:
    """Return the last place whose cumulated share is at most p (or -1), and if it equals p."""
    share = np.cumsum(weight) / weight.sum()
    last = int(np.searchsorted(share, p * (1 + SAME) + SAME, side="right")) - 1
    return last, last >= 0 and abs(share[last] - p) <= SAME * (1 + p)


def _inverse(y: np.ndarray, weight: np.ndarray, p: float) -> float:
    last, equal = _position(weight, p)
    return float(y[max(last, 0)] if equal else y[min(last + 1, len(y) - 1)])


def _averaged(y: np.ndarray, weight: np.ndarray, p: float) -> float:
    last, equal = _position(weight, p)
    following = float(y[min(last + 1, len(y) - 1)])
    return (float(y[last]) + following) / 2 if equal else following


def _even(y: np.ndarray, weight: np.ndarray, p: float) -> float:
    values, index = np.unique(y, return_inverse=True)
    sums = np.bincount(index, weight)
    last, equal = _position(sums, p)
    if equal and (last + 1) % 2 == 0:
        return float(values[last])
    return float(values[min(last + 1, len(values) - 1)])


def _interpolated(places: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Rule:
    """Interpolate between the values, placed at the shares that `places` gives."""

    def rule(y: np.ndarray, weight: np.ndarray, p: float) -> float:
        return float(np.interp(p, places(np.cumsum(weight), weight), y))

    return rule


def _before(cumulated: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return cumulated - weight


def _linear(y: np.ndarray, weight: np.ndarray, p: float) -> float:
    share = np.cumsum(weight) / weight.sum()
    return float(np.interp(p, share, y))


def _shah_vaish(y: np.ndarray, weight: np.ndarray, p: float) -> float:
    scaled = weight / weight.mean()
    place = (np.cumsum(scaled) + 0.5 - scaled / 2) / (len(y) + 1)
    return float(y[max(int(np.searchsorted(place, p, side="right")) - 1, 0)])


RULES: dict[str, Rule] = {
    "math": _inverse,
    "school": _averaged,
    "shahvaish": _shah_vaish,
    "hf1": _inverse,
    "hf2": _averaged,
    "hf3": _even,
    "hf4": _linear,
    "hf5": _interpolated(lambda c, w: (c - w / 2) / c[-1]),
    "hf6": _interpolated(lambda c, w: c / (c[-1] + w[-1])),
    "hf7": _interpolated(lambda c, w: _before(c, w) / (c[-1] - w[-1]) if len(c) > 1 else c / c[-1]),
    "hf8": _interpolated(lambda c, w: (_before(c, w) / 3 + c * 2 / 3) / (c[-1] + w[-1] / 3)),
    "hf9": _interpolated(lambda c, w: (_before(c, w) * 3 / 8 + c * 5 / 8) / (c[-1] + w[-1] / 4)),
}
INTERVALS = ("mean", "beta", "xlogit", "asin", "score", "replicates")


@dataclass(frozen=True)
class Ordered:
    """Values of one column in order, domain after domain.

    Parameters
    ----------
    value, weight
        The values of the units that count, and their weights (units,).
    start
        Where each domain starts, and the end of the last (domains + 1,).
    """

    value: np.ndarray
    weight: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, y: str, rows: Rows) -> Ordered:
        """Sort the rows of a survey."""
        inside = np.flatnonzero(rows.observed(y))
        values = rows.survey.table.number(y).values[inside]
        domain = rows.domain[inside]
        order = np.lexsort((values, domain))
        start = np.searchsorted(domain[order], np.arange(rows.domains + 1))
        return cls(values[order], rows.weight[inside][order], start)

    def quantile(self, p: np.ndarray, rule: Rule) -> np.ndarray:
        """Return the quantile of order p[d] of each domain d; null where empty (domains,)."""
        found = np.full(len(p), np.nan)
        for d, order in enumerate(p):
            part = slice(self.start[d], self.start[d + 1])
            if part.stop > part.start and np.isfinite(order):
                found[d] = rule(self.value[part], self.weight[part], float(order))
        return found

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return the weighted mean of values in this order, by domain (domains,)."""
        sums = (np.r_[0.0, np.cumsum(v)] for v in (self.weight * values, self.weight))
        above, below = (s[self.start[1:]] - s[self.start[:-1]] for s in sums)
        with np.errstate(invalid="ignore"):
            return above / below


@dataclass(frozen=True)
class Quantile(Rowwise):
    """A quantile with the interval of its distribution function, turned around.

    References
    ----------
    Woodruff (1952); Francisco & Fuller (1991) for `score`; rules: Hyndman & Fan (1996), as R survey
    4.1 has them for weighted data.
    """

    order: float = 0.5
    how: str = "math"
    interval: str = "mean"

    def make(self, rows: Rows, name: str) -> Made:
        """Find the quantile, and how it moves with the share of units below it."""
        (y,) = self.columns
        rule = RULES[self.how]
        ordered = Ordered.of(y, rows)
        found = ordered.quantile(np.full(rows.domains, self.order), rule)
        below = np.full(len(rows.weight), np.nan)
        inside = rows.observed(y)
        values = rows.survey.table.number(y).values
        below[inside] = (values <= rows.at(found))[inside]
        share, se = rows.precision({name: below}, mean(name))
        if self.interval == "score":
            low, high = self._scored(rows, name, ordered)
        else:
            low, high = _share_limits(self.interval, share, se, rows, np.diff(ordered.start))
        limits = tuple(
            ordered.quantile(np.where((p >= 0) & (p <= 1), p, np.nan), rule) for p in (low, high)
        )
        width = (limits[1] - limits[0]) / (2 * student_quantile(rows.level, rows.df))
        with np.errstate(divide="ignore", invalid="ignore"):
            # A share without error has a quantile without error.
            slope = np.where(se > 0, -width / se, 0.0)
        return Made({name: below}, mean(name), found, slope, (limits[0], limits[1]))

    @property
    def recomputed(self) -> bool:
        """Only if asked for: Woodruff's interval is steadier than quantiles of replicates."""
        return self.interval == "replicates"

    def recompute(self, rows: Rows) -> np.ndarray:
        """Return the quantile for the weights of `rows` (domains,)."""
        ordered = Ordered.of(self.columns[0], rows)
        return ordered.quantile(np.full(rows.domains, self.order), RULES[self.how])

    def _scored(self, rows: Rows, name: str, ordered: Ordered) -> tuple[np.ndarray, np.ndarray]:
        """Return the shares below the values where the score test is at its limits."""
        critical = student_quantile(rows.level, rows.df)
        ends = []
        for sign in (1.0, -1.0):
            low = ordered.quantile(np.zeros(rows.domains), _inverse)
            high = ordered.quantile(np.ones(rows.domains), _inverse)
            for _ in range(60):
                middle = (low + high) / 2
                # Above the limit the value is too small.
                small = self._score(rows, name, middle) > sign * critical
                low, high = np.where(small, middle, low), np.where(small, high, middle)
            at_most = ordered.value <= np.repeat(high, np.diff(ordered.start))
            ends.append(ordered.mean(at_most.astype(float)))
        return ends[0], ends[1]

    def _score(self, rows: Rows, name: str, at: np.ndarray) -> np.ndarray:
        (y,) = self.columns
        above = np.full(len(rows.weight), np.nan)
        inside = rows.observed(y)
        values = rows.survey.table.number(y).values
        above[inside] = (values > rows.at(at))[inside]
        share, se = rows.precision({name: above}, mean(name))
        with np.errstate(divide="ignore", invalid="ignore"):
            return (share - (1 - self.order)) / se


def _share_limits(
    kind: str, share: np.ndarray, se: np.ndarray, rows: Rows, n: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    t = student_quantile(rows.level, rows.df)
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "xlogit":
            center, half = np.log(share / (1 - share)), t * se / (share * (1 - share))
            return special.expit(center - half), special.expit(center + half)
        if kind == "asin":
            center = np.arcsin(np.sqrt(share))
            half = t * se / (2 * np.sqrt(share * (1 - share)))
            return np.sin(center - half) ** 2, np.sin(center + half) ** 2
        if kind == "beta":
            return korn_graubard(Estimated(share, se, rows.df, n.astype(float)), rows.level)
    return share - t * se, share + t * se


def quantile(
    y: str, order: float = 0.5, *, rule: str = "math", interval: str = "mean"
) -> Statistic:
    """Return the quantile of `y` over the units where it is observed.

    Parameters
    ----------
    y
        A numeric column, or an expression.
    order
        Between 0 and 1; 0.5 is the median.
    rule
        R's words: `math` (the inverse of the weighted distribution function), `school`,
        `shahvaish`, `hf1` to `hf9`.
    interval
        How the limits of the share below are found before they are turned around: `mean`, `beta`,
        `xlogit`, `asin`, `score`; or `replicates`, the quantile in each replicate.

    Returns
    -------
    Statistic in the unit of `y`.

    Raises
    ------
    OptionError
        The order is not between 0 and 1; the rule or interval is unknown.

    References
    ----------
    Woodruff (1952), JASA 47, p. 635-646; Hyndman & Fan (1996), The American Statistician 50.
    """
    if not 0 < order < 1:
        raise OptionError("The order of a quantile is between 0 and 1, not {order}.", order=order)
    for word, value, known in (("rule", rule, RULES), ("interval", interval, INTERVALS)):
        if value not in known:
            raise OptionError(
                "{word}={value!r} is not known. {hint}",
                word=word,
                value=value,
                hint=nearest(value, known),
            )
    return Quantile(
        text=f"quantile({y}, {order:g})",
        label=Label(y, "quantile", order=order),
        columns=(y,),
        order=order,
        how=rule,
        interval=interval,
    )


def quantiles(y: Sequence[str], orders: Sequence[float], **options: str) -> list[Statistic]:
    """Return the quantiles of several columns, each of several orders."""
    return [quantile(name, order, **options) for name in y for order in orders]
