"""A population from the microdata of a previous round: resampled within strata, and perturbed.

Every area of the frame takes an area of the round that stands for its stratum. Its dwellings are
drawn from there, and partly from anywhere in the stratum; ages, years and amounts are moved, and
the individual interview of each person is that of another person of the same kind. No household and
no person of the round comes back as it was answered, and none stays in its place. That is for
planning inside the office: it is not a file for release.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from scipy.special import ndtri

from nsm.errors import ConfigError, KeyColumnError
from nsm.files import require_columns
from nsm.simulation.description import Published, read_figures
from nsm.simulation.donors import DETAILS, Donors, kind_of, labels, read_donors
from nsm.simulation.draws import generator
from nsm.simulation.field_rules import FieldRules
from nsm.simulation.given import PRIVATE, listed
from nsm.simulation.population import Population, Tables, sorted_frame
from nsm.simulation.section import Section
from nsm.simulation.setting import Setting

_DRAWS = ("age", "interview", "year")


@dataclass(frozen=True)
class Perturbation:
    """How far answers are moved.

    Parameters
    ----------
    age
        Years that an age moves up or down, at most; each number of years is as likely.
    year
        The same for the year of arrival.
    amounts
        Standard deviation of the logarithm of the factor on amounts; columns of amounts.
    """

    age: int
    year: int
    amounts: float
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Resampled(Population):
    """A population drawn from a previous round.

    Parameters
    ----------
    donors
        The round.
    stratum
        Of each area of the frame (areas,).
    alike
        Share of an area's dwellings that come from the one area of the round that it takes, 0-1:
        the concentration of people of foreign origin grows with it.
    moved
        How answers are moved.
    years
        Years from the round to the survey.
    figures, made_up
        Published figures, and what is said to be invented.
    """

    donors: Donors = dataclasses.field(repr=False)
    stratum: np.ndarray = dataclasses.field(repr=False)
    alike: float
    moved: Perturbation
    years: int
    figures: tuple[Published, ...] = ()
    made_up: tuple[dict[str, str], ...] = ()

    @property
    def published(self) -> tuple[Published, ...]:
        """Figures that the persons should reproduce."""
        return self.figures

    @property
    def invented(self) -> tuple[dict[str, str], ...]:
        """Language -> what has no figure behind it."""
        return self.made_up

    def only(self, areas: Collection[str]) -> Self:
        """Return the population of some areas, person by person as it is here."""
        rows = np.sort(self._rows([*areas]))
        frame = self.frame.iloc[rows].reset_index(drop=True)
        return dataclasses.replace(self, frame=frame, stratum=self.stratum[rows])

    def _tables(self, rows: np.ndarray) -> Tables:
        drawn = [self._drawn(int(row)) for row in rows]
        chosen = np.concatenate([one.dwellings for one in drawn])
        numbers = np.concatenate([one.numbers for one in drawn], axis=1)
        area = np.repeat(np.arange(len(rows)), [len(one.dwellings) for one in drawn])
        codes = self.frame[self.setting.key].iloc[rows].to_numpy(dtype=object)
        nth = np.concatenate([np.arange(1, len(one.dwellings) + 1) for one in drawn])
        keys = _numbered(codes[area], nth)
        houses = self._houses(rows, (chosen, keys, area))
        persons, truth = self._people((chosen, keys, codes[area]), numbers)
        return listed(houses, persons, truth)

    def _drawn(self, row: int) -> Drawn:
        """Draw the occupied dwellings of an area, and uniform numbers for their persons."""
        rng = generator(self.seed, "resampled", str(self.frame[self.setting.key].iloc[row]))
        stratum, occupied = self.stratum[row], int(self._sizes[0][row])
        pool = self.donors.by_stratum[stratum]
        area = str(self.donors.areas[stratum].draw(rng, 1)[0])
        near, far = self.donors.by_area[area].draw(rng, occupied), pool.draw(rng, occupied)
        chosen = np.where(rng.random(occupied) < self.alike, near, far)
        if stratum in self.donors.outside:
            outside = self.donors.outside[stratum]
            count = int(rng.poisson(occupied * outside.size / pool.size))
            chosen = np.concatenate([chosen, outside.draw(rng, count)])
        first = self.donors.first
        persons = int((first[chosen + 1] - first[chosen]).sum())
        return Drawn(chosen, rng.random((len(_DRAWS) + len(self.moved.columns), persons)))

    @cached_property
    def _sizes(self) -> tuple[np.ndarray, np.ndarray]:
        """Occupied dwellings and all dwellings of each area."""
        names = self.setting.columns
        occupied, total = (
            self.frame[names[c]].to_numpy(np.int64) for c in ("occupied", "dwellings")
        )
        return occupied, total

    def _houses(
        self, rows: np.ndarray, drawn: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> pd.DataFrame:
        """Return the drawn dwellings, and after those of each area the vacant ones."""
        chosen, keys, area = drawn
        donors = self.donors.given.dwellings
        codes = self.frame[self.setting.key].iloc[rows].to_numpy(dtype=object)
        living = pd.DataFrame(
            {
                "dwelling": keys,
                "area": codes[area],
                "dwelling_type": donors["dwelling_type"].to_numpy()[chosen],
                "door_language": donors["door_language"].to_numpy()[chosen],
            }
        )
        occupied, total = (size[rows] for size in self._sizes)
        empty = total - occupied
        where = np.repeat(np.arange(len(rows)), empty)
        last = np.bincount(area, minlength=len(rows))
        nth = np.arange(len(where)) - np.repeat(np.cumsum(empty) - empty, empty) + 1 + last[where]
        vacant = pd.DataFrame(
            {
                "dwelling": _numbered(codes[where], nth),
                "area": codes[where],
                "dwelling_type": PRIVATE,
                "door_language": self.setting.language,
            }
        )
        both = pd.concat([living, vacant], ignore_index=True)
        order = np.argsort(np.concatenate([area, where]), kind="stable")
        return both.iloc[order].reset_index(drop=True)

    def _people(
        self, drawn: tuple[np.ndarray, np.ndarray, np.ndarray], numbers: np.ndarray
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the persons of the dwellings, moved, with the interviews of others."""
        chosen, keys, codes = drawn
        first = self.donors.first
        size = first[chosen + 1] - first[chosen]
        house = np.repeat(np.arange(len(chosen)), size)
        rows = np.arange(len(house)) - np.repeat(np.cumsum(size) - size, size)
        rows = rows + np.repeat(first[chosen], size)
        home = keys[house] + "-" + self._home[rows]
        line = self.donors.given.persons["line"].to_numpy()[rows]
        age = self.donors.given.persons["age"].to_numpy()[rows]
        age = np.abs(age + _steps(numbers[0], self.moved.age))
        table = self.donors.given.persons.iloc[rows].reset_index(drop=True)
        table = table.assign(
            area=codes[house],
            dwelling=keys[house],
            household=home,
            person=home + "-" + _two_digits(line),
            age=age,
        )
        truth = self.donors.given.truth.iloc[rows].reset_index(drop=True)
        table = self._interviewed(table, truth["truth_status"].to_numpy(), rows, numbers)
        return table, truth.assign(person=table["person"])

    @cached_property
    def _home(self) -> np.ndarray:
        """Number of each person's household in its dwelling, as text."""
        persons = self.donors.given.persons
        homes = persons[["dwelling", "household"]].drop_duplicates("household")
        nth = (homes.groupby("dwelling").cumcount() + 1).astype(str).to_numpy(dtype=object)
        place = pd.Index(homes["household"]).get_indexer(pd.Index(persons["household"]))
        return np.asarray(nth[place])

    def _interviewed(
        self, table: pd.DataFrame, status: np.ndarray, rows: np.ndarray, numbers: np.ndarray
    ) -> pd.DataFrame:
        """Put the interview of another person of the same kind into each row."""
        asked = [c for c in self.donors.interview if c in table]
        if not asked:
            return table
        sex, age = table["sex"].to_numpy(), table["age"].to_numpy()
        donor = np.full(len(table), -1)
        for kinds, detail in zip(self.donors.kinds, DETAILS, strict=True):
            found = kinds.other(kind_of(status, sex, age, detail=detail), rows, numbers[1])
            donor = np.where(donor < 0, found, donor)
        answers = self.donors.given.persons[asked].iloc[np.maximum(donor, 0)].reset_index(drop=True)
        answers = answers.where(pd.Series(donor >= 0))
        for name, u in zip(self.moved.columns, numbers[len(_DRAWS) :], strict=True):
            if name in answers:
                factor = np.exp(self.moved.amounts * ndtri(u))
                answers[name] = (pd.to_numeric(answers[name]) * factor).round()
        if "arrival_year" in answers:
            steps = self.years + _steps(numbers[2], self.moved.year)
            made = pd.to_numeric(answers["arrival_year"]) + steps
            born = pd.Series(self.setting.year - age)
            made = made.clip(lower=born, upper=self.setting.year)
            answers["arrival_year"] = made.where(answers["arrival_year"].notna())
        return table.assign(**{name: answers[name] for name in asked})


class Drawn(NamedTuple):
    """Dwellings of the round for one area (dwellings,), numbers for persons (purposes, persons)."""

    dwellings: np.ndarray
    numbers: np.ndarray


def _numbered(codes: np.ndarray, nth: np.ndarray) -> np.ndarray:
    text = np.array([f"-{k:03d}" for k in range(int(nth.max(initial=0)) + 1)], dtype=object)
    return np.asarray(codes + text[nth])


def _two_digits(line: np.ndarray) -> np.ndarray:
    text = np.array([f"{k:02d}" for k in range(int(line.max(initial=0)) + 1)], dtype=object)
    return np.asarray(text[line.astype(np.int64)])


def _steps(u: np.ndarray, most: int) -> np.ndarray:
    """Return whole numbers from -most to most, each as likely."""
    return np.floor(u * (2 * most + 1)).astype(np.int64) - most


def resampled(whole: Section, frame: pd.DataFrame, *, seed: int) -> Resampled:
    """Return the population that the part `microdata` of a description asks for.

    Raises
    ------
    FileError, ConfigError, ColumnError, KeyColumnError
    """
    setting = Setting.of(whole)
    names = setting.columns
    part = whole.part("microdata")
    field = FieldRules.of(whole.part("field"))
    strata = part.texts("strata")
    needed = [names[c] for c in ("area", "prior", "dwellings", "occupied")]
    require_columns(frame, [*needed, *strata], "The frame")
    frame = sorted_frame(frame, names["area"])
    _require_dwellings(frame, setting)
    donors = read_donors(part, setting, field.interview, strata)
    moved = _perturbation(part.part("perturb", {}))
    alike, year = part.share("alike", 0.7), part.whole("year", setting.year)
    part.close()
    stratum = labels(frame, strata)
    lost = sorted(set(stratum) - set(donors.by_stratum))
    if lost:
        raise ConfigError(
            "{file}: {count} strata of the frame have no dwelling in the round: {strata}. Give "
            "fewer columns in `strata`.",
            file=whole.file,
            count=len(lost),
            strata=lost,
        )
    figures, made_up = read_figures(whole)
    whole.close()
    years = setting.year - year
    return Resampled(
        frame, setting, field, seed, donors, stratum, alike, moved, years, figures, made_up
    )


def _require_dwellings(frame: pd.DataFrame, setting: Setting) -> None:
    names = setting.columns
    wrong = frame[names["occupied"]].to_numpy() > frame[names["dwellings"]].to_numpy()
    if wrong.any():
        raise KeyColumnError(
            "{count} areas of the frame have more occupied dwellings than dwellings: {areas}.",
            count=int(wrong.sum()),
            areas=frame[names["area"]][wrong].tolist(),
        )


def _perturbation(part: Section) -> Perturbation:
    out = Perturbation(
        age=part.whole("age", 2, low=1),
        year=part.whole("year", 1),
        amounts=part.number("amounts", 0.1, low=0.01, high=2),
        columns=part.texts("columns", ["pay", "hours"]),
    )
    part.close()
    return out
