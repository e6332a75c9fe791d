"""Write the proposal of a project: page, document, budget, routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nsm.files import write_table
from nsm.project.proposal import conduct, sections
from nsm.project.proposal.exploring import explored, explored_strata
from nsm.project.proposal.material import Material
from nsm.project.proposal.page import Words
from nsm.project.proposal.questions import questions
from nsm.publication import write_report
from nsm.publication.report import PUBLIC
from nsm.simulation.proposal import read_prices, write_budget, write_explorer
from nsm.simulation.proposal.document import write_document

if TYPE_CHECKING:
    from nsm.project.project import Project
    from nsm.publication import Section

FOLDER = "proposal"
PRICES = "prices.toml"
STAGES = ("selection", "questionnaire")


@dataclass(frozen=True)
class Proposed:
    """What was written, and the sums of the budget."""

    files: tuple[Path, ...]
    totals: Mapping[str, float]
    quantities: Mapping[str, float]
    hashes: Mapping[str, str]
    simulated: bool


def propose(
    project: Project,
    *,
    prices: str | Path | None = None,
    folder: str | Path | None = None,
    languages: Sequence[str] = (),
) -> Proposed:
    """Write the technical and economic proposal of a project.

    In each language: `proposal-<language>.html` and `.docx`, `budget-<language>.xlsx` and
    `explorer-<language>.html`. Beside them `routes.csv`, which names sampled areas and is for
    internal use. Run the project as far as selection and questionnaire first.

    Parameters
    ----------
    prices
        The price list; `prices.toml` of the project if None.
    folder
        Where to; `proposal` of the project if None.
    languages
        Those of the project's publication if empty.

    Raises
    ------
    FileError, ConfigError, ProjectError, AllocationError
    """
    material = Material(project, read_prices(prices or project.folder / PRICES))
    target = Path(folder) if folder else project.folder / FOLDER
    strata = explored_strata(material)
    files = [write_table(material.routes, target / "routes.csv")]
    for language in languages or project.settings.publication.languages:
        page = Words(material, language)
        made = parts(page)
        meta = page.meta
        files += [
            write_report(
                made, meta, target / f"proposal-{language}.html", language, audience=PUBLIC
            ),
            write_document(made, meta, target / f"proposal-{language}.docx", language),
            write_budget(
                material.prices,
                material.quantities,
                target / f"budget-{language}.xlsx",
                language=language,
                notes={page.title: meta.subtitle, "": page.notice, **page.provenance},
            ),
            write_explorer(
                strata,
                {y: page.variable(y) for y in project.settings.frame.expected},
                explored(page),
                target / f"explorer-{language}.html",
                language,
            ),
        ]
    return Proposed(
        tuple(files),
        material.totals,
        material.quantities,
        material.hashes,
        simulated=material.evidence is not None and not material.evidence_is_stale,
    )


def parts(page: Words) -> list[Section]:
    """Return the sections of the proposal, in order."""
    return [
        sections.background(page),
        sections.objectives(page),
        sections.design(page),
        sections.questionnaire(page),
        conduct.fieldwork(page),
        conduct.timetable(page),
        conduct.training(page),
        conduct.economy(page),
        conduct.precision(page),
        questions(page),
        conduct.risks(page),
        conduct.ethics(page),
        sections.indicators(page),
    ]
