"""The microdata of a previous round, from which a population is drawn."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from nsm.errors import ConfigError
from nsm.files import require_columns
from nsm.simulation.given import OUTSIDE, Given, read_given
from nsm.simulation.section import Section
from nsm.simulation.setting import Setting

BANDS = (0, 5, 15, 30, 45, 65)
DETAILS = ("all", "age", "adult")


@dataclass(frozen=True)
class Donors:
    """The round as arrays: dwellings by area and stratum, their persons, and who is like whom.

    Parameters
    ----------
    given
        The round's dwellings and persons.
    weight
        Of each dwelling (dwellings,).
    stratum
        Of each dwelling (dwellings,), as text.
    """

    given: Given
    weight: np.ndarray
    stratum: np.ndarray
    interview: tuple[str, ...]

    @cached_property
    def by_stratum(self) -> dict[str, Pool]:
        """Stratum -> its dwellings of the frame."""
        inside = (self.given.dwellings["dwelling_type"] != OUTSIDE).to_numpy()
        return self._pools(self.stratum, inside)

    @cached_property
    def outside(self) -> dict[str, Pool]:
        """Stratum -> its sleeping places that no frame holds."""
        outside = (self.given.dwellings["dwelling_type"] == OUTSIDE).to_numpy()
        return self._pools(self.stratum, outside)

    @cached_property
    def by_area(self) -> dict[str, Pool]:
        """Area -> its dwellings of the frame."""
        inside = (self.given.dwellings["dwelling_type"] != OUTSIDE).to_numpy()
        return self._pools(self.given.dwellings["area"].to_numpy(), inside)

    @cached_property
    def areas(self) -> dict[str, Pool]:
        """Stratum -> areas of the round, each as often as it stands for areas."""
        table = pd.DataFrame(
            {"area": self.given.dwellings["area"], "stratum": self.stratum, "weight": self.weight}
        )
        table = table[table["area"].isin(self.by_area)]
        means = table.groupby(["stratum", "area"], sort=True)["weight"].mean().reset_index()
        return {
            str(name): Pool.of(part["area"].to_numpy(), part["weight"].to_numpy())
            for name, part in means.groupby("stratum")
        }

    @cached_property
    def first(self) -> np.ndarray:
        """Row of the first person of each dwelling, and the end (dwellings + 1,)."""
        house = pd.Index(self.given.dwellings["dwelling"]).get_indexer(
            self.given.persons["dwelling"]
        )
        counts = np.bincount(house, minlength=len(self.given.dwellings))
        return np.concatenate([[0], np.cumsum(counts)])

    @cached_property
    def kinds(self) -> tuple[Kinds, ...]:
        """Persons with an interview by sex, age band and status; then by less."""
        persons, status = self.given.persons, self.given.truth["truth_status"].to_numpy()
        asked = [c for c in self.interview if c in persons]
        there = persons[asked].notna().any(axis=1).to_numpy() if asked else np.zeros(len(persons))
        rows = np.flatnonzero(there)
        sex, age = persons["sex"].to_numpy()[rows], persons["age"].to_numpy()[rows]
        levels = [kind_of(status[rows], sex, age, detail=detail) for detail in DETAILS]
        return tuple(Kinds.of(level, rows) for level in levels)

    def _pools(self, labels: np.ndarray, chosen: np.ndarray) -> dict[str, Pool]:
        rows = np.flatnonzero(chosen)
        table = pd.DataFrame({"label": labels[rows], "row": rows, "weight": self.weight[rows]})
        return {
            str(name): Pool.of(part["row"].to_numpy(), part["weight"].to_numpy())
            for name, part in table.groupby("label", sort=True)
        }


@dataclass(frozen=True)
class Pool:
    """Things that are drawn with probability in proportion to a weight."""

    things: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, things: np.ndarray, weight: np.ndarray) -> Pool:
        """Return the pool of things of these weights."""
        return cls(things, np.cumsum(weight.astype(float)))

    @property
    def size(self) -> float:
        """Sum of the weights."""
        return float(self.ends[-1])

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Draw with replacement (count,)."""
        place = np.searchsorted(self.ends, rng.random(count) * self.ends[-1], side="right")
        return self.things[np.minimum(place, len(self.things) - 1)]


@dataclass(frozen=True)
class Kinds:
    """Rows of persons by kind."""

    names: pd.Index
    rows: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, kind: np.ndarray, rows: np.ndarray) -> Kinds:
        """Return the rows of each kind, in their order."""
        codes, names = pd.factorize(pd.Series(kind, dtype="str"), sort=True)
        order = np.argsort(codes, kind="stable")
        ends = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(names)))])
        return cls(pd.Index(names), rows[order], ends)

    def other(self, kind: np.ndarray, own: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Return for each person the row of another of its kind, -1 if there is none."""
        place = self.names.get_indexer(pd.Index(pd.Series(kind, dtype="str")))
        first, end = self.ends[place], self.ends[place + 1]
        size = np.where(place < 0, 0, end - first)
        at = first + np.floor(u * size).astype(np.int64)
        found = np.where(size > 0, self.rows[np.minimum(at, len(self.rows) - 1)], -1)
        again = (found == own) & (size > 1)
        beside = first + (at - first + 1) % np.maximum(size, 1)
        found = np.where(again, self.rows[np.minimum(beside, len(self.rows) - 1)], found)
        return np.where(found == own, -1, found)


def kind_of(status: np.ndarray, sex: np.ndarray, age: np.ndarray, *, detail: str) -> np.ndarray:
    """Return the kind of each person: status, sex and age band; without sex; grown up or not."""
    band = np.searchsorted(BANDS, age.astype(np.int64), side="right").astype(str)
    if detail == "adult":
        band = np.where(age >= BANDS[2], "adult", "child")
    parts = [status.astype(str), sex.astype(str) if detail == "all" else "", band]
    kind = np.asarray(parts[0], dtype=object)
    for part in parts[1:]:
        kind = kind + "|" + part
    return kind


def read_donors(
    part: Section, setting: Setting, interview: tuple[str, ...], strata: tuple[str, ...]
) -> Donors:
    """Read the round that a part of a description names: see `resampled`."""
    name = part.text("weight", "weight")
    given = read_given(part, setting)
    held = {*given.dwellings.columns}
    missing = [c for c in (*strata, name) if c not in held]
    given = dataclasses.replace(given, dwellings=_told(given, missing, f"{part.file}: microdata"))
    weight = pd.to_numeric(given.dwellings[name], errors="coerce").to_numpy(dtype=float)
    wrong = ~(np.isfinite(weight) & (weight > 0))
    if wrong.any():
        raise ConfigError(
            "{file}: {count} dwellings of the round have no weight above 0 in {column!r}: "
            "{dwellings}. Leave out those that did not answer.",
            file=part.file,
            count=int(wrong.sum()),
            column=name,
            dwellings=given.dwellings["dwelling"][wrong].tolist(),
        )
    people = set(given.persons["dwelling"])
    living = given.dwellings["dwelling"].isin(people).to_numpy()
    given = dataclasses.replace(given, dwellings=given.dwellings[living].reset_index(drop=True))
    return Donors(given, weight[living], labels(given.dwellings, strata), interview)


def _told(given: Given, missing: list[str], where: str) -> pd.DataFrame:
    """Return the dwellings with columns that only their persons have."""
    require_columns(given.persons, missing, where)
    first = given.persons.drop_duplicates("dwelling").set_index("dwelling")
    told = {c: given.dwellings["dwelling"].map(first[c]) for c in missing}
    kept = given.dwellings["dwelling"].isin(first.index)
    return given.dwellings.assign(**told)[kept].reset_index(drop=True)


def labels(table: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """Return the values of several columns as one label."""
    parts = [table[c].astype("str").to_numpy(dtype=object) for c in columns]
    out = parts[0]
    for part in parts[1:]:
        out = out + " | " + part
    return out
