"""`nsm init`: a new project that runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from nsm.cli.app import Session, pass_session
from nsm.errors import OptionError
from nsm.files import library

EXAMPLES = ("eni-do", "arcadia")
FORM = "questionnaire"  # a folder of an example that asks with a form of its own


@click.command("init")
@click.argument("folder", default="encuesta")
@click.option(
    "--example",
    type=click.Choice(EXAMPLES),
    default=EXAMPLES[0],
    show_default=True,
    help="The example to copy: the Dominican one, or an invented country with its own form.",
)
@pass_session
def init(session: Session, folder: str, example: str) -> None:
    """Start a project in FOLDER: a copy of an example, which runs as it is.

    \b
    Example:
        nsm init encuesta
        nsm run -C encuesta
    """  # noqa: D301 (click's mark for lines kept as they are)
    target = Path(folder)
    if target.exists() and any(target.iterdir()):
        raise OptionError(
            "{folder} is not empty; nothing was written. Name a new folder.", folder=folder
        )
    source = library(f"examples/{example}")
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir()):
        if file.is_file() and file.suffix in {".toml", ".md"}:
            shutil.copy(file, target / file.name)
    if (source / FORM).is_dir():
        shutil.copytree(source / FORM, target / FORM, dirs_exist_ok=True)
    session.say("Project {folder} is ready. Next: nsm run -C {folder}", folder=folder)
