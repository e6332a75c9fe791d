"""The tables of a few areas: dwellings, households and persons that realize the area's counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nsm.simulation import buildings, persons
from nsm.simulation.crowd import Crowd, Living, live, people
from nsm.simulation.description import Description
from nsm.simulation.draws import Draws
from nsm.simulation.groups import (
    COLLECTIVE,
    IMMIGRANT,
    NATIVE,
    PARENTS,
    PLACES,
    SEXES,
    STATUS,
    labeled,
)
from nsm.simulation.households import ROLES
from nsm.simulation.profiles import PersonRules
from nsm.simulation.rules import HouseholdRules

_DIGITS = 3


@dataclass(frozen=True)
class Maker:
    """What is needed to make the tables of any area.

    Parameters
    ----------
    description, seed
        Of the population.
    households, persons
        Rules read from the description.
    heard, by_chance
        Of the languages at the door: see `buildings.spoken`.
    profile
        Number of the profile of each group (groups,).
    """

    description: Description
    seed: int
    households: HouseholdRules
    persons: PersonRules
    heard: dict[str, float]
    by_chance: dict[str, float]
    profile: np.ndarray

    @classmethod
    def of(cls, description: Description, seed: int) -> Maker:
        """Read the rules that the description holds."""
        used = _profiles(description)
        dwellings = description.sections["dwellings"]
        languages = sorted({origin.language for origin in description.origins})
        rules = PersonRules.of(description.sections["persons"], used)
        names = [*rules.profiles]
        heard, by_chance = (
            dwellings.named(key, languages, {}) for key in ("heard", "heard_by_chance")
        )
        dwellings.close()
        return cls(
            description,
            seed,
            HouseholdRules.of(description.sections["households"]),
            rules,
            heard,
            by_chance,
            np.array([names.index(name) for name in used]),
        )

    def tables(self, frame: pd.DataFrame, cells: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Make the tables of the areas of `frame`.

        Parameters
        ----------
        frame
            The areas, in any order.
        cells
            Their counts, sorted by `area`, the row in `frame`.

        Returns
        -------
        `dwellings`, `households`, `persons`, and `truth`: status and origin of every person.
        """
        codes = frame[self.description.setting.columns["area"]].tolist()
        crowd = people(self.description, self.persons, codes, cells, self.seed)
        living = live(crowd, self.description, frame, self.households, self.seed)
        occupied, total = (
            frame[self.description.setting.columns[c]].to_numpy(np.int64)
            for c in ("occupied", "dwellings")
        )
        draws = Draws(
            self.seed,
            codes,
            buildings.rows_of_dwellings(living.homes, total),
            table="dwellings",
            purposes=buildings.DRAWS,
        )
        houses = buildings.build(living.homes, occupied, total, draws, living.draws["shared"])
        keys = _Keys(codes, crowd, living, houses)
        return {
            "dwellings": self._dwellings(keys, crowd, living, houses, draws),
            "households": _households(keys, living, houses),
            "persons": self._persons(keys, crowd, living, houses),
            "truth": self._truth(keys, crowd),
        }

    def _dwellings(
        self,
        keys: _Keys,
        crowd: Crowd,
        living: Living,
        houses: buildings.Dwellings,
        draws: Draws,
    ) -> pd.DataFrame:
        size = len(houses.area)
        house = houses.home[living.home]
        adult = (crowd.age >= 15).astype(float)
        adults = np.maximum(np.bincount(house, adult, size), 1)
        shares: dict[str, np.ndarray] = {}
        for number, origin in enumerate(self.description.origins, start=1):
            if origin.language == self.description.setting.language:
                continue
            born = adult * ((crowd.origin == number) & (crowd.status == IMMIGRANT))
            share = np.bincount(house, born, size) / adults
            shares[origin.language] = shares.get(origin.language, 0) + share
        language = buildings.spoken(
            shares, self.heard, self.by_chance, self.description.setting.language, draws
        )
        return pd.DataFrame(
            {
                "dwelling": keys.dwelling,
                "area": keys.area_of_dwelling,
                "number": houses.number,
                "dwelling_type": _text(houses.place, PLACES),
                "occupied": houses.occupied,
                "in_frame": buildings.in_frame(houses.place),
                "door_language": pd.Series(language, dtype="str").where(houses.occupied),
                "households": np.bincount(houses.home, minlength=size),
                "persons": np.bincount(house, minlength=size),
            }
        )

    def _persons(
        self, keys: _Keys, crowd: Crowd, living: Living, houses: buildings.Dwellings
    ) -> pd.DataFrame:
        who = persons.People(
            crowd.status,
            crowd.country,
            crowd.sex,
            crowd.age,
            living.mother,
            living.father,
            self.profile[crowd.group],
            crowd.returned,
        )
        countries = self.description.groups.countries
        named = np.array([*countries, self.persons.unknown])
        mother, father = persons.parents_birthplace(who, self.persons, countries, crowd.draws)
        papers = persons.documents(who, self.persons, crowd.draws)
        level = persons.schooling(who, self.persons, crowd.draws)
        works = persons.employed(who, self.persons, crowd.draws) & (crowd.place != COLLECTIVE)
        sector = persons.sector(who, self.persons, crowd.draws)
        hours = persons.hours(who, self.persons, crowd.draws)
        pay = persons.pay(who, self.persons, (level, sector, hours), crowd.draws)
        arrival = persons.arrival_year(
            who, self.persons, self.description.setting.year, crowd.draws
        )
        born = np.where(crowd.status == IMMIGRANT, crowd.country, 0)
        table = pd.DataFrame(
            {
                "person": keys.person,
                "household": keys.household[living.home],
                "dwelling": keys.dwelling[houses.home[living.home]],
                "area": keys.area_of_dwelling[houses.home[living.home]],
                "line": living.line,
                "relationship": _text(living.role, np.array(ROLES)),
                "mother_line": _line(living.line, living.mother),
                "father_line": _line(living.line, living.father),
                "sex": _text(crowd.sex, SEXES),
                "age": crowd.age,
                "birth_country": _text(born, named),
                "citizenship": persons.citizenship(
                    who, self.persons, countries, papers, crowd.draws
                ),
                "mother_birth_country": _text(mother, named),
                "father_birth_country": _text(father, named),
                "arrival_year": _whole(arrival, crowd.status == IMMIGRANT),
                "documents": _text(papers, np.array(self.persons.documents)),
                "schooling": _text(level, np.array(self.persons.levels)),
                "employed": _whole(works, crowd.age >= self.persons.work.ages[0]),
                "sector": _text(np.where(works, sector, -1), np.array(self.persons.sectors)),
                "hours": _whole(hours, works),
                "pay": _whole(pay, works),
            }
        )
        return table.iloc[keys.order].reset_index(drop=True)

    def _truth(self, keys: _Keys, crowd: Crowd) -> pd.DataFrame:
        groups = self.description.groups
        table = pd.DataFrame(
            {
                "person": keys.person,
                "truth_status": _text(np.minimum(crowd.status, 2), STATUS),
                "truth_origin": _text(crowd.origin, np.array(groups.origins)),
                "truth_country": _text(crowd.country, np.array(groups.countries)),
                "truth_parents": PARENTS[crowd.status],
            }
        )
        return table.iloc[keys.order].reset_index(drop=True)


class _Keys:
    """Codes of dwellings, households and persons, and the order of the person table."""

    def __init__(
        self, areas: list[str], crowd: Crowd, living: Living, houses: buildings.Dwellings
    ) -> None:
        area = np.array(areas, dtype=object)
        digits = max(_DIGITS, len(str(houses.number.max(initial=0))))
        number = np.array(
            [f"-{n:0{digits}d}" for n in range(houses.number.max(initial=0) + 1)], object
        )
        self.area_of_dwelling = area[houses.area]
        self.dwelling = self.area_of_dwelling + number[houses.number]
        nth = np.array([f"-{n}" for n in range(houses.nth.max(initial=0) + 1)], object)
        self.household = self.dwelling[houses.home] + nth[houses.nth]
        line = np.array([f"-{n:02d}" for n in range(living.line.max(initial=0) + 1)], object)
        self.person = self.household[living.home] + line[living.line]
        self.order = np.lexsort((living.line, houses.nth[living.home], houses.home[living.home]))
        self.area = crowd.area


def _households(keys: _Keys, living: Living, houses: buildings.Dwellings) -> pd.DataFrame:
    order = np.lexsort((houses.nth, houses.home))
    table = pd.DataFrame(
        {
            "household": keys.household,
            "dwelling": keys.dwelling[houses.home],
            "area": keys.area_of_dwelling[houses.home],
            "household_number": houses.nth,
            "household_size": living.homes.size,
        }
    )
    return table.iloc[order].reset_index(drop=True)


def _profiles(description: Description) -> list[str]:
    """Return the profile of each group."""
    groups = description.groups
    out = []
    for status, number in zip(groups.status, groups.origin, strict=True):
        if status == NATIVE:
            out.append(description.native_profile)
            continue
        origin = description.origins[number - 1]
        kind = (
            origin.immigrants
            if status == IMMIGRANT or not origin.descendants
            else origin.descendants
        )
        out.append(kind.profile)
    return out


def _text(codes: np.ndarray, names: np.ndarray) -> pd.Series:
    """Return names as text; null where the code is negative."""
    return pd.Series(labeled(codes, [*names])).astype("str")


def _whole(values: np.ndarray, there: np.ndarray) -> pd.Series:
    """Return whole numbers, null where there are none."""
    return pd.Series(values.astype(np.int64), dtype="Int64").where(there)


def _line(line: np.ndarray, parent: np.ndarray) -> pd.Series:
    return _whole(line[parent], parent >= 0)
