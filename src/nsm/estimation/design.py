"""The sampling design: which units were drawn, in which strata, at which fractions.

A declaration names columns; `compile_design` turns them into stages of integer codes. Each stage is
strata of units, and the variance of each is one between-unit covariance of scores (`variance.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from nsm.errors import DesignError, OptionError, ValueInColumnError, nearest
from nsm.totals import compressed

if TYPE_CHECKING:
    from nsm.totals import Memory

SinglePsu = Literal["refuse", "certainty", "adjust", "average", "remove"]
SINGLE_PSU = ("refuse", "certainty", "adjust", "average", "remove")
PPS = ("brewer", "overton", "hartley-rao")


@dataclass(frozen=True)
class Declaration:
    """A design as its user says it: names of columns, and policies."""

    weight: str | None = None
    stratum: tuple[str | None, ...] = ()
    psu: tuple[str, ...] = ()
    fpc: tuple[str | None, ...] = ()
    certainty: str | None = None
    probability: str | None = None
    pps: str | None = None
    joint_variance: str = "ht"
    single_psu: SinglePsu = "refuse"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it names, once."""
        named = (
            self.weight,
            *self.stratum,
            *self.psu,
            *self.fpc,
            self.certainty,
            self.probability,
        )
        return tuple(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True)
class Stage:
    """One stage of sampling.

    Parameters
    ----------
    unit
        Unit of this stage that holds each finest unit (finest units,).
    stratum
        Stratum of each unit of this stage (units,); a stratum lies within one unit of the stage
        before.
    n
        Units drawn in each stratum (strata,).
    fraction
        Fraction drawn, or probability of the unit; 0 if with replacement (units,).
    multiplier
        Product of the fractions of the stages before (units,).
    labels
        What messages call each stratum (strata,).
    centered
        Whether scores are centered at their stratum's mean; a Poisson phase is not.
    joint
        For each stratum with known joint probabilities: its units, and the matrix of the quadratic
        form of their weighted scores.
    """

    unit: np.ndarray
    stratum: np.ndarray
    n: np.ndarray
    fraction: np.ndarray
    multiplier: np.ndarray
    labels: Sequence[object] = ()
    centered: bool = True
    joint: tuple[tuple[np.ndarray, np.ndarray], ...] = ()

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.stratum)

    @property
    def coefficient(self) -> np.ndarray:
        """Weight of a squared, centered score in the variance (units,)."""
        n = self.n[self.stratum]
        correction = n / np.maximum(n - 1, 1) if self.centered else 1.0
        return self.multiplier * (1 - self.fraction) * correction

    @property
    def alone(self) -> np.ndarray:
        """Indices of strata with one unit that is not certain: they show no variance."""
        if not self.centered or self.joint:
            return np.zeros(0, int)
        open_units = (self.n[self.stratum] == 1) & (self.coefficient > 0)
        return np.unique(self.stratum[open_units])


class QuadraticForm(Protocol):
    """A variance as a quadratic form of the scores of the finest units."""

    def variances(self, scores: Any) -> np.ndarray:
        """Return the variance of each domain's totals (domains, statistics)."""
        ...

    def covariance(self, scores: np.ndarray) -> np.ndarray:
        """Return the covariance of totals from scores (finest units, statistics)."""
        ...


@dataclass(frozen=True)
class Design:
    """A compiled design.

    Parameters
    ----------
    unit
        Finest unit of each row (rows,).
    stages
        The stages that add to the variance, PSUs first.
    psu, stratum
        PSU of each finest unit (finest units,), and stratum of each PSU (psus,).
    labels
        Labels of the PSUs, by column (psus,), with their stratum where there is one.
    form
        A variance that is not a sum over stages, such as that of two phases.
    phases
        The designs of both phases, for words.
    """

    declaration: Declaration
    unit: np.ndarray
    stages: tuple[Stage, ...]
    psu: np.ndarray
    stratum: np.ndarray
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    form: QuadraticForm | None = None
    phases: tuple[Design, ...] = ()

    @property
    def units(self) -> int:
        """Number of finest units."""
        return len(self.psu)

    @property
    def psus(self) -> int:
        """Number of PSUs."""
        return len(self.stratum)


def declare(
    weight: str | None,
    stratum: str | Sequence[str | None] | None,
    psu: str | Sequence[str] | None,
    fpc: str | Sequence[str | None] | None,
    **options: Any,
) -> Declaration:
    """Put the words of a design in order, and refuse those that do not go together."""
    made = Declaration(
        weight, _listed(stratum), tuple(p for p in _listed(psu) if p), _listed(fpc), **options
    )
    stages = max(1, len(made.psu))
    for word, given in (("stratum", made.stratum), ("fpc", made.fpc)):
        if len(given) > stages:
            raise OptionError(
                "{word} names {given} columns for {stages} stage(s). Give one per stage, PSUs "
                "first; "
                "to cross columns, combine them into one.",
                word=word,
                given=len(given),
                stages=stages,
            )
    _known("single_psu", made.single_psu, SINGLE_PSU)
    if made.pps is not None:
        _known("pps", made.pps, PPS)
        if made.probability is None:
            raise OptionError(
                "pps={pps!r} needs the inclusion probabilities of the PSUs: give probability=.",
                pps=made.pps,
            )
    return made


def _known(word: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise OptionError(
            "{word}={value!r} is not known. {hint}",
            word=word,
            value=value,
            hint=nearest(value, known),
        )


def _listed(value: str | Sequence[str | None] | None) -> tuple[str | None, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def compile_design(table: Memory, declaration: Declaration) -> Design:
    """Turn a declaration into stages of codes.

    Raises
    ------
    ColumnError
        A column is missing.
    DesignError
        A stratum, unit or fraction is missing, a fraction varies inside its stratum, a population
        is smaller than its sample.
    """
    rows = table.rows
    depth = max(1, len(declaration.psu))
    parent = np.zeros(rows, np.int64)
    above: list[_Level] = []
    for k in range(depth):
        name = declaration.psu[k] if declaration.psu else None
        stratum_name = _at(declaration.stratum, k)
        level = _level(table, parent, stratum_name, name, k)
        above.append(level)
        parent = level.unit
    fractions = [_fraction(table, declaration, level, k) for k, level in enumerate(above)]
    certain = _certainty(table, declaration, above[0])
    if declaration.pps:
        sure = fractions[0] >= 1
        certain = sure if certain is None else certain | sure
    if certain is not None and certain.any():
        above[0] = above[0].apart(certain)
        fractions[0] = np.where(certain, 1.0, fractions[0])
        if depth == 1 and declaration.psu and declaration.certainty:
            above.append(_level(table, parent, None, None, 1))
            fractions.append(np.zeros(above[1].units))
    return _assemble(declaration, above, fractions)


def _at(values: Sequence[str | None], k: int) -> str | None:
    return values[k] if k < len(values) else None


@dataclass(frozen=True)
class _Level:
    """Units of one stage: unit of each row, and for each unit its stratum and its parent."""

    unit: np.ndarray
    stratum: np.ndarray
    parent: np.ndarray
    labels: tuple[object, ...]
    names: Mapping[str, np.ndarray]
    what: str

    @property
    def units(self) -> int:
        return len(self.stratum)

    @property
    def n(self) -> np.ndarray:
        return np.bincount(self.stratum, minlength=len(self.labels))

    def apart(self, certain: np.ndarray) -> _Level:
        """Put each certain unit in a stratum of its own."""
        moved = np.where(certain, len(self.labels) + np.cumsum(certain) - 1, self.stratum)
        used, stratum = np.unique(moved, return_inverse=True)
        all_labels = [*self.labels, *("certainty" for _ in range(int(certain.sum())))]
        labels = tuple(all_labels[i] for i in used)
        return _Level(self.unit, stratum, self.parent, labels, self.names, self.what)


def _level(
    table: Memory, parent: np.ndarray, stratum_name: str | None, name: str | None, k: int
) -> _Level:
    strata = np.zeros(table.rows, np.int64)
    stratum_labels: Sequence[object] = ("",)
    if stratum_name:
        strata = _complete(table, stratum_name) - 1
        stratum_labels = tuple(table.codes(stratum_name).labels)
    units = np.arange(table.rows) if name is None else _complete(table, name) - 1
    width = int(strata.max(initial=0)) + 1
    stratum_of_row, first = _dense(parent * width + strata)
    labels = tuple(stratum_labels[i] for i in strata[first])
    span = int(units.max(initial=0)) + 1
    unit_of_row, first_row = _dense(stratum_of_row * span + units)
    names = {}
    if stratum_name:
        names[stratum_name] = np.asarray(stratum_labels, object)[strata[first_row]]
    if name:
        names[name] = np.asarray(table.codes(name).labels, object)[units[first_row]]
    what = ("PSU", "SSU")[k] if k < 2 else f"unit of stage {k + 1}"
    return _Level(unit_of_row, stratum_of_row[first_row], parent[first_row], labels, names, what)


def _dense(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Renumber codes from 0 in order, with the first row of each."""
    inverse, present = compressed(code + 1, int(code.max(initial=0)) + 1)
    inverse = inverse - 1
    first = np.empty(len(present), np.int64)
    first[inverse[::-1]] = np.arange(len(code))[::-1]
    return inverse, first


def _complete(table: Memory, name: str) -> np.ndarray:
    codes = table.codes(name).codes
    missing = np.flatnonzero(codes == 0)
    if len(missing):
        raise DesignError(
            "{column!r} is missing in {count} rows of {table} (rows {rows}). Every unit needs its "
            "place in the design: complete it, or leave the units out of the file on purpose.",
            column=name,
            count=len(missing),
            table=table.name,
            rows=[int(i) + 1 for i in missing[:6]],
        )
    return codes


def _constant_within(
    values: np.ndarray, level: _Level, groups: np.ndarray, count: int, *, name: str, what: str
) -> np.ndarray:
    """Return the value of each group, refusing one that varies."""
    low = np.full(count, np.inf)
    high = np.full(count, -np.inf)
    np.minimum.at(low, groups, values)
    np.maximum.at(high, groups, values)
    varied = np.flatnonzero(high > low * (1 + 1e-9))
    if len(varied):
        shown = [level.labels[i] for i in varied] if what == "stratum" else varied + 1
        raise DesignError(
            "{column!r} takes several values inside {count} {what}: {groups}. It must be one for "
            "all "
            "units drawn together.",
            column=name,
            count=len(varied),
            what=what,
            groups=list(shown),
        )
    return low


def _fraction(table: Memory, declaration: Declaration, level: _Level, k: int) -> np.ndarray:
    """Return the fraction of each unit's stratum, or its own probability (units,)."""
    if k == 0 and declaration.pps:
        return probabilities(table, declaration, level.unit, level.units)
    name = _at(declaration.fpc, k)
    if name is None:
        return np.zeros(level.units)
    values, observed = table.number(name)
    values = np.where(np.isfinite(values), values, 0.0)
    if (values < 0).any():
        raise ValueInColumnError(
            "{column!r} of {table} is negative in rows {rows}. Give population counts or "
            "fractions.",
            column=name,
            table=table.name,
            rows=[int(i) + 1 for i in np.flatnonzero(values < 0)[:6]],
        )
    del observed  # missing is 0: with replacement
    given = values[values > 0]
    if (given < 1).any() and (given > 1).any():
        raise DesignError(
            "{column!r} mixes fractions (such as {fraction:g}) with population counts (such as "
            "{count:g}). Give one or the other.",
            column=name,
            fraction=float(given[given < 1][0]),
            count=float(given[given > 1][0]),
        )
    stratum_of_row = level.stratum[level.unit]
    by_stratum = _constant_within(
        values, level, stratum_of_row, len(level.labels), name=name, what="stratum"
    )
    if (given > 1).any():
        short = np.flatnonzero((by_stratum > 0) & (by_stratum < level.n))
        if len(short):
            raise DesignError(
                "{column!r} gives a population smaller than the sample in {count} strata: {strata} "
                "({detail}). It counts the {what}s of the frame in the stratum.",
                column=name,
                count=len(short),
                strata=[level.labels[i] for i in short],
                detail=f"{by_stratum[short[0]]:g} against {level.n[short[0]]} sampled",
                what=level.what,
            )
        with np.errstate(divide="ignore"):
            by_stratum = np.where(by_stratum > 0, level.n / by_stratum, 0.0)
    return by_stratum[level.stratum]


def probabilities(
    table: Memory, declaration: Declaration, unit: np.ndarray, units: int
) -> np.ndarray:
    """Return the inclusion probability of each PSU (psus,).

    Raises
    ------
    DesignError
        It is missing, not in (0, 1], or varies inside a PSU.
    """
    name = str(declaration.probability)
    values, observed = table.number(name)
    wrong = np.flatnonzero((values <= 0) | (values > 1 + 1e-12) | ~np.isfinite(values))
    if len(wrong) or observed is not None:
        raise DesignError(
            "{column!r} is missing or not between 0 and 1 in {count} rows (rows {rows}). It is the "
            "probability with which the PSU was drawn.",
            column=name,
            count=len(wrong),
            rows=[int(i) + 1 for i in wrong[:6]],
        )
    blank = _Level(unit, np.zeros(units, int), np.zeros(units, int), (), {}, "PSU")
    return np.minimum(_constant_within(values, blank, unit, units, name=name, what="PSU"), 1.0)


def _certainty(table: Memory, declaration: Declaration, level: _Level) -> np.ndarray | None:
    if declaration.certainty is None:
        return None
    values, _ = table.number(declaration.certainty)
    certain = np.zeros(level.units, bool)
    certain[level.unit[values != 0]] = True
    return certain


def _assemble(
    declaration: Declaration, levels: Sequence[_Level], fractions: Sequence[np.ndarray]
) -> Design:
    """Keep the stages that add to the variance; finer ones are not looked at."""
    multipliers = [np.ones(levels[0].units)]
    for k in range(1, len(levels)):
        multipliers.append((multipliers[k - 1] * fractions[k - 1])[levels[k].parent])
    depth = max(k for k, m in enumerate(multipliers) if (m > 0).any()) + 1
    finest = levels[depth - 1]
    unit_of_stage = [np.arange(finest.units)]
    for k in range(depth - 1, 0, -1):
        unit_of_stage.append(levels[k].parent[unit_of_stage[-1]])
    unit_of_stage.reverse()
    stages = []
    for k in range(depth):
        fraction, n = fractions[k], levels[k].n
        if k > 0:
            # A single second-stage unit without a fraction means ultimate cluster.
            lone = (n[levels[k].stratum] == 1) & (fraction == 0)
            multipliers[k] = np.where(lone, 0.0, multipliers[k])
        stages.append(
            Stage(
                unit_of_stage[k], levels[k].stratum, n, fraction, multipliers[k], levels[k].labels
            )
        )
    return Design(
        declaration,
        finest.unit,
        tuple(stages),
        unit_of_stage[0],
        levels[0].stratum,
        levels[0].names,
    )
