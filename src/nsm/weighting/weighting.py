"""The recipe: weighting steps in order."""

from __future__ import annotations

import dataclasses
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nsm.errors import ConfigError, NsmWarning, nearest

if TYPE_CHECKING:
    from nsm.estimation import Survey
    from nsm.estimation.influence import Adjustment

EXTREME = 5

_KINDS: dict[str, type[Step]] = {}


class Step(ABC):
    """A weighting step: frozen, and able to be applied to a survey or written in `survey.toml`.

    A subclass is a frozen dataclass, named in files by the word it is registered with.
    """

    word: str = ""
    name: str

    def __init_subclass__(cls, word: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        if word:
            cls.word = word
            _KINDS[word] = cls

    def apply(self, survey: Survey) -> Survey:
        """Return the survey after the step, which remembers it."""
        adjusted = self.adjust(survey.in_memory())
        for step in adjusted.adjustments[len(survey.adjustments) :]:
            warn_extreme(step)
        return adjusted.having(history=(*survey.history, self))

    @abstractmethod
    def adjust(self, survey: Survey) -> Survey:
        """Return the survey with the step's adjustments."""

    def written(self) -> dict[str, Any]:
        """Return the step as plain data."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses
        return {"step": self.word, **{f.name: getattr(self, f.name) for f in fields}}


def warn_extreme(step: Adjustment) -> None:
    """Warn of weights below 0, and of factors far from those of most."""
    after = step.after
    factor = step.factor if step.before.all() else step.factor[step.before != 0]
    if (after < 0).any():
        warnings.warn(
            f"{step.name}: {int((after < 0).sum())} weights are negative (least "
            f"{after.min():,.2f}). Totals stand, but a domain may come out below 0: use "
            "method='raking', or bounds=.",
            NsmWarning,
            stacklevel=4,
        )
    if step.cells is None:
        return
    passed = factor[factor > 0]
    if not len(passed) or passed.max() <= EXTREME * passed.min():
        return
    most = EXTREME * float(np.median(passed))
    if (passed > most).any():
        warnings.warn(
            f"{step.name}: {int((passed > most).sum())} units have a factor above {most:,.1f}, "
            f"{EXTREME} times the median (up to {passed.max():,.1f}). A few units stand for many: "
            "join classes or categories, set bounds=, or trim.",
            NsmWarning,
            stacklevel=4,
        )


def read_step(given: Mapping[str, Any], place: str = "the recipe") -> Step:
    """Return the step of plain data, such as a table of `survey.toml`.

    Raises
    ------
    ConfigError
        The step or one of its keys is unknown, or a key is missing.
    """
    options = dict(given)
    word = options.pop("step", None)
    if word not in _KINDS:
        raise ConfigError(
            "{place} has no step {word!r}. {hint}",
            place=place,
            word=word,
            hint=nearest(word, _KINDS),
        )
    kind = _KINDS[word]
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in options:
        if key not in fields:
            raise ConfigError(
                "{place}: step {word!r} has an unknown key {key!r}. {hint}",
                place=place,
                word=word,
                key=key,
                hint=nearest(key, fields),
            )
    for name, f in fields.items():
        missing = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if missing and name not in options:
            raise ConfigError(
                "{place}: step {word!r} misses the key {key!r}.", place=place, word=word, key=name
            )
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})


@dataclass(frozen=True)
class Weighting:
    """A frozen list of weighting steps, applied in order.

    Parameters
    ----------
    steps
        `Nonresponse`, `Subsample`, `Within`, `Share`, `Calibration`, `Trimming` and the others of
        `nsm.weighting`.

    Examples
    --------
    >>> recipe = Weighting.read([{"step": "nonresponse", "cells": ["zone"], "minimum": 10}])
    >>> recipe.steps[0].cells
    ('zone',)
    """

    steps: tuple[Step, ...]

    def __init__(self, steps: Sequence[Step]) -> None:
        object.__setattr__(self, "steps", tuple(steps))

    @classmethod
    def read(cls, steps: Iterable[Mapping[str, Any]], place: str = "the recipe") -> Weighting:
        """Return the recipe of plain data, such as `[[weighting.persons]]` of `survey.toml`."""
        return cls([read_step(step, f"{place}, step {k}") for k, step in enumerate(steps, 1)])

    def apply(self, survey: Survey) -> Survey:
        """Return the survey after all steps."""
        for step in self.steps:
            survey = step.apply(survey)
        return survey
