"""Estimate what the settings ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.errors import ConfigError, Phrase, nearest
from nsm.estimation import Estimates, Survey
from nsm.files import write_table
from nsm.project.project import Made

if TYPE_CHECKING:
    from nsm.project.project import Project
    from nsm.project.settings import TableSettings

FILES = {"persons": "persons.parquet", "interviews": "interviews.parquet"}


def make(project: Project, folder: Path) -> Made:
    """Write one table of estimates for each that is declared, as Parquet and CSV."""
    settings = project.settings.estimation
    if settings.tables and settings.headline not in settings.tables:
        raise ConfigError(
            "[estimation] headline = {name!r} is no table of it. {hint}",
            name=settings.headline,
            hint=nearest(settings.headline, settings.tables),
        )
    surveys = {name: weighted(project, name) for name in {t.of for t in settings.tables.values()}}
    rows, headline = 0, []
    for name, asked in settings.tables.items():
        made = estimated(surveys[asked.of], asked)
        write_table(made.table, folder / f"{name}.parquet")
        write_table(made.table, folder / f"{name}.csv")
        rows += len(made)
        if name == settings.headline:
            headline = _headline(project, made)
    return Made(
        {"tables": len(settings.tables), "estimates": rows, "headline": headline},
        Phrase("{rows:,} estimates in {tables} tables", rows=rows, tables=len(settings.tables)),
    )


def weighted(project: Project, name: str, derived: Mapping[str, str] | None = None) -> Survey:
    """Return a weighted survey with the derived columns of the settings, or with those given."""
    if name not in FILES:
        raise ConfigError(
            "[estimation.tables] of = {name!r} is not known. {hint}",
            name=name,
            hint=nearest(name, FILES),
        )
    survey = Survey(project.results("weighting", FILES[name]))
    given = project.settings.estimation.derived if derived is None else derived
    for column, expression in given.items():
        number = survey.table.number(expression)
        values = np.where(number.observed, number.values, np.nan)
        if number.observed is None:
            values = number.values
        survey = survey.with_columns({column: values})
    return survey


def estimated(survey: Survey, asked: TableSettings) -> Estimates:
    """Return the estimates of one declared table, with its gaps if it has any."""
    made = survey.estimate(
        dict(asked.statistics), by=list(asked.by), where=asked.where, margins=asked.margins
    )
    if not asked.gap:
        return made
    if len(asked.gap) != 2 or len(asked.by) != 1:
        raise ConfigError(
            "gap = {gap} needs two labels of the one column in by = {by}.",
            gap=list(asked.gap),
            by=list(asked.by),
        )
    first, second = asked.gap
    label = f"{first} - {second}"
    gaps = [
        made.contrast({(first, name): 1.0, (second, name): -1.0}, name=name).table.assign(
            **{asked.by[0]: label}
        )
        for name in asked.statistics
    ]
    table = pd.concat([made.table, *gaps], ignore_index=True)[list(made.table.columns)]
    return Estimates(table, made.by, made.level, made.unknown)


def _headline(project: Project, made: Estimates) -> list[dict[str, Any]]:
    truth: dict[str, float] = {}
    field = project.folder / "results" / "field" / "truth.json"
    if field.exists():
        truth = json.loads(field.read_text(encoding="utf-8"))
    language = project.settings.survey.language
    labels = project.settings.estimation.labels.get("variable", {})
    rows = []
    for row in made.table.itertuples():
        label = labels.get(str(row.variable), {}).get(language, row.variable)
        rows.append(
            {
                "variable": row.variable,
                "label": label,
                "estimate": row.estimate,
                "lower": row.lower,
                "upper": row.upper,
                "cv": row.cv,
                "truth": truth.get(str(row.variable)),
            }
        )
    return rows
