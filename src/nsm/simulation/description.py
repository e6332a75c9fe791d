"""The description of a synthetic population: a TOML file, the same for every country."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nsm.condition import parse
from nsm.errors import ConfigError
from nsm.simulation.groups import Groups
from nsm.simulation.section import Section, read_toml
from nsm.simulation.setting import Setting


@dataclass(frozen=True)
class Ages:
    """Age bands by their first age (bands,), and the oldest age of all."""

    starts: np.ndarray
    oldest: int

    @property
    def labels(self) -> list[str]:
        """Return names such as 0-4 and 80+."""
        ends = [*(self.starts[1:] - 1)]
        return [
            *(f"{a}-{b}" for a, b in zip(self.starts[:-1], ends, strict=True)),
            f"{self.starts[-1]}+",
        ]


@dataclass(frozen=True)
class Kind:
    """People of one origin that are all immigrants, or all descendants.

    Parameters
    ----------
    total
        Persons in dwellings and outside, where no truth table gives them by area.
    men
        Share of men, 0-1.
    ages
        Shares by sex and age band (2, bands); each row adds up to 1.
    countries
        Country -> share.
    profile
        Name of the profile of their further characteristics.
    """

    total: int
    men: float
    ages: np.ndarray
    countries: Mapping[str, float]
    profile: str


@dataclass(frozen=True)
class Origin:
    """One origin.

    Parameters
    ----------
    key
        Its name in columns.
    language
        What its people may speak at the door.
    mixed
        Chance that an immigrant looks for a native partner, 0-1.
    two_parents
        Share of the descendants whose parents are both immigrants.
    """

    key: str
    language: str
    mixed: float
    immigrants: Kind
    descendants: Kind | None = None
    two_parents: float = 0.0


@dataclass(frozen=True)
class Shelter:
    """Collective dwellings or habitaculos: persons in each, share of men, ages (2, bands)."""

    size: float
    men: float
    ages: np.ndarray


@dataclass(frozen=True)
class Published:
    """A published figure that the population should reproduce.

    Parameters
    ----------
    name
        Language -> what it says.
    wanted
        The figure.
    share, mean
        A condition on persons whose share it is, or the column whose mean it is.
    among
        A condition: among whom; blank for everybody.
    source
        Where it was published.
    """

    name: Mapping[str, str]
    wanted: float
    share: str
    mean: str
    among: str
    source: str


@dataclass(frozen=True)
class Description:
    """All that is known, chosen or invented of a population.

    Parameters
    ----------
    published, invented
        Figures that the persons should reproduce; language -> what has no figure behind it.
    sections
        Parts read by those who need them.
    """

    setting: Setting
    ages: Ages
    natives: np.ndarray
    native_profile: str
    origins: tuple[Origin, ...]
    collective: Shelter
    habitaculo: Shelter
    clustering: Mapping[str, float]
    groups: Groups
    published: tuple[Published, ...]
    invented: tuple[Mapping[str, str], ...]
    sections: Mapping[str, Section] = field(repr=False)


def read_description(path: str | os.PathLike[str]) -> Description:
    """Read the description of a population.

    Raises
    ------
    FileError, ConfigError
        It cannot be read, lacks a key or has an unknown one, or its shares do not add up.
    """
    return describe(read_toml(path))


def describe(whole: Section) -> Description:
    """Return the description that a TOML table holds; see `read_description`."""
    setting = Setting.of(whole)
    ages = _ages(whole.part("ages", {}))
    natives = whole.part("natives")
    places = whole.part("places")
    origins = tuple(_origin(part, ages) for part in whole.parts("origins"))
    figures, invented = read_figures(whole)
    out = Description(
        setting=setting,
        ages=ages,
        natives=_by_sex(natives, "ages", ages),
        native_profile=natives.text("profile"),
        origins=origins,
        collective=_shelter(places.part("collective"), ages),
        habitaculo=_shelter(places.part("habitaculo"), ages),
        clustering=_clustering(whole.part("clustering", {})),
        groups=Groups.of(setting.country, {o.key: _countries(o) for o in origins}),
        published=figures,
        invented=invented,
        sections={
            name: whole.part(name, {})
            for name in ("households", "persons", "dwellings", "field", "placement")
        },
    )
    for part in (natives, places, whole):
        part.close()
    _verify(whole, out)
    return out


def read_figures(whole: Section) -> tuple[tuple[Published, ...], tuple[dict[str, str], ...]]:
    """Read published figures, and what is invented."""
    figures = tuple(_figure(p) for p in whole.parts("published", []))
    return figures, tuple(dict(p.values) for p in whole.parts("invented", []))


def _ages(part: Section) -> Ages:
    starts = part.numbers("starts", default=[*range(0, 81, 5)]).astype(np.int64)
    oldest = part.whole("oldest", 104)
    part.close()
    if starts[0] != 0 or (np.diff(starts) <= 0).any() or oldest <= starts[-1]:
        part.refuse("starts", "{file}: {key} must rise from 0 to below the oldest age: {value}.")
    return Ages(starts, oldest)


def _by_sex(part: Section, key: str, ages: Ages) -> np.ndarray:
    below = part.part(key)
    out = np.array([below.distribution(sex, len(ages.starts)) for sex in ("M", "F")])
    below.close()
    return out


def _kind(part: Section, ages: Ages) -> Kind:
    return Kind(
        total=part.whole("total"),
        men=part.share("men"),
        ages=_by_sex(part, "ages", ages),
        countries=part.weights("countries"),
        profile=part.text("profile"),
    )


def _origin(part: Section, ages: Ages) -> Origin:
    immigrants = part.part("immigrants")
    descendants = part.part("descendants", {})
    found = None
    two = 0.0
    if descendants.values:
        found = _kind(descendants, ages)
        two = descendants.share("two_parents")
    out = Origin(
        part.text("key"),
        part.text("language"),
        part.share("mixed", 0.2),
        _kind(immigrants, ages),
        found,
        two,
    )
    for below in (immigrants, descendants, part):
        below.close()
    return out


def _shelter(part: Section, ages: Ages) -> Shelter:
    out = Shelter(part.number("size", low=1), part.share("men"), _by_sex(part, "ages", ages))
    part.close()
    return out


def _figure(part: Section) -> Published:
    out = Published(
        name=dict(part.part("name").values),
        wanted=part.number("wanted"),
        share=part.text("share", ""),
        mean=part.text("mean", ""),
        among=part.text("among", ""),
        source=part.text("source", ""),
    )
    part.close()
    if bool(out.share) == bool(out.mean):
        part.refuse("share", "{file}: {key} or a mean must be given, and not both.")
    for text in filter(None, (out.share, out.among)):
        parse(text)
    return out


def _clustering(part: Section) -> dict[str, float]:
    """Read how alike the persons of an area are, 0-1: see the example."""
    out = {
        "age": part.share("age", 0.02),
        "size": part.share("size", 0.3),
        "sex": part.share("sex", 0.02),
        "parents": part.share("parents", 0.3),
        "country": part.share("country", 0.3),
    }
    part.close()
    return out


def _countries(origin: Origin) -> tuple[str, ...]:
    both = [*origin.immigrants.countries]
    if origin.descendants:
        both += origin.descendants.countries
    return tuple(dict.fromkeys(both))


def _verify(whole: Section, description: Description) -> None:
    """Refuse a country that stands under two origins, or a key that does."""
    home = description.setting.country
    seen: dict[str, str] = {}
    for origin in description.origins:
        for country in _countries(origin):
            if country == home or country in seen:
                raise ConfigError(
                    "{file}: {country!r} is a country of birth of origin {origin!r} and also of "
                    "{other!r}. Each country belongs to one.",
                    file=whole.file,
                    country=country,
                    origin=origin.key,
                    other=seen.get(country, "native"),
                )
            seen[country] = origin.key
    keys = [origin.key for origin in description.origins]
    if len(set(keys)) < len(keys):
        raise ConfigError(
            "{file}: two origins have one key, among {keys}.", file=whole.file, keys=keys
        )
