"""Write the tables in their formats, and the reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nsm.errors import Phrase
from nsm.files import write_table
from nsm.project import indicators
from nsm.project.project import Made
from nsm.project.published import published
from nsm.project.report import Material, Page
from nsm.publication import (
    Declared,
    Edition,
    Series,
    deliver,
    write_report,
)
from nsm.publication.report import INTERNAL, PUBLIC

if TYPE_CHECKING:
    from nsm.project.project import Project


def make(project: Project, folder: Path) -> Made:
    """Write `tables/`, for the public, and `report-<audience>-<language>.html`."""
    settings = project.settings
    material = Material(project, published(project))
    findings = delivered(material, folder / "tables", settings.publication.formats)
    if len(findings):
        write_table(findings, folder / "sdmx_findings.csv")
    write_table(material.findings, folder / "findings.csv")
    reports = _reports(material, folder)
    verdicts = pd.concat([e.table["verdict"] for e in material.published.every]).value_counts()
    facts = {"reports": reports, "formats": list(settings.publication.formats)}
    if len(material.findings):
        facts["findings"] = list(material.findings[f"message_{settings.survey.language}"])
    if len(findings):
        facts["sdmx"] = list(findings["message"])
    return Made(
        {**facts, **{str(k): int(v) for k, v in verdicts.items()}},
        Phrase(
            "{reports} reports, {tables} tables, {count} findings",
            reports=len(reports),
            tables=len(material.published.every),
            count=len(material.findings) + len(findings),
        ),
    )


def delivered(material: Material, folder: Path, formats: Sequence[str]) -> pd.DataFrame:
    """Write the tables for the public; return what SDMX did not know."""
    project = material.project
    survey, tables = project.settings.survey, project.settings.estimation.tables
    languages = project.settings.publication.languages
    first = survey.language if survey.language in languages else languages[0]
    page = Page(material, first)
    edition = Edition(
        dict(survey.name),
        survey.country,
        survey.year,
        languages=(first, *(one for one in languages if one != first)),
        labels=page.labels,
        synthetic=survey.synthetic,
        notice=dict(survey.notice),
        secrets=tuple(page.meta.secrets),
        geography=page.meta.geography,
    )
    declared = {
        name: Declared(
            estimates,
            dict(tables[name].title),
            dict(tables[name].note) or "",
            tables[name].columns,
            {k: Series(s.code, s.unit, s.scale) for k, s in tables[name].series.items()},
        )
        for name, estimates in material.estimates.items()
    }
    declared |= indicators.declared(page)
    return deliver(declared, folder, edition, formats)


def _reports(material: Material, folder: Path) -> list[str]:
    names = []
    for language in material.project.settings.publication.languages:
        page = Page(material, language)
        for audience in (INTERNAL, PUBLIC):
            name = f"report-{audience}-{language}.html"
            write_report(
                page.sections(audience), page.meta, folder / name, language, audience=audience
            )
            names.append(name)
    return names
