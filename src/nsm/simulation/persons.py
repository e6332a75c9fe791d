"""What persons answer: birthplaces, papers, arrival, schooling, work and pay. All invented."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nsm.simulation.draws import Draws
from nsm.simulation.groups import IMMIGRANT, MEN, NATIVE, ONE_PARENT, PARENTS, TWO_PARENTS
from nsm.simulation.profiles import PersonRules

DRAWS = (
    "parents", "which", "other_parent", "citizenship", "document", "arrival", "arrival_year",
    "schooling", "employed", "sector", "hours", "heap", "pay",
)  # fmt: skip
HOME = 0


@dataclass(frozen=True)
class People:
    """Persons as numbers, in one order.

    Parameters
    ----------
    status, country, sex, age
        (persons,): see `groups`.
    mother, father
        Rows of parents in the household, or -1.
    profile
        Number of each person's profile in the order of the rules.
    returned
        Immigrants whose parents were born in the country of the survey.
    """

    status: np.ndarray
    country: np.ndarray
    sex: np.ndarray
    age: np.ndarray
    mother: np.ndarray
    father: np.ndarray
    profile: np.ndarray
    returned: np.ndarray


def pick(shares: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return the class of each uniform number, from the shares of each row (rows, classes)."""
    ends = np.cumsum(shares, axis=1)
    return np.minimum((chance[:, None] * ends[:, -1:] >= ends).sum(axis=1), shares.shape[1] - 1)


def parents_birthplace(
    people: People, rules: PersonRules, countries: tuple[str, ...], draws: Draws
) -> tuple[np.ndarray, np.ndarray]:
    """Return where mothers and fathers were born, as numbers of countries.

    Whoever lives in the household says it; for others it follows from migrant status, and
    `len(countries)` stands for an answer that is not known.
    """
    own = people.country
    abroad = (people.status == TWO_PARENTS) | ((people.status == IMMIGRANT) & ~people.returned)
    both = np.where(abroad, own, HOME)
    # Of descendants with one immigrant parent: which one, and whether the other is known.
    single = people.status == ONE_PARENT
    by_father = draws["which"] < rules.immigrant_father
    for parent, is_father in ((people.father, True), (people.mother, False)):
        lives = single & (parent >= 0)
        foreign = people.status[parent] == IMMIGRANT
        by_father = np.where(lives, foreign == is_father, by_father)
    known = draws["other_parent"] < np.where(by_father, *rules.native_parent)
    other = np.where(known, HOME, len(countries))
    mother = np.where(single, np.where(by_father, other, own), both)
    father = np.where(single, np.where(by_father, own, other), both)
    born = np.where(people.status == IMMIGRANT, own, HOME)
    mother = np.where(people.mother >= 0, born[people.mother], mother)
    father = np.where(people.father >= 0, born[people.father], father)
    return mother, father


def documents(people: People, rules: PersonRules, draws: Draws) -> np.ndarray:
    """Return the number of each foreign-origin person's document; -1 for natives."""
    if not rules.documents:
        return np.full(len(people.status), -1)
    table = np.stack([profile.documents for profile in rules.profiles.values()])
    shares = table[people.profile, PARENTS[people.status]]
    return np.where(people.status == NATIVE, -1, pick(shares, draws["document"]))


def citizenship(
    people: People,
    rules: PersonRules,
    countries: tuple[str, ...],
    document: np.ndarray,
    draws: Draws,
) -> np.ndarray:
    """Return citizenship as text, from the number of each person's document."""
    codes = np.array([rules.citizenship.get(code, code) for code in countries])
    citizen = len(rules.documents) and document == rules.documents.index(rules.citizen)
    home = (people.status == NATIVE) | (people.status == ONE_PARENT) | citizen
    home |= people.returned & (draws["citizenship"] < rules.born_of_home_parents)
    stateless = (people.status == TWO_PARENTS) & (draws["citizenship"] < rules.stateless_share)
    foreign = np.where(stateless, rules.stateless, codes[people.country])
    return np.where(home, countries[HOME], foreign)


def arrival_year(people: People, rules: PersonRules, year: int, draws: Draws) -> np.ndarray:
    """Return the year of arrival of immigrants, 0 for others; nobody arrives before birth."""
    starts = np.append(rules.arrival_starts, rules.arrival_longest)
    shares = np.stack([profile.duration for profile in rules.profiles.values()])[people.profile]
    shares = np.where(shares.sum(axis=1, keepdims=True) > 0, shares, 1.0)
    # The chance of having come within t years is piecewise linear; it is cut at the age.
    ends = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
    ends /= ends[:, -1:]
    age = np.minimum(people.age + 0.999, starts[-1] - 1e-6)
    limit = _interpolate(starts, ends, age)
    chance = draws["arrival"] * limit
    column = np.clip((chance[:, None] >= ends).sum(axis=1) - 1, 0, len(starts) - 2)
    rows = np.arange(len(chance))
    low, high = ends[rows, column], ends[rows, column + 1]
    part = (chance - low) / np.maximum(high - low, 1e-12)
    years = starts[column] + part * (starts[column + 1] - starts[column])
    out = year - np.minimum(np.floor(years), people.age).astype(np.int64)
    return np.where(people.status == IMMIGRANT, out, 0)


def _interpolate(starts: np.ndarray, ends: np.ndarray, at: np.ndarray) -> np.ndarray:
    column = np.searchsorted(starts, at, side="right") - 1
    rows = np.arange(len(at))
    part = (at - starts[column]) / (starts[column + 1] - starts[column])
    return ends[rows, column] + part * (ends[rows, column + 1] - ends[rows, column])


def schooling(people: People, rules: PersonRules, draws: Draws) -> np.ndarray:
    """Return the level of schooling as a number, no higher than the age allows."""
    shares = np.stack([profile.schooling for profile in rules.profiles.values()])
    level = pick(shares[people.profile], draws["schooling"])
    highest = np.searchsorted(rules.level_from, people.age, side="right") - 1
    # Whoever is at school age and will get further stands at the level of the age.
    return np.minimum(level, highest)


def employed(people: People, rules: PersonRules, draws: Draws) -> np.ndarray:
    """Return who works (persons,), true or false; nobody below the first age class."""
    rates = np.stack([profile.employed for profile in rules.profiles.values()])
    group = np.searchsorted(rules.work.ages, people.age, side="right") - 1
    rate = rates[people.profile, people.sex, np.maximum(group, 0)]
    return (group >= 0) & (draws["employed"] < rate)


def sector(people: People, rules: PersonRules, draws: Draws) -> np.ndarray:
    """Return the sector of activity as a number."""
    shares = np.stack([profile.sector for profile in rules.profiles.values()])
    return pick(shares[people.profile, people.sex], draws["sector"])


def hours(people: People, rules: PersonRules, draws: Draws) -> np.ndarray:
    """Return usual hours of work a week, whole."""
    mean = np.array([profile.hours for profile in rules.profiles.values()])[people.profile]
    drawn = mean + rules.work.hours_sd * draws.normal("hours")
    # Many say 40, 44 or 48: one half round to a multiple of four.
    fours = 4 * np.round(drawn / 4)
    rounded = np.where(draws["heap"] < 0.5, fours, np.round(drawn))
    return np.clip(rounded, 4, rules.work.hours_most).astype(np.int64)


def pay(
    people: People, rules: PersonRules, job: tuple[np.ndarray, np.ndarray, np.ndarray], draws: Draws
) -> np.ndarray:
    """Return monthly pay, log-normal given profile, sex, schooling, sector, age and hours.

    Parameters
    ----------
    job
        Level of schooling, sector and hours of each person.
    """
    level, activity, time = job
    work = rules.work
    median = np.array([profile.pay for profile in rules.profiles.values()])[people.profile]
    median = median * work.pay_schooling[level] * work.pay_sector[activity]
    median *= np.where(people.sex == MEN, 1.0, work.pay_women)
    median *= 1 - ((np.clip(people.age, 15, 75) - 45) / 60) ** 2
    drawn = median * (time / 44) ** 0.6 * np.exp(work.pay_sd * draws.normal("pay"))
    return (work.pay_round * np.maximum(np.round(drawn / work.pay_round), 1)).astype(np.int64)
