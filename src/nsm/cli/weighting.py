"""`nsm weight` and its parts: the control table, its check, and what weighting did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nsm.cli.app import Session, pass_session
from nsm.cli.stages import run_stages
from nsm.errors import CalibrationError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nsm.weighting import Calibration


@click.group("weight", invoke_without_command=True)
@click.option("--force", is_flag=True, help="Run it even if it is fresh.")
@click.pass_context
def weight(context: click.Context, *, force: bool) -> None:
    r"""Weight: base, non-response, calibration.

    \b
    Example:
        nsm weight
        nsm weight check
    """
    if context.invoked_subcommand is not None:
        return
    session = context.ensure_object(Session)
    project = session.project()
    run_stages(session, project, ("weighting",), force=force)
    facts = dict(project.facts("weighting"))
    session.show(facts, lambda: "\n".join(f"{k}: {v}" for k, v in facts.items()))


@weight.command("template")
@click.option("--to", type=click.Path(), help="File to write, such as known_totals.csv.")
@pass_session
def template(session: Session, to: str | None) -> None:
    r"""Write the control table that the recipe needs, its totals blank.

    The columns units and weighted say what the sample has, to see what to look for in the census.

    \b
    Example:
        nsm weight template --to known_totals.csv
    """
    from nsm.files import write_table
    from nsm.project.stages.weighting import walk
    from nsm.weighting import Calibration, control_template

    for _, survey, step in walk(session.project()):
        if isinstance(step, Calibration):
            table = control_template(step, survey)
            break
    else:
        raise CalibrationError("The recipe has no calibration, so it needs no control table.")
    if to is None:
        session.show(table, lambda: table.to_csv(index=False).rstrip())
        return
    if Path(to).exists():
        raise CalibrationError("{file} is there already. Name a new file.", file=to)
    write_table(table, to)
    session.say("{rows} controls to fill in: {file}", rows=len(table), file=to)


@weight.command("check")
@click.pass_context
def check(context: click.Context) -> None:
    r"""Check the control tables against each other and against the data, before they are used.

    \b
    Example:
        nsm weight check --json
    """
    import pandas as pd

    from nsm.project.stages.weighting import walk
    from nsm.weighting import Calibration, check_controls

    session = context.ensure_object(Session)
    tables = []
    for name, survey, step in walk(session.project()):
        if not isinstance(step, Calibration):
            continue
        _refuse_unread(step)
        found = check_controls(step, survey, session.language)
        tables.append(found.assign(where=f"{name}: " + found["where"]))
        if (found["severity"] == "error").any():
            break
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    session.show(table, lambda: _findings(session, table))
    if len(table) and (table["severity"] == "error").any():
        context.exit(1)


def _refuse_unread(step: Calibration) -> None:
    if isinstance(step.margins, str):
        raise CalibrationError(
            "The control table {file} is not there. Run `nsm weight template --to {file}` and fill "
            "it in.",
            file=step.margins,
        )


def _findings(session: Session, table: Any) -> str:
    if not len(table):
        return session.words("The controls are sound.")
    return "\n".join(
        f"{row.code} {session.words(row.severity)} {row.where}: {row.message} {row.examples}"
        for row in table.itertuples()
    )


@weight.command("report")
@click.option("--to", type=click.Path(), help="Folder for the tables and figures.")
@pass_session
def report(session: Session, to: str | None) -> None:
    r"""Show what weighting did: steps, controls, classes, respondents, largest weights.

    For internal use: the largest weights are listed with their area.

    \b
    Example:
        nsm weight report --to weights
    """
    from nsm.project.stages.weighting import surveys
    from nsm.weighting.report import sections

    project = session.project()
    run_stages(session, project, ("weighting",))
    found = sections(surveys(project), session.language)
    tables: dict[str, Any] = {n: part for n, part in found.items() if hasattr(part, "columns")}
    if to is not None:
        _written(found, Path(to))
        session.say("{parts} parts written to {folder}", parts=len(found), folder=to)
        return
    session.show(
        tables,
        lambda: "\n\n".join(f"{n}\n{t.to_string(index=False)}" for n, t in tables.items()),
    )


def _written(found: dict[str, Any], folder: Path) -> None:
    """Write each table as CSV and each figure as PNG, numbered in their order."""
    from nsm.files import atomic, write_table

    for number, (name, part) in enumerate(found.items(), 1):
        plain = "".join(c if c.isalnum() else "_" for c in name).strip("_").lower()
        file = folder / f"{number:02d}_{plain}"
        if hasattr(part, "columns"):
            write_table(part, file.with_suffix(".csv"))
            continue
        figure: Figure = part
        with atomic(file.with_suffix(".png")) as partial:
            figure.savefig(partial, dpi=150)
