"""Progress on a terminal; plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from rich.status import Status

    from nsm.cli.app import Session
    from nsm.errors import Phrase


class Reporter:
    """Tells which stage runs, and what it made in how long."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.began = 0.0
        self.status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.status is not None:
            self.status.stop()

    def __call__(self, stage: str, line: Phrase | None) -> None:
        """Take note that a stage starts (no line) or has ended."""
        name = self.session.words(stage)
        if line is None:
            self.began = time.monotonic()
            if sys.stderr.isatty():
                from rich.console import Console

                self.status = Console(stderr=True).status(name)
                self.status.start()
            return
        if self.status is not None:
            self.status.stop()
            self.status = None
        seconds = time.monotonic() - self.began
        click.echo(f"{name:<14} {seconds:6.1f} s  {self.session.words(line)}", err=True)
