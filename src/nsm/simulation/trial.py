"""One simulated survey: draw, answers, weights, estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from nsm.estimation import Survey
from nsm.frame import Frame
from nsm.selection import draw
from nsm.simulation.adaptive import Leads
from nsm.simulation.draws import generator
from nsm.simulation.field_rules import FieldRules
from nsm.simulation.household_calibration import HouseholdCalibration, steps_of
from nsm.simulation.scheme import Scheme
from nsm.simulation.stock import KINDS, Stock
from nsm.simulation.targets import Targets
from nsm.totals import Memory
from nsm.weighting import Weighting
from nsm.weighting.report import kish_effect

DISPOSITIONS = ("unknown", "ineligible", "respondent", "nonrespondent")
UNKNOWN, INELIGIBLE, RESPONDENT, NONRESPONDENT = range(4)


@dataclass(frozen=True)
class Visits:
    """The dwellings that were visited, and what became of it.

    Parameters
    ----------
    sample
        The areas, with their design.
    area
        Row of each in the stock (areas,).
    rows, nth
        Row in the stock of each dwelling, and place of its area in the sample (dwellings,).
    disposition
        Codes of `DISPOSITIONS` (dwellings,).
    own, share
        Row of each dwelling's own area in the stock, and the share of the drawn area's weight that
        it takes (dwellings,): another area than the drawn one where that led to its neighbors.
    """

    sample: pd.DataFrame
    area: np.ndarray
    rows: np.ndarray
    nth: np.ndarray
    disposition: np.ndarray
    own: np.ndarray
    share: np.ndarray


@dataclass(frozen=True)
class Result:
    """What one survey gave: estimates by target, and what it took."""

    estimates: pd.DataFrame
    load: dict[str, float]


class Trial:
    """A survey that can be made again and again.

    Parameters
    ----------
    stock
        The population.
    rules
        How it answers.
    scheme
        How the survey is made.
    frame
        What is drawn from: the areas of the stock, in their order.
    """

    def __init__(self, stock: Stock, rules: FieldRules, scheme: Scheme, frame: Frame) -> None:
        self.stock, self.rules, self.scheme, self.frame = stock, rules, scheme, frame
        self.areas = frame.table
        self.place = pd.Index(stock.areas["area"])
        self.recipe = Weighting.read(scheme.weighting.get("dwellings", ()), "weighting.dwellings")
        steps = scheme.weighting.get("persons", ())
        self.steps = steps_of(steps, self.areas, stock.classes)
        self.targets = Targets.of(scheme, self.areas, stock.classes)
        named = _named(scheme.weighting.get("dwellings", ()))
        self.columns = [c for c in self.areas.columns if c in named]
        self.chances = _chances(rules, stock.languages)
        self.leads = Leads(stock, scheme.adaptive) if scheme.adaptive else None

    def __call__(self, seed: int) -> Result:
        """Make the survey with a seed, which decides selection and answers."""
        visits = self.visit(seed)
        stock, dwellings = self.stock, self.recipe.apply(self.dwellings(visits))
        answered = np.flatnonzero(visits.disposition == RESPONDENT)
        homes, home_of = _ranges(stock.first_household, visits.rows[answered])
        house = answered[home_of]
        at = visits.own[house]
        counts = np.asarray(stock.counts[homes])
        kinds = _labels(stock.kind[visits.rows[house]], KINDS)
        households = pd.DataFrame({"dwelling": house, "dwelling_type": kinds})
        table = Memory(households, "households")
        survey = dwellings.expand(table, on="dwelling")
        for step in self.steps:
            if isinstance(step, HouseholdCalibration):
                survey = step.apply(survey, counts, at)
            else:
                survey = step.apply(survey)
        load = self._load(self._worked(visits, seed)) | _weights(survey, counts)
        return Result(self.targets.estimate(survey, counts, at), load)

    def visit(self, seed: int) -> Visits:
        """Draw the areas, visit their dwellings, and see who answers."""
        scheme, stock = self.scheme, self.stock
        sample = draw(
            self.frame,
            scheme.plan,
            seed=seed,
            method=scheme.method,
            size=scheme.size,
            sort=list(scheme.sort),
            spread=list(scheme.spread),
            balance=list(scheme.balance),
        ).main
        area = self.place.get_indexer(sample["area"])
        reached, drawn, share = area, np.arange(len(area)), np.ones(len(area))
        if self.leads is not None:
            reached, drawn, share = self.leads.of(area)
        rows, nth = _ranges(stock.first_dwelling, reached)
        disposition, taken = self._answers(reached, rows, nth, seed)
        nth, rows = nth[taken], rows[taken]
        at = reached[nth]
        return Visits(sample, area, rows, drawn[nth], disposition[taken], at, share[nth])

    def _worked(self, visits: Visits, seed: int) -> Visits:
        """Return all that was visited, once, also areas that were visited in vain."""
        if self.leads is None:
            return visits
        area = self.leads.seen(visits.area)
        rows, nth = _ranges(self.stock.first_dwelling, area)
        disposition, _ = self._answers(area, rows, nth, seed)
        return Visits(visits.sample, area, rows, nth, disposition, area[nth], np.ones(len(nth)))

    def _load(self, visits: Visits) -> dict[str, float]:
        """Return what the survey took."""
        answered = np.flatnonzero(visits.disposition == RESPONDENT)
        homes, _ = _ranges(self.stock.first_household, visits.rows[answered])
        eligible = visits.disposition != INELIGIBLE
        foreign, native = self.stock.eligible[homes].sum(axis=0, dtype=float)
        natives = float(native) / self.rules.natives_in
        load = {
            "areas": float(len(visits.area)),
            "dwellings": float(len(visits.rows)),
            "screened": float(len(homes)),
            "interviews": float(foreign),
            "interviews_natives": natives,
            "response": float(np.mean(visits.disposition[eligible] == RESPONDENT)),
        }
        prices = self.scheme.costs
        load["cost"] = (
            prices.get("area", 0.0) * load["areas"]
            + prices.get("screening", 0.0) * load["screened"]
            + prices.get("interview", 0.0) * (foreign + natives)
        )
        return load

    def _answers(
        self, area: np.ndarray, rows: np.ndarray, nth: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return disposition of each dwelling, and which are visited."""
        stock, names = self.stock, self.stock.areas["area"].to_numpy()
        numbers, effect = np.empty((3, len(rows))), np.empty(len(area))
        ends = np.cumsum(np.bincount(nth, minlength=len(area)))
        for k, (name, end) in enumerate(zip(names[area], ends, strict=True)):
            rng = generator(seed, "response", name)
            start = ends[k - 1] if k else 0
            effect[k] = rng.normal()
            numbers[:, start:end] = rng.random((3, end - start))
        kind, language = np.asarray(stock.kind[rows]), np.asarray(stock.language[rows])
        classes = [*self.rules.classes]
        level = pd.Index(classes).get_indexer(stock.response_class[area])[nth]
        unknown, chance = (table[level, kind, language] for table in self.chances)
        chance = expit(chance + self.rules.area_sd * effect[nth])
        factor = self.rules.scenario(self.scheme.scenario).dwelling
        chance = chance * np.where(stock.foreign[rows], factor, 1.0)
        disposition = np.select(
            [numbers[0] < unknown, ~stock.occupied[rows], numbers[1] < chance],
            [UNKNOWN, INELIGIBLE, RESPONDENT],
            NONRESPONDENT,
        )
        return disposition, self._visited(numbers[2], nth)

    def _visited(self, numbers: np.ndarray, nth: np.ndarray) -> np.ndarray:
        """Say which dwellings are visited: all, or the `take` with the smallest numbers."""
        if self.scheme.take is None:
            return np.arange(len(nth))
        order = np.lexsort((numbers, nth))
        rank = np.arange(len(nth)) - np.searchsorted(nth, nth)
        return np.sort(order[rank < self.scheme.take])

    def dwellings(self, visits: Visits) -> Survey:
        """Return the dwellings visited, with the design of the sample."""
        stock, sample, nth = self.stock, visits.sample, visits.nth
        language = np.array(stock.language[visits.rows])
        language[visits.disposition == UNKNOWN] = -1
        table = {
            "dwelling": np.arange(len(nth)),
            "psu": nth,
            "dwelling_type": _labels(stock.kind[visits.rows], KINDS),
            "door_language": _labels(language, stock.languages),
            "disposition": _labels(visits.disposition, DISPOSITIONS),
            "stratum": _labels_of(sample["stratum"], nth),
            "probability": sample["probability"].to_numpy()[nth],
            "weight": sample["base_weight"].to_numpy()[nth] * visits.share,
        }
        for column in self.columns:
            own = _labels_of(sample[column], nth)
            if self.leads is not None:
                own = _labels_of(self.areas[column], visits.own)
            table.setdefault(column, own)
        design: dict[str, Any] = {"psu": "psu"}
        if self.scheme.take is not None:
            listed = np.diff(stock.first_dwelling)[visits.area][nth]
            table["listed"] = listed
            table["weight"] = table["weight"] * listed / np.bincount(nth)[nth]
            design = {"psu": ["psu", "dwelling"], "fpc": [None, "listed"]}
        return Survey(
            Memory(pd.DataFrame(table), "dwellings"),
            weight="weight",
            stratum="stratum",
            probability="probability",
            pps="brewer",
            **design,
        )


def _weights(survey: Survey, counts: np.ndarray) -> dict[str, float]:
    """Return persons, and diagnostics of their weights."""
    persons = counts.sum(axis=1, dtype=np.int64)
    weights = survey.weights
    return {
        "persons": float(persons.sum()),
        "kish": kish_effect(np.repeat(weights, persons)),
        "weight_median": float(np.median(weights)),
        "weight_max": float(weights.max()),
    }


def _named(steps: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the words of a recipe that may be columns."""
    values = [value for step in steps for value in step.values()]
    listed = [v if isinstance(v, list | tuple) else [v] for v in values]
    return {word for words in listed for word in words if isinstance(word, str)}


def _chances(rules: FieldRules, languages: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return chance of unknown eligibility, and log-odds of response (classes, kinds, languages).

    The last language is that of a dwelling where none is heard.
    """
    spoken = [*languages, None]
    index = pd.MultiIndex.from_product(
        [[*rules.classes], KINDS, range(len(spoken))],
        names=["prior_class", "dwelling_type", "door_language"],
    )
    table = index.to_frame(index=False)
    table["door_language"] = pd.Series([spoken[k] for k in table["door_language"]], dtype="str")
    shape = (len(rules.classes), len(KINDS), len(spoken))
    response = np.clip(rules.response.of_rows(table), 1e-9, 1 - 1e-9)
    return rules.unknown.of_rows(table).reshape(shape), logit(response).reshape(shape)


def _ranges(first: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows below each of the units `which`, and the place of their unit in it."""
    start = np.asarray(first[which], np.int64)
    size = np.asarray(first[which + 1], np.int64) - start
    nth = np.repeat(np.arange(len(which)), size)
    shift = np.repeat(start - np.cumsum(size) + size, size)
    return shift + np.arange(len(nth)), nth


def _labels(codes: np.ndarray, names: Sequence[str]) -> pd.Categorical:
    """Return labels of codes from 0; blank where the code is negative."""
    known = pd.CategoricalDtype(pd.Index(names))
    return pd.Categorical.from_codes(np.asarray(codes, np.int64), dtype=known)


def _labels_of(column: pd.Series, nth: np.ndarray) -> pd.Categorical:
    codes, names = pd.factorize(column, sort=True)
    return _labels(codes[nth], [str(name) for name in names])
