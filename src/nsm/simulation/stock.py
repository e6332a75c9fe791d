"""A population by household: all that a simulated survey needs of it, as arrays.

A survey that is repeated a thousand times must not make its persons a thousand times. Persons who
are alike for the survey (same sex, age band and status) are counted by household; what decides
whether a dwelling answers is kept by dwelling. Estimates and variances of totals are the same as
from persons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nsm.errors import SimulationError
from nsm.simulation.population import Population, Tables

AGES = (0, 5, 15, 30, 45, 65)
SEXES = ("F", "M")
STATUS = ("immigrant", "descendant", "native")
# In the order of the alphabet, as response classes are joined.
KINDS = ("collective", "habitaculo", "private")
BATCH = 250
_MOST = 255


@dataclass(frozen=True)
class Stock:
    """Dwellings and households of all areas, in the order of the frame.

    Parameters
    ----------
    areas
        The frame, sorted by area.
    response_class
        Class of each area in the response model (areas,).
    first_dwelling, first_household
        Where the dwellings of each area begin (areas + 1,), and the households of each dwelling
        (dwellings + 1,).
    kind, language
        Codes of dwelling type and language heard (dwellings,); -1: nobody to be heard.
    occupied, foreign
        Whether anybody lives there, and anybody of foreign origin (dwellings,).
    counts
        Persons by household and class (households, classes).
    eligible
        Persons old enough for an interview: of foreign origin, and natives (households, 2).
    classes
        Sex, age band and status of each class.
    languages
        What the codes of languages mean; those of dwelling types are `KINDS`.
    """

    areas: pd.DataFrame
    response_class: np.ndarray
    first_dwelling: np.ndarray
    first_household: np.ndarray
    kind: np.ndarray
    language: np.ndarray
    occupied: np.ndarray
    foreign: np.ndarray
    counts: np.ndarray
    eligible: np.ndarray
    classes: pd.DataFrame
    languages: tuple[str, ...]

    @property
    def persons(self) -> np.ndarray:
        """Persons by area and class (areas, classes)."""
        ends = self.first_household[self.first_dwelling]
        pairs = pairwise(ends)
        return np.stack([self.counts[a:b].sum(axis=0, dtype=np.int64) for a, b in pairs])

    @property
    def prevalence(self) -> pd.Series:
        """Share of immigrants and descendants by area, 0 where nobody lives."""
        persons = self.persons
        foreign = (self.classes["status"] != "native").to_numpy()
        share = persons[:, foreign].sum(axis=1) / np.maximum(persons.sum(axis=1), 1)
        return pd.Series(share, self.areas["area"].astype("str"))

    def save(self, folder: Path) -> None:
        """Write the arrays, each a file, to be opened by other processes."""
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        self.areas.to_parquet(folder / "areas.parquet")
        self.classes.to_parquet(folder / "classes.parquet")
        pd.DataFrame({"language": self.languages}).to_parquet(folder / "languages.parquet")

    @classmethod
    def open(cls, folder: Path) -> Stock:
        """Open a saved stock; its arrays are read as far as they are used."""
        arrays = {n: np.load(folder / f"{n}.npy", mmap_mode="r") for n in _ARRAYS}
        languages = pd.read_parquet(folder / "languages.parquet")["language"]
        return cls(
            areas=pd.read_parquet(folder / "areas.parquet"),
            classes=pd.read_parquet(folder / "classes.parquet"),
            languages=tuple(languages),
            **arrays,
        )


_TABLES = ("areas", "classes", "languages")
_ARRAYS = tuple(f.name for f in fields(Stock) if f.name not in _TABLES)


def condense(
    population: Population,
    *,
    ages: Sequence[int] = AGES,
    each: Callable[..., Iterable[Any]] = map,
    progress: Callable[[int, int], None] | None = None,
) -> Stock:
    """Count a population by household.

    Parameters
    ----------
    ages
        First ages of the bands.
    each
        A `map`: that of an executor shares the work.
    progress
        Is told how many areas are done, of how many.

    Raises
    ------
    SimulationError
        A household has more than 255 persons of a class.
    """
    areas = population.areas
    batches = (population.only(areas[k : k + BATCH]) for k in range(0, len(areas), BATCH))
    parts = []
    for part in each(Part(tuple(ages)), batches):
        parts.append(part)
        if progress:
            progress(min(len(parts) * BATCH, len(areas)), len(areas))
    languages = sorted({name for part in parts for name in part["languages"]})
    for part in parts:
        place = np.array([languages.index(name) for name in part.pop("languages")] + [-1])
        part["language"] = place[part["language"]].astype(np.int8)
    joined = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    columns = population.setting.columns
    prior = population.frame[columns["prior"]].to_numpy(dtype=float)
    frame = population.frame.rename(columns={columns["area"]: "area"})
    return Stock(
        areas=frame,
        response_class=population.field.prior_class(prior).astype(str),
        first_dwelling=np.concatenate([[0], np.cumsum(joined.pop("dwellings"))]),
        first_household=np.concatenate([[0], np.cumsum(joined.pop("households"))]),
        classes=person_classes(ages),
        languages=tuple(languages),
        **joined,
    )


def age_bands(ages: Sequence[int]) -> list[str]:
    """Return the names of age bands: 0-4, 5-14 ... 65+."""
    bands = [f"{a}-{b - 1}" for a, b in pairwise(ages)]
    return [*bands, f"{ages[-1]}+"]


def person_classes(ages: Sequence[int]) -> pd.DataFrame:
    """Return sex, age band and status of each class of persons, in their order."""
    rows = product(SEXES, age_bands(ages), STATUS)
    return pd.DataFrame(rows, columns=["sex", "age_band", "status"])


@dataclass(frozen=True)
class Part:
    """Counts the households of a population: a function that can be sent to other processes."""

    ages: tuple[int, ...]

    def __call__(self, population: Population) -> dict[str, Any]:
        """Return the arrays of a stock."""
        areas = population.areas
        tables = population.area_tables(areas)
        dwellings = tables["dwellings"].sort_values(["area", "dwelling"], ignore_index=True)
        house = pd.Index(dwellings["dwelling"])
        homes = tables["households"]["household"].to_numpy()
        home_house = house.get_indexer(_index(tables["households"]["dwelling"]))
        order = np.argsort(home_house, kind="stable")
        person_home = pd.Index(homes[order]).get_indexer(_index(tables["persons"]["household"]))
        counts, eligible = self._counts(tables, person_home, len(homes), population.field.youngest)
        foreign = counts[:, np.tile([True, True, False], counts.shape[1] // 3)].sum(axis=1) > 0
        languages, names = pd.factorize(dwellings["door_language"])
        return {
            "dwellings": _per_area(dwellings["area"], areas),
            "households": np.bincount(home_house, minlength=len(house)),
            "kind": pd.Index(KINDS).get_indexer(_index(dwellings["dwelling_type"])).astype(np.int8),
            "language": languages,
            "languages": [str(name) for name in names],
            "occupied": dwellings["occupied"].to_numpy(dtype=bool),
            "foreign": np.bincount(home_house[order], foreign, len(house)) > 0,
            "counts": counts,
            "eligible": eligible,
        }

    def _counts(
        self, tables: Tables, home: np.ndarray, homes: int, youngest: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return persons by household and class, and those of an age to be interviewed."""
        persons = tables["persons"]
        bands, states = len(self.ages), len(STATUS)
        sex = pd.Index(SEXES).get_indexer(_index(persons["sex"]))
        age = persons["age"].to_numpy()
        band = np.searchsorted(self.ages, age, side="right") - 1
        state = pd.Index(STATUS).get_indexer(_index(tables["truth"]["truth_status"]))
        width = len(SEXES) * bands * states
        cell = home * width + (sex * bands + band) * states + state
        counts = np.bincount(cell, minlength=homes * width).reshape(homes, width)
        if counts.max(initial=0) > _MOST:
            raise SimulationError(
                "{count} households have more than {most} persons of one class. Give such "
                "institutions several dwellings.",
                count=int((counts > _MOST).any(axis=1).sum()),
                most=_MOST,
            )
        old = age >= youngest
        group = home * 2 + (state == STATUS.index("native"))
        eligible = np.bincount(group[old], minlength=homes * 2).reshape(homes, 2)
        return counts.astype(np.uint8), eligible.astype(np.uint16)


def _index(column: pd.Series) -> pd.Index:
    return pd.Index(column)


def _per_area(column: pd.Series, areas: Sequence[str]) -> np.ndarray:
    return column.value_counts().reindex(list(areas), fill_value=0).to_numpy()
