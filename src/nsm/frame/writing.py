"""Write a frame to a folder that `Frame.read` reads again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsm.errors import OptionError
from nsm.files import atomic, local_path, write_table, write_text
from nsm.frame import description as described

if TYPE_CHECKING:
    from nsm.frame.frame import Frame

_AREAS, _BOUNDARIES, _NAMES, _LOG = "areas.parquet", "boundaries.parquet", "names.csv", "log.csv"


def write(frame: Frame, folder: str | os.PathLike[str]) -> list[Path]:
    """Write areas, polygons, names, log and description to a new or empty folder.

    Returns
    -------
    The files: `frame.toml`, `areas.parquet` and, where the frame has them, `boundaries.parquet`,
    `names.csv` and `log.csv` (old areas to new ones).

    Raises
    ------
    OptionError
        The folder holds something already.
    """
    place = local_path(folder, exists=False)
    if place.exists() and any(place.iterdir()):
        raise OptionError(
            "{folder} is not empty; nothing was written. Name a new folder.", folder=str(place)
        )
    place.mkdir(parents=True, exist_ok=True)
    made = [write_table(frame.table, place / _AREAS)]
    files = {"areas": _AREAS}
    if frame.boundaries is not None:
        with atomic(place / _BOUNDARIES) as partial:
            frame.boundaries.to_parquet(partial, index=False, compression="zstd")
        made.append(place / _BOUNDARIES)
        files["boundaries"] = _BOUNDARIES
    if frame.names is not None:
        made.append(write_table(frame.names, place / _NAMES))
        files["names"] = _NAMES
    if frame.log is not None:
        made.append(write_table(frame.log, place / _LOG))
    about = {**frame.description, "files": files}
    about["frame"] = {"key": frame.key, **about.get("frame", {})}
    return [write_text(toml_of(about), place / described.FILE), *made]


def toml_of(about: Mapping[str, Any]) -> str:
    """Return a description as TOML: tables of one level, mappings inside them on one line."""
    lines = []
    for part, content in about.items():
        rows = content if isinstance(content, list) else [content]
        head = f"[[{part}]]" if isinstance(content, list) else f"[{part}]"
        for row in rows:
            lines += [head, *(f"{_key(k)} = {_value(v)}" for k, v in row.items()), ""]
    return "\n".join(lines)


def _key(name: str) -> str:
    return name if name.isascii() and name.isidentifier() else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)
