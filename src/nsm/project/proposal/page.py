"""The proposal in one language: its words, with the run's numbers in them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from nsm import __version__
from nsm.language import translate
from nsm.project.proposal.material import Material
from nsm.project.report import _frame_labels
from nsm.publication import Meta
from nsm.publication.grid import Reader
from nsm.publication.numerals import locale_for, written
from nsm.publication.rules import in_language
from nsm.simulation.proposal.book import named

if TYPE_CHECKING:
    from collections.abc import Mapping


class Words:
    """A language, and the run whose numbers it tells."""

    def __init__(self, material: Material, language: str) -> None:
        self.material = material
        self.project = material.project
        self.settings = material.project.settings
        self.prices = material.prices
        self.language = language
        self.locale = locale_for(language, self.settings.survey.country)

    def say(self, text: str, **values: object) -> str:
        """Return a text in the language; numbers in it as the country writes them."""
        said = translate(text, self.language)
        shown = {k: self.number(v) if isinstance(v, int | float) else v for k, v in values.items()}
        return said.format(**shown) if values else said

    def number(self, value: float, kind: str = "integer") -> str:
        """Return a number as the country writes it."""
        return written(float(value), kind, self.locale)

    def percent(self, value: float) -> str:
        """Return a fraction as percent."""
        return self.number(value, "percent")

    def money(self, value: float) -> str:
        """Return an amount with its currency."""
        return f"{self.prices.currency} {self.number(value)}"

    def text(self, words: Mapping[str, str]) -> str:
        """Return a text that is kept by language."""
        return in_language(words, self.language)

    def variable(self, name: str) -> str:
        """Return the words for a variable of the estimates."""
        words = self.settings.estimation.labels.get("variable", {}).get(name)
        return self.text(words) if words else self.say(name.capitalize())

    def named(self, by: str, code: str) -> str:
        """Return the words for a chapter, phase or funder."""
        return named(self.prices, by, code, self.language)

    def label(self, column: str, code: object) -> str:
        """Return the words for a code of a domain."""
        words = self.labels.get(column, {}).get(str(code))
        return self.text(words) if words else str(code)

    def column(self, name: str) -> str:
        """Return the heading of a column."""
        return Reader(self.language, self.locale, labels=self.labels).heading(name)

    def domain(self, column: str, value: str | None) -> str:
        """Return the words for a domain of a target."""
        if column == "all" or value is None:
            return self.say("Whole country")
        return self.label(column, value)

    @cached_property
    def labels(self) -> dict[str, Any]:
        """Column -> code -> words."""
        labels = _frame_labels(self.material.frame)
        for column, words in self.settings.estimation.labels.items():
            labels[column] = {**labels.get(column, {}), **words}
        labels["region"] = labels.get(self.material.region, {})
        labels["columns"] |= {
            name: {self.language: self.say(text)} for name, text in _HEADINGS.items()
        }
        labels["columns"]["region"] = labels["columns"][self.material.region]
        return labels

    @property
    def title(self) -> str:
        """The title of the proposal."""
        return self.say("Technical and economic proposal")

    @property
    def notice(self) -> str:
        """What is said of invented numbers; empty if they are not."""
        survey = self.settings.survey
        if not survey.synthetic:
            return ""
        return self.text(survey.notice) if survey.notice else self.say("Synthetic data.")

    @cached_property
    def provenance(self) -> dict[str, str]:
        """What the numbers come from."""
        made = {self.say(k): v for k, v in self.material.hashes.items()}
        return {"nsm": __version__, **{f"{k} (SHA-256)": v for k, v in made.items()}}

    @property
    def meta(self) -> Meta:
        """What the page says of itself."""
        survey = self.settings.survey
        sample = self.material.sample
        return Meta(
            title=self.title,
            subtitle=self.text(survey.name),
            period=str(survey.year),
            country=survey.country,
            synthetic=survey.synthetic,
            notice=dict(survey.notice),
            labels=self.labels,
            provenance=self.provenance,
            secrets=[*sample.table[sample.key], survey.seed],
        )


_HEADINGS = {
    "domain": "Domain",
    "section": "Section",
    "variable": "Variable",
    "target": "Greatest CV allowed",
    "expected": "Expected CV",
    "total": "Expected total",
    "simulated": "CV in simulations",
    "bias": "Bias",
    "coverage": "Coverage",
    "publishable": "Publishable",
    "fraction": "Sampling fraction",
    "drawn": "Areas drawn",
    "teams": "Teams",
    "days": "Days of the busiest team",
    "team_days": "Team-days",
    "km": "Travel, km",
    "interviews": "Interviews",
    "phase": "Phase",
    "funder": "Funder",
    "chapter": "Chapter",
    "start": "Begins",
    "end": "Ends",
    "weeks": "Weeks",
    "item": "Item",
    "unit": "Unit",
    "quantity": "Quantity",
    "price": "Unit price",
    "amount": "Amount",
    "in_kind": "In kind",
    "money": "In money",
    "contingency": "Contingencies",
    "whole": "Total",
    "route": "Route",
    "questions": "Questions",
    "minutes": "Minutes",
    "words": "Words read",
    "world": "If",
    "cv_change": "CV times",
    "cost_change": "Cost times",
    "indicator": "Table",
    "statistics": "Statistics",
    "by": "By",
    "n": "Areas",
    "worst": "Worst CV over its target",
    "allocation": "Allocation",
    "saved_point": "Saved by a point more",
    "dearer": "Dearer by a point less",
    "saved_plan": "Saved",
    "fall": "Least fall seen",
    "rise": "Least rise seen",
    "tenth": "A fall of 10 % is seen",
    "fifth": "A fall of 20 % is seen",
    "interviewed": "Interviewed",
    "cv_half": "CV of a share of one half",
    "efficiency": "Worth",
    "error_left": "Error variance left",
    "price_list": "By the price list",
    "assumed": "Taken by the allocation",
    "what": "One more",
    "cv": "CV",
    "needed": "Households needed",
    "more": "Times those it has",
}
