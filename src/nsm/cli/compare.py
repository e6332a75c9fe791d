"""`nsm compare`: two rounds or two countries beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nsm.cli.app import Session, pass_session
from nsm.cli.indicators import project_registry
from nsm.cli.sources import is_project, project_surveys, show_computed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from nsm.estimation import Survey
    from nsm.indicators import Indicator
    from nsm.project import Project


@click.command("compare")
@click.argument("first")
@click.argument("second")
@click.option("--indicator", "codes", multiple=True, help="Only this one. May be repeated.")
@click.option("--by", default="", metavar="COLUMNS", help="Domains; several columns with commas.")
@click.option(
    "--adjustment",
    default="holm",
    help="For the number of tests: holm, bonferroni, benjamini-hochberg, none.",
)
@click.option("--crosswalk", type=click.Path(), help="Table from the first form to the second.")
@pass_session
def compare(
    session: Session,
    first: str,
    second: str,
    *,
    codes: tuple[str, ...],
    by: str,
    adjustment: str,
    crosswalk: str | None,
) -> None:
    r"""Compare the indicators of two rounds or countries: SECOND minus FIRST.

    Each is the folder of a project that has been run, or a TOML that maps another survey's file.
    Definitions are those of SECOND; the note says where those of FIRST differ, and what the
    crosswalk of both questionnaires loses.

    \b
    Example:
        nsm compare ../eni-2022 . --indicator 8.5.2 --by status
    """
    from nsm.files import read_table
    from nsm.indicators import compare as compared

    old, new = _side(first), _side(second)
    given = read_table(crosswalk) if crosswalk else _crosswalk(old[2], new[2])
    found = compared(
        old[0],
        new[0],
        codes,
        by=[name.strip() for name in by.split(",") if name.strip()],
        common=_same_country(old[2], new[2]),
        registries=(old[1], new[1]),
        crosswalk=given,
        adjustment=adjustment,
    )
    show_computed(session, found, "p", "adjusted", "verdict", "note")


Side = tuple["Survey | dict[str, Survey]", "Mapping[str, Indicator] | None", "Project | None"]


def _side(path: str) -> Side:
    """Return surveys, registry and project of one side."""
    from nsm.indicators import read_other
    from nsm.project import Project

    if not is_project(path):
        return read_other(path), None, None
    project = Project(path)
    return project_surveys(project), project_registry(project), project


def _same_country(one: Project | None, other: Project | None) -> bool:
    if one is None or other is None:
        return False
    return one.settings.survey.country == other.settings.survey.country


def _crosswalk(one: Project | None, other: Project | None) -> pd.DataFrame | None:
    """Return what is known of both questionnaires, if they are not the same."""
    from nsm.questionnaire import Questionnaire, draft_crosswalk

    if one is None or other is None:
        return None
    forms = [p.source(p.settings.questionnaire.source) for p in (one, other)]
    if forms[0] == forms[1]:
        return None
    return draft_crosswalk(*(Questionnaire.read(form) for form in forms))
