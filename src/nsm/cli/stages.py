"""`nsm run` and `nsm status`, and the commands of single stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nsm.cli.app import Session, pass_session
from nsm.cli.progress import Reporter

if TYPE_CHECKING:
    from nsm.project import Project
    from nsm.project.project import State


@click.command("run")
@click.argument("stages", nargs=-1)
@click.option("--force", is_flag=True, help="Run the named stages even if they are fresh.")
@pass_session
def run(session: Session, stages: tuple[str, ...], *, force: bool) -> None:
    """Run what is stale, in order.

    STAGES limits the run to these and what they need: frame, allocation, selection, questionnaire,
    field, weighting, estimation, indicators, publication.

    \b
    Example:
        nsm run
        nsm run selection --json
    """  # noqa: D301 (click's mark for lines kept as they are)
    project = session.project()
    done = run_stages(session, project, stages, force=force)
    if session.as_json:
        facts = {state.stage: dict(project.facts(state.stage)) for state in done}
        session.show({"ran": [vars(state) for state in done], "facts": facts})
        return
    if not done:
        session.say("Everything is fresh.")
    headline(session, project)


@click.command("status")
@pass_session
def status(session: Session) -> None:
    """Say which stages are stale, and why.

    \b
    Example:
        nsm status
    """  # noqa: D301 (click's mark for lines kept as they are)
    states = session.project().states()
    session.show([vars(state) for state in states], lambda: _listed(session, states))


def _listed(session: Session, states: list[State]) -> str:
    width = max(len(session.words(s.stage)) for s in states)
    lines = []
    for state in states:
        word = session.words("fresh") if state.fresh else session.words("stale")
        why = f"  {session.words(state.why)}" if state.why else ""
        lines.append(f"{session.words(state.stage):<{width}}  {word}{why}")
    return "\n".join(lines)


def run_stages(
    session: Session, project: Project, stages: tuple[str, ...], *, force: bool = False
) -> list[State]:
    """Run stages with progress on standard error."""
    with Reporter(session) as report:
        return project.run(stages, force=force, progress=report)


def headline(session: Session, project: Project) -> None:
    """Write the headline estimates of the survey to standard output."""
    facts = project.facts("estimation").get("headline")
    if not facts:
        return
    survey = project.settings.survey
    if survey.synthetic:
        notice = survey.notice.get(session.language) or next(iter(survey.notice.values()), "")
        session.say(notice or "Synthetic: not ENI results.")
    for row in facts:
        text = "{label}: {estimate:,.0f}  [{lower:,.0f}; {upper:,.0f}]  CV {cv:.1%}"
        line = text.format(**row)
        if row.get("truth") is not None:
            line += "  " + session.words("(synthetic truth {truth:,.0f})", truth=row["truth"])
        click.echo(line)


def stage_command(name: str, stage: str, text: str) -> click.Command:
    """Return the command that runs one stage, with what it needs, and shows its facts."""

    @click.option("--force", is_flag=True, help="Run it even if it is fresh.")
    @pass_session
    def command(session: Session, *, force: bool) -> None:
        project = session.project()
        run_stages(session, project, (stage,), force=force)
        facts = dict(project.facts(stage))
        session.show(facts, lambda: "\n".join(f"{k}: {v}" for k, v in facts.items()))

    return click.command(name, help=f"{text}\n\n\b\nExample:\n    nsm {name}")(command)
