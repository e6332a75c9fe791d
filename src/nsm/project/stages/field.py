"""Take in the answers, hold them against the questionnaire, and derive who is a migrant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nsm.errors import ConfigError, Phrase
from nsm.fieldwork import derive, dispositions, monitor, phases, read_delivery, validate
from nsm.fieldwork.outcomes import interview_outcomes
from nsm.files import write_table, write_text
from nsm.project.monitoring import write_monitoring
from nsm.project.project import Made
from nsm.project.stages.frame import stratified
from nsm.questionnaire import Questionnaire

if TYPE_CHECKING:
    from nsm.frame import Frame
    from nsm.project.project import Project
    from nsm.simulation import Population

SPOKEN = ("es", "en")
AGES = (0, 5, 15, 30, 45, 65)
# What is known of an area beforehand, and of use for weights and domains.


def make(project: Project, folder: Path) -> Made:
    """Write the tables of the delivery, the findings and the response rates."""
    settings = project.settings
    form = Questionnaire.read(project.source(settings.questionnaire.source))
    sample = pd.read_parquet(project.results("selection", "sample.parquet"))
    sample = sample[sample["role"] == "main"]
    if settings.field.simulation is not None:
        answers: Any = _rehearsed(project, form, sample, folder)
    elif settings.field.source is not None:
        answers = project.source(settings.field.source)
    else:
        raise ConfigError(
            "[field] says nothing of where the answers are: give source=, or [field.simulation]."
        )
    language = settings.survey.language
    delivery = read_delivery(answers, form, language=language)
    checked = validate(form, delivery.tables, reasons=delivery.reasons, language=language)
    tables = _without_names(form, delivery.tables)
    tables["dwellings"] = dispositions(tables["dwellings"], form)
    places = [c for c in _places(stratified(project)) if c in sample.columns]
    known = sample.set_index("area")[places]
    tables["dwellings"] = tables["dwellings"].join(known, on="area")
    tables["persons"] = _persons(project, form, tables).join(known, on="area")
    for name, table in tables.items():
        write_table(table, folder / f"{name}.parquet")
    findings = pd.concat([delivery.findings, checked.findings], ignore_index=True)
    write_table(findings, folder / "findings.csv")
    write_table(checked.failures, folder / "failures.csv")
    rates = phases(form, tables, sample["area"])
    write_table(rates, folder / "response.csv")
    _write_pages(project, form, (tables, checked.failures), sample, folder)
    facts: dict[str, Any] = {name: len(table) for name, table in tables.items()}
    facts["findings"] = int(findings["count"].sum())
    response = float(rates.loc[rates["phase"] == "dwellings", "RR3"].iloc[0])
    return Made(
        {**facts, "response": round(response, 4)},
        Phrase(
            "{dwellings:,} dwellings, {persons:,} persons, response {response:.1%}, "
            "{findings} findings",
            dwellings=facts["dwellings"],
            persons=facts["persons"],
            response=response,
            findings=facts["findings"],
        ),
    )


def _write_pages(
    project: Project,
    form: Questionnaire,
    answers: tuple[Mapping[str, pd.DataFrame], pd.DataFrame],
    sample: pd.DataFrame,
    folder: Path,
) -> None:
    """Write the monitoring page in every language that nsm speaks."""
    survey = project.settings.survey
    seen = monitor(form, answers[0], sample, answers[1])
    for language in SPOKEN:
        write_monitoring(
            seen.said_in(language),
            folder / f"monitoring-{language}.html",
            language,
            title=dict(survey.name),
            country=survey.country,
            synthetic=survey.synthetic,
            notice=dict(survey.notice),
        )


def _persons(
    project: Project, form: Questionnaire, tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Add what is derived: status, origin, age band, and the phase of interviews."""
    survey = project.settings.survey
    made = derive(tables["persons"], home=survey.country, reference_year=survey.year)
    kinds = tables["dwellings"].set_index("dwelling")["dwelling_type"]
    made = made.assign(dwelling_type=made["dwelling"].map(kinds))
    if "households" in tables:
        made = made.join(_of_households(form, tables), on="household")
    foreign = made["status"].isin(["immigrant", "descendant"])
    made["interview_group"] = foreign.map({True: "foreign", False: "native"})
    made["interview_probability"] = foreign.map(
        {True: 1.0, False: project.settings.field.native_fraction}
    )
    asked = interview_outcomes(form, tables)
    made["interview_status"] = "ineligible"
    if asked is not None:
        outcome = asked.set_index("person")["disposition"]
        made["interview_status"] = made["person"].map(outcome).fillna("ineligible")
    bounds = [*AGES, 200]
    labels = [f"{a}-{b - 1}" for a, b in pairwise(AGES)] + [f"{AGES[-1]}+"]
    band = pd.cut(made["age"], bounds, right=False, labels=labels).astype("str")
    return made.assign(age_band=band)


def _without_names(
    form: Questionnaire, tables: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Take out what the form calls somebody by: results never hold names of persons."""
    names = [n for n, q in form.questions.items() if q.about.get("concept") == "person_name"]
    return {key: table.drop(columns=names, errors="ignore") for key, table in tables.items()}


def _of_households(form: Questionnaire, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what was asked of households, by household, without what persons have themselves."""
    table = tables["households"]
    asked = [c for c in form.columns("households") if c in table and c not in tables["persons"]]
    return table.set_index("household")[asked]


def _rehearsed(
    project: Project, form: Questionnaire, sample: pd.DataFrame, folder: Path
) -> dict[str, pd.DataFrame]:
    """Return the answers of a synthetic population, and write down what is known of it."""
    from nsm.simulation import fieldwork, read_population
    from nsm.simulation.answers import AnswerRules, answer

    settings = project.settings
    simulation = settings.field.simulation
    assert simulation is not None  # noqa: S101 (the caller has looked)
    areas = pd.read_parquet(project.results("frame", "areas.parquet"))
    population = read_population(
        project.source(simulation.population),
        areas,
        known_truth(project),
        seed=settings.survey.seed,
    )
    write_table(controls(project, population), folder / "known_totals.csv")
    whole = population.truth().iloc[0]
    write_text(json.dumps({k: float(whole[k]) for k in whole.index}) + "\n", folder / "truth.json")
    for domain in settings.allocation.domains:
        write_table(population.truth([domain]), folder / f"truth_{domain}.csv")
    tables = fieldwork(population, sample, seed=settings.survey.seed, scenario=simulation.scenario)
    days = pd.to_datetime(tables["areas"].set_index("area")["visit_date"])
    dwellings = tables["dwellings"]
    tables["dwellings"] = dwellings.assign(interview_date=dwellings["area"].map(days))
    if simulation.answers is None:
        return {name: tables[name] for name in ("dwellings", "households", "persons")}
    rules = AnswerRules.read(project.source(simulation.answers))
    return answer(_informed(tables, sample), form, rules, seed=settings.survey.seed)


def _informed(tables: Mapping[str, pd.DataFrame], sample: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Add what rules may know besides: places of dwellings, and where the head was born."""
    places = [c for c in ("zone", "territory") if c in sample.columns]
    heads = tables["persons"].loc[tables["persons"]["line"] == 1]
    born = heads.set_index("household")["birth_country"]
    households = tables["households"]
    return {
        **tables,
        "dwellings": tables["dwellings"].join(sample.set_index("area")[places], on="area"),
        "households": households.assign(head_birth_country=households["household"].map(born)),
    }


def known_truth(project: Project) -> pd.DataFrame | None:
    """Return where people of foreign origin live, if the project names such a table."""
    simulation = project.settings.field.simulation
    if simulation is None or not simulation.truth:
        return None
    return pd.read_parquet(project.source(simulation.truth))


def _places(frame: Frame) -> list[str]:
    """Return the places that answers are told by: the two largest units, classes, the prior's."""
    units = [level for level in frame.levels[:2] if level != frame.key]
    return [*units, *frame.description.get("classes", {}), "prior_class"]


def controls(project: Project, population: Population) -> pd.DataFrame:
    """Return the known totals as a control table: the largest units by sex, and by age."""
    unit = stratified(project).levels[0]
    known = population.margins([unit, "sex", "age"], ages=list(AGES))
    parts: list[Mapping[str, Any]] = []
    for columns, names in (
        ([unit, "sex"], f"{unit}*sex"),
        ([unit, "age"], f"{unit}*age_band"),
    ):
        sums = known.groupby(columns, observed=True)["persons"].sum().reset_index()
        parts += [
            {"variable": names, "category": f"{first}*{second}", "total": int(total)}
            for first, second, total in sums.itertuples(index=False)
        ]
    return pd.DataFrame(parts)
