"""Write the tables in their formats, and the reports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nsm.errors import Phrase
from nsm.estimation import Estimates
from nsm.files import write_table
from nsm.project.project import Made
from nsm.project.report import Material, Page
from nsm.publication import Protection, flag, protect, write_report
from nsm.publication.report import INTERNAL, PUBLIC

if TYPE_CHECKING:
    from nsm.project.project import Project


def make(project: Project, folder: Path) -> Made:
    """Write `tables/` (CSV, Parquet, Excel) and `report-<audience>-<language>.html`."""
    settings = project.settings
    made = {name: published(project, name) for name in settings.estimation.tables}
    for name, estimates in made.items():
        write_table(estimates.table, folder / "tables" / f"{name}.csv")
        write_table(estimates.table, folder / "tables" / f"{name}.parquet")
        estimates.to_excel(folder / "tables" / f"{name}.xlsx")
    reports = _reports(project, made, folder)
    verdicts = pd.concat([e.table["verdict"] for e in made.values()]).value_counts()
    return Made(
        {"reports": reports, **{str(k): int(v) for k, v in verdicts.items()}},
        Phrase("{reports} reports, {tables} tables", reports=len(reports), tables=len(made)),
    )


def published(project: Project, name: str) -> Estimates:
    """Return the estimates of a table with verdicts and the disclosure rule applied."""
    settings = project.settings
    asked = settings.estimation.tables[name]
    table = pd.read_parquet(project.results("estimation", f"{name}.parquet"))
    flagged = flag(Estimates(table, asked.by), settings.publication.rule, planned=asked.planned)
    return protect(flagged, Protection(minimum=settings.publication.minimum_cases))


def _reports(project: Project, made: Mapping[str, Estimates], folder: Path) -> list[str]:
    names = []
    material = Material(project, made)
    for language in project.settings.publication.languages:
        page = Page(material, language)
        for audience in (INTERNAL, PUBLIC):
            name = f"report-{audience}-{language}.html"
            write_report(
                page.sections(audience), page.meta, folder / name, language, audience=audience
            )
            names.append(name)
    return names
