"""`nsm propose`: write the survey's technical and economic proposal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nsm.cli.app import Session, pass_session
from nsm.cli.stages import run_stages

if TYPE_CHECKING:
    from nsm.project.proposal import Proposed


@click.command("propose")
@click.option("--prices", metavar="FILE", help="The price list; prices.toml if not given.")
@click.option("--to", "folder", metavar="FOLDER", help="Where to write; proposal if not given.")
@pass_session
def propose(session: Session, prices: str | None, folder: str | None) -> None:
    r"""Write the proposal: page, Word document, budget in Excel, routes, explorer.

    What it needs is run first. Simulations are shown if `nsm simulate` has made them.

    \b
    Example:
        nsm simulate --count 200 --what-if prevalence --what-if response
        nsm propose
        nsm propose --prices prices-2028.toml --to proposal-2028
    """
    from nsm.project.proposal import propose as write
    from nsm.project.proposal.write import STAGES

    project = session.project()
    run_stages(session, project, STAGES)
    made = write(project, prices=prices, folder=folder)
    shown = {
        "files": [file.as_posix() for file in made.files],
        "totals": dict(made.totals),
        "quantities": dict(made.quantities),
        "hashes": dict(made.hashes),
        "simulated": made.simulated,
    }
    if not made.simulated:
        session.say("Without simulated evidence: run nsm simulate first.")
    session.show(shown, lambda: _said(session, made))


def _said(session: Session, made: Proposed) -> str:
    sums = made.totals
    lines = [
        session.words(
            "In money {money:,.0f}, in kind {kind:,.0f}, total {whole:,.0f}.",
            money=sums["money"],
            kind=sums["in_kind"],
            whole=sums["whole"],
        ),
        *(Path(file).as_posix() for file in made.files),
    ]
    return "\n".join(lines)
