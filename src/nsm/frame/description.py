"""The description of a frame: what its columns mean, in `frame.toml` or as a mapping.

Another country brings its own description; no code knows a country.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from nsm.errors import ConfigError, nearest
from nsm.files import local_path

FILE = "frame.toml"
_PARTS: dict[str, tuple[str, ...]] = {
    "frame": (
        "key", "name", "title", "country", "version", "reference_date", "source", "license",
        "synthetic", "notice",
    ),
    "files": ("areas", "boundaries", "names"),
    "geometry": ("crs", "lon", "lat", "license", "attribution"),
    "prior": ("column", "size", "year", "title"),
}  # fmt: skip
_LEVEL = ("key", "digits", "name")
_OPEN = ("sizes", "parts", "bounds", "classes")


def read_description(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read and verify a `frame.toml`.

    Raises
    ------
    ConfigError
        It is no TOML, or has an unknown part or key.
    """
    file = local_path(path)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            "{file} is not valid TOML: {reason}", file=str(file), reason=str(error)
        ) from error
    return verified(content, str(file))


def verified(content: Mapping[str, Any], where: str = "The description") -> dict[str, Any]:
    """Return a copy of a description, after a look at its parts and keys.

    Raises
    ------
    ConfigError
    """
    known = (*_PARTS, *_OPEN, "levels")
    for part, value in content.items():
        if part not in known:
            raise ConfigError(
                "{where} has an unknown part {part!r}. {hint}",
                where=where,
                part=part,
                hint=nearest(part, known),
            )
        rows = value if part == "levels" else [value]
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise ConfigError(
                "{where}: {part!r} must be a table of keys and values.", where=where, part=part
            )
        if part not in _OPEN:
            _require_known(rows, _LEVEL if part == "levels" else _PARTS[part], part, where)
    return deepcopy(dict(content))


def _require_known(
    rows: list[Mapping[str, Any]], known: tuple[str, ...], part: str, where: str
) -> None:
    for row in rows:
        for key in row:
            if key not in known:
                raise ConfigError(
                    "{where} has an unknown key {key!r} in {part!r}. {hint}",
                    where=where,
                    key=key,
                    part=part,
                    hint=nearest(key, known),
                )
        if part == "levels" and "key" not in row:
            raise ConfigError("{where}: a level has no 'key'.", where=where)


def label(value: object, language: str, fallback: str = "") -> str:
    """Return a name in `language`: a text stands for all, a mapping holds one for each.

    >>> label({"en": "area", "es": "área"}, "es")
    'área'
    """
    if isinstance(value, Mapping):
        return str(value.get(language, value.get("en", next(iter(value.values()), fallback))))
    return str(value) if value is not None else fallback


def columns_named(description: Mapping[str, Any]) -> list[str]:
    """Return the columns that the description says the areas have."""
    geometry, prior = description.get("geometry", {}), description.get("prior", {})
    named = [
        description.get("frame", {}).get("key"),
        *(level["key"] for level in description.get("levels", [])),
        *description.get("sizes", {}),
        *(c for whole, parts in description.get("parts", {}).items() for c in (whole, *parts)),
        *description.get("bounds", {}),
        *description.get("classes", {}),
        *(geometry.get(c) for c in ("lon", "lat")),
        prior.get("column"),
        prior.get("size"),
    ]
    return list(dict.fromkeys(c for c in named if c))
