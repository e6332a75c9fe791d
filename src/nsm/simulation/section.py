"""A part of a description, read key by key, so that every mistake is named with its place."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from nsm.errors import ConfigError, nearest
from nsm.files import local_path

TABLE = "{file}: {key} must be a table of keys and values, not {value!r}."
TABLES = "{file}: {key} must be a list of tables ([[...]]), not {value!r}."
TEXT = "{file}: {key} must be a text, not {value!r}."
TEXTS = "{file}: {key} must be a list of texts, not {value!r}."
NUMBER = "{file}: {key} must be a number from {low} to {high}, not {value!r}."
WHOLE = "{file}: {key} must be a whole number, {low} or more, not {value!r}."
NUMBERS = "{file}: {key} must be a list of numbers, none negative, not {value!r}."
LENGTH = "{file}: {key} must be a list of {length} numbers, not {value!r}."
NAMED = "{file}: {key} must be names with numbers, none negative, not {value!r}."


def read_toml(path: str | os.PathLike[str]) -> Section:
    """Read a TOML description.

    Raises
    ------
    FileError, ConfigError
        It is not there, or no TOML.
    """
    file = local_path(path)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            "{file} is not valid TOML: {reason}", file=str(file), reason=str(error)
        ) from error
    return Section(content, str(file))


class Section:
    """One table of a description.

    Parameters
    ----------
    values
        Its keys and values.
    file, place
        Where it stands, for messages.
    """

    def __init__(self, values: Mapping[str, Any], file: str, place: str = "") -> None:
        self.values = dict(values)
        self.file = file
        self.place = place
        self.asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def at(self, key: str) -> str:
        """Return the full name of a key."""
        return f"{self.place}.{key}" if self.place else key

    def get(self, key: str, default: object = ...) -> Any:
        """Return a value; without `default` the key must be there."""
        self.asked.add(key)
        if key in self.values:
            return self.values[key]
        if default is ...:
            raise ConfigError(
                "{file}: {key} is missing. {hint}",
                file=self.file,
                key=self.at(key),
                hint=nearest(key, [*self.values]) if self.values else "",
            )
        return default

    def part(self, key: str, default: object = ...) -> Section:
        """Return a table below this one."""
        value = self.get(key, default)
        if not isinstance(value, Mapping):
            self.refuse(key, TABLE)
        return Section(value, self.file, self.at(key))

    def parts(self, key: str, default: object = ...) -> list[Section]:
        """Return a list of tables."""
        value = self.get(key, default)
        if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
            self.refuse(key, TABLES)
        return [Section(v, self.file, f"{self.at(key)}[{i}]") for i, v in enumerate(value, 1)]

    def text(self, key: str, default: object = ...) -> str:
        """Return a text."""
        value = self.get(key, default)
        if not isinstance(value, str):
            self.refuse(key, TEXT)
        return str(value)

    def texts(self, key: str, default: object = ...) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.get(key, default)
        if not isinstance(value, Sequence) or not all(isinstance(v, str) for v in value):
            self.refuse(key, TEXTS)
        return tuple(value)

    def number(
        self, key: str, default: object = ..., *, low: float = 0.0, high: float = math.inf
    ) -> float:
        """Return a number between `low` and `high`."""
        value = self.get(key, default)
        if not _is_number(value) or not low <= value <= high:
            self.refuse(key, NUMBER, low=f"{low:g}", high=f"{high:g}")
        return float(value)

    def whole(self, key: str, default: object = ..., *, low: int = 0) -> int:
        """Return a whole number, at least `low`."""
        value = self.get(key, default)
        if not _is_number(value) or int(value) != value or value < low:
            self.refuse(key, WHOLE, low=low)
        return int(value)

    def share(self, key: str, default: object = ...) -> float:
        """Return a fraction between 0 and 1."""
        return self.number(key, default, high=1.0)

    def numbers(self, key: str, length: int | None = None, default: object = ...) -> np.ndarray:
        """Return a list of non-negative numbers, of a given length."""
        value = self.get(key, default)
        if not isinstance(value, Sequence) or not all(_is_number(v) and v >= 0 for v in value):
            self.refuse(key, NUMBERS)
        if length is not None and len(value) != length:
            self.refuse(key, LENGTH, length=length)
        return np.array(value, dtype=float)

    def distribution(self, key: str, length: int, default: object = ...) -> np.ndarray:
        """Return a list of shares that add up to 1."""
        value = self.numbers(key, length, default)
        self._require_one(key, value)
        return value / value.sum()

    def shares(
        self, key: str, known: Sequence[str] = (), default: object = ...
    ) -> dict[str, float]:
        """Return names with shares that add up to 1; all names must be `known`, if any are."""
        value = self.named(key, known, default)
        self._require_one(key, np.array([*value.values()]))
        total = sum(value.values())
        return {name: number / total for name, number in value.items()}

    def weights(self, key: str) -> dict[str, float]:
        """Return names with shares, from weights of any size."""
        value = self.named(key)
        total = sum(value.values())
        if not total:
            self.refuse(key, NAMED)
        return {name: number / total for name, number in value.items()}

    def named(self, key: str, known: Sequence[str] = (), default: object = ...) -> dict[str, float]:
        """Return names with non-negative numbers; all names must be `known`, if any are."""
        value = self.get(key, default)
        if not isinstance(value, Mapping) or not all(
            _is_number(v) and v >= 0 for v in value.values()
        ):
            self.refuse(key, NAMED)
        for name in value:
            if known and name not in known:
                raise ConfigError(
                    "{file}: {key} names {name!r}, which is not known. {hint}",
                    file=self.file,
                    key=self.at(key),
                    name=name,
                    hint=nearest(name, known),
                )
        return {str(name): float(v) for name, v in value.items()}

    def close(self) -> None:
        """Refuse a key that nobody asked for."""
        for key in self.values:
            if key not in self.asked:
                raise ConfigError(
                    "{file}: {key} has no meaning here. {hint}",
                    file=self.file,
                    key=self.at(key),
                    hint=nearest(key, self.asked),
                )

    def refuse(self, key: str, template: str, **values: object) -> NoReturn:
        """Raise ConfigError about the value of `key`."""
        raise ConfigError(
            template, file=self.file, key=self.at(key), value=str(self.values.get(key)), **values
        )

    def _require_one(self, key: str, value: np.ndarray) -> None:
        if abs(float(value.sum()) - 1) > 0.0051:
            raise ConfigError(
                "{file}: the shares of {key} add up to {total}, not to 1.",
                file=self.file,
                key=self.at(key),
                total=f"{value.sum():.4f}",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
