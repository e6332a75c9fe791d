"""The project's report: what each stage found, as sections of one page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from nsm.estimation import Estimates
from nsm.fieldwork import derived_variables
from nsm.frame import report as frame_report
from nsm.language import translate
from nsm.project import indicators, results
from nsm.project.changes import LEVEL, changes
from nsm.project.findings import findings
from nsm.project.goals import goals
from nsm.project.lock import read_lock
from nsm.project.project import LOCK, Project
from nsm.project.provenance import methods, private, versions
from nsm.project.published import Published
from nsm.project.settings import LANGUAGES
from nsm.project.stages.allocation import planned
from nsm.project.stages.frame import stratified
from nsm.project.stages.weighting import surveys
from nsm.project.words import CODES, COLUMNS
from nsm.publication import Drawn, Geography, Headline, Meta, Section, Shown
from nsm.publication.grid import Reader
from nsm.publication.numerals import locale_for
from nsm.publication.report import INTERNAL, PUBLIC
from nsm.publication.rules import NOT_PUBLISHABLE
from nsm.questionnaire import Questionnaire
from nsm.selection import Sample
from nsm.weighting.report import distribution, extremes, factors_figure, weights_figure

if TYPE_CHECKING:
    import geopandas as gpd

    from nsm.allocation import Plan
    from nsm.estimation import Survey
    from nsm.frame import Frame

RATES = ("n", "I", "P", "R", "NC", "O", "UH", "UO", "NE", "RR1", "RR3", "COOP1", "overall")


@dataclass(frozen=True)
class Material:
    """What the pages of all languages are made from, read once.

    Parameters
    ----------
    published
        All estimates, with verdicts and the disclosure rules applied.
    """

    project: Project
    published: Published

    @property
    def estimates(self) -> Mapping[str, Estimates]:
        """Declared table -> its estimates."""
        return self.published.tables

    @cached_property
    def findings(self) -> pd.DataFrame:
        """What is wrong with labels and tables."""
        languages = self.project.settings.publication.languages
        return findings(self.published, Page(self, languages[0]).labels, tuple(languages))

    @cached_property
    def goals(self) -> pd.DataFrame:
        """The national goals with their distances."""
        return goals(self.project)[0]

    @cached_property
    def frame(self) -> Frame:
        """The frame with its strata."""
        return stratified(self.project)

    @cached_property
    def plan(self) -> Plan:
        """The allocation."""
        return planned(self.project)

    @cached_property
    def sample(self) -> Sample:
        """The drawn areas."""
        return Sample.load(self.project.results("selection"))

    @cached_property
    def weighted(self) -> Survey:
        """The survey with all steps of the recipe."""
        return list(surveys(self.project).values())[-1]

    @cached_property
    def changes(self) -> tuple[int, Estimates] | None:
        """Year of the round before, and the changes since; None if there is no such round."""
        folder = self.project.settings.publication.previous
        if folder is None:
            return None
        previous = Project(self.project.source(folder) / "survey.toml")
        return previous.settings.survey.year, changes(self.project, previous)

    def outlines(self, by: str) -> gpd.GeoDataFrame | None:
        """Return the polygons of places, or None for a frame without boundaries."""
        if by not in self._outlines:
            self._outlines[by] = results.drawn_outlines(self.frame, by)
        return self._outlines[by]

    @cached_property
    def _outlines(self) -> dict[str, Any]:
        return {}

    @cached_property
    def form(self) -> Questionnaire:
        """The questionnaire."""
        return Questionnaire.read(self.project.source(self.project.settings.questionnaire.source))


class Page:
    """The report of a project in one language, for both audiences."""

    def __init__(self, material: Material, language: str) -> None:
        self.material = material
        self.project = material.project
        self.estimates = material.estimates
        self.language = language
        self.drawn: dict[Any, dict[str, Drawn]] = {}

    def sections(self, audience: str) -> list[Section]:
        """Return the sections: the results first, then the work in its order."""
        return [
            *results.sections(self, audience),
            *self._indicators,
            *self._changes,
            *self._work,
        ]

    @cached_property
    def _indicators(self) -> list[Section]:
        """The indicators: the same for both audiences, which hide what they must."""
        return list(indicators.sections(self))

    @cached_property
    def reader(self) -> Reader:
        """Who finds words in the page's language."""
        locale = locale_for(self.language, self.project.settings.survey.country)
        return Reader(self.language, locale, labels=self.labels)

    def in_words(self, language: str) -> Page:
        """Return the page of another language."""
        return self if language == self.language else Page(self.material, language)

    def say(self, text: str, **values: object) -> str:
        """Return a text in the page's language."""
        said = translate(text, self.language)
        return said.format(**values) if values else said

    def in_language(self, words: Mapping[str, str]) -> str:
        """Return the text of the page's language, or the first there is."""
        return words.get(self.language) or next(iter(words.values()), "")

    @cached_property
    def _changes(self) -> list[Section]:
        """The changes since the round before, if the settings name one."""
        found = self.material.changes
        if found is None:
            return []
        year, made = found
        table = made.table
        shown = pd.DataFrame(
            {
                "variable": [self.variable(str(v)) for v in table["variable"]],
                **{c: table[c] for c in ("estimate", "lower", "upper", "p", "adjusted")},
            }
        )
        hidden = table["suppressed"].notna() | (table["verdict"] == NOT_PUBLISHABLE)
        shown.loc[hidden.to_numpy(), shown.columns[1:]] = float("nan")
        title = self.say("Changes since {year}", year=year)
        clear = (table["adjusted"] < LEVEL) & ~hidden
        words = {True: self.say("changed"), False: self.say("no clear change")}
        shown["verdict"] = [words[bool(c)] for c in clear]
        shown.loc[hidden.to_numpy(), "verdict"] = self.say("not publishable")
        text = self.say(
            "The difference between both rounds, with its interval, and the probability of one as "
            "large if nothing had changed: alone (p), and for all figures together (Holm 1979). "
            "Areas that both rounds drew make it more precise."
        )
        formats = {"estimate": "integer", "lower": "integer", "upper": "integer"}
        formats |= {"p": "decimal3", "adjusted": "decimal3"}
        return [Section(title, text, tables={title: Shown(shown, formats=formats)})]

    @cached_property
    def _work(self) -> list[Section]:
        """Sections on how the estimates were made; their pictures are drawn once."""
        sections = [
            self._frame(),
            self._allocation(),
            self._selection(),
            self._questionnaire(),
            self._field(),
            self._weighting(),
        ]
        if (self.project.folder / "results" / "field" / "truth.json").exists():
            sections.append(self._rehearsal())
        return sections

    def _frame(self) -> Section:
        found = frame_report.sections(self.material.frame, self.language)
        inside = self.say("What the check found")
        return Section(
            self.say("Sampling frame"),
            tables={
                k: Shown(v, audience=INTERNAL if k == inside else PUBLIC)
                for k, v in found.items()
                if isinstance(v, pd.DataFrame)
            },
            figures={
                k: Drawn(v, k, INTERNAL)
                for k, v in found.items()
                if not isinstance(v, pd.DataFrame)
            },
        )

    def _allocation(self) -> Section:
        found = self.material.plan.report(self.language)
        return Section(
            self.say("Allocation"),
            tables={k: v for k, v in found.items() if isinstance(v, pd.DataFrame)},
            figures={k: Drawn(v, k) for k, v in found.items() if not isinstance(v, pd.DataFrame)},
        )

    def _selection(self) -> Section:
        sample = self.material.sample
        by_stratum = (
            sample.main.groupby("stratum")
            .agg(
                areas=("stratum", "size"),
                households=("households", "sum"),
                least_probability=("probability", "min"),
                greatest_probability=("probability", "max"),
            )
            .reset_index()
        )
        title = self.say("Sampled areas (internal use)")
        picture = sample.map(self.material.frame, language=self.language)
        return Section(
            self.say("Sample"),
            tables={self.say("Areas drawn, by stratum"): by_stratum},
            figures={title: Drawn(picture, title, INTERNAL)},
        )

    def _questionnaire(self) -> Section:
        counts = pd.Series([q.table for q in self.material.form.questions.values()]).value_counts()
        table = counts.rename_axis("level").reset_index(name="questions")
        return Section(
            self.say("Questionnaire"),
            self.say(
                "One form for all languages, checked before it is compiled for ODK: names, "
                "routes, codes, ranges and translations."
            ),
            tables={self.say("Questions, by table"): table},
        )

    def _field(self) -> Section:
        rates = pd.read_csv(self.project.results("field", "response.csv"))
        findings = pd.read_csv(self.project.results("field", "findings.csv"))
        rates["phase"] = [self.say(str(phase)) for phase in rates["phase"]]
        return Section(
            self.say("Fieldwork"),
            self.say(
                "Response rates follow AAPOR (2023): RR1 counts all of unknown eligibility as "
                "eligible, RR3 the share that the resolved ones show."
            ),
            tables={
                self.say("Response, by phase"): Shown(
                    rates[["phase", *(c for c in RATES if c in rates.columns)]]
                ),
                self.say("What the validation found"): Shown(findings, audience=INTERNAL),
            },
        )

    def _weighting(self) -> Section:
        read = self.project.results
        tables: dict[str, Any] = {
            self.say("Weights, step by step"): pd.read_csv(read("weighting", "steps.csv")),
            self.say("Distribution of weights"): pd.read_csv(read("weighting", "effects.csv")),
        }
        captions = {
            "margins": self.say("Controls before and after"),
            "classes": self.say("Response by class"),
            "respondents": self.say("Respondents and all eligible units"),
        }
        for name, caption in captions.items():
            table = pd.read_csv(read("weighting", f"{name}.csv"))
            if len(table):
                tables[caption] = Shown(table, audience=INTERNAL)
        tables |= self._spread()
        variants = self.project.folder / "results" / "weighting" / "census_for_all.csv"
        text = ""
        if variants.exists():
            wide = pd.read_csv(variants).pivot_table(
                index="variable", columns="variant", values="estimate", sort=False
            )
            wide["lost"] = wide["census_for_all"] - wide["recipe"]
            wide.index = [self.variable(name) for name in wide.index]
            tables[self.say("If everyone were calibrated to the census")] = wide.rename_axis(
                "variable"
            ).reset_index()
            text = self.say(
                "Persons in habitáculos are in no census. They keep their weight and are added; "
                "were they calibrated with the others, they would take the place of persons in "
                "dwellings."
            )
        last = self.material.weighted
        drawn = {
            self.say("Weights after each step"): weights_figure(last, self.language),
            self.say("Factors of each step"): factors_figure(last, self.language),
        }
        figures = {k: Drawn(v, k, INTERNAL) for k, v in drawn.items()}
        return Section(self.say("Weighting"), text, tables=tables, figures=figures)

    def _spread(self) -> dict[str, Shown]:
        """Return the weights by domain and the largest ones, with their areas."""
        last = self.material.weighted
        domains = [d for d in self.project.settings.allocation.domains if d in last.table.columns]
        found = {f"{self.say('Weights by domain')}: {by}": distribution(last, by) for by in domains}
        found[self.say("Largest weights (internal)")] = extremes(last)
        return {k: Shown(v, audience=INTERNAL) for k, v in found.items()}

    def variable(self, name: str) -> str:
        """Return the words for a variable of the tables."""
        words = self.project.settings.estimation.labels.get("variable", {}).get(name)
        return words.get(self.language, name) if words else self.say(name.capitalize())

    def _rehearsal(self) -> Section:
        truth = json.loads(self.project.results("field", "truth.json").read_text(encoding="utf-8"))
        table = self.estimates[self.project.settings.estimation.headline].table
        rows = table[table["variable"].isin(truth)][["variable", "estimate", "se"]].copy()
        rows["truth"] = rows["variable"].map(truth)
        rows["error"] = rows["estimate"] - rows["truth"]
        rows["error_in_se"] = rows["error"] / rows["se"]
        rows["variable"] = [self.variable(name) for name in rows["variable"]]
        simulation = self.project.settings.field.simulation
        text = self.say(
            "Only a rehearsal knows the truth. Response scenario: {scenario}. In the scenario "
            "`status` refusal depends on migrant status itself, which no recorded column "
            "explains: what is left is bias.",
            scenario=simulation.scenario if simulation else "",
        )
        return Section(
            self.say("Against the synthetic truth"),
            text,
            tables={self.say("Estimate and truth"): rows},
        )

    @cached_property
    def labels(self) -> dict[str, Any]:
        """Column -> code -> words: from questionnaire, frame and settings."""
        labels: dict[str, Any] = {}
        for name, question in self.material.form.questions.items():
            codes = (
                *self.material.form.codes(question),
                *self.material.form.missing_codes(question),
            )
            if codes:
                labels[name] = {str(c): self._words(question, c) for c in codes}
        countries = labels.get("birth_country", {})
        labels["origin"] = dict(countries)
        labels |= _frame_labels(self.material.frame)
        labels |= {column: {**words, **labels.get(column, {})} for column, words in CODES.items()}
        labels["columns"] = {**COLUMNS, **labels["columns"]}
        known = self.material.published.registry
        labels["variable"] = indicators.labels(known)
        for column, words in self.project.settings.estimation.labels.items():
            labels[column] = {**labels.get(column, {}), **words}
        for code, words in indicators.categories(known, labels).items():
            labels[code] = {**labels.get(code, {}), **words}
        return labels

    def _words(self, question: Any, code: object) -> dict[str, str]:
        return {
            language: self.material.form.label(question, code, language)
            for language in self.material.form.languages
        }

    @cached_property
    def meta(self) -> Meta:
        """What the page says of itself."""
        settings = self.project.settings
        survey = settings.survey
        headline = self.estimates[self.project.settings.estimation.headline]
        words = self.project.settings.estimation.labels.get("variable", {})
        records = read_lock(self.project.folder / LOCK)
        sample = pd.read_parquet(self.project.results("selection", "sample.parquet"))
        derived = derived_variables(self.language)
        return Meta(
            title=dict(survey.name),
            period=str(survey.year),
            country=survey.country,
            synthetic=survey.synthetic,
            notice=dict(survey.notice),
            headline=[
                Headline(dict(words.get(str(row.variable), {})) or str(row.variable), headline, k)
                for k, row in enumerate(headline.table.itertuples())
            ],
            labels=self.labels,
            definitions={
                **dict(zip(derived["label"], derived["definition"], strict=True)),
                **indicators.definitions(self.material.published),
            },
            provenance={**versions(), **{self.say(k): v for k, v in methods(settings).items()}},
            private=private(records, survey.seed, self.say),
            secrets=[*sample["area"], survey.seed],
            geography=Geography.of(self.material.frame),
        )


def _frame_labels(frame: Any) -> dict[str, Any]:
    labels: dict[str, Any] = {
        column: dict(c) for column, c in frame.description.get("classes", {}).items()
    }
    labels["columns"] = {
        level: {code: frame.label("levels", level, code).capitalize() for code in LANGUAGES}
        for level in frame.levels
    }
    if frame.names is not None:
        for level, part in frame.names.groupby("level"):
            labels[str(level)] = {
                code: {"es": name, "en": name}
                for code, name in zip(part["code"], part["name"], strict=True)
            }
    return labels
