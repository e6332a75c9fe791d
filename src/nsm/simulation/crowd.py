"""The persons of a few areas as numbers: who they are, where and with whom they live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nsm.simulation import persons
from nsm.simulation.buildings import Homes, private_homes, shelters
from nsm.simulation.description import Description
from nsm.simulation.draws import Draws
from nsm.simulation.groups import COLLECTIVE, DWELLING, HABITACULO, IMMIGRANT
from nsm.simulation.households import (
    HEAD,
    HOME_DRAWS,
    NOBODY,
    NOT_RELATED,
    PERSON_DRAWS,
    Assembly,
    found,
)
from nsm.simulation.kin import gather
from nsm.simulation.matching import rank
from nsm.simulation.profiles import PersonRules
from nsm.simulation.rules import HouseholdRules
from nsm.simulation.years import years

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Crowd:
    """The persons of several areas, area by area.

    Parameters
    ----------
    area
        Row of each person's area (persons,).
    place, group, status, country, origin, sex, age
        Of each person, as numbers: see `groups`.
    returned
        Immigrants whose parents were born in the country of the survey (persons,).
    draws
        Uniform numbers of the persons.
    """

    area: np.ndarray
    place: np.ndarray
    group: np.ndarray
    status: np.ndarray
    country: np.ndarray
    origin: np.ndarray
    sex: np.ndarray
    age: np.ndarray
    returned: np.ndarray
    draws: Draws


@dataclass(frozen=True)
class Living:
    """Households, and the place of every person in them.

    Parameters
    ----------
    homes, draws
        The households, area by area, and their uniform numbers.
    home, role, line
        Of each person: row of the household, number of the relationship, line from 1.
    mother, father
        Rows of the persons who are parents in the household, or -1.
    """

    homes: Homes
    draws: Draws
    home: np.ndarray
    role: np.ndarray
    line: np.ndarray
    mother: np.ndarray
    father: np.ndarray


def people(
    description: Description,
    rules: PersonRules,
    areas: Sequence[str],
    cells: pd.DataFrame,
    seed: int,
) -> Crowd:
    """Make the persons that the counts of areas ask for.

    Parameters
    ----------
    areas
        Codes of the areas.
    cells
        Their counts, sorted by `area`, the row in `areas`.
    """
    n = cells["persons"].to_numpy()
    area, place, group, sex, band = (
        np.repeat(cells[c].to_numpy(np.int64), n) for c in ("area", "place", "group", "sex", "band")
    )
    draws = Draws(
        seed,
        areas,
        np.bincount(area, minlength=len(areas)),
        table="persons",
        purposes=("age", "shelter", *PERSON_DRAWS, *persons.DRAWS),
    )
    groups = description.groups
    return Crowd(
        area,
        place,
        group,
        groups.status[group],
        groups.country[group],
        groups.origin[group],
        sex,
        years(description, group, sex, band, draws["age"]),
        (groups.status[group] == IMMIGRANT)
        & (draws["parents"] < rules.home_share(groups.countries)[groups.country[group]]),
        draws,
    )


def live(
    crowd: Crowd,
    description: Description,
    frame: pd.DataFrame,
    rules: HouseholdRules,
    seed: int,
) -> Living:
    """House everybody: households of the frame's sizes, habitaculos and collective dwellings."""
    homes, fixed = _homes(crowd, description, frame)
    draws = Draws(
        seed,
        frame[description.setting.columns["area"]].tolist(),
        np.bincount(homes.area, minlength=len(frame)),
        table="households",
        purposes=("shared", *HOME_DRAWS),
    )
    family = np.flatnonzero(crowd.place != COLLECTIVE)
    rooms = np.flatnonzero(homes.place != COLLECTIVE)
    mixed = np.array([0.0, *(origin.mixed for origin in description.origins)])
    work = Assembly(
        _block(crowd.area, crowd.place)[family],
        crowd.status[family],
        crowd.country[family],
        crowd.sex[family],
        crowd.age[family],
        _block(homes.area, homes.place)[rooms],
        homes.size[rooms],
        crowd.draws.take(family),
        draws.take(rooms),
        mixed[crowd.origin[family]],
        crowd.returned[family],
        rules,
    )
    found(work)
    gather(work)
    home, role = fixed, np.full(len(fixed), NOT_RELATED)
    home[family], role[family] = rooms[work.home], work.role
    mother, father = (np.full(len(fixed), NOBODY) for _ in range(2))
    for line, found_ in ((mother, work.mother), (father, work.father)):
        line[family] = np.where(found_ >= 0, family[found_], NOBODY)
    line = rank(home, np.where(role <= 1, role, 2) * 1000 - crowd.age * (role > 1)) + 1
    return Living(homes, draws, home, np.where(line == 1, HEAD, role), line, mother, father)


def _block(area: np.ndarray, place: np.ndarray) -> np.ndarray:
    return area * 2 + (place == HABITACULO)


def _homes(crowd: Crowd, description: Description, frame: pd.DataFrame) -> tuple[Homes, np.ndarray]:
    """Lay out all households area by area; residents of collective dwellings have theirs."""
    households = frame[list(description.setting.sizes)].to_numpy(np.int64)
    private = np.bincount(crowd.area[crowd.place == DWELLING], minlength=len(frame))
    parts = [private_homes(households, private)]
    fixed = np.full(len(crowd.area), NOBODY)
    for place, shelter in (
        (COLLECTIVE, description.collective),
        (HABITACULO, description.habitaculo),
    ):
        mine = np.flatnonzero(crowd.place == place)
        before = sum(len(part.size) for part in parts)
        part, home = shelters(
            crowd.area[mine],
            crowd.age[mine] >= 15,
            place,
            shelter.size,
            crowd.draws["shelter"][mine],
        )
        fixed[mine] = home + before
        parts.append(part)
    joined = [
        np.concatenate([getattr(p, name) for p in parts]) for name in ("area", "place", "size")
    ]
    order = np.argsort(joined[0], kind="stable")
    moved = np.empty(len(order), dtype=np.int64)
    moved[order] = np.arange(len(order))
    return Homes(*(column[order] for column in joined)), np.where(fixed >= 0, moved[fixed], fixed)
