"""What a simulated survey estimates: counts of persons in domains, and their truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp

from nsm.condition import parse
from nsm.errors import OptionError
from nsm.estimation import Survey, total
from nsm.estimation.intervals import Estimated, limits
from nsm.simulation.scheme import Scheme
from nsm.simulation.sparse_totals import Totals, serves, sparse_totals
from nsm.totals import Memory

ESTIMATES = ("estimate", "se", "lower", "upper", "df", "deff", "n", "cases", "psus")
EVERYBODY = "all"
LEVEL = 0.95
_DOMAIN = "domain"


@dataclass(frozen=True)
class Column:
    """A count that each household has: persons of some classes.

    Parameters
    ----------
    variable
        What is counted.
    domain
        Sex or age of those counted, as `(("sex", "F"),)`.
    mask, base
        Classes that count, and classes of the domain, counted or not (classes,).
    """

    variable: str
    domain: tuple[tuple[str, str], ...]
    mask: np.ndarray
    base: np.ndarray

    @property
    def name(self) -> str:
        """What the column is called in the table of households."""
        parts = [self.variable, *(value for _, value in self.domain)]
        return "count " + " ".join(parts)


@dataclass(frozen=True)
class Domains:
    """The domains that columns of the frame form.

    Parameters
    ----------
    place
        Domain of each area (areas,).
    labels
        Name and value of each column, by domain.
    """

    place: np.ndarray
    labels: tuple[tuple[tuple[str, str], ...], ...]

    @classmethod
    def of(cls, areas: pd.DataFrame, columns: tuple[str, ...]) -> Domains:
        """Read the domains of a frame."""
        if not columns:
            return cls(np.zeros(len(areas), np.int64), ((),))
        groups = areas.groupby(list(columns), sort=True)
        keys = [key if isinstance(key, tuple) else (key,) for key, _ in groups]
        labels = tuple(tuple(zip(columns, map(str, key), strict=True)) for key in keys)
        return cls(groups.ngroup().to_numpy(), labels)


@dataclass(frozen=True)
class Targets:
    """Counts and domains, in sets that are estimated together.

    Parameters
    ----------
    sets
        Domains of the frame, with the counts that are estimated in them.
    """

    sets: tuple[tuple[Domains, tuple[Column, ...]], ...]

    @classmethod
    def of(cls, scheme: Scheme, areas: pd.DataFrame, classes: pd.DataFrame) -> Targets:
        """Read the targets of a scheme.

        Raises
        ------
        OptionError
            A domain is no column of the frame, nor sex or age band.
        """
        table = Memory(classes, "the classes of persons")
        masks = {}
        for name, text in scheme.counts.items():
            true, _ = table.holds(parse(text))
            masks[name] = np.ones(len(classes), bool) if true is None else np.asarray(true)
        sets: dict[tuple[str, ...], list[Column]] = {}
        for columns in scheme.by:
            strange = [c for c in columns if c not in areas.columns and c not in classes.columns]
            if strange:
                raise OptionError(
                    "Domain columns {columns} are neither in the frame nor sex or age_band.",
                    columns=strange,
                )
            mine = [c for c in columns if c in classes.columns and c not in areas.columns]
            found = sets.setdefault(tuple(c for c in columns if c not in mine), [])
            for domain, base in _domains(classes, mine):
                found += [Column(n, domain, mask & base, base) for n, mask in masks.items()]
        return cls(tuple((Domains.of(areas, by), tuple(found)) for by, found in sets.items()))

    @property
    def size(self) -> int:
        """Number of targets."""
        return sum(len(domains.labels) * len(columns) for domains, columns in self.sets)

    def values(self, counts: np.ndarray, area: np.ndarray) -> sp.csr_array:
        """Return what each household counts for each target (households, targets).

        Targets go by set, domain and count.

        Parameters
        ----------
        counts, area
            Persons of each household by class (households, classes), and its area's row in the
            frame (households,).
        """
        needed = np.any([c.mask for _, columns in self.sets for c in columns], axis=0)
        some = np.flatnonzero(counts[:, needed].any(axis=1))
        held = counts[some].astype(np.float32)
        rows, places, found, before = [], [], [], 0
        for domains, columns in self.sets:
            mine = held @ np.stack([c.mask for c in columns], axis=1).astype(np.float32)
            row, column = np.nonzero(mine)
            rows.append(some[row])
            places.append(before + domains.place[area[some[row]]] * len(columns) + column)
            found.append(mine[row, column].astype(float))
            before += len(domains.labels) * len(columns)
        where = (np.concatenate(rows), np.concatenate(places))
        shape = (len(counts), self.size)
        return sp.coo_array((np.concatenate(found), where), shape=shape).tocsr()

    def estimate(self, survey: Survey, counts: np.ndarray, area: np.ndarray) -> pd.DataFrame:
        """Return one row per target: `domain, variable` and the columns `ESTIMATES`.

        Domains of which the survey has no household are left out. Design effects and cases are
        those of persons, not of households.
        """
        if serves(survey):
            made = sparse_totals(survey, self.values(counts, area))
        else:
            made = self._general(survey, counts, area)
        psu = survey.design.psu[survey.unit]
        psus = survey.design.psus
        first = np.zeros(psus, np.int64)
        first[psu] = area
        kept = survey.weights != 0
        homes = np.bincount(psu[kept], minlength=psus)
        rows = [
            sp.csr_array((w, (psu, np.arange(len(psu)))), shape=(psus, len(psu))) @ counts
            for w in (kept.astype(float), survey.weights)
        ]
        parts, before = [], 0
        for domains, columns in self.sets:
            after = before + len(domains.labels) * len(columns)
            mine = Totals(made.total[before:after], made.variance[before:after])
            visited = Visited(domains.place[first], homes, survey.design.stratum, *rows)
            parts.append(_rows(domains, columns, mine, visited))
            before = after
        return pd.concat(parts, ignore_index=True)

    def _general(self, survey: Survey, counts: np.ndarray, area: np.ndarray) -> Totals:
        """Return what `sparse_totals` gives, of any recipe, by `Survey.estimate`."""
        found = Totals(np.zeros(self.size), np.zeros(self.size))
        before = 0
        for domains, columns in self.sets:
            held = {c.name: counts[:, c.mask].sum(axis=1, dtype=float) for c in columns}
            told = survey.with_columns({**held, _DOMAIN: domains.place[area]})
            statistics = {f"{k}": total(column.name) for k, column in enumerate(columns)}
            table = told.estimate(statistics, by=[_DOMAIN], deff=None).table
            which = table["variable"].to_numpy().astype(int)
            place = before + table[_DOMAIN].to_numpy().astype(int) * len(columns) + which
            found.total[place] = table["estimate"]
            found.variance[place] = table["se"].to_numpy() ** 2
            before += len(domains.labels) * len(columns)
        return found

    def truth(self, persons: np.ndarray) -> pd.DataFrame:
        """Return the true count of each target.

        Parameters
        ----------
        persons
            Persons by area and class (areas, classes), in the order of the frame.
        """
        rows = []
        for domains, columns in self.sets:
            sums = np.zeros((len(domains.labels), persons.shape[1]))
            np.add.at(sums, domains.place, persons)
            rows += [
                (_domain_text(label, c), c.variable, float(mine[c.mask].sum()))
                for label, mine in zip(domains.labels, sums, strict=True)
                for c in columns
            ]
        return pd.DataFrame(rows, columns=["domain", "variable", "truth"])


@dataclass(frozen=True)
class Visited:
    """What the areas of a survey hold, for the domains of one set.

    Parameters
    ----------
    place
        Domain of each PSU (psus,).
    homes
        Households of each PSU (psus,).
    stratum
        Stratum of each PSU (psus,).
    persons, weighted
        Persons of each PSU by class, and their weights (psus, classes).
    """

    place: np.ndarray
    homes: np.ndarray
    stratum: np.ndarray
    persons: np.ndarray
    weighted: np.ndarray

    def sums(self, values: np.ndarray, domains: int) -> np.ndarray:
        """Add up values of PSUs by domain (domains, columns)."""
        out = np.zeros((domains, values.shape[1]))
        np.add.at(out, self.place, values)
        return out

    def degrees(self, domains: int) -> np.ndarray:
        """Return PSUs less strata that hold each domain (domains,)."""
        held = self.homes > 0
        strata = int(self.stratum.max(initial=0)) + 1
        pairs = np.unique(self.place[held] * strata + self.stratum[held])
        psus = np.bincount(self.place[held], minlength=domains)
        return (psus - np.bincount(pairs // strata, minlength=domains)).astype(float)


def _rows(
    domains: Domains,
    columns: tuple[Column, ...],
    made: Totals,
    visited: Visited,
) -> pd.DataFrame:
    """Return the table of one set, with design effects of persons."""
    count, shape = len(domains.labels), (len(domains.labels), len(columns))
    mask, base = (
        np.stack([getattr(c, name) for c in columns], axis=1).astype(float)
        for name in ("mask", "base")
    )
    persons, weighted = (visited.sums(v, count) for v in (visited.persons, visited.weighted))
    n, population = persons @ base, weighted @ base
    estimate, variance = (part.reshape(shape) for part in made)
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(np.maximum(variance, 0.0))
        simple = estimate * (population - estimate) / (n - 1)
        deff = np.where(simple > 0, se**2 / simple, np.nan)
    degrees = np.repeat(visited.degrees(count)[:, None], len(columns), axis=1)
    cases = (visited.persons @ mask > 0).astype(float)
    flat = (estimate.ravel(), se.ravel(), degrees.ravel(), n.ravel())
    lower, upper = limits(Estimated(*flat), "t", LEVEL)
    table = pd.DataFrame(
        {
            "domain": [_domain_text(label, c) for label in domains.labels for c in columns],
            "variable": [c.variable for c in columns] * count,
            "estimate": flat[0],
            "se": flat[1],
            "lower": lower,
            "upper": upper,
            "df": flat[2],
            "deff": deff.ravel(),
            "n": flat[3],
            "cases": (persons @ mask).ravel(),
            "psus": visited.sums(cases, count).astype(np.int64).ravel(),
        }
    )
    present = visited.sums(visited.homes[:, None], count)[:, 0] > 0
    return table[np.repeat(present, len(columns))]


def _domains(
    classes: pd.DataFrame, columns: list[str]
) -> list[tuple[tuple[tuple[str, str], ...], np.ndarray]]:
    if not columns:
        return [((), np.ones(len(classes), bool))]
    found = []
    for key in classes[columns].drop_duplicates().itertuples(index=False):
        same = (classes[columns] == list(key)).all(axis=1).to_numpy()
        found.append((tuple(zip(columns, key, strict=True)), same))
    return found


def _domain_text(above: tuple[tuple[str, str], ...], column: Column) -> str:
    parts = [*above, *column.domain]
    return ", ".join(f"{name}={value}" for name, value in parts) or EVERYBODY
