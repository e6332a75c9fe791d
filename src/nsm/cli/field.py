"""`nsm field`: take in what came from the field, check it, and say where the fieldwork stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nsm.cli.app import Session, pass_session
from nsm.cli.questionnaire import form_of, show_findings
from nsm.cli.stages import run_stages

if TYPE_CHECKING:
    import pandas as pd

    from nsm.fieldwork import Delivery, Monitoring

_form = click.option(
    "--form", "folder", metavar="FOLDER", help="The questionnaire; by default the project's."
)
_encoding = click.option("--encoding", default="utf-8", help="Of text files, such as cp1252.")


@click.group("field", invoke_without_command=True)
@click.option("--force", is_flag=True, help="Run it even if it is fresh.")
@click.pass_context
def field(context: click.Context, *, force: bool) -> None:
    r"""Take in the answers and check them against the questionnaire.

    Without a further word, the project's stage is run.

    \b
    Example:
        nsm field
        nsm field check delivery.zip --form questionnaires/eni
        nsm field status
    """
    if context.invoked_subcommand is not None:
        return
    session: Session = context.obj
    project = session.project()
    run_stages(session, project, ("field",), force=force)
    facts = dict(project.facts("field"))
    session.show(facts, lambda: "\n".join(f"{k}: {v}" for k, v in facts.items()))


def _delivery(session: Session, source: str, folder: str | None, encoding: str) -> Delivery:
    from nsm.fieldwork import read_delivery

    form = form_of(session, folder)
    return read_delivery(source, form, encoding=encoding, language=session.language)


@field.command("import")
@click.argument("source")
@click.option("--to", "target", default="delivery", metavar="FOLDER", help="Where the tables go.")
@_form
@_encoding
@pass_session
def import_(session: Session, source: str, target: str, folder: str | None, encoding: str) -> None:
    r"""Read a delivery of any usual program and write one table for each level.

    SOURCE is a file, folder or archive of ODK, KoboToolbox, SurveyCTO, Survey Solutions, CSPro,
    SPSS or Stata, or an Excel or Parquet file. Nothing is dropped; what does not fit is listed in
    findings.csv.

    \b
    Example:
        nsm field import kobo.xlsx --form questionnaires/eni --to delivery
    """
    from nsm.files import write_table

    delivery = _delivery(session, source, folder, encoding)
    place = Path(target)
    files = [
        write_table(table, place / f"{name}.parquet") for name, table in delivery.tables.items()
    ]
    files.append(write_table(delivery.reasons, place / "reasons.csv"))
    files.append(write_table(delivery.findings, place / "findings.csv"))
    rows = {name: len(table) for name, table in delivery.tables.items()}
    session.show(
        {"rows": rows, "files": files, "findings": delivery.findings},
        lambda: "\n".join(f"{name}: {count}" for name, count in rows.items()),
    )


@field.command("check")
@click.argument("source")
@_form
@_encoding
@pass_session
def check(session: Session, source: str, folder: str | None, encoding: str) -> None:
    r"""Hold a delivery against the questionnaire: types, ranges, codes, skips, rosters, rules.

    Findings give the keys of rows, never answers. The exit code is 1 if any finding is an error.

    \b
    Example:
        nsm field check delivery --form questionnaires/eni --json
    """
    import pandas as pd

    from nsm.fieldwork import validate

    delivery = _delivery(session, source, folder, encoding)
    form = form_of(session, folder)
    checked = validate(form, delivery.tables, reasons=delivery.reasons, language=session.language)
    findings = pd.concat([delivery.findings, checked.findings], ignore_index=True)
    rows = sum(len(table) for table in delivery.tables.values())
    show_findings(session, findings, session.words("{rows} rows, nothing to mend.", rows=rows))


@field.command("status")
@click.option("--today", metavar="DATE", help="The day to judge by; by default the last visit's.")
@click.option("--page", metavar="FILE", help="Write the monitoring page there too.")
@pass_session
def status(session: Session, today: str | None, page: str | None) -> None:
    r"""Say where the fieldwork stands: response, progress, and what asks for a look.

    \b
    Example:
        nsm field status --page monitoring.html
    """
    seen = _seen(session, today)
    if page is not None:
        _write_page(session, seen, page)
    states = {str(k): int(v) for k, v in seen.areas["state"].value_counts().items()}
    session.show(
        {"phases": seen.phases, "areas": states, "findings": seen.findings},
        lambda: _said(session, seen, states),
    )


def _seen(session: Session, today: str | None) -> Monitoring:
    import pandas as pd

    from nsm.fieldwork import monitor

    project = session.project()
    run_stages(session, project, ("field",))
    form = form_of(session, None)
    tables: dict[str, pd.DataFrame] = {
        name: pd.read_parquet(project.results("field", f"{name}.parquet"))
        for name in form.tables
        if project.results("field", f"{name}.parquet").exists()
    }
    failures = pd.read_csv(project.results("field", "failures.csv"), dtype="str")
    sample = pd.read_parquet(project.results("selection", "sample.parquet"))
    sample = sample[sample["role"] == "main"]
    return monitor(form, tables, sample, failures, today=today, language=session.language)


def _write_page(session: Session, seen: Monitoring, page: str) -> None:
    from nsm.project.monitoring import write_monitoring

    survey = session.project().settings.survey
    write_monitoring(
        seen,
        page,
        session.language,
        title=dict(survey.name),
        country=survey.country,
        synthetic=survey.synthetic,
        notice=dict(survey.notice),
    )


def _said(session: Session, seen: Monitoring, states: dict[str, int]) -> str:
    lines = [
        f"{session.words(str(row['phase']))}: {row['n']:,}  RR1 {row['RR1']:.1%}  "
        f"RR3 {row['RR3']:.1%}"
        for row in _records(seen.phases)
    ]
    lines.append("  ".join(f"{session.words(state)}: {n}" for state, n in states.items()))
    lines += [
        f"{row['code']} {session.words(str(row['severity']))}  {row['message']}"
        for row in _records(seen.findings)
    ]
    return "\n".join(lines)


def _records(table: Any) -> list[dict[str, Any]]:
    return list(table.to_dict("records"))
