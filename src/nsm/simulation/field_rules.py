"""Rules of the simulated fieldwork, from the part `field` of a description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from nsm.errors import OptionError, nearest
from nsm.simulation.section import Section

RECORDED = ("prior_class", "dwelling_type", "door_language", "sex")


@dataclass(frozen=True)
class Chance:
    """A probability: a base times a factor for each label of each recorded column."""

    base: float
    factors: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, part: Section, classes: Mapping[str, float]) -> Chance:
        """Read a chance and refuse one that could exceed 1."""
        factors = {
            name: part.named(name, [*classes] if name == "prior_class" else ())
            for name in RECORDED
            if name in part
        }
        out = cls(part.share("base"), factors)
        highest = out.base * float(np.prod([max(f.values()) for f in factors.values()]))
        if highest > 1 + 1e-9:
            part.refuse(
                "base",
                "{file}: {key} times the largest factors is {highest}, above 1. Lower one of them.",
                highest=f"{highest:.3f}",
            )
        return out

    def of_rows(self, table: pd.DataFrame) -> np.ndarray:
        """Return the probability of each row; a blank label has factor 1.

        Raises
        ------
        OptionError
            A label has no factor.
        """
        out = np.full(len(table), self.base)
        for name, factors in self.factors.items():
            codes, labels = pd.factorize(table[name])
            for label in labels:
                if label not in factors:
                    raise OptionError(
                        "The response of {column} = {label!r} is not described. {hint}",
                        column=name,
                        label=str(label),
                        hint=nearest(label, factors),
                    )
            values = np.array([*(factors[label] for label in labels), 1.0])
            out *= values[codes]
        return out


@dataclass(frozen=True)
class Scenario:
    """Factors on the response of dwellings and persons of foreign origin."""

    dwelling: float
    interview: float


@dataclass(frozen=True)
class FieldRules:
    """How dwellings and persons answer; every part is described in the example.

    Parameters
    ----------
    classes
        Prior class -> lower end, rising.
    unknown, response, interviews
        Chances that a dwelling's eligibility stays unknown, that an occupied dwelling answers,
        that a person gives the individual interview.
    area_sd
        Standard deviation of the log-odds of response among areas.
    outcomes
        Disposition -> outcome -> share.
    items
        Column -> (share that is not given, code for it).
    """

    roster: tuple[str, ...]
    interview: tuple[str, ...]
    start: date
    areas_a_day: int
    classes: Mapping[str, float]
    unknown: Chance
    response: Chance
    interviews: Chance
    area_sd: float
    outcomes: Mapping[str, Mapping[str, float]]
    youngest: int
    natives_in: int
    items: Mapping[str, tuple[float, int]]
    scenarios: Mapping[str, Scenario]

    @classmethod
    def of(cls, part: Section) -> FieldRules:
        """Read the rules."""
        classes = part.named("prior_class")
        if [*classes.values()] != sorted(classes.values()) or min(classes.values()) != 0:
            part.refuse("prior_class", "{file}: {key} must rise from 0, not {value}.")
        unknown, response, interviews = (
            part.part(name) for name in ("unknown", "response", "interviews")
        )
        out = cls(
            roster=part.texts("roster"),
            interview=part.texts("interview"),
            start=part.get("start", date(2000, 1, 1)),
            areas_a_day=part.whole("areas_a_day", 10, low=1),
            classes=classes,
            unknown=Chance.of(unknown, classes),
            response=Chance.of(response, classes),
            interviews=Chance.of(interviews, classes),
            area_sd=response.number("area_sd", 0.0),
            outcomes={
                "unknown": unknown.shares("outcomes"),
                "respondent": response.shares("outcomes"),
                "nonrespondent": response.shares("failures"),
                "ineligible": response.shares("vacancies"),
            },
            youngest=interviews.whole("youngest", 0),
            natives_in=interviews.whole("natives_in", 1, low=1),
            items=_items(part.part("items", {})),
            scenarios=_scenarios(part.part("scenarios", {})),
        )
        for below in (unknown, response, interviews, part):
            below.close()
        return out

    def scenario(self, name: str) -> Scenario:
        """Return a scenario by its name.

        Raises
        ------
        OptionError
        """
        if name not in self.scenarios:
            raise OptionError(
                "There is no scenario {name!r}. {hint}",
                name=name,
                hint=nearest(name, self.scenarios),
            )
        return self.scenarios[name]

    def prior_class(self, prior: np.ndarray) -> np.ndarray:
        """Return the class of each prior prevalence, as text."""
        names = np.array([*self.classes], dtype=object)
        return names[np.searchsorted([*self.classes.values()], prior, side="right") - 1]


def _items(part: Section) -> dict[str, tuple[float, int]]:
    out = {}
    for name in part.values:
        item = part.part(name)
        out[name] = (item.share("share"), item.whole("code"))
        item.close()
    return out


def _scenarios(part: Section) -> dict[str, Scenario]:
    out = {}
    for name in part.values:
        below = part.part(name)
        out[name] = Scenario(below.share("dwelling", 1.0), below.share("interview", 1.0))
        below.close()
    return out
