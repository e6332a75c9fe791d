"""The command line: options that all commands share, languages, exit codes.

Data goes to standard output, messages to standard error. Exit codes: 0 fine, 1 the checked thing
failed, 2 usage, 3 a crash, with a traceback to report.
"""

from __future__ import annotations

import contextlib
import json
import locale
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nsm import __version__
from nsm.errors import ConfigError, FileError, NsmError, OptionError, Phrase
from nsm.language import SOURCE, translate

if TYPE_CHECKING:
    from nsm.project import Project

FINE, FAILED, USAGE, CRASH = 0, 1, 2, 3


class Session:
    """What a command knows of its call: language, form of output, project."""

    def __init__(self, language: str, *, as_json: bool, folder: str) -> None:
        self.language = language
        self.as_json = as_json
        self.folder = folder

    def project(self) -> Project:
        """Return the project of the folder."""
        from nsm.project import Project, find_project

        return Project(find_project(self.folder))

    def say(self, text: str, **values: object) -> None:
        """Write a message to standard error, in the user's language."""
        click.echo(self.words(text, **values), err=True)

    def words(self, text: str, **values: object) -> str:
        """Return a text in the user's language."""
        if isinstance(text, Phrase):
            return text.said(self.words)
        said = translate(text, self.language)
        return said.format(**values) if values else said

    def show(self, data: Any, human: Callable[[], str] | None = None) -> None:
        """Write data to standard output: as JSON if asked for, otherwise for a person."""
        if self.as_json or human is None:
            click.echo(json.dumps(plain(data), ensure_ascii=False, indent=1))
        else:
            click.echo(human())


def plain(data: Any) -> Any:
    """Return data as JSON knows it: tables as lists of rows, missing numbers as null."""
    if hasattr(data, "to_dict") and hasattr(data, "columns"):
        return [{k: plain(v) for k, v in row.items()} for row in data.to_dict("records")]
    if isinstance(data, dict):
        return {str(k): plain(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [plain(v) for v in data]
    if isinstance(data, Path):
        return data.as_posix()
    if hasattr(data, "item"):
        data = data.item()
    if isinstance(data, float) and data != data:  # noqa: PLR0124 (a missing number)
        return None
    return data if isinstance(data, str | int | float | bool | None) else str(data)


EXAMPLE = "\n\n\b\nExample:"

pass_session = click.make_pass_decorator(Session)

COMMON = (
    click.Option(
        ["--lang"],
        type=click.Choice(["es", "en"]),
        help="Language of messages and help.",
        expose_value=False,
        is_eager=True,
    ),
    click.Option(
        ["--json", "as_json"],
        is_flag=True,
        help="Write machine-readable output.",
        expose_value=False,
    ),
    click.Option(
        ["-C", "--folder", "project_folder"],  # a name that no command has
        default=".",
        metavar="FOLDER",
        help="The project's folder, or one inside it.",
        expose_value=False,
    ),
)


def with_common(command: click.Command) -> None:
    """Give a command, and those below it, the options that all share.

    Docstrings are raw, so click's mark of a paragraph that is not wrapped is spelled out in them.
    """
    command.params = [*command.params, *COMMON]
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_common(below)


def language_of(arguments: Sequence[str]) -> str:
    """Return the language that is asked for: `--lang`, `NSM_LANG`, the machine's, English."""
    for place, word in enumerate(arguments):
        if word == "--lang" and place + 1 < len(arguments):
            return arguments[place + 1] if arguments[place + 1] in {"es", "en"} else SOURCE
        if word.startswith("--lang="):
            return word[7:] if word[7:] in {"es", "en"} else SOURCE
    asked = os.environ.get("NSM_LANG")
    if asked:
        return asked if asked in {"es", "en"} else SOURCE
    machine = os.environ.get("LC_ALL") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return "es" if machine.lower().startswith("es") else SOURCE


def localized(command: click.Command, language: str) -> click.Command:
    """Return a command with its help, and that of its parts, in a language."""
    if language == SOURCE:
        return command
    said = copy(command)
    if said.help:
        words, mark, example = cleandoc(said.help).partition(EXAMPLE)
        heading = mark.replace("Example", translate("Example", language))
        said.help = translate(words, language) + heading + example
    said.params = [copy(parameter) for parameter in said.params]
    for parameter in said.params:
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = translate(parameter.help, language)
    if isinstance(said, click.Group):
        said.commands = {name: localized(c, language) for name, c in said.commands.items()}
    return said


def value_of(arguments: Sequence[str], *names: str) -> str | None:
    """Return the value that follows an option, wherever it stands."""
    for place, word in enumerate(arguments):
        if word in names and place + 1 < len(arguments):
            return arguments[place + 1]
        for name in names:
            if word.startswith(f"{name}="):
                return word[len(name) + 1 :]
    return None


def call(cli: click.Group, arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    language = language_of(given)
    session = Session(
        language,
        as_json="--json" in given,
        folder=value_of(given, "-C", "--folder") or ".",
    )
    try:
        with warnings_said(session):
            code = localized(cli, language).main(
                args=given, prog_name="nsm", standalone_mode=False, obj=session
            )
    except (click.exceptions.Abort, click.ClickException) as stop:
        return _stopped(session, stop)
    except NsmError as error:
        return _failed(session, error)
    except BrokenPipeError:
        return FINE
    except Exception:  # noqa: BLE001 (the one place where a crash becomes a message)
        traceback.print_exc()
        session.say(
            "nsm {version} has crashed; this is its fault, not yours. Please report the lines "
            "above.",
            version=__version__,
        )
        return CRASH
    # click gives back the code of `context.exit(code)`, and what a command returns: nothing.
    return code if isinstance(code, int) else FINE


def _stopped(session: Session, stop: Exception) -> int:
    if isinstance(stop, click.exceptions.Abort):
        session.say("Stopped.")
        return FAILED
    assert isinstance(stop, click.ClickException)  # noqa: S101 (what is left)
    stop.show()
    return USAGE


def _failed(session: Session, error: NsmError) -> int:
    message = error.render(lambda text: translate(text, session.language))
    if session.as_json:
        session.show({"error": type(error).__name__, "message": message})
    click.echo(f"{session.words('Error')}: {message}", err=True)
    usage = isinstance(error, ConfigError | OptionError | FileError)
    return USAGE if usage else FAILED


@contextlib.contextmanager
def warnings_said(session: Session) -> Iterator[None]:
    """Write nsm's own warnings as messages, and keep those of libraries quiet."""
    import warnings

    from nsm.errors import NsmWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", NsmWarning)
        warnings.showwarning = lambda message, *_a, **_k: click.echo(
            f"{session.words('Warning')}: {message}", err=True
        )
        yield
