"""Persons of every area by group, sex and age, before any person is made: exact, in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nsm.errors import FrameError
from nsm.frame.apportion import apportion
from nsm.simulation.description import Description, Kind
from nsm.simulation.groups import (
    COLLECTIVE,
    DWELLING,
    HABITACULO,
    IMMIGRANT,
    MEN,
    NATIVE,
    ONE_PARENT,
    TWO_PARENTS,
    WOMEN,
)
from nsm.simulation.matching import rank
from nsm.simulation.sexes import split_by_sex

# Share of descendants of an origin of many countries whose parents are like their neighbors.
_FOLLOW = 0.85
CELL = ("area", "place", "group", "sex", "band")


@dataclass
class _Foreign:
    """Persons of foreign origin, one row each, while their characteristics are dealt out."""

    area: np.ndarray
    place: np.ndarray
    kind: np.ndarray
    status: np.ndarray
    country: np.ndarray
    sex: np.ndarray
    band: np.ndarray


def truth_column(origin: str, *, immigrants: bool, place: int) -> str:
    """Return the column of a truth table that counts an origin's immigrants or descendants.

    Examples
    --------
    >>> truth_column("hti", immigrants=False, place=HABITACULO)
    'habitaculo_descendants_hti'
    """
    if place == HABITACULO:
        return f"habitaculo_{'' if immigrants else 'descendants_'}{origin}"
    return f"{'immigrants' if immigrants else 'descendants'}_{origin}"


def count_areas(
    frame: pd.DataFrame, truth: pd.DataFrame, description: Description, rng: np.random.Generator
) -> pd.DataFrame:
    """Count the persons of every area by place, group, sex and age band.

    Parameters
    ----------
    frame
        One row per area, with the columns that the description names.
    truth
        Persons of foreign origin, in the same order; columns as `truth_column` names them.

    Returns
    -------
    table of the cells that hold anybody, sorted: `area` (row in the frame), `place`, `group`,
    `sex`, `band` (all numbers), `persons`.

    Raises
    ------
    FrameError
        An area holds more persons of foreign origin than persons in dwellings.
    """
    kinds = _kinds(description)
    people = _Area(frame, description)
    foreign = _register(truth, description, kinds)
    effect = _age_effect(people, description, rng)
    _deal_parents(foreign, kinds, people, description, rng)
    _deal_countries(foreign, kinds, description, rng)
    natives, collective = _deal_sexes(foreign, kinds, people, description, rng)
    for number, (status, kind) in enumerate(kinds):
        _deal_ages(foreign, number, _shelter_ages(status, kind, description), (effect, rng))
    cells = [_foreign_cells(foreign, kinds, description)]
    cells += [
        _native_cells(natives, DWELLING, description.natives, (effect, rng)),
        _native_cells(collective, COLLECTIVE, description.collective.ages, (effect * 0, rng)),
    ]
    return pd.concat(cells).sort_values([*CELL], ignore_index=True)


class _Area:
    """Sizes of the areas, as whole numbers."""

    def __init__(self, frame: pd.DataFrame, description: Description) -> None:
        names = description.setting.columns
        self.persons = frame[names["population"]].to_numpy(np.int64)
        self.men = frame[names["men"]].to_numpy(np.int64)
        self.collective = frame[names["collective"]].to_numpy(np.int64)
        self.code = frame[names["area"]].to_numpy()
        households = frame[list(description.setting.sizes)].to_numpy(np.int64).sum(axis=1)
        self.mean_size = (self.persons - self.collective) / np.maximum(households, 1)


def _kinds(description: Description) -> list[tuple[int, Kind]]:
    """List immigrants and descendants of every origin, in the order of the origins."""
    out: list[tuple[int, Kind]] = []
    for origin in description.origins:
        out.append((IMMIGRANT, origin.immigrants))
        if origin.descendants:
            out.append((ONE_PARENT, origin.descendants))
    return out


def _register(
    truth: pd.DataFrame, description: Description, kinds: Sequence[tuple[int, Kind]]
) -> _Foreign:
    areas, places, numbers, statuses = [], [], [], []
    number = 0
    for origin in description.origins:
        for kind in (origin.immigrants, origin.descendants):
            if kind is None:
                continue
            for place in (DWELLING, HABITACULO):
                column = truth_column(origin.key, immigrants=kind is origin.immigrants, place=place)
                if column not in truth:
                    continue
                counts = truth[column].to_numpy(np.int64)
                areas.append(np.repeat(np.arange(len(truth)), counts))
                places.append(np.full(counts.sum(), place, dtype=np.int8))
                numbers.append(np.full(counts.sum(), number, dtype=np.int16))
                statuses.append(np.full(counts.sum(), kinds[number][0], dtype=np.int8))
            number += 1
    area = np.concatenate(areas)
    blank = np.zeros(len(area), dtype=np.int16)
    return _Foreign(
        area,
        np.concatenate(places),
        np.concatenate(numbers),
        np.concatenate(statuses),
        blank.copy(),
        blank.copy(),
        blank.copy(),
    )


def _age_effect(area: _Area, description: Description, rng: np.random.Generator) -> np.ndarray:
    """Return how old areas are, against persons of SD 1: the larger the households, the younger."""
    size = (area.mean_size - area.mean_size.mean()) / max(area.mean_size.std(), 1e-9)
    weight = description.clustering["size"]
    noise = rng.normal(size=len(size))
    effect = -np.sqrt(weight) * np.clip(size, -3, 3) + np.sqrt(1 - weight) * noise
    icc = description.clustering["age"]
    return effect * np.sqrt(icc / (1 - icc))


def _deal_parents(
    foreign: _Foreign,
    kinds: Sequence[tuple[int, Kind]],
    area: _Area,
    description: Description,
    rng: np.random.Generator,
) -> None:
    """Say who has two immigrant parents: an exact share, and more where immigrants are many."""
    immigrants = np.bincount(foreign.area[foreign.status == IMMIGRANT], minlength=len(area.persons))
    share = immigrants / np.maximum(area.persons, 1)
    spread = (share - share.mean()) / max(share.std(), 1e-9)
    weight = description.clustering["parents"]
    two = {id(o.descendants): o.two_parents for o in description.origins}
    for number, (status, kind) in enumerate(kinds):
        if status == IMMIGRANT:
            continue
        mine = np.flatnonzero(foreign.kind == number)
        noise = rng.normal(size=len(mine))
        score = np.sqrt(weight) * np.clip(spread, -2, 2)[foreign.area[mine]]
        order = np.argsort(-(score + np.sqrt(1 - weight) * noise), kind="stable")
        chosen = mine[order[: round(two[id(kind)] * len(mine))]]
        foreign.status[chosen] = TWO_PARENTS


def _deal_countries(
    foreign: _Foreign,
    kinds: Sequence[tuple[int, Kind]],
    description: Description,
    rng: np.random.Generator,
) -> None:
    """Set countries of birth in exact shares, alike within an area.

    Descendants mostly come from a country of the immigrants beside them.
    """
    codes = {code: number for number, code in enumerate(description.groups.countries)}
    areas = int(foreign.area.max(initial=0)) + 1
    weight = description.clustering["country"]
    for number, (status, kind) in enumerate(kinds):
        mine = np.flatnonzero(foreign.kind == number)
        dealt = np.repeat(
            [codes[c] for c in kind.countries],
            apportion(np.array([*kind.countries.values()]), len(mine)),
        )
        score = np.sqrt(weight) * rng.normal(size=areas)[foreign.area[mine]]
        score += np.sqrt(1 - weight) * rng.normal(size=len(mine))
        foreign.country[mine[np.argsort(score, kind="stable")]] = dealt
        if status != IMMIGRANT and len(kind.countries) > 1:
            beside = np.flatnonzero(foreign.kind == number - 1)
            _follow(foreign, mine[rng.random(len(mine)) < _FOLLOW], beside, rng)


def _follow(
    foreign: _Foreign, descendants: np.ndarray, immigrants: np.ndarray, rng: np.random.Generator
) -> None:
    """Give descendants the country of an immigrant of their origin in the same area."""
    immigrants = immigrants[np.argsort(foreign.area[immigrants], kind="stable")]
    area = foreign.area[immigrants]
    start = np.searchsorted(area, foreign.area[descendants])
    count = np.searchsorted(area, foreign.area[descendants], side="right") - start
    chosen = start + np.floor(rng.random(len(descendants)) * count).astype(np.int64)
    there = count > 0
    foreign.country[descendants[there]] = foreign.country[immigrants[chosen[there]]]


def _deal_sexes(
    foreign: _Foreign,
    kinds: Sequence[tuple[int, Kind]],
    area: _Area,
    description: Description,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Set the sex of persons of foreign origin; return natives in dwellings and in collectives.

    Both are (areas, 2): men and women.
    """
    size = len(area.persons)
    inside = foreign.place == DWELLING
    persons = np.zeros((size, 2 + len(kinds)), dtype=np.int64)
    persons[:, 1] = area.collective
    targets = [round(description.collective.men * int(area.collective.sum()))]
    for number, (status, kind) in enumerate(kinds):
        mine = foreign.kind == number
        persons[:, 2 + number] = np.bincount(foreign.area[mine & inside], minlength=size)
        outside = np.flatnonzero(mine & ~inside)
        share = description.habitaculo.men if status == IMMIGRANT else kind.men
        away = min(round(share * len(outside)), round(kind.men * int(mine.sum())))
        foreign.sex[rng.permutation(outside)[away:]] = WOMEN
        targets.append(min(round(kind.men * int(mine.sum())) - away, int((mine & inside).sum())))
    persons[:, 0] = area.persons - persons[:, 1:].sum(axis=1)
    _require_room(persons, area)
    men = split_by_sex(
        persons, area.men, np.array(targets), rng, clustering=description.clustering["sex"]
    )
    for number in range(len(kinds)):
        mine = np.flatnonzero((foreign.kind == number) & inside)
        place = rank(foreign.area[mine], rng.random(len(mine)))
        foreign.sex[mine] = np.where(place < men[foreign.area[mine], 2 + number], MEN, WOMEN)
    both = np.stack([men, persons - men], axis=2)
    return both[:, 0], both[:, 1]


def _require_room(persons: np.ndarray, area: _Area) -> None:
    full = np.flatnonzero(persons[:, 0] < 0)
    if len(full):
        raise FrameError(
            "{count} areas hold more persons of foreign origin than persons in dwellings: "
            "{areas}. Mend the truth table.",
            count=len(full),
            areas=[str(area.code[i]) for i in full],
        )


def _shelter_ages(
    status: int, kind: Kind, description: Description
) -> tuple[np.ndarray, np.ndarray]:
    """Return a kind's ages in all, and in habitaculos, where immigrants go to work."""
    return kind.ages, description.habitaculo.ages if status == IMMIGRANT else kind.ages


def _deal_ages(
    foreign: _Foreign,
    number: int,
    ages: tuple[np.ndarray, np.ndarray],
    how: tuple[np.ndarray, np.random.Generator],
) -> None:
    """Set the age bands of one kind: exact shares of each sex, alike within an area."""
    for sex in (MEN, WOMEN):
        mine = (foreign.kind == number) & (foreign.sex == sex)
        away = np.flatnonzero(mine & (foreign.place == HABITACULO))
        home = np.flatnonzero(mine & (foreign.place == DWELLING))
        total = apportion(ages[0][sex], len(home) + len(away))
        there = apportion(ages[1][sex], len(away), upper=total)
        for rows, targets in ((away, there), (home, total - there)):
            foreign.band[rows] = _bands(foreign.area[rows], targets, how)


def _bands(
    area: np.ndarray, targets: np.ndarray, how: tuple[np.ndarray, np.random.Generator]
) -> np.ndarray:
    """Deal age bands in exact numbers to persons ordered by their area's effect and chance."""
    effect, rng = how
    out = np.empty(len(area), dtype=np.int16)
    score = rng.normal(size=len(area)) + effect[area]
    out[np.argsort(score, kind="stable")] = np.repeat(np.arange(len(targets)), targets)
    return out


def _native_cells(
    persons: np.ndarray,
    place: int,
    ages: np.ndarray,
    how: tuple[np.ndarray, np.random.Generator],
) -> pd.DataFrame:
    """Count natives by area, sex and age band."""
    parts = []
    for sex in (MEN, WOMEN):
        area = np.repeat(np.arange(len(persons)), persons[:, sex])
        band = _bands(area, apportion(ages[sex], len(area)), how)
        size = ages.shape[1]
        counts = np.bincount(area * size + band, minlength=len(persons) * size)
        held = np.flatnonzero(counts)
        parts.append(
            pd.DataFrame(
                {
                    "area": held // size,
                    "place": np.int8(place),
                    "group": np.int16(NATIVE),
                    "sex": np.int8(sex),
                    "band": (held % size).astype(np.int8),
                    "persons": counts[held],
                }
            )
        )
    return pd.concat(parts)


def _foreign_cells(
    foreign: _Foreign, kinds: Sequence[tuple[int, Kind]], description: Description
) -> pd.DataFrame:
    origins = [
        number
        for number, origin in enumerate(description.origins, start=1)
        for _ in range(2 if origin.descendants else 1)
    ]
    origin = np.array(origins[: len(kinds)])[foreign.kind]
    group = description.groups.find(foreign.status, origin, foreign.country)
    table = pd.DataFrame(
        {
            "area": foreign.area,
            "place": foreign.place,
            "group": group.astype(np.int16),
            "sex": foreign.sex.astype(np.int8),
            "band": foreign.band.astype(np.int8),
        }
    )
    return table.groupby([*CELL], as_index=False).size().rename(columns={"size": "persons"})
