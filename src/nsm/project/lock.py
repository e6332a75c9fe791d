"""`nsm.lock`: what each stage was made from, and what it made."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nsm.errors import ProjectError
from nsm.files import content_hash, write_text

VERSIONED = ("numpy", "pandas", "scipy", "pyxform")


@dataclass(frozen=True)
class Record:
    """One stage in the lock.

    Parameters
    ----------
    key
        Hash of all that goes in: files, settings, the stages before, the package.
    parts
        The same by part, so that a change can be named.
    outputs
        Hash of each file that came out.
    facts
        Seeds, row counts and other facts.
    seconds
        How long it took.
    """

    key: str
    parts: Mapping[str, str]
    outputs: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


def read_lock(path: Path) -> dict[str, Record]:
    """Read the records of all stages; none if there is no lock.

    Raises
    ------
    ProjectError
        The lock is damaged.
    """
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {name: Record(**record) for name, record in content["stages"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProjectError(
            "{file} is damaged. Delete it: `nsm run` then makes everything anew.", file=str(path)
        ) from error


def write_lock(path: Path, records: Mapping[str, Record]) -> None:
    """Write the records, whole or not at all."""
    content = {
        "nsm": version("nsm"),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in VERSIONED},
        "stages": {name: vars(record) for name, record in records.items()},
    }
    write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", path)


@cache
def package_hash() -> str:
    """Return the hash of the package's own source."""
    return content_hash(Path(__file__).resolve().parents[1])


def settings_hash(settings: object) -> str:
    """Return the hash of a section of the settings."""
    text = json.dumps(settings, sort_keys=True, default=lambda o: getattr(o, "__dict__", str(o)))
    return hashlib.sha256(text.encode()).hexdigest()


def joined(parts: Mapping[str, str]) -> str:
    """Return one hash of several."""
    text = "\n".join(f"{name} {value}" for name, value in sorted(parts.items()))
    return hashlib.sha256(text.encode()).hexdigest()
