"""Children with their parents, grandchildren, elders and everybody else into founded households.

A child's parents in the household always agree with its migrant status: the child of two
immigrants never gets a native mother.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nsm.simulation.groups import IMMIGRANT, MEN, NATIVE, ONE_PARENT, TWO_PARENTS, WOMEN
from nsm.simulation.households import (
    CHILD,
    DOMESTIC_WORKER,
    GRANDCHILD,
    IN_LAW,
    LODGER,
    NOBODY,
    NOT_RELATED,
    OTHER_RELATIVE,
    PARENT,
    SIBLING,
    STEPCHILD,
    Assembly,
)
from nsm.simulation.matching import pair, thin

# Households by who could be parents there.
NATIVES, NATIVE_ALONE, MIXED, IMMIGRANTS, IMMIGRANT_ALONE, UNLIKE = range(6)
# Which children go to which households, in this order, and whether the country must agree.
_HOMES_OF_CHILDREN = (
    (NATIVE, (NATIVES, NATIVE_ALONE), False),
    (ONE_PARENT, (MIXED,), True),
    (TWO_PARENTS, (IMMIGRANTS,), True),
    (IMMIGRANT, (IMMIGRANTS,), True),
    (TWO_PARENTS, (IMMIGRANT_ALONE,), True),
    (ONE_PARENT, (IMMIGRANT_ALONE,), True),
    (IMMIGRANT, (IMMIGRANT_ALONE,), True),
    (ONE_PARENT, (NATIVE_ALONE,), False),
)
# Roles of others in the household: of one community with the head, of another, and children.
_PEERS = ((SIBLING, 0.35), (IN_LAW, 0.15), (OTHER_RELATIVE, 0.25), (LODGER, 0.15))
_YOUNGER = ((OTHER_RELATIVE, 0.60), (IN_LAW, 0.20), (LODGER, 0.10))
_STRANGERS = ((LODGER, 0.35), (DOMESTIC_WORKER, 0.15), (OTHER_RELATIVE, 0.25))
_MINORS = ((OTHER_RELATIVE, 0.85),)


@dataclass(frozen=True)
class _Parents:
    """The woman and the man among head and spouse of each home, with what they could be."""

    mother: np.ndarray
    father: np.ndarray
    kind: np.ndarray
    country: np.ndarray


def gather(work: Assembly) -> None:
    """Give everybody who waits a household, a relationship, and parents who live there."""
    homes = _parents(work)
    under = work.age < 18
    chance = np.clip((50 - work.age) / 25, 0, 1) * work.rules.grown_up_with_parents
    grown = ~under & (work.draws["adult_child"] < chance)
    for young in (under & (work.draws["child"] < work.rules.with_parents), grown):
        for strict in (True, False):
            _children(work, homes, young, strict=strict)
    _grandchildren(work)
    _elders(work)
    _others(work)


def _parents(work: Assembly) -> _Parents:
    out = []
    for sex in (WOMEN, MEN):
        person = np.full(len(work.size), NOBODY, dtype=np.int64)
        for who in (work.spouse, work.head):
            mine = (who != NOBODY) & (work.sex[who] == sex)
            person[mine] = who[mine]
        out.append(person)
    alone = work.spouse == NOBODY
    abroad = work.status[work.head] == IMMIGRANT
    other = ~alone & (work.status[work.spouse] == IMMIGRANT)
    one = np.where(abroad, work.country[work.head], 0)
    two = np.where(other, work.country[work.spouse], 0)
    both = abroad & other
    cases = {
        NATIVE_ALONE: alone & ~abroad,
        IMMIGRANT_ALONE: alone & abroad,
        NATIVES: ~abroad & ~other,
        IMMIGRANTS: both & (one == two),
        UNLIKE: both,
    }
    kind = np.select([*cases.values()], [*cases], MIXED)
    return _Parents(out[0], out[1], kind, np.maximum(one, two))


def _children(work: Assembly, parents: _Parents, young: np.ndarray, *, strict: bool) -> None:
    """Give children parents of the right origin and age; `strict`: no stepparents."""
    for status, kinds, by_country in _HOMES_OF_CHILDREN:
        own = np.flatnonzero(work.waiting & young & (work.kinship == status))
        homes = np.flatnonzero(np.isin(parents.kind, kinds) & (work.free > 0))
        if len(own) and len(homes):
            child, home = _by_age(work, parents, (own, homes), by_country=by_country)
            _adopt(work, parents, (child, home), strict=strict)


def _by_age(
    work: Assembly,
    parents: _Parents,
    rows: tuple[np.ndarray, np.ndarray],
    *,
    by_country: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Pair children with free places in homes, the younger with the younger parents."""
    children, homes = rows
    older = np.where(
        parents.mother != NOBODY,
        work.age[parents.mother],
        work.age[parents.father] - work.rules.couple_gap,
    )
    slots, nth = _free_places(work, homes)
    size = int(work.country.max(initial=0)) + 1
    left = work.block[children] * size + (work.country[children] if by_country else 0)
    right = work.home_block[slots] * size + (parents.country[slots] if by_country else 0)
    # Mothers of about 37 and first places go first, men who are alone last.
    keen = np.abs(older[slots] - 37) / 12 + 0.35 * nth + 1.5 * work.home_draws["slot"][slots]
    keen += work.rules.fathers_alone * (parents.mother[slots] == NOBODY)
    some, those = thin((left, work.draws["child_age"][children]), (right, keen))
    children, slots, nth = children[some], slots[those], nth[those]
    noise = work.rules.birth_spread * work.draws.normal("child_age")[children]
    step = 2 * work.home_draws.normal("slot_age")[slots] - 2.5 * nth
    one, other = pair((left[some], work.age[children] + noise), (right[those], older[slots] + step))
    return children[one], slots[other]


def _free_places(work: Assembly, homes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the home of each free place, and its number among those of the home, from 0."""
    free = work.free[homes]
    return np.repeat(homes, free), np.arange(free.sum()) - np.repeat(np.cumsum(free) - free, free)


def _adopt(
    work: Assembly, parents: _Parents, rows: tuple[np.ndarray, np.ndarray], *, strict: bool
) -> None:
    """Place the children whose age fits their parents', and link them."""
    child, home = rows
    mother, father = parents.mother[home], parents.father[home]
    is_mother = _of_age(work, mother, child, work.rules.mother_ages)
    is_father = _of_age(work, father, child, work.rules.father_ages)
    # One native parent and a stepparent do as well; where an immigrant is a parent, both are.
    enough = (work.kinship[child] == NATIVE) & (not strict)
    enough |= (mother == NOBODY) | (father == NOBODY)
    fits = np.where(enough, is_mother | is_father, is_mother & is_father)
    head = work.head[home]
    of_head = (is_mother & (mother == head)) | (is_father & (father == head))
    work.place(child[fits], home[fits], np.where(of_head, CHILD, STEPCHILD)[fits])
    for line, parent, linked in (
        (work.mother, mother, is_mother & fits),
        (work.father, father, is_father & fits),
    ):
        line[child[linked]] = parent[linked]


def _of_age(
    work: Assembly, parent: np.ndarray, child: np.ndarray, ages: tuple[int, int]
) -> np.ndarray:
    """Say where `parent` is somebody who was of an age in `ages` when the child was born."""
    gap = work.age[parent] - work.age[child]
    return (parent != NOBODY) & (gap >= ages[0]) & (gap <= ages[1])


def _near(
    work: Assembly, persons: np.ndarray, homes: np.ndarray, wish: np.ndarray, *, alike: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Pair persons, by `wish`, with homes, by their head's age; of one community if `alike`."""
    size = int(work.country.max(initial=0)) + 1
    community = work.community if alike else np.zeros_like(work.community)
    left = work.block[persons] * size + community[persons]
    right = work.home_block[homes] * size + community[work.head[homes]]
    some, those = thin(
        (left, work.draws["grandchild"][persons]), (right, work.home_draws["fill"][homes])
    )
    persons, homes = persons[some], homes[those]
    one, other = pair((left[some], wish[some]), (right[those], work.age[work.head[homes]]))
    return persons[one], homes[other]


def _grandchildren(work: Assembly) -> None:
    """Give minors without parents in the area a grandparent of their community."""
    own = np.flatnonzero(work.waiting & (work.age < 18))
    homes, _ = _free_places(work, np.flatnonzero(work.free > 0))
    homes = homes[work.age[work.head[homes]] >= 36]
    child, home = _near(work, own, homes, work.age[own] + 50.0, alike=True)
    gap = work.age[work.head[home]] - work.age[child]
    fits = (gap >= 36) & (gap <= 80)
    work.place(child[fits], home[fits], GRANDCHILD)


def _elders(work: Assembly) -> None:
    """Give older persons a home with a son or daughter, at most one in each home."""
    own = np.flatnonzero(work.waiting & (work.age >= 45))
    homes = np.flatnonzero(work.free > 0)
    elder, home = _near(work, own, homes, work.age[own] - 27.0, alike=True)
    head = work.head[home]
    gap = work.age[elder] - work.age[head]
    fits = (gap >= 16) & (gap <= 46)
    elder, home, head = elder[fits], home[fits], head[fits]
    abroad = (work.status[elder] == IMMIGRANT) & (work.country[elder] == work.country[head])
    kinship = work.kinship[head]
    linked = np.where(kinship == IMMIGRANT, abroad, work.status[elder] != IMMIGRANT)
    linked &= (kinship == NATIVE) | (kinship == IMMIGRANT)
    work.place(elder, home, np.where(linked, PARENT, IN_LAW))
    for line, sex in ((work.mother, WOMEN), (work.father, MEN)):
        mine = linked & (work.sex[elder] == sex)
        line[head[mine]] = elder[mine]


def _others(work: Assembly) -> None:
    """Fill what places are left: with people of the head's community first."""
    for alike in (True, False):
        own = np.flatnonzero(work.waiting)
        homes, _ = _free_places(work, np.flatnonzero(work.free > 0))
        person, home = _near(work, own, homes, 99 * work.draws["fill"][own], alike=alike)
        head = work.head[home]
        younger = work.age[head] - work.age[person] > 14
        minor = work.age[person] < 15
        same = work.community[head] == work.community[person]
        cases = ((minor, _MINORS), (~same, _STRANGERS), (younger, _YOUNGER), (same, _PEERS))
        role = np.full(len(person), NOT_RELATED)
        open_ = np.ones(len(person), dtype=bool)
        for mine, roles in cases:
            role = np.where(open_ & mine, _drawn(work.draws["role"][person], roles), role)
            open_ &= ~mine
        work.place(person, home, role)


def _drawn(chance: np.ndarray, roles: tuple[tuple[int, float], ...]) -> np.ndarray:
    """Return a role for each uniform number; what the shares leave is not related."""
    ends = np.cumsum([share for _, share in roles])
    codes = np.array([*(role for role, _ in roles), NOT_RELATED])
    return codes[np.searchsorted(ends, chance, side="right")]
