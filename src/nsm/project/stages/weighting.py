"""Weight dwellings, persons and interviews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nsm.errors import Phrase
from nsm.estimation import Survey
from nsm.files import read_table, write_table
from nsm.project.project import Made
from nsm.totals import Memory
from nsm.weighting import Step, Weighting, read_step
from nsm.weighting.report import (
    class_table,
    effects,
    margin_table,
    response_table,
    step_table,
)

if TYPE_CHECKING:
    from nsm.project.project import Project

TABLES = {
    "steps": step_table,
    "margins": margin_table,
    "classes": class_table,
    "respondents": response_table,
}
SAMPLE = ("stratum", "probability", "base_weight", "certainty")


def make(project: Project, folder: Path) -> Made:
    """Write `dwellings.parquet`, `persons.parquet` and `interviews.parquet` with their designs."""
    settings = project.settings.weighting
    dwellings = _weighted(project, _dwellings(project), settings.dwellings, "dwellings")
    persons = dwellings.expand(_table(project, "persons"), on="dwelling")
    persons = _weighted(project, persons, settings.persons, "persons")
    persons.save(folder / "persons.parquet")
    made = {"dwellings": dwellings, "persons": persons}
    if settings.interviews:
        interviews = _weighted(project, persons, settings.interviews, "interviews")
        interviews.save(folder / "interviews.parquet")
        made["interviews"] = interviews
    variants = _census_for_all(project, dwellings, persons)
    if variants is not None:
        write_table(variants, folder / "census_for_all.csv")
    last = list(made.values())[-1]
    write_table(effects(made), folder / "effects.csv")
    for name, table in TABLES.items():
        write_table(table(last), folder / f"{name}.csv")
    facts = {
        name: {"rows": len(survey), "weighted": int((survey.weights > 0).sum())}
        for name, survey in made.items()
    }
    total = float(persons.weights.sum())
    return Made(
        facts,
        Phrase(
            "{persons:,} persons stand for {total:,.0f}",
            persons=facts["persons"]["weighted"],
            total=total,
        ),
    )


def walk(project: Project) -> Iterator[tuple[str, Survey, Step]]:
    """Give each step of the recipe with the survey before it, in order.

    Margins whose file is not there yet stay a name.
    """
    settings = project.settings.weighting
    survey = _dwellings(project)
    parts = {
        "dwellings": settings.dwellings,
        "persons": settings.persons,
        "interviews": settings.interviews,
    }
    for name, steps in parts.items():
        if name == "persons":
            survey = survey.expand(_table(project, "persons"), on="dwelling")
        for number, given in enumerate(steps, 1):
            step = read_step(
                _with_margins(project, given, optional=True), f"[[weighting.{name}]], step {number}"
            )
            yield name, survey, step
            survey = step.apply(survey)


def surveys(project: Project) -> dict[str, Survey]:
    """Return the weighted surveys of the project, as the stage saved them."""
    names = ("persons", "interviews")
    files = {name: project.results("weighting") / f"{name}.parquet" for name in names}
    return {name: Survey(file) for name, file in files.items() if file.exists()}


def _census_for_all(project: Project, dwellings: Survey, persons: Survey) -> pd.DataFrame | None:
    """Return what the estimates would be if persons whom no census counts were calibrated too."""
    steps = project.settings.weighting.persons
    if not any("where" in step for step in steps):
        return None
    everyone = [{k: v for k, v in step.items() if k != "where"} for step in steps]
    other = dwellings.expand(persons.table, on="dwelling")
    surveys = {"recipe": persons, "census_for_all": _weighted(project, other, everyone, "persons")}
    rows = []
    for name, survey in surveys.items():
        made = survey.estimate(
            {
                "persons": "count()",
                "immigrants": "total(\"status == 'immigrant'\")",
                "descendants": "total(\"status == 'descendant'\")",
                "habitaculo": "total(\"dwelling_type == 'habitaculo'\")",
            }
        ).table
        rows.append(made[["variable", "estimate", "se"]].assign(variant=name))
    return pd.concat(rows, ignore_index=True)[["variant", "variable", "estimate", "se"]]


def _dwellings(project: Project) -> Survey:
    """Return the dwellings of the drawn areas, with the design of the sample."""
    sample = pd.read_parquet(project.results("selection", "sample.parquet"))
    key = next(c for c in sample.columns if c == "area" or c.endswith("area"))
    table = _table(project, "dwellings").table
    design = sample.set_index(key)[list(SAMPLE)]
    joined = table.join(design, on="area")
    return Survey(
        Memory(joined, "dwellings"),
        weight="base_weight",
        stratum="stratum",
        psu="area",
        probability="probability",
        pps="brewer",
    )


def _table(project: Project, name: str) -> Memory:
    return Memory(pd.read_parquet(project.results("field", f"{name}.parquet")), name)


def _weighted(
    project: Project, survey: Survey, steps: Sequence[Mapping[str, Any]], name: str
) -> Survey:
    """Take the steps of the recipe; margins may be the name of a file."""
    read = [_with_margins(project, step) for step in steps]
    return Weighting.read(read, f"[[weighting.{name}]]").apply(survey)


def _with_margins(
    project: Project, step: Mapping[str, Any], *, optional: bool = False
) -> dict[str, Any]:
    """Return the step with the table that its margins name."""
    given = step.get("margins")
    if not isinstance(given, str):
        return dict(step)
    delivered = project.folder / "results" / "field" / given
    if optional and not delivered.exists() and not (project.folder / given).exists():
        return dict(step)
    file = delivered if delivered.exists() else project.source(given)
    return {**step, "margins": read_table(file, text=("variable", "category"))}
