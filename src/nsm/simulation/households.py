"""Households of given sizes: who heads them, and who is the head's partner.

All areas at once: within a block (the dwellings of an area, or its habitaculos) persons and homes
are put in order and paired.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nsm.simulation.draws import Draws
from nsm.simulation.groups import MEN, ONE_PARENT, WOMEN
from nsm.simulation.matching import first, pair, thin
from nsm.simulation.rules import HouseholdRules

NOBODY = -1
ROLES = (
    "head", "spouse", "child", "stepchild", "grandchild", "parent", "sibling", "in_law",
    "other_relative", "domestic_worker", "lodger", "not_related",
)  # fmt: skip
HEAD, SPOUSE, CHILD, STEPCHILD, GRANDCHILD, PARENT, SIBLING, IN_LAW = range(8)
OTHER_RELATIVE, DOMESTIC_WORKER, LODGER, NOT_RELATED = range(8, 12)
PERSON_DRAWS = (
    "head", "size", "partner", "partner_age", "child", "child_age", "adult_child", "grandchild",
    "elder", "fill", "role", "community",
)  # fmt: skip
HOME_DRAWS = ("partner", "partner_age", "mixed", "slot", "slot_age", "fill")


@dataclass
class Assembly:
    """Persons and homes while they are put together.

    Parameters
    ----------
    block, status, country, sex, age
        Of each person (persons,).
    home_block, size
        Of each household (homes,); the sizes of a block add up to its persons.
    draws, home_draws
        Uniform numbers of persons and homes.
    """

    block: np.ndarray
    status: np.ndarray
    country: np.ndarray
    sex: np.ndarray
    age: np.ndarray
    home_block: np.ndarray
    size: np.ndarray
    draws: Draws
    home_draws: Draws
    rules: HouseholdRules
    home: np.ndarray = field(init=False)
    role: np.ndarray = field(init=False)
    mother: np.ndarray = field(init=False)
    father: np.ndarray = field(init=False)
    free: np.ndarray = field(init=False)
    head: np.ndarray = field(init=False)
    spouse: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        persons, homes = len(self.block), len(self.size)
        for name in ("home", "mother", "father"):
            setattr(self, name, np.full(persons, NOBODY, dtype=np.int64))
        self.role = np.full(persons, NOT_RELATED, dtype=np.int64)
        self.free = self.size.copy()
        self.head = np.full(homes, NOBODY, dtype=np.int64)
        self.spouse = np.full(homes, NOBODY, dtype=np.int64)
        # Whom a person lives among: descendants with a native parent live among either.
        mixed = (self.status == ONE_PARENT) & (self.draws["community"] < 0.5)
        self.community = np.where(mixed, 0, self.country)

    def place(self, persons: np.ndarray, homes: np.ndarray, role: np.ndarray | int) -> None:
        """Put persons into homes."""
        self.home[persons] = homes
        self.role[persons] = role
        np.subtract.at(self.free, homes, 1)

    @property
    def waiting(self) -> np.ndarray:
        """Persons without a home (persons,), true or false."""
        return self.home == NOBODY


def found(work: Assembly) -> None:
    """Found the households: every home gets a head, and some heads a partner."""
    _heads(work)
    _partners(work)


def _heads(work: Assembly) -> None:
    """Choose as many heads as homes, by age and sex; older ones get the larger homes."""
    rate = work.rules.headship_of(work.sex, work.age)
    race = -np.log1p(-work.draws["head"]) / rate
    homes = np.bincount(work.home_block, minlength=int(work.block.max(initial=-1)) + 1)
    heads = np.flatnonzero(first(work.block, race, homes))
    wish = work.rules.size_of(work.age[heads]) + work.draws.normal("size")[heads]
    one, other = pair(
        (work.block[heads], wish),
        (work.home_block, work.size + 0.9 * work.home_draws["fill"]),
    )
    persons = heads[one]
    work.place(persons, other, HEAD)
    work.head[other] = persons


def _partners(work: Assembly) -> None:
    """Pair heads with persons of the other sex: of their own country first, then of others."""
    share = np.array([work.rules.partner[s] for s in (MEN, WOMEN)])
    head_sex, head_age = work.sex[work.head], work.age[work.head]
    wants = (work.free > 0) & (head_age >= 17) & (work.home_draws["partner"] < share[head_sex])
    gap = np.where(head_sex == MEN, -1, 1) * work.rules.couple_gap
    noise = work.rules.couple_spread * (work.home_draws.normal("partner_age"))
    wish = head_age + gap + noise
    _couple(work, np.flatnonzero(wants), wish, work.community[work.head], same=True)
    left = wants & (work.spouse == NOBODY) & (work.home_draws["mixed"] < work.rules.mixed)
    _couple(work, np.flatnonzero(left), wish, work.community[work.head], same=False)


def _couple(
    work: Assembly, homes: np.ndarray, wish: np.ndarray, community: np.ndarray, *, same: bool
) -> None:
    candidates = np.flatnonzero(work.waiting & (work.age >= 17) & (work.age < 90))
    size = int(work.country.max(initial=0)) + 1

    def key(block: np.ndarray, kind: np.ndarray, sex: np.ndarray) -> np.ndarray:
        return (block * size + (kind if same else 0)) * 2 + sex

    left = key(work.block[candidates], work.community[candidates], work.sex[candidates])
    right = key(work.home_block[homes], community[homes], 1 - work.sex[work.head[homes]])
    likely = work.draws["partner"][candidates] + 0.5 * (work.age[candidates] > 65)
    some, those = thin((left, likely), (right, work.home_draws["partner"][homes]))
    candidates, homes = candidates[some], homes[those]
    one, other = pair((left[some], work.age[candidates]), (right[those], wish[homes]))
    persons, homes = candidates[one], homes[other]
    near = np.abs(work.age[persons] - wish[homes]) < work.rules.couple_most
    work.place(persons[near], homes[near], SPOUSE)
    work.spouse[homes[near]] = persons[near]
