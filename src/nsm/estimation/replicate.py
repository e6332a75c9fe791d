"""Replication: the same estimate with other weights, again and again.

Factors are kept for sampling units (units, replicates), not for rows; every weighting step is
redone in each replicate. Where the user brings replicate weights as columns, they are read in
blocks.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import ColumnError, DesignError, OptionError, SingletonStratumError, nearest
from nsm.estimation.design import Design
from nsm.estimation.influence import Repeat, taken

if TYPE_CHECKING:
    from nsm.estimation.survey import Survey
    from nsm.totals import Memory

METHODS = ("bootstrap", "preston", "jk1", "jkn", "brr", "fay", "sdr")
COLUMN_METHODS = ("brr", "fay", "jk1", "jkn", "bootstrap", "sdr", "acs", "custom")
BLOCK_CELLS = 1 << 23


@dataclass(frozen=True)
class Replication:
    """Replicate weights, and how deviations become a variance.

    Parameters
    ----------
    method
        Its name.
    factors
        Factors on the base weights of the finest sampling units (units, replicates); None if the
        replicates are columns.
    columns
        Columns of replicate weights.
    scale, rscales
        The variance is scale * sum rscales * (estimate of the replicate - center)^2.
    mse
        Whether the center is the estimate itself, not the mean of the replicates.
    """

    method: str
    factors: np.ndarray | None
    columns: tuple[str, ...]
    scale: float
    rscales: np.ndarray
    mse: bool = False

    @property
    def count(self) -> int:
        """Number of replicates."""
        return len(self.rscales)

    def variance(self, values: np.ndarray, estimate: np.ndarray) -> np.ndarray:
        """Return the variance of estimates (...,) from their replicates (..., replicates)."""
        deviations = self.deviations(values, estimate)
        return np.sum(deviations**2, axis=-1)

    def deviations(self, values: np.ndarray, estimate: np.ndarray) -> np.ndarray:
        """Return scaled deviations, whose products add up to covariances (..., replicates)."""
        used = self.rscales > 0
        center = estimate if self.mse else values[..., used].mean(axis=-1)
        return (values - center[..., None]) * np.sqrt(self.scale * self.rscales)

    def weights(self, survey: Survey) -> Iterator[tuple[slice, np.ndarray]]:
        """Give final weights (rows, replicates of the block), block by block."""
        block = max(1, BLOCK_CELLS // max(len(level.unit) for level in survey.levels))
        for first in range(0, self.count, block):
            part = slice(first, min(first + block, self.count))
            if self.factors is not None:
                # Replicate by replicate in memory, as the steps that are redone take them.
                times = taken(np.asfortranarray(self.factors[:, part]), survey.levels[0].unit)
                base = survey.base[:, None] * times
            else:
                top = survey.levels[0].held
                base = np.stack([top.number(c).values for c in self.columns[part]], axis=1)
                times = base / np.where(survey.base > 0, survey.base, 1.0)[:, None]
            number = np.arange(self.count)[part]
            share = self.count * self.scale * self.rscales[part]
            yield part, survey.redone(base, Repeat(times, number, share))


def from_columns(
    table: Memory,
    columns: str | Sequence[str],
    method: str,
    *,
    scale: float | None,
    rscales: Sequence[float] | None,
    rho: float | None,
    mse: bool,
) -> Replication:
    """Return the replication of weights that the user brings.

    Parameters
    ----------
    columns
        Names, or a pattern such as `rw_*`.
    method
        `brr`, `fay` (with `rho`), `jk1`, `jkn` (with `rscales`), `bootstrap`, `sdr`, `acs`,
        `custom`.

    Raises
    ------
    ColumnError, OptionError
        No column fits; a scale is needed and missing, or given and not needed.
    """
    if method not in COLUMN_METHODS:
        raise OptionError(
            "{word}={value!r} is not known. {hint}",
            word="replication",
            value=method,
            hint=nearest(method, COLUMN_METHODS),
        )
    names = _matching(table, columns)
    for name in names:
        values, observed = table.number(name)
        if observed is not None or not np.isfinite(values).all():
            raise DesignError(
                "Replicate weight {column!r} of {table} is missing or infinite in some rows.",
                column=name,
                table=table.name,
            )
    count = len(names)
    if rscales is not None and len(rscales) not in {1, count}:
        raise OptionError(
            "rscales has {given} numbers for {count} replicate columns. Give one each.",
            given=len(rscales),
            count=count,
        )
    if method == "jkn" and rscales is None:
        raise OptionError(
            'replication="jkn" needs rscales=: (n - 1) / n of the stratum of each replicate.'
        )
    if method == "fay" and rho is None:
        raise OptionError('replication="fay" needs rho=, the factor that was used (0 to 1).')
    usual = {
        "brr": 1 / count,
        "fay": 1 / (count * (1 - (rho or 0.0)) ** 2),
        "jk1": (count - 1) / count,
        "jkn": 1.0,
        "bootstrap": 1 / (count - 1) if count > 1 else 1.0,
        "sdr": 4 / count,
        "acs": 4 / count,
        "custom": 1.0,
    }
    given = (
        np.ones(count) if rscales is None else np.broadcast_to(np.asarray(rscales, float), count)
    )
    return Replication(
        method,
        None,
        names,
        usual[method] if scale is None else scale,
        given,
        mse or method in {"sdr", "acs"},
    )


def _matching(table: Memory, columns: str | Sequence[str]) -> tuple[str, ...]:
    if not isinstance(columns, str):
        return tuple(columns)
    names = tuple(name for name in table.columns if fnmatch.fnmatchcase(name, columns))
    if not names:
        raise ColumnError(
            "No column of {table} fits {pattern!r}, the replicate weights.",
            table=table.name,
            pattern=columns,
        )
    return names


@dataclass(frozen=True)
class _Groups:
    """The units that are replicated: PSUs, and inside those taken with certainty the next stage.

    `unit` is (finest units,); the rest (replicated units,).
    """

    unit: np.ndarray
    stratum: np.ndarray
    n: np.ndarray
    fraction: np.ndarray

    @property
    def count(self) -> int:
        return len(self.stratum)


def _groups(design: Design) -> _Groups:
    first = design.stages[0]
    certain = first.fraction >= 1
    if not certain.any() or len(design.stages) == 1:
        return _Groups(first.unit, first.stratum, first.n[first.stratum], first.fraction)
    second = design.stages[1]
    inside = certain[first.unit]
    code = np.where(inside, first.units + second.unit, first.unit)
    present, place, unit = np.unique(code, return_index=True, return_inverse=True)
    lower = present >= first.units
    stratum = np.where(
        lower,
        len(first.n) + second.stratum[second.unit[place]],
        first.stratum[first.unit[place]],
    )
    fraction = np.where(
        lower, second.fraction[second.unit[place]], first.fraction[first.unit[place]]
    )
    _, stratum = np.unique(stratum, return_inverse=True)
    return _Groups(unit, stratum, np.bincount(stratum)[stratum], fraction)


def replicated(
    design: Design, method: str, *, count: int | None, seed: int | None, rho: float
) -> Replication:
    """Make replicates of a design.

    Parameters
    ----------
    method
        `bootstrap` (Rao, Wu & Yue 1992: n - 1 draws in each stratum), `preston` (a multistage
        bootstrap without replacement, Preston 2009), `jk1`, `jkn`, `brr`, `fay`, `sdr`.
    count, seed
        Number of replicates, and the seed, of a bootstrap; `count` also of `sdr`.
    rho
        The factor of `fay`.

    Raises
    ------
    OptionError, SingletonStratumError, DesignError
        The method is unknown or does not fit the design.
    """
    if method not in METHODS:
        raise OptionError(
            "{word}={value!r} is not known. {hint}",
            word="method",
            value=method,
            hint=nearest(method, METHODS),
        )
    groups = _groups(design)
    alone = (groups.n == 1) & (groups.fraction < 1)
    if alone.any() and design.declaration.single_psu not in {"certainty", "remove"}:
        strata = sorted({str(design.stages[0].labels[s]) for s in groups.stratum[alone]})
        raise SingletonStratumError(
            "These strata have one unit ({count}), which cannot be replicated: {strata}. Collapse "
            'them, or choose single_psu="certainty".',
            count=len(strata),
            strata=strata,
        )
    if method in {"bootstrap", "preston"}:
        if count is None or seed is None or count < 2:
            raise OptionError(
                "A bootstrap needs count= (at least 2, usually 200 or more) and seed=."
            )
        rng = np.random.Generator(np.random.PCG64(seed))
        if method == "preston":
            factors = _preston(design, count, rng)
        else:
            factors = _rao_wu(groups, count, rng)[groups.unit]
        return Replication(method, factors, (), 1 / (count - 1), np.ones(count))
    if method in {"jk1", "jkn"}:
        return _jackknife(groups, method)
    if method == "sdr":
        factors = _successive(design, count)
        replicates = factors.shape[1]
        return Replication(method, factors, (), 4 / replicates, np.ones(replicates), mse=True)
    return _balanced(groups, method, rho if method == "fay" else 0.0)


def _rao_wu(groups: _Groups, count: int, rng: np.random.Generator) -> np.ndarray:
    """1 + sqrt(1 - f) (n / (n - 1) m - 1), m the times a unit is drawn in n - 1 draws."""
    factors = np.ones((groups.count, count))
    for members in _by_stratum(groups.stratum):
        n = len(members)
        if n < 2:
            continue
        drawn = rng.multinomial(n - 1, np.full(n, 1 / n), size=count).T
        shrink = np.sqrt(1 - groups.fraction[members])[:, None]
        factors[members] = 1 + shrink * (n / (n - 1) * drawn - 1)
    return factors


def _preston(design: Design, count: int, rng: np.random.Generator) -> np.ndarray:
    """Halve the units of each stage without replacement, given the halves of the stages before.

    Preston (2009), Survey Methodology 35, eq. 3.1 and 3.2, for any number of stages.
    """
    factors = np.ones((design.units, count))
    carried = np.ones((design.units, count))
    for stage in design.stages:
        kept = np.ones((stage.units, count))
        step = np.zeros((stage.units, count))
        for members in _by_stratum(stage.stratum):
            n = len(members)
            half = n // 2
            f = stage.fraction[members]
            if n < 2 or (stage.multiplier[members] <= 0).all():
                continue
            ranks = rng.random((n, count)).argsort(axis=0).argsort(axis=0)
            chosen = (ranks < half) * (n / half)
            kept[members] = chosen
            scale = np.sqrt(half * stage.multiplier[members] * (1 - f) / (n - half))[:, None]
            step[members] = scale * (chosen - 1)
        factors += carried * step[stage.unit]
        carried = carried * np.sqrt(kept[stage.unit])
    return factors


def _jackknife(groups: _Groups, method: str) -> Replication:
    """Leave one unit out at a time (of all for jk1, of its stratum for jkn)."""
    size = groups.count
    if method == "jk1":
        if len(np.unique(groups.stratum)) > 1:
            raise OptionError('The design has strata: use method="jkn".')
        factors = np.full((size, size), size / (size - 1))
        np.fill_diagonal(factors, 0.0)
        scale = (size - 1) / size * (1 - float(groups.fraction[0]))
        return Replication(method, factors[groups.unit], (), scale, np.ones(size))
    left = np.flatnonzero((groups.n > 1) & (groups.fraction < 1))
    factors = np.ones((size, len(left)))
    for r, unit in enumerate(left):
        n = groups.n[unit]
        factors[groups.stratum == groups.stratum[unit], r] = n / (n - 1)
        factors[unit, r] = 0.0
    n = groups.n[left]
    rscales = (n - 1) / n * (1 - groups.fraction[left])
    return Replication(method, factors[groups.unit], (), 1.0, rscales)


def _balanced(groups: _Groups, method: str, rho: float) -> Replication:
    """Half-samples balanced by a Hadamard matrix, which has a row for each stratum."""
    if not 0 <= rho < 1:
        raise OptionError("rho={rho} is not between 0 and 1.", rho=rho)
    strata = [m for m in _by_stratum(groups.stratum) if (groups.fraction[m] < 1).any()]
    wrong = [m for m in strata if len(m) != 2]
    if wrong:
        raise DesignError(
            "{count} strata do not have two units, which {method} needs. Use jkn or a bootstrap, "
            "or pair the units in the design.",
            count=len(wrong),
            method=method,
        )
    signs = hadamard(len(strata) + 1)
    factors = np.ones((groups.count, signs.shape[1]))
    for k, members in enumerate(strata):
        half = signs[k + 1]
        factors[members[0]] = np.where(half > 0, 2 - rho, rho)
        factors[members[1]] = np.where(half > 0, rho, 2 - rho)
    replicates = signs.shape[1]
    scale = 1 / (replicates * (1 - rho) ** 2)
    return Replication(method, factors[groups.unit], (), scale, np.ones(replicates))


def _successive(design: Design, count: int | None) -> np.ndarray:
    """Differences of neighbors in the order of the sample, in closed loops.

    Fay & Train (1995); Ash (2014), Survey Methodology 40, p. 47-59. Where there are more units than
    rows of the matrix, each loop goes through the rows with another step.
    """
    units = design.psus
    signs = hadamard(units + 2 if count is None else count)
    size = len(signs)
    first_row = np.full(units, np.iinfo(np.int64).max)
    np.minimum.at(first_row, design.psu[design.unit], np.arange(len(design.unit)))
    place = np.empty(units, np.int64)
    place[np.argsort(first_row)] = np.arange(units)
    loop, position = np.divmod(place, size - 1)
    steps = np.array([k for k in range(1, size) if np.gcd(k, size - 1) == 1])
    step = steps[loop % len(steps)]
    following = position + 1
    following[np.isin(place, [units - 1]) | (following == size - 1)] = 0
    one, two = (1 + (p * step) % (size - 1) for p in (position, following))
    psu = 1 + 2**-1.5 * (signs[one] - signs[two])
    return psu[design.psu]


def hadamard(least: int) -> np.ndarray:
    """Return a Hadamard matrix of at least `least` rows (a power of two)."""
    from scipy.linalg import hadamard as sylvester

    return sylvester(1 << max(int(np.ceil(np.log2(max(least, 1)))), 1)).astype(float)


def _by_stratum(stratum: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(stratum, kind="stable")
    borders = np.flatnonzero(np.diff(stratum[order])) + 1
    return np.split(order, borders)
