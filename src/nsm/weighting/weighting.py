"""The recipe: weighting steps in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nsm.estimation import Survey


class Step(Protocol):
    """What every weighting step can do."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def apply(self, survey: Survey) -> Survey:
        """Return the survey after the step."""
        ...


@dataclass(frozen=True)
class Weighting:
    """A frozen list of weighting steps, applied in order."""

    steps: tuple[Step, ...]

    def __init__(self, steps: Sequence[Step]) -> None:
        object.__setattr__(self, "steps", tuple(steps))

    def apply(self, survey: Survey) -> Survey:
        """Return the survey after all steps."""
        for step in self.steps:
            survey = step.apply(survey)
        return survey
