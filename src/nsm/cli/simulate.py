"""`nsm simulate`: repeat the whole survey on the synthetic population."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import click

from nsm.cli.app import Session, pass_session
from nsm.cli.tables import listed

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from nsm.project import Project
    from nsm.simulation import Simulation

FOLDER = "simulation"


@click.command("simulate")
@click.option("--count", type=int, default=100, show_default=True, help="How many surveys.")
@click.option("--seed", type=int, default=1, show_default=True, help="Run k has this seed + k.")
@click.option(
    "--compare",
    multiple=True,
    metavar="PLAN",
    help="Another plan beside it: proportional, uncalibrated, unadjusted, subsample, adaptive, "
    "status.",
)
@click.option(
    "--what-if",
    multiple=True,
    metavar="WORLD",
    help="Another world: prevalence, response, prior, hotspots, costs, sharper.",
)
@click.option(
    "--fidelity",
    is_flag=True,
    help="Only say how far the population is what was asked for, and what is invented.",
)
@click.option("--workers", type=int, help="Processes; all cores if not given.")
@pass_session
def simulate(
    session: Session,
    count: int,
    seed: int,
    *,
    compare: tuple[str, ...],
    what_if: tuple[str, ...],
    fidelity: bool,
    workers: int | None,
) -> None:
    r"""Repeat the whole survey on the synthetic population, and say how well it does.

    Selection, response, weights and estimates are made again and again. The results are kept in
    the folder `simulation`: a run that was stopped goes on, and a larger --count adds to it.

    \b
    Example:
        nsm simulate --count 500
        nsm simulate --compare proportional --what-if prevalence --what-if response
        nsm simulate --fidelity
    """
    from nsm.files import write_table
    from nsm.project.what_if import repeated

    project = session.project()
    if not (project.folder / "results" / "frame").exists():
        project.run(["frame"])
    folder = project.folder / FOLDER
    if fidelity:
        session.show(*_fidelity(session, project, folder))
        return
    with Bar(session) as bar:
        made = repeated(
            project,
            count=count,
            seed=seed,
            compare=compare,
            what_if=what_if,
            folder=folder,
            workers=workers,
            progress=bar,
        )
    write_table(made.table, folder / "characteristics.csv")
    write_table(made.load, folder / "load.csv")
    session.show({"characteristics": made.table, "load": made.load}, lambda: _said(session, made))


def _fidelity(session: Session, project: Project, folder: Path) -> tuple[Any, Callable[[], str]]:
    """Compare the population with what was asked for; write it down, and say it."""
    from nsm.files import write_table
    from nsm.project.rehearsal import rehearsed
    from nsm.simulation import fidelity

    table = fidelity(rehearsed(project), language=session.language)
    write_table(table, folder / "fidelity.csv")
    rows = table.assign(
        wanted=[_number(v) for v in table["wanted"]],
        reached=[_number(v) for v in table["reached"]],
        kind=[session.words(str(k)) for k in table["kind"]],
    )
    heads = {"kind": "Kind", "measure": "Measure", "wanted": "Wanted", "reached": "Reached"}
    notice = session.words("Synthetic population: for planning, never for publication.")
    return {"fidelity": table}, lambda: f"{listed(session, rows, heads)}\n\n{notice}"


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124 (a missing number)
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"


def _said(session: Session, made: Simulation) -> str:
    """Write the national targets of each plan as a small table."""
    words = session.words
    heads = ["Plan", "Target", "Bias", "MC error", "CV", "SE / SD", "Coverage", "Publishable"]
    rows = [[words(h) for h in heads]]
    rows += [_row(row) for row in made.table.to_dict("records") if row["domain"] == "all"]
    width = [max(len(row[k]) for row in rows) for k in range(len(heads))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, width, strict=True)) for row in rows]
    cost = made.load[made.load["quantity"].isin(["areas", "screened", "interviews", "cost"])]
    lines += ["", words("A survey takes, on average:"), *_loads(cost, session)]
    lines += ["", words("Synthetic population: for planning, never for publication.")]
    return "\n".join(lines)


def _row(row: Mapping[Any, Any]) -> list[str]:
    return [
        row["scheme"],
        row["variable"],
        f"{row['bias'] / row['truth']:+.1%}",
        f"{row['bias_error'] / row['truth']:.1%}",
        f"{row['sd'] / row['truth']:.1%}",
        f"{row['se_ratio']:.2f}",
        f"{row['coverage']:.0%}",
        f"{row['publishable']:.0%}",
    ]


def _loads(load: pd.DataFrame, session: Session) -> list[str]:
    wide = load.pivot_table("mean", "scheme", "quantity", sort=False)
    return [
        f"{scheme}: " + ", ".join(f"{session.words(str(q))} {v:,.0f}" for q, v in row.items())
        for scheme, row in wide.iterrows()
    ]


class Bar:
    """Progress: a bar on a terminal, a line for each tenth elsewhere."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.bar: Any = None
        self.tasks: dict[str, Any] = {}
        self.told: tuple[str, int] = ("", 0)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self.bar = Progress(console=Console(stderr=True), transient=True)
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, what: str, done: int, of: int) -> None:
        """Take note of what is done."""
        name = self.session.words(what)
        if self.bar is not None:
            if what not in self.tasks or done <= self.told[1]:
                self.tasks[what] = self.bar.add_task(name, total=of)
            self.bar.update(self.tasks[what], completed=done, total=of)
            self.told = (what, done)
            return
        tenth = 10 * done // of
        if (what, tenth) != self.told:
            self.told = (what, tenth)
            click.echo(f"{name}: {done:,} / {of:,}", err=True)
