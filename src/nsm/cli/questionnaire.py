"""`nsm questionnaire`: check, build, compare and adopt questionnaires."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nsm.cli.app import FAILED, Session, pass_session
from nsm.cli.stages import run_stages

if TYPE_CHECKING:
    import pandas as pd

    from nsm.questionnaire import Questionnaire

KINDS = ("xlsform", "printed", "codebook", "ddi", "frictionless", "cspro", "flow")


@click.group("questionnaire", invoke_without_command=True)
@click.option("--force", is_flag=True, help="Run it even if it is fresh.")
@click.pass_context
def questionnaire(context: click.Context, *, force: bool) -> None:
    r"""Check the questionnaire and make the form for ODK.

    Without a further word, the project's stage is run.

    \b
    Example:
        nsm questionnaire
        nsm questionnaire check questionnaires/eni
        nsm questionnaire build questionnaires/eni --to forms
    """
    if context.invoked_subcommand is not None:
        return
    session: Session = context.obj
    project = session.project()
    run_stages(session, project, ("questionnaire",), force=force)
    facts = dict(project.facts("questionnaire"))
    session.show(facts, lambda: "\n".join(f"{k}: {v}" for k, v in facts.items()))


def form_of(session: Session, folder: str | None) -> Questionnaire:
    """Return the questionnaire in a folder, or the project's."""
    from nsm.questionnaire import Questionnaire

    if folder is not None:
        return Questionnaire.read(folder)
    project = session.project()
    return Questionnaire.read(project.source(project.settings.questionnaire.source))


def show_findings(session: Session, findings: pd.DataFrame, fine: str) -> None:
    """Show findings; leave with exit code 1 if one is an error."""
    session.show(
        {"findings": findings, "errors": int((findings["severity"] == "error").sum())},
        lambda: "\n".join(_line(session, row) for row in findings.to_dict("records")),
    )
    if findings.empty and fine:
        session.say(fine)
    if (findings["severity"] == "error").any():
        click.get_current_context().exit(FAILED)


def _line(session: Session, row: Mapping[Hashable, object]) -> str:
    severity = session.words(str(row["severity"]))
    return f"{row['code']} {severity}  {row['where']}: {row['message']}"


@questionnaire.command("check")
@click.argument("folder", required=False)
@pass_session
def check(session: Session, folder: str | None) -> None:
    r"""List all that is wrong or doubtful in a questionnaire.

    FOLDER holds its survey.yaml; by default it is the project's questionnaire. The exit code is 1
    if anything found is an error.

    \b
    Example:
        nsm questionnaire check questionnaires/eni --json
    """
    form = form_of(session, folder)
    fine = session.words("{count} questions, nothing to mend.", count=len(form.questions))
    show_findings(session, form.check(session.language), fine)


@questionnaire.command("build")
@click.argument("folder", required=False)
@click.option("--to", "target", default="forms", metavar="FOLDER", help="Where the files go.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(KINDS),
    help="What to make; may be repeated. By default all.",
)
@pass_session
def build(session: Session, folder: str | None, target: str, only: tuple[str, ...]) -> None:
    r"""Make the forms and all other outputs of a questionnaire.

    XLSForm, printable form, codebook, DDI, data package, CSPro dictionary and flow chart.

    \b
    Example:
        nsm questionnaire build questionnaires/eni --to forms --only xlsform --only printed
    """
    made = form_of(session, folder).build(target, only)
    session.show({"files": made}, lambda: "\n".join(path.as_posix() for path in made))


@questionnaire.command("diff")
@click.argument("one")
@click.argument("other")
@click.option(
    "--crosswalk",
    metavar="FILE",
    help="Check this crosswalk from ONE to OTHER; if it is not there, begin one.",
)
@pass_session
def diff(session: Session, one: str, other: str, crosswalk: str | None) -> None:
    r"""Compare two questionnaires: what was added, removed, reworded, recoded, re-routed.

    \b
    Example:
        nsm questionnaire diff questionnaires/eni-short questionnaires/eni
        nsm questionnaire diff eni-2017 eni-2027 --crosswalk crosswalk.csv
    """
    from nsm.files import read_table, write_table
    from nsm.questionnaire import Questionnaire, check_crosswalk, draft_crosswalk
    from nsm.questionnaire import diff as compare

    before, after = Questionnaire.read(one), Questionnaire.read(other)
    if crosswalk is None:
        found = compare(before, after, session.language)
        session.show(found, lambda: _changes(session, found))
    elif Path(crosswalk).exists():
        table = read_table(crosswalk)
        findings = check_crosswalk(table, before, after, session.language)
        show_findings(session, findings, session.words("The crosswalk is complete."))
    else:
        table = draft_crosswalk(before, after)
        session.show({"crosswalk": write_table(table, crosswalk)}, lambda: crosswalk)


def _changes(session: Session, found: pd.DataFrame) -> str:
    lines = []
    for row in found.to_dict("records"):
        change = session.words(str(row["change"]))
        said = " → ".join(text for text in (row["was"], row["now"]) if text)
        lines.append(f"{change:<12} {row['module']}.{row['question']}: {said}")
    return "\n".join(lines)


@questionnaire.command("import")
@click.argument("file")
@click.argument("folder")
@pass_session
def import_(session: Session, file: str, folder: str) -> None:
    r"""Adopt an existing XLSForm: write it as a questionnaire that can be reviewed.

    FILE is the .xlsx; FOLDER the new folder. What has no words here is listed.

    \b
    Example:
        nsm questionnaire import form.xlsx questionnaires/adopted
    """
    from nsm.questionnaire import Questionnaire, adopt_xlsform

    findings = adopt_xlsform(file, folder, session.language)
    count = len(Questionnaire.read(folder).questions)
    session.say("{folder} holds {count} questions.", folder=folder, count=count)
    show_findings(session, findings, "")
