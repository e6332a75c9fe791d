"""Dwellings of an area: private ones, occupied or vacant, collective ones and habitaculos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nsm.simulation.draws import Draws
from nsm.simulation.groups import DWELLING, HABITACULO
from nsm.simulation.matching import rank

DRAWS = ("order", "language")


@dataclass(frozen=True)
class Homes:
    """Households of several areas: `area` (row among those asked for), `place`, `size` (homes,)."""

    area: np.ndarray
    place: np.ndarray
    size: np.ndarray


def private_homes(households: np.ndarray, persons: np.ndarray) -> Homes:
    """Lay out the households of private dwellings.

    Parameters
    ----------
    households
        Households by size 1, 2 ...; the last class is open (areas, sizes).
    persons
        Persons in private dwellings (areas,). What they are beyond the sizes is shared evenly
        among the households of the largest class.
    """
    areas, sizes = households.shape
    area = np.repeat(np.arange(areas), households.sum(axis=1))
    size = np.repeat(np.tile(np.arange(1, sizes + 1), areas), households.ravel())
    beyond = persons - households @ np.arange(1, sizes + 1)
    large = np.flatnonzero(size == sizes)
    held = households[:, -1]
    place = np.arange(len(large)) - np.repeat(np.cumsum(held) - held, held)
    extra, share = beyond[area[large]], held[area[large]]
    size[large] += extra // share + (place < extra % share)
    return Homes(area, np.full(len(area), DWELLING), size)


def shelters(
    area: np.ndarray, adult: np.ndarray, place: int, size: float, chance: np.ndarray
) -> tuple[Homes, np.ndarray]:
    """Lay out collective dwellings or habitaculos for the persons who live there.

    Every one has an adult where adults suffice. The others choose at random.

    Parameters
    ----------
    area, adult, chance
        Of each person (persons,): area, whether of age, a uniform number.
    size
        Persons in each, on average.

    Returns
    -------
    the homes, and the home of each person (persons,).
    """
    areas = int(area.max(initial=-1)) + 1
    persons = np.bincount(area, minlength=areas)
    adults = np.bincount(area[adult], minlength=areas)
    count = np.clip(np.ceil(persons / size), persons > 0, np.maximum(adults, 1)).astype(np.int64)
    start = np.cumsum(count) - count
    order = rank(area, np.where(adult, 0, 2) + chance)
    within = np.where(order < count[area], order, (chance * count[area]).astype(np.int64))
    home = start[area] + within
    of = np.repeat(np.arange(areas), count)
    return Homes(of, np.full(len(of), place), np.bincount(home, minlength=len(of))), home


@dataclass(frozen=True)
class Dwellings:
    """Dwellings of several areas, in listing order.

    Parameters
    ----------
    area, place, occupied
        Of each dwelling (dwellings,).
    number
        Its number in the list of its area, from 1.
    home
        Dwelling of each household (homes,).
    nth
        Number of each household in its dwelling, from 1 (homes,).
    """

    area: np.ndarray
    place: np.ndarray
    occupied: np.ndarray
    number: np.ndarray
    home: np.ndarray
    nth: np.ndarray


def rows_of_dwellings(homes: Homes, dwellings: np.ndarray) -> np.ndarray:
    """Return how many dwellings each area lists (areas,)."""
    return dwellings + np.bincount(homes.area[homes.place != DWELLING], minlength=len(dwellings))


def build(
    homes: Homes, occupied: np.ndarray, dwellings: np.ndarray, draws: Draws, chance: np.ndarray
) -> Dwellings:
    """House the households: those beyond the occupied dwellings share one with another.

    Parameters
    ----------
    occupied, dwellings
        Private dwellings of each area, occupied and in all (areas,).
    draws
        Uniform numbers of the dwellings, area by area.
    chance
        Of the households (homes,): who shares.
    """
    areas = len(dwellings)
    private = homes.place == DWELLING
    others = np.bincount(homes.area[~private], minlength=areas)
    rows = dwellings + others
    start = np.cumsum(rows) - rows
    own = rank(homes.area, np.where(private, 0, 2) + chance)
    households = np.bincount(homes.area[private], minlength=areas)
    taken = occupied[homes.area]
    # Of an area: first its occupied dwellings, then collective ones and habitaculos, then vacant.
    within = np.where(private, own % np.maximum(taken, 1), taken + own - households[homes.area])
    house = start[homes.area] + within
    nth = np.where(private, own // np.maximum(taken, 1), 0) + 1
    area = np.repeat(np.arange(areas), rows)
    place = np.full(len(area), DWELLING)
    place[house] = homes.place
    lived = np.zeros(len(area), dtype=bool)
    lived[house] = True
    listed = rank(area, draws["order"])
    order = np.lexsort((listed, area))
    moved = np.empty(len(area), dtype=np.int64)
    moved[order] = np.arange(len(area))
    return Dwellings(area, place[order], lived[order], listed[order] + 1, moved[house], nth)


def spoken(
    shares: Mapping[str, np.ndarray],
    heard: Mapping[str, float],
    by_chance: Mapping[str, float],
    home: str,
    draws: Draws,
) -> np.ndarray:
    """Return the language heard at the door of each dwelling, as text.

    Parameters
    ----------
    shares
        Language -> share of the adults who were born where it is spoken (dwellings,).
    heard
        Language -> probability that it is heard where all adults speak it.
    by_chance
        Language -> probability that it is heard elsewhere.
    home
        What is heard otherwise.
    """
    out = np.full(len(draws["language"]), home, dtype=object)
    passed = np.zeros(len(out))
    for language, share in shares.items():
        low, high = by_chance.get(language, 0.0), heard.get(language, 0.0)
        chance = low + (high - low) * share
        now = (draws["language"] >= passed) & (draws["language"] < passed + chance)
        out[now] = language
        passed += chance
    return out


def in_frame(place: np.ndarray) -> np.ndarray:
    """Return whether dwellings of this place are in the frame: habitaculos are not."""
    return place != HABITACULO


def code(area: Sequence[str], number: Sequence[int], width: int) -> list[str]:
    """Return codes such as 0109010110001-012."""
    return [f"{a}-{n:0{width}d}" for a, n in zip(area, number, strict=True)]
