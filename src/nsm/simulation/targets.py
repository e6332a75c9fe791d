"""What a simulated survey estimates: counts of persons in domains, and their truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp

from nsm.condition import parse
from nsm.errors import OptionError
from nsm.estimation import Survey, total
from nsm.simulation.scheme import Scheme
from nsm.totals import Memory

ESTIMATES = ("estimate", "se", "lower", "upper", "df", "deff", "n", "cases", "psus")
EVERYBODY = "all"


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

    def columns(self, counts: np.ndarray, area: np.ndarray) -> dict[str, np.ndarray]:
        """Return what each household has of each count, and its domain in each set.

        Parameters
        ----------
        counts, area
            Persons of each household by class (households, classes), and its area's row in the
            frame (households,).
        """
        out: dict[str, np.ndarray] = {}
        for k, (domains, columns) in enumerate(self.sets):
            out[_DOMAIN.format(k)] = domains.place[area]
            for column in columns:
                if column.name not in out:
                    out[column.name] = counts[:, column.mask].sum(axis=1, dtype=float)
        return out

    def estimate(self, survey: Survey, counts: np.ndarray) -> pd.DataFrame:
        """Return one row per target: `domain, variable` and the columns `ESTIMATES`.

        Design effects and cases are those of persons, not of households.
        """
        parts = []
        for k, (domains, columns) in enumerate(self.sets):
            statistics = {f"{c}": total(column.name) for c, column in enumerate(columns)}
            name = _DOMAIN.format(k)
            made = survey.estimate(statistics, by=[name], deff=None).table
            place = survey.table.extra[name]
            sums = _sums(counts, survey.weights, place, len(domains.labels))
            parts.append(_rows(made, made[name].to_numpy(), (domains, columns), sums))
        return pd.concat(parts, ignore_index=True)

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


_DOMAIN = "domain {}"


def _sums(
    counts: np.ndarray, weights: np.ndarray, place: np.ndarray, domains: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return persons by domain and class, unweighted and weighted (domains, classes) each."""
    ones, weighted = (
        sp.csr_array((w, (place, np.arange(len(place)))), shape=(domains, len(place))) @ counts
        for w in (np.ones(len(place)), weights)
    )
    return ones, weighted


def _rows(
    made: pd.DataFrame,
    domain: np.ndarray,
    of: tuple[Domains, tuple[Column, ...]],
    sums: tuple[np.ndarray, np.ndarray],
) -> pd.DataFrame:
    """Turn estimates of households into those of persons."""
    (domains, columns), (size, weighted) = of, sums
    which = made["variable"].to_numpy().astype(int)
    base = np.stack([c.base for c in columns]).astype(float)
    mask = np.stack([c.mask for c in columns]).astype(float)
    n = (size @ base.T)[domain, which]
    population = (weighted @ base.T)[domain, which]
    estimate = made["estimate"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        simple = estimate * (population - estimate) / (n - 1)
        deff = np.where(simple > 0, made["se"].to_numpy() ** 2 / simple, np.nan)
    texts = [
        _domain_text(domains.labels[d], columns[w]) for d, w in zip(domain, which, strict=True)
    ]
    return pd.DataFrame(
        {
            "domain": texts,
            "variable": [columns[w].variable for w in which],
            **{c: made[c].to_numpy() for c in ("estimate", "se", "lower", "upper", "df")},
            "deff": deff,
            "n": n,
            "cases": (size @ mask.T)[domain, which],
            "psus": made["psus"].to_numpy(),
        }
    )


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
