"""Households of given sizes: who heads them, and who is the head's partner.

All areas at once: within a block (the dwellings of an area, or its habitaculos) persons and homes
are put in order and paired.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nsm.simulation.draws import Draws
from nsm.simulation.groups import MEN, NATIVE, ONE_PARENT
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
    "elder", "fill", "role", "community", "mixed",
)  # fmt: skip
HOME_DRAWS = ("partner", "partner_age", "slot", "slot_age", "fill")
_MARRIAGE = 17


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
    mixed
        Chance that a person of foreign origin looks for a native partner (persons,).
    returned
        Immigrants whose parents were born in the country of the survey (persons,).
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
    mixed: np.ndarray
    returned: np.ndarray
    rules: HouseholdRules
    community: np.ndarray = field(init=False)
    kinship: np.ndarray = field(init=False)
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
        self.community = np.where(mixed | self.returned, 0, self.country)
        self.kinship = np.where(self.returned, NATIVE, self.status)

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
    """Pair heads with persons of the other sex: immigrants first, some of them with natives."""
    share = np.array(work.rules.partner)
    abroad = work.community > 0
    open_ = work.draws["mixed"] < work.mixed
    wants = work.home_draws["partner"] < share[work.sex[work.head]]
    foreign = wants & abroad[work.head]
    _couple(work, foreign, abroad, same=True)
    _couple(work, foreign & open_[work.head], ~abroad, same=False)
    _couple(work, wants & ~foreign, abroad & open_, same=False)
    for _ in range(2):
        _couple(work, wants & ~foreign, ~abroad, same=True)


def _couple(work: Assembly, wants: np.ndarray, may: np.ndarray, *, same: bool) -> None:
    """Pair the heads of homes that want a partner with persons who may be one, by age."""
    rules = work.rules
    head_sex, head_age = work.sex[work.head], work.age[work.head]
    gap = np.where(head_sex == MEN, -1, 1) * rules.couple_gap
    wish = head_age + gap + rules.couple_spread * work.home_draws.normal("partner_age")
    alone = (work.spouse == NOBODY) & (work.free > 0) & (head_age >= _MARRIAGE)
    homes = np.flatnonzero(wants & alone)
    single = np.flatnonzero(may & work.waiting & (work.age >= _MARRIAGE))
    size = int(work.country.max(initial=0)) + 1
    community = work.community if same else np.zeros_like(work.community)
    left = (work.block[single] * size + community[single]) * 2 + work.sex[single]
    right = (work.home_block[homes] * size + community[work.head[homes]]) * 2 + 1 - head_sex[homes]
    # The very young and the old stay behind where there are others.
    age = work.age[single]
    behind = 0.9 * (age < 20) + 0.5 * ((age >= 20) & (age < 24)) + 0.4 * (age > 65)
    some, those = thin(
        (left, work.draws["partner"][single] + behind),
        (right, work.home_draws["partner"][homes]),
    )
    single, homes = single[some], homes[those]
    one, other = pair((left[some], work.age[single]), (right[those], wish[homes]))
    persons, homes = single[one], homes[other]
    near = np.abs(work.age[persons] - head_age[homes] - gap[homes]) < rules.couple_most
    work.place(persons[near], homes[near], SPOUSE)
    work.spouse[homes[near]] = persons[near]
