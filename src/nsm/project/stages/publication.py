"""Write the tables in their formats, and the reports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nsm import __version__
from nsm.estimation import Estimates
from nsm.files import write_table
from nsm.frame import report as frame_report
from nsm.language import translate
from nsm.project.lock import read_lock
from nsm.project.project import LOCK, Made
from nsm.project.stages.allocation import planned
from nsm.project.stages.frame import stratified
from nsm.publication import (
    Drawn,
    Headline,
    Meta,
    Section,
    Shown,
    flag,
    interval_chart,
    protect,
    write_report,
)
from nsm.publication.report import INTERNAL, PUBLIC
from nsm.questionnaire import Questionnaire
from nsm.selection import Sample

if TYPE_CHECKING:
    from nsm.project.project import Project
    from nsm.project.settings import TableSettings


def make(project: Project, folder: Path) -> Made:
    """Write `tables/` (CSV, Parquet, Excel) and `report-<audience>-<language>.html`."""
    settings = project.settings
    made = {name: published(project, name) for name in settings.estimation.tables}
    for name, estimates in made.items():
        write_table(estimates.table, folder / "tables" / f"{name}.csv")
        write_table(estimates.table, folder / "tables" / f"{name}.parquet")
        estimates.to_excel(str(folder / "tables" / f"{name}.xlsx"))
    reports = []
    for language in settings.publication.languages:
        sections = list(_sections(project, made, language))
        meta = _meta(project, made)
        for audience in (INTERNAL, PUBLIC):
            file = folder / f"report-{audience}-{language}.html"
            write_report(sections, meta, file, language, audience=audience)
            reports.append(file.name)
    verdicts = pd.concat([e.table["verdict"] for e in made.values()]).value_counts()
    return Made(
        {"reports": reports, **{str(k): int(v) for k, v in verdicts.items()}},
        f"{len(reports)} reports, {len(made)} tables",
    )


def published(project: Project, name: str) -> Estimates:
    """Return the estimates of a table with verdicts and the disclosure rule applied."""
    settings = project.settings
    asked = settings.estimation.tables[name]
    table = pd.read_parquet(project.results("estimation", f"{name}.parquet"))
    flagged = flag(Estimates(table, asked.by), settings.publication.rule, planned=asked.planned)
    return protect(flagged, minimum=settings.publication.minimum_cases)


def _sections(project: Project, made: Mapping[str, Estimates], language: str) -> Iterator[Section]:
    def say(text: str) -> str:
        return translate(text, language)

    yield from _results(project, made, language)
    yield _frame(project, language)
    yield _allocation(project, language)
    yield _selection(project, language)
    yield _questionnaire(project, say)
    yield _field(project, say)
    yield _weighting(project, say)
    if (project.folder / "results" / "field" / "truth.json").exists():
        yield _rehearsal(project, made, say)


def _results(project: Project, made: Mapping[str, Estimates], language: str) -> Iterator[Section]:
    tables = project.settings.estimation.tables
    shown: dict[str, Any] = {}
    figures: dict[str, Any] = {}
    for name, estimates in made.items():
        title = _title(tables[name], language)
        shown[title] = estimates
        if tables[name].by and len(estimates) <= 40:
            chart = interval_chart(
                estimates, language=language, labels=_labels(project), synthetic=_synthetic(project)
            )
            figures[title] = chart
    yield Section(translate("Results", language), tables=shown, figures=figures)


def _title(asked: TableSettings, language: str) -> str:
    return asked.title.get(language) or next(iter(asked.title.values()))


def _synthetic(project: Project) -> bool:
    return project.settings.survey.synthetic


def _frame(project: Project, language: str) -> Section:
    found = frame_report.sections(stratified(project), language)
    tables = {k: v for k, v in found.items() if isinstance(v, pd.DataFrame)}
    figures = {
        k: Drawn(v, k, INTERNAL) for k, v in found.items() if not isinstance(v, pd.DataFrame)
    }
    inside = {translate("What the check found", language)}
    return Section(
        translate("Sampling frame", language),
        tables={
            k: Shown(v, audience=INTERNAL if k in inside else PUBLIC) for k, v in tables.items()
        },
        figures=figures,
    )


def _allocation(project: Project, language: str) -> Section:
    found = planned(project).report(language)
    return Section(
        translate("Allocation", language),
        tables={k: v for k, v in found.items() if isinstance(v, pd.DataFrame)},
        figures={k: v for k, v in found.items() if not isinstance(v, pd.DataFrame)},
    )


def _selection(project: Project, language: str) -> Section:
    sample = Sample.load(project.results("selection"))
    main = sample.main
    by_stratum = (
        main.groupby("stratum")
        .agg(
            areas=("stratum", "size"),
            households=("households", "sum"),
            least_probability=("probability", "min"),
            greatest_probability=("probability", "max"),
        )
        .reset_index()
    )
    title = translate("Sample", language)
    picture = sample.map(stratified(project), language=language)
    return Section(
        title,
        tables={translate("Areas drawn, by stratum", language): by_stratum},
        figures={
            translate("Sampled areas (internal use)", language): Drawn(picture, title, INTERNAL)
        },
    )


def _questionnaire(project: Project, say: Any) -> Section:
    form = Questionnaire.read(project.source(project.settings.questionnaire.source))
    counts = pd.Series([q.table for q in form.questions.values()]).value_counts()
    table = counts.rename_axis("table").reset_index(name="questions")
    return Section(say("Questionnaire"), tables={say("Questions, by table"): table})


def _field(project: Project, say: Any) -> Section:
    rates = pd.read_csv(project.results("field", "response.csv"))
    findings = pd.read_csv(project.results("field", "findings.csv"))
    kept = [
        "phase",
        "n",
        "I",
        "P",
        "R",
        "NC",
        "O",
        "UH",
        "UO",
        "NE",
        "RR1",
        "RR3",
        "COOP1",
        "overall",
    ]
    return Section(
        say("Fieldwork"),
        say(
            "Response rates follow AAPOR (2023): RR1 counts all of unknown eligibility as "
            "eligible, RR3 the share that the resolved ones show."
        ),
        tables={
            say("Response, by phase"): Shown(rates[[c for c in kept if c in rates.columns]]),
            say("What the validation found"): Shown(findings, audience=INTERNAL),
        },
    )


def _weighting(project: Project, say: Any) -> Section:
    tables: dict[str, Any] = {
        say("Weights, step by step"): pd.read_csv(project.results("weighting", "steps.csv")),
        say("Distribution of weights"): pd.read_csv(project.results("weighting", "effects.csv")),
    }
    variants = project.folder / "results" / "weighting" / "census_for_all.csv"
    text = ""
    if variants.exists():
        wide = pd.read_csv(variants).pivot_table(
            index="variable", columns="variant", values="estimate", sort=False
        )
        wide["lost"] = wide["census_for_all"] - wide["recipe"]
        tables[say("If everyone were calibrated to the census")] = wide.reset_index()
        text = say(
            "Persons in habitáculos are in no census. They keep their weight and are added; were "
            "they calibrated with the others, they would take the place of persons in dwellings."
        )
    return Section(say("Weighting"), text, tables=tables)


def _rehearsal(project: Project, made: Mapping[str, Estimates], say: Any) -> Section:
    truth = json.loads(project.results("field", "truth.json").read_text(encoding="utf-8"))
    table = made[project.settings.estimation.headline].table
    rows = table[table["variable"].isin(truth)][["variable", "estimate", "se"]].copy()
    rows["truth"] = rows["variable"].map(truth)
    rows["error"] = rows["estimate"] - rows["truth"]
    rows["error_in_se"] = rows["error"] / rows["se"]
    simulation = project.settings.field.simulation
    text = say(
        "Only a rehearsal knows the truth. Response scenario: {scenario}. In the scenario `status` "
        "refusal depends on migrant status itself, which no recorded column explains: what is "
        "left is bias."
    ).format(scenario=simulation.scenario if simulation else "")
    return Section(
        say("Against the synthetic truth"), text, tables={say("Estimate and truth"): rows}
    )


def _labels(project: Project) -> dict[str, Any]:
    frame = stratified(project)
    labels: dict[str, Any] = {k: dict(v) for k, v in project.settings.estimation.labels.items()}
    for column, classes in frame.description.get("classes", {}).items():
        labels[column] = dict(classes)
    if frame.names is not None:
        for level, part in frame.names.groupby("level"):
            labels[str(level)] = {
                code: {"es": name, "en": name}
                for code, name in zip(part["code"], part["name"], strict=True)
            }
    return labels


def _meta(project: Project, made: Mapping[str, Estimates]) -> Meta:
    survey, publication = project.settings.survey, project.settings.publication
    headline = made[project.settings.estimation.headline]
    words = project.settings.estimation.labels.get("variable", {})
    records = read_lock(project.folder / LOCK)
    sample = pd.read_parquet(project.results("selection", "sample.parquet"))
    private: dict[str, Any] = {"seed": survey.seed}
    private |= {f"{name}: key": record.key for name, record in records.items()}
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
        labels=_labels(project),
        provenance={"nsm": __version__, "quality rule": publication.rule},
        private=private,
        secrets=[*sample["area"], survey.seed],
    )
