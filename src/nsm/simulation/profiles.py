"""Further characteristics of persons, from the part `persons` of a description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nsm.errors import ConfigError, nearest
from nsm.simulation.section import Section


@dataclass(frozen=True)
class Profile:
    """What people of one kind are like; shares follow the order of the lists of `PersonRules`.

    Parameters
    ----------
    schooling
        Shares of the levels (levels,).
    employed
        Shares by sex and age class (2, classes).
    sector
        Shares by sex (2, sectors).
    hours, pay
        Mean usual hours a week; median monthly pay of the reference person.
    duration
        Shares of the classes of years since arrival (classes,); immigrants only.
    documents
        Shares by number of immigrant parents 0, 1, 2 (3, documents).
    """

    schooling: np.ndarray
    employed: np.ndarray
    sector: np.ndarray
    hours: float
    pay: float
    duration: np.ndarray
    documents: np.ndarray


@dataclass(frozen=True)
class Work:
    """Hours and pay: see the example's description."""

    ages: np.ndarray
    hours_sd: float
    hours_most: int
    pay_sd: float
    pay_round: int
    pay_women: float
    pay_schooling: np.ndarray
    pay_sector: np.ndarray


@dataclass(frozen=True)
class PersonRules:
    """Rules that give persons their birthplaces, papers, schooling and work."""

    unknown: str
    immigrant_father: float
    native_parent: tuple[float, float]
    home_parents: Mapping[str, float]
    stateless: str
    stateless_share: float
    born_of_home_parents: float
    citizenship: Mapping[str, str]
    arrival_starts: np.ndarray
    arrival_longest: int
    levels: tuple[str, ...]
    level_from: np.ndarray
    sectors: tuple[str, ...]
    documents: tuple[str, ...]
    citizen: str
    work: Work
    profiles: Mapping[str, Profile]

    @classmethod
    def of(cls, part: Section, used: Sequence[str]) -> PersonRules:
        """Read the rules; `used` names the profiles that must be there."""
        parents, papers = part.part("parents", {}), part.part("citizenship", {})
        arrival, schooling = part.part("arrival", {}), part.part("schooling")
        levels = schooling.named("from")
        work = part.part("work")
        sectors = tuple(work.named("pay_sector"))
        profiles = _profiles(part, used)
        documents = _documents(profiles)
        starts = arrival.numbers("starts", default=[0, 2, 5, 10, 20])
        out = cls(
            unknown=parents.text("unknown", "UNKNOWN"),
            immigrant_father=parents.share("immigrant_father", 0.5),
            native_parent=(
                parents.share("native_mother", 1.0),
                parents.share("native_father", 1.0),
            ),
            home_parents=parents.named("home_parents", (), {}),
            stateless=papers.text("stateless", "STATELESS"),
            stateless_share=papers.share("stateless_share", 0.0),
            born_of_home_parents=papers.share("born_of_home_parents", 1.0),
            citizenship=dict(papers.get("other", {})),
            arrival_starts=starts,
            arrival_longest=arrival.whole("longest", 70),
            levels=tuple(levels),
            level_from=np.array([*levels.values()]),
            sectors=sectors,
            documents=documents,
            citizen=papers.text("document", documents[-1] if documents else ""),
            work=_work(work, tuple(levels)),
            profiles={
                name: _profile(profile, (tuple(levels), sectors, documents), work, starts)
                for name, profile in profiles.items()
            },
        )
        for below in (parents, papers, arrival, schooling, work, part, *profiles.values()):
            below.close()
        return out

    def home_share(self, countries: Sequence[str]) -> np.ndarray:
        """Return the share of each country's immigrants whose parents were born here."""
        return np.array([self.home_parents.get(code, 0.0) for code in countries])


def _profiles(part: Section, used: Sequence[str]) -> dict[str, Section]:
    below = part.part("profiles")
    for name in used:
        if name not in below:
            raise ConfigError(
                "{file}: there is no profile {name!r} in {place}. {hint}",
                file=part.file,
                name=name,
                place=below.place,
                hint=nearest(name, below.values),
            )
    return {name: below.part(name) for name in below.values}


def _documents(profiles: Mapping[str, Section]) -> tuple[str, ...]:
    """List the documents that any profile names, in their order."""
    keys = ("documents", "documents_one", "documents_two")
    return tuple(
        dict.fromkeys(
            name for part in profiles.values() for key in keys for name in part.named(key, (), {})
        )
    )


def _work(part: Section, levels: Sequence[str]) -> Work:
    schooling, sector = part.named("pay_schooling", levels), part.named("pay_sector")
    return Work(
        ages=part.numbers("ages"),
        hours_sd=part.number("hours_sd", 9),
        hours_most=part.whole("hours_most", 98, low=1),
        pay_sd=part.number("pay_sd", 0.5),
        pay_round=part.whole("pay_round", 1, low=1),
        pay_women=part.number("pay_women", 1.0),
        pay_schooling=np.array([schooling.get(level, 1.0) for level in levels]),
        pay_sector=np.array([*sector.values()]),
    )


def _profile(
    part: Section, names: tuple[Sequence[str], ...], work: Section, starts: np.ndarray
) -> Profile:
    levels, sectors, documents = names
    employed, sector = part.part("employed"), part.part("sector")
    papers = [
        _ordered(part.shares(key, documents), documents) if key in part else blank
        for key in ("documents", "documents_one", "documents_two")
        for blank in [np.zeros(len(documents))]
    ]
    rates = [employed.numbers(sex, len(work.numbers("ages"))) for sex in ("M", "F")]
    if max(rate.max() for rate in rates) > 1:
        employed.refuse("M", "{file}: {key} must hold shares from 0 to 1, not {value}.")
    duration = np.zeros(len(starts))
    if "duration" in part:
        duration = part.distribution("duration", len(starts))
    out = Profile(
        schooling=_ordered(part.shares("schooling", levels), levels),
        employed=np.array(rates),
        sector=np.array([_ordered(sector.shares(s, sectors), sectors) for s in ("M", "F")]),
        hours=part.number("hours", low=1, high=120),
        pay=part.number("pay"),
        duration=duration,
        documents=np.array(papers),
    )
    employed.close()
    sector.close()
    return out


def _ordered(shares: Mapping[str, float], names: Sequence[str]) -> np.ndarray:
    return np.array([shares.get(name, 0.0) for name in names])
