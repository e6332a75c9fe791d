"""Change between two rounds of a survey.

Var(t2 - t1) = V1 + V2 - 2 C, where C is the covariance of the scores of the PSUs that both rounds
have. In a stratum with n1 and n2 sampled PSUs, nc of them common, and z the scores of a PSU,

    C = (nc - f n) / (nc - 1) * sum (z1 - mean z1) (z2 - mean z2)

over the common PSUs, with f n the geometric mean of f1 n2 and f2 n1 (Tam 1984; Berger 2004). Where
all PSUs are common it is the covariance of one sample measured twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from nsm.errors import OptionError
from nsm.estimation.design import Design
from nsm.estimation.estimate import Wanted, named, scores_of
from nsm.estimation.estimates import Estimates, tidy
from nsm.estimation.intervals import Estimated, limits
from nsm.estimation.point import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nsm.condition import Condition
    from nsm.estimation.survey import Survey

KEYS = ("variable", "statistic", "category", "order")


class Common(NamedTuple):
    """The PSUs that two rounds have in common.

    Parameters
    ----------
    first, second
        Their position in each round (common PSUs,).
    stratum
        Their stratum, numbered (common PSUs,).
    weight
        (nc - f n) / (nc - 1) of their stratum, 0 where it cannot be estimated (common PSUs,).
    df
        Common PSUs minus their strata, where there is a covariance.
    """

    first: np.ndarray
    second: np.ndarray
    stratum: np.ndarray
    weight: np.ndarray
    df: float

    def covariance(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return the covariance of scores (PSUs, estimates) of the two rounds."""
        a, b = self._centered(one[self.first]), self._centered(other[self.second])
        return (a * self.weight[:, None]).T @ b

    def _centered(self, z: np.ndarray) -> np.ndarray:
        if not len(z):
            return z
        n = np.bincount(self.stratum)
        sums = np.stack([np.bincount(self.stratum, column) for column in z.T], axis=1)
        return z - (sums / n[:, None])[self.stratum]


def change(
    first: Survey,
    second: Survey,
    statistics: Wanted,
    *,
    by: str | Sequence[str] | None = None,
    where: str | Condition | None = None,
    relative: bool = False,
    common: bool = True,
    level: float = 0.95,
) -> Estimates:
    """Estimate the change of statistics from one round of a survey to another.

    Parameters
    ----------
    first, second
        The rounds, each with its own design and weights.
    statistics, by, where, level
        As of `Survey.estimate`; the columns must be in both rounds.
    relative
        The change over the first round's value, a fraction.
    common
        Whether PSUs with the same stratum and label are the same PSUs, kept on purpose. With
        `False`, and for surveys without PSUs or of two phases, the rounds are independent.

    Returns
    -------
    The second round minus the first. `n`, `cases` and `psus` are those of the round that has fewer,
    so that quality rules look at the weaker round; `df` adds those of both and takes away those of
    the common PSUs. A domain that one round lacks is null.

    Raises
    ------
    OptionError
        The rounds do not have the same statistics.

    Examples
    --------
    >>> import nsm, pandas as pd
    >>> t = pd.DataFrame({"y": [1.0, 3.0, 2.0, 6.0], "psu": [1, 2, 3, 4], "w": 10.0})
    >>> old, new = (nsm.Survey(t.assign(y=t["y"] + k), weight="w", psu="psu") for k in (0, 1))
    >>> change(old, new, nsm.mean("y")).table[["estimate", "se"]].round(6).to_numpy().tolist()
    [[1.0, 0.0]]
    """
    names = () if by is None else (by,) if isinstance(by, str) else tuple(by)
    condition = _condition(where)
    rounds = [
        _Round.of(s, statistics, by=names, where=condition, level=level) for s in (first, second)
    ]
    table = _matched(rounds, names)
    known = (table[["row_1", "row_2"]] >= 0).all(axis=1).to_numpy()
    old, new = (
        np.where(known, _taken(r.values, table[f"row_{k}"]), np.nan)
        for k, r in enumerate(rounds, start=1)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = new / old - 1 if relative else new - old
        slopes = (-new / old**2, 1 / old) if relative else (-np.ones_like(old), np.ones_like(new))
    shared = _common(first.design, second.design) if common else _independent()
    spread = _Spread(tuple(rounds), table, slopes, shared)
    se = spread.se()
    undefined = ~np.isfinite(estimate) | ~known
    estimate, se = np.where(undefined, np.nan, estimate), np.where(undefined, np.nan, se)
    df = _degrees(rounds, table, shared.df)
    low, high = limits(Estimated(estimate, se, df, df), "t", level)
    with np.errstate(divide="ignore", invalid="ignore"):
        cv = np.where(estimate != 0, se / np.abs(estimate), np.nan)
    made = table.assign(
        statistic=[f"{'relative ' if relative else ''}change of {s}" for s in table["statistic"]],
        estimate=estimate,
        se=se,
        cv=cv,
        lower=low,
        upper=high,
        df=df,
        deff=np.nan,
        note=_notes(table, undefined),
        n=np.minimum(*_counts(rounds, table, "n")),
        cases=np.minimum(*_counts(rounds, table, "cases")),
        psus=np.minimum(*_counts(rounds, table, "psus")),
    )
    unknown = max(r.estimates.unknown for r in rounds)
    return Estimates(tidy(made, names), names, level, unknown, spread.covariance)


class _Round(NamedTuple):
    """One round: its estimates, and the scores of its PSUs (PSUs, rows of the table)."""

    estimates: Estimates
    scores: np.ndarray

    @classmethod
    def of(
        cls,
        survey: Survey,
        statistics: Wanted,
        *,
        by: tuple[str, ...],
        where: Condition | None,
        level: float,
    ) -> _Round:
        made = survey.estimate(statistics, by=by, where=where, level=level, deff=None)
        point = evaluate(survey, named(survey, statistics), by=by, where=where, level=level)
        finest = scores_of(point)
        psus = np.zeros((survey.design.psus, finest.shape[1]))
        np.add.at(psus, survey.design.psu, finest)
        return cls(made, psus)

    @property
    def values(self) -> np.ndarray:
        return self.estimates.table["estimate"].to_numpy(float)


class _Spread(NamedTuple):
    """What the covariance of changes is made of."""

    rounds: tuple[_Round, ...]
    table: pd.DataFrame
    slopes: tuple[np.ndarray, ...]
    shared: Common

    def se(self) -> np.ndarray:
        """Return the standard errors, row by row."""
        parts = [
            _taken(r.estimates.table["se"].to_numpy(float), self.table[f"row_{k}"]) ** 2
            for k, r in enumerate(self.rounds, start=1)
        ]
        cross = np.zeros(len(self.table))
        for i in range(len(self.table)):
            cross[i] = self._crossed(np.array([i]))[0, 0]
        old, new = self.slopes
        variance = old**2 * parts[0] + new**2 * parts[1] + 2 * old * new * cross
        return np.sqrt(np.maximum(variance, 0.0))

    def covariance(self, rows: np.ndarray) -> np.ndarray:
        """Return the covariance of chosen rows (rows, rows)."""
        result = np.zeros((len(rows), len(rows)))
        for k, (r, slope) in enumerate(zip(self.rounds, self.slopes, strict=True), start=1):
            places = self.table[f"row_{k}"].to_numpy()[rows]
            own = r.estimates.covariance[np.ix_(places, places)]
            result += slope[rows][:, None] * own * slope[rows]
        cross = self.slopes[0][rows][:, None] * self._crossed(rows) * self.slopes[1][rows]
        result = result + cross + cross.T
        absent = (self.table[["row_1", "row_2"]].to_numpy()[rows] < 0).any(axis=1)
        result[absent], result[:, absent] = np.nan, np.nan
        return result

    def _crossed(self, rows: np.ndarray) -> np.ndarray:
        columns = [
            r.scores[:, self.table[f"row_{k}"].to_numpy()[rows]]
            for k, r in enumerate(self.rounds, start=1)
        ]
        return self.shared.covariance(*columns)


def _matched(rounds: Sequence[_Round], by: tuple[str, ...]) -> pd.DataFrame:
    """Return every domain and statistic of either round, with its row in each; -1 if it has none.

    Labels compare as text.
    """
    keyed = []
    for k, r in enumerate(rounds, start=1):
        table = r.estimates.table
        keys = table[[*by, *KEYS]].copy()
        for name in by:
            keys[name] = keys[name].map(str)
        keys[f"row_{k}"] = np.arange(len(table))
        keyed.append(keys)
    statistics = [list(dict.fromkeys(map(tuple, k[list(KEYS[:2])].to_numpy()))) for k in keyed]
    if statistics[0] != statistics[1]:
        raise OptionError(
            "The rounds give other statistics: {first} and {second}.",
            first=[s[0] for s in statistics[0]],
            second=[s[0] for s in statistics[1]],
        )
    joined = keyed[0].merge(keyed[1], on=[*by, *KEYS], how="outer", sort=False)
    places = joined[["row_1", "row_2"]].fillna(-1).astype(int)
    joined[["row_1", "row_2"]] = places
    order = np.lexsort(
        (joined["row_2"], np.where(joined["row_1"] < 0, len(joined), joined["row_1"]))
    )
    return joined.iloc[order].reset_index(drop=True)


def _taken(values: np.ndarray, rows: pd.Series) -> np.ndarray:
    """Return values at rows; null where there is none."""
    return np.append(values, np.nan)[rows.to_numpy()]


def _counts(
    rounds: Sequence[_Round], table: pd.DataFrame, name: str
) -> tuple[np.ndarray, np.ndarray]:
    one, other = (
        np.nan_to_num(_taken(r.estimates.table[name].to_numpy(float), table[f"row_{k}"]))
        for k, r in enumerate(rounds, start=1)
    )
    return one, other


def _degrees(rounds: Sequence[_Round], table: pd.DataFrame, shared: float) -> np.ndarray:
    one, other = (
        _taken(r.estimates.table["df"].to_numpy(float), table[f"row_{k}"])
        for k, r in enumerate(rounds, start=1)
    )
    return one + other - np.minimum(shared, np.minimum(one, other))


def _notes(table: pd.DataFrame, undefined: np.ndarray) -> np.ndarray:
    note = np.full(len(table), None, object)
    note[undefined] = "no change without a value in the first round"
    note[(table[["row_1", "row_2"]] < 0).any(axis=1).to_numpy()] = "no unit in one of the rounds"
    return note


def _independent() -> Common:
    none = np.zeros(0, int)
    return Common(none, none, none, np.zeros(0), 0.0)


def _common(first: Design, second: Design) -> Common:
    """Match PSUs by stratum and label, compared as text."""
    keys = [_labels(design) for design in (first, second)]
    if not len(keys[0]) or not len(keys[1]) or keys[0].nlevels != keys[1].nlevels:
        return _independent()
    place = keys[1].get_indexer(keys[0])
    one = np.flatnonzero(place >= 0)
    other = place[one]
    _, stratum = np.unique(first.stratum[one], return_inverse=True)
    nc = np.bincount(stratum).astype(float)
    top = [design.stages[0] if design.stages else None for design in (first, second)]
    drawn = np.ones_like(nc)
    for stage, units in zip(top, (one, other), strict=True):
        if stage is None:
            return _independent()
        kept = np.zeros_like(nc)
        kept[stratum] = stage.fraction[units] * stage.n[stage.stratum[units]]
        drawn *= kept
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(nc > 1, np.maximum(nc - np.sqrt(drawn), 0) / (nc - 1), 0.0)
    return Common(one, other, stratum, weight[stratum], float((nc - 1).sum()))


def _labels(design: Design) -> pd.MultiIndex:
    """Return the labels of PSUs; none where rows are the units."""
    if not design.declaration.psu:
        return pd.MultiIndex.from_arrays([[]])
    columns = [pd.Index(column).map(str) for column in design.labels.values()]
    return pd.MultiIndex.from_arrays(columns)


def _condition(where: str | Condition | None) -> Condition | None:
    if not isinstance(where, str):
        return where
    from nsm.condition import parse

    return parse(where)
