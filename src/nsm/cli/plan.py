"""`nsm plan`: what precision costs, and what else could be done for the money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nsm.cli.app import Session, pass_session

if TYPE_CHECKING:
    import pandas as pd

HEADINGS = {
    "cheapest": "The cheapest plan that meets all targets",
    "curve": "Precision against cost",
    "points": "What one point of CV costs",
    "change": "Changes since the last round that would be seen",
    "second_phase": "A second phase: interviews of a share of those found",
    "prior": "A better frame: less error of the prior",
    "existing": "Households that another survey would need",
}
FOLDER = "planning"


@click.command("plan")
@click.option("--overlap", type=float, default=0.0, help="Share of areas the last round had too.")
@click.option("--correlation", type=float, default=0.0, help="Of an area's counts in both rounds.")
@click.option("--before", type=float, help="CV of the last round; that of the plan if not given.")
@click.option("--power", type=float, default=0.8, help="With which a change is to be seen.")
@click.option(
    "--homogeneity", type=float, default=0.05, help="In areas, of what the interview asks."
)
@click.option("--households", type=float, help="Of a survey that could be enlarged instead.")
@click.option("--deff", type=float, default=6.0, help="Its design effect for migrants.")
@pass_session
def plan(session: Session, **given: Any) -> None:
    r"""Answer the questions of planning, with the project's frame, costs and targets.

    Precision against cost, the cheapest plan, the price of a point of CV, changes that would be
    seen, a second phase, a better frame. The tables are kept in the folder `planning`. CVs of
    simulated surveys are used for changes if `nsm simulate` has made them.

    \b
    Example:
        nsm plan
        nsm plan --overlap 0.5 --correlation 0.7 --households 12000 --deff 6
    """
    from nsm.files import write_table
    from nsm.project.planning import Asked, answers

    project = session.project()
    project.run(["frame"])
    made = answers(project, Asked(**given))
    for name, table in made.items():
        write_table(table, project.folder / FOLDER / f"{name}.csv")
    session.show(made, lambda: "\n\n".join(_said(session, *item) for item in made.items()))


def _said(session: Session, name: str, table: pd.DataFrame) -> str:
    """Write an answer as a small table."""
    shown = table.dropna(axis="columns", how="all")
    rows = [[str(column) for column in shown.columns]]
    rows += [[_cell(*item) for item in row.items()] for row in shown.to_dict("records")]
    width = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [
        "  ".join(cell.rjust(w) for cell, w in zip(row, width, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([session.words(HEADINGS[name]), *lines])


def _cell(name: Any, value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 (a missing number)
        return "-"
    if isinstance(value, str):
        return value
    if str(name).startswith(("cv", "power", "target", "simulated", "rise", "fall")):
        return f"{value:.1%}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
