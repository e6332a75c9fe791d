"""Where a report comes from: versions, methods, hashes; seeds and keys for the office only."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from nsm import __version__

if TYPE_CHECKING:
    from nsm.project.lock import Record
    from nsm.project.settings import Settings

PACKAGES = ("numpy", "pandas", "scipy", "geopandas", "matplotlib", "duckdb", "pyxform")


def versions() -> dict[str, str]:
    """Return the versions of nsm, Python and the packages that make the numbers."""
    packages = {name: version(name) for name in PACKAGES}
    return {"nsm": __version__, "Python": platform.python_version(), **packages}


def methods(settings: Settings) -> dict[str, str]:
    """Say what was done, without a seed or a place."""
    return {
        "quality rule": settings.publication.rule,
        "fewest persons in a cell": str(settings.publication.minimum_cases),
        "allocation": settings.allocation.rule,
        "selection": settings.selection.method,
        "questionnaire": settings.questionnaire.source,
        "frame": settings.frame.source,
        "hash of survey.toml without its seeds": public_hash(settings),
    }


def private(records: Mapping[str, Record], seed: int, say: Callable[[str], str]) -> dict[str, Any]:
    """Return the seed, and the hashes of what went into each stage and came out of it."""
    made: dict[str, Any] = {say("seed"): seed}
    for name, record in records.items():
        made[f"{say(name)}: {say('hash of what went in')}"] = record.key
        made |= {f"{say(name)}: {file}": value for file, value in record.outputs.items()}
    return made


def public_hash(settings: Settings) -> str:
    """Return the SHA-256 of the settings without seeds, so that it does not help to guess them."""
    bare = replace(
        settings,
        survey=replace(settings.survey, seed=0),
        selection=replace(settings.selection, seed=None),
    )
    return hashlib.sha256(repr(bare).encode()).hexdigest()
