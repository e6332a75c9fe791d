"""The expressions of `survey.toml`, read before anything runs: nothing else gets into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from nsm.condition import parse
from nsm.errors import ConfigError, NsmError
from nsm.estimation.expression import parse_statistic
from nsm.estimation.formula import parse_terms
from nsm.weighting import read_step

if TYPE_CHECKING:
    from nsm.project.settings import Settings

Read = Callable[[str], object]


def check(settings: Settings, file: str) -> None:
    """Refuse what cannot be read, with its place.

    Raises
    ------
    ConfigError
        A statistic, condition, model or weighting step cannot be read.
    """
    for place, text, read in _expressions(settings):
        try:
            read(text)
        except NsmError as error:
            raise ConfigError(
                "{file}: {place} cannot be used. {reason}", file=file, place=place, reason=error
            ) from error
    for name in ("dwellings", "persons", "interviews"):
        for number, step in enumerate(getattr(settings.weighting, name), 1):
            read_step(step, f"[[weighting.{name}]], step {number}")


def _expressions(settings: Settings) -> Iterator[tuple[str, str, Read]]:
    estimation = settings.estimation
    for name, text in estimation.derived.items():
        yield f"estimation.derived.{name}", text, parse
    for key, table in estimation.tables.items():
        place = f"estimation.tables.{key}"
        for name, text in table.statistics.items():
            yield f"{place}.statistics.{name}", text, parse_statistic
        if table.where is not None:
            yield f"{place}.where", table.where, parse
    for name in ("dwellings", "persons", "interviews"):
        for number, step in enumerate(getattr(settings.weighting, name), 1):
            for key, read in (("where", parse), ("propensity", parse_terms)):
                if isinstance(step.get(key), str):
                    yield f"weighting.{name}, step {number}: {key}", step[key], read
