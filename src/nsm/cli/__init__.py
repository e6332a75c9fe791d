"""The command line, one file per stage; it parses and prints."""

from __future__ import annotations

import sys

import click

from nsm import __version__
from nsm.cli import figures
from nsm.cli.allocate import allocate
from nsm.cli.app import COMMON, call, with_common
from nsm.cli.compare import compare
from nsm.cli.field import field
from nsm.cli.frame import frame
from nsm.cli.indicators import indicators
from nsm.cli.init import init
from nsm.cli.plan import plan
from nsm.cli.propose import propose
from nsm.cli.questionnaire import questionnaire
from nsm.cli.select import select
from nsm.cli.simulate import simulate
from nsm.cli.stages import run, stage_command, status
from nsm.cli.weighting import weight

HELP = """Plan, draw, field, weight and publish a national survey of migrants.

A project is a folder with a survey.toml. `nsm init` starts one, `nsm run` makes all of it.

\b
Example:
    nsm init encuesta
    cd encuesta
    nsm run
"""


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="nsm")
def cli() -> None:
    """Carry the options that all commands share."""


STAGE_COMMANDS = {
    "estimate": ("estimation", "Estimate totals, shares, means and medians with their precision."),
    "publish": ("publication", "Write tables, maps and the two reports."),
}

for _command in (
    init,
    run,
    status,
    frame,
    allocate,
    select,
    questionnaire,
    field,
    weight,
    indicators,
    compare,
    simulate,
    plan,
    propose,
    *(stage_command(name, stage, text) for name, (stage, text) in STAGE_COMMANDS.items()),
):
    with_common(_command)
    cli.add_command(_command)
cli.params = [*cli.params, *COMMON]

__all__ = ["cli", "figures", "main"]


def main() -> None:
    """Run the command line."""
    sys.exit(call(cli))
