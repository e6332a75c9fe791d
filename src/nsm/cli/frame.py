"""`nsm frame`: check, build, merge and compare sampling frames."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nsm.cli.app import FAILED, Session, pass_session
from nsm.cli.stages import run_stages
from nsm.cli.tables import listed
from nsm.errors import OptionError

if TYPE_CHECKING:
    import pandas as pd

    from nsm.frame import Frame
    from nsm.project import Project
    from nsm.project.settings import Persons


@click.group("frame", invoke_without_command=True)
@click.option("--force", is_flag=True, help="Run it even if it is fresh.")
@click.pass_context
def frame(context: click.Context, *, force: bool) -> None:
    r"""Read and check the frame, and put its areas into strata.

    Without a further word, the project's stage is run.

    \b
    Example:
        nsm frame
        nsm frame check frames/do --against census.csv
        nsm frame merge --minimum 60 --to frame-merged
    """
    if context.invoked_subcommand is None:
        _build(context.obj, force=force)


def frame_of(session: Session, source: str | None) -> Frame:
    """Return the frame at a place, or the project's."""
    from nsm.frame import Frame

    if source is not None:
        return Frame.read(source)
    project = session.project()
    return Frame.read(project.source(project.settings.frame.source))


@frame.command("check")
@click.argument("source", required=False)
@click.option("--against", metavar="FILE", help="A census table whose sizes the frame must reach.")
@click.option(
    "--total", "totals", multiple=True, metavar="COLUMN=NUMBER", help="A known total of a column."
)
@click.option("--detail", metavar="FILE", help="Write every case to this CSV or Parquet file.")
@pass_session
def check(
    session: Session,
    source: str | None,
    *,
    against: str | None,
    totals: tuple[str, ...],
    detail: str | None,
) -> None:
    r"""List what is wrong or doubtful in a frame, with codes and examples.

    SOURCE is its folder or table; by default it is the project's frame. The exit code is 1 if
    anything found is an error.

    \b
    Example:
        nsm frame check
        nsm frame check frames/do --against census.csv --total population=10773983
        nsm frame check frames/do --detail cases.csv
    """
    from nsm.files import write_table
    from nsm.frame.checks import all_findings
    from nsm.frame.findings import cases_table, findings_table
    from nsm.frame.reading import read_areas

    read = frame_of(session, source)
    census = None if against is None else read_areas(Path(against), text=read.levels)[0]
    known = dict(_total(text) for text in totals)
    found = all_findings(read, against=census, totals=known)
    findings = findings_table(found, session.language)
    if detail is not None:
        write_table(cases_table(found, session.language), detail)
    _show_findings(session, findings)
    if findings.empty:
        session.say("{count:,} areas, nothing to mend.", count=len(read))


def _total(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError:
        raise OptionError(
            "--total is {text!r}; write a column, = and a number, such as population=10773983.",
            text=text,
        ) from None


def _show_findings(session: Session, findings: pd.DataFrame) -> None:
    errors = int((findings["severity"] == "error").sum())
    session.show(
        {"findings": findings, "errors": errors},
        lambda: "\n".join(_line(session, row) for row in findings.to_dict("records")),
    )
    if errors:
        click.get_current_context().exit(FAILED)


def _line(session: Session, row: Mapping[Hashable, object]) -> str:
    line = f"{row['code']} {session.words(str(row['severity']))}  {row['where']}: {row['message']}"
    return f"{line}\n     {row['examples']}" if row["examples"] else line


@frame.command("build")
@click.option("--force", is_flag=True, help="Run it even if it is fresh.")
@pass_session
def build(session: Session, *, force: bool) -> None:
    r"""Make the frame of the project: areas, strata, expected counts.

    With [frame.persons] in survey.toml the areas are first counted from a census file of persons,
    of any size, into the folder that [frame] names; --force counts them again.

    \b
    Example:
        nsm frame build
        nsm frame build --force --json
    """
    _build(session, force=force)


def _build(session: Session, *, force: bool) -> None:
    from nsm.files import read_table

    project = session.project()
    persons = project.settings.frame.persons
    if persons is not None:
        _counted(session, project, persons, force=force)
    run_stages(session, project, ("frame",), force=force)
    facts = dict(project.facts("frame"))
    strata = read_table(project.results("frame", "strata.csv"), text=["stratum"])
    findings = len(read_table(project.results("frame", "findings.csv"), text="all"))
    size = project.settings.frame.size
    columns = {"stratum": "Stratum", "areas": "Areas", size: "Size", "prevalence": "Prior"}
    session.show(
        {**facts, "table": strata},
        lambda: (
            listed(session, strata, columns, {"prevalence": ".2%"})
            + "\n\n"
            + session.words(
                "{areas:,} areas, {strata} strata, {findings} findings (listed by nsm frame check)",
                areas=facts["areas"],
                strata=facts["strata"],
                findings=findings,
            )
        ),
    )


def _counted(session: Session, project: Project, persons: Persons, *, force: bool) -> None:
    """Count the areas from persons, unless that was done."""
    from nsm.files import write_table
    from nsm.frame import from_persons
    from nsm.frame.description import FILE, read_description

    folder = project.folder / project.settings.frame.source
    described = folder / FILE
    about = read_description(described) if described.exists() else {}
    areas = folder / about.get("files", {}).get("areas", "areas.parquet")
    if areas.exists() and not force:
        return
    made = from_persons(
        project.source(persons.source),
        persons.key,
        counts=dict(persons.counts),
        carry=list(persons.carry),
        scratch=project.folder / ".nsm" / "persons",
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_table(made.table, areas)
    session.say("{count:,} areas counted into {file}.", count=len(made), file=areas.as_posix())


@frame.command("merge")
@click.argument("source", required=False)
@click.option("--minimum", type=int, help="Least size of an area; by default that of frame.toml.")
@click.option("--maximum", type=int, help="Most size of an area; by default that of frame.toml.")
@click.option("--size", metavar="COLUMN", help="The size; by default that of survey.toml.")
@click.option("--to", "target", required=True, metavar="FOLDER", help="Where the new frame goes.")
@pass_session
def merge(
    session: Session,
    source: str | None,
    *,
    minimum: int | None,
    maximum: int | None,
    size: str | None,
    target: str,
) -> None:
    r"""Merge small areas with neighbors and split large ones, within their municipality.

    The new frame is written to a folder, with log.csv, which leads from old areas to new ones.
    SOURCE is a frame's folder or table; by default it is the project's frame.

    \b
    Example:
        nsm frame merge --minimum 60 --maximum 250 --to frame-merged
        nsm frame merge frames/do --size households --minimum 60 --to frame-merged
    """
    read = frame_of(session, source)
    column = size or ("households" if source else session.project().settings.frame.size)
    bounds = read.description.get("bounds", {}).get(column, (None, None))
    least = bounds[0] if minimum is None else minimum
    most = bounds[1] if maximum is None else maximum
    if least is None and most is None:
        raise OptionError(
            "Neither the command nor [bounds] of frame.toml says how small or large an area may "
            "be. Give --minimum or --maximum."
        )
    made, log = _resized(read, column, least, most)
    made.replaced(log=log).write(target)
    counts = {str(k): int(v) for k, v in log["action"].value_counts().items()}
    facts = {"before": len(read), "after": len(made), "actions": counts, "folder": target}
    session.show(
        facts,
        lambda: (
            session.words(
                "{before:,} areas became {after:,}, written to {folder}.",
                before=len(read),
                after=len(made),
                folder=target,
            )
            + "".join(f"\n  {session.words(k)}: {v:,}" for k, v in counts.items())
        ),
    )


def _resized(
    read: Frame, size: str, minimum: int | None, maximum: int | None
) -> tuple[Frame, pd.DataFrame]:
    """Merge, then split; return the frame and one log from the oldest areas to the newest."""
    merged = read if minimum is None else read.merge(minimum, size=size, maximum=maximum)
    made = merged if maximum is None else merged.split(maximum, size=size)
    assert made.log is not None  # noqa: S101 (one of both was done)
    if minimum is None or maximum is None or merged.log is None:
        return made, made.log
    later = made.log.rename(columns={"old": "new", "new": "newest", "share": "part"})
    both = merged.log.merge(later, on="new", suffixes=("", "_later"))
    action = both["action"].where(both["action_later"] == "kept", both["action_later"])
    log = both.assign(new=both["newest"], action=action, share=both["share"] * both["part"])
    return made, log[["old", "new", "action", "share"]]


@frame.command("diff")
@click.argument("old")
@click.argument("new", required=False)
@click.option("--detail", metavar="FILE", help="Write every change to this CSV or Parquet file.")
@pass_session
def diff(session: Session, old: str, new: str | None, detail: str | None) -> None:
    r"""Compare two versions of a frame: areas removed, added, recoded, moved, resized.

    OLD and NEW are folders or tables; NEW is the project's frame if it is left out.

    \b
    Example:
        nsm frame diff frame-2022 frame-2027 --detail changes.csv
    """
    from nsm.files import write_table
    from nsm.frame import changes

    before, after = frame_of(session, old), frame_of(session, new)
    found = before.diff(after, language=session.language)
    if detail is not None:
        write_table(changes(before, after), detail)
    _show_findings(session, found)
    if found.empty:
        session.say("Both frames hold the same.")
