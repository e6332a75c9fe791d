"""A subsample drawn inside the sample, with known probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import ValueInColumnError, WeightingError
from nsm.estimation.influence import Adjustment, Phase
from nsm.weighting.weighting import Step

if TYPE_CHECKING:
    from nsm.estimation import Survey


@dataclass(frozen=True)
class Subsample(Step, word="subsample"):
    """A step that keeps the units of a subsample and divides their weights by its probabilities.

    Parameters
    ----------
    selected
        Column that marks the units drawn (1 or true).
    probability
        Column with the probability of each unit (0-1); 1 for those taken with certainty.
    stratum
        Column of groups in which a fixed number was drawn; None: each unit on its own.
    unit
        Column of what was drawn: persons of one household pass together, those of one probability
        each; who is taken with certainty has no part in the draw of the others. None: each row.
    name
        What reports call it.
    """

    selected: str
    probability: str
    stratum: str | None = None
    unit: str | None = None
    name: str = "subsample"

    def adjust(self, survey: Survey) -> Survey:
        """Return the survey of the subsample.

        Raises
        ------
        ValueInColumnError
            A selected unit has no probability in (0, 1].
        """
        chosen = survey.table.number(self.selected).values != 0
        values, observed = survey.table.number(self.probability)
        wrong = chosen & ((values <= 0) | (values > 1))
        if observed is not None:
            wrong |= chosen & ~observed
        if wrong.any():
            raise ValueInColumnError(
                "{column!r} is not a probability (0 to 1) for {count} selected units of {table} "
                "(rows "
                "{rows}).",
                column=self.probability,
                count=int(wrong.sum()),
                table=survey.table.name,
                rows=[int(i) + 1 for i in np.flatnonzero(wrong)[:6]],
            )
        factor = np.where(chosen, 1 / np.where(values > 0, values, 1.0), 0.0)
        codes = survey.table.codes
        stratum = None if self.stratum is None else codes(self.stratum).codes
        unit = None if self.unit is None else _together(codes(self.unit).codes, values)
        return survey.adjusted(
            Adjustment(
                self.name,
                len(survey.levels) - 1,
                survey.weights,
                factor,
                lambda before, _=None: np.broadcast_to(factor[:, None], before.shape),
                phase=Phase(np.where(values > 0, values, 1.0), stratum, unit),
            )
        )


def _together(unit: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return what passes together: the rows of a unit that have one probability (rows,)."""
    _, level = np.unique(probability, return_inverse=True)
    return np.unique(unit * (int(level.max(initial=0)) + 1) + level, return_inverse=True)[1]


@dataclass(frozen=True)
class Within(Step, word="within"):
    """A step for units drawn by simple random sampling inside households or habitáculos.

    The weight of each unit taken is multiplied by the number of eligible ones of its group over the
    number that was drawn, which is counted.

    Parameters
    ----------
    selected
        Column that marks the units drawn (1 or true). All eligible units have a row.
    group
        Column of the household or habitáculo.
    eligible
        Condition on who could be drawn; None: all.
    name
        What reports call it.
    """

    selected: str
    group: str
    eligible: str | None = None
    name: str = "selection within households"

    def adjust(self, survey: Survey) -> Survey:
        """Return the survey of the units drawn.

        Raises
        ------
        WeightingError
            A group has eligible units, of which none was drawn, or one was drawn that is not
            eligible.
        """
        from nsm.weighting.calibration import inside_of

        chosen = survey.table.number(self.selected).values != 0
        eligible = inside_of(survey, self.eligible) & (survey.weights > 0)
        strange = chosen & ~eligible & (survey.weights > 0)
        group = survey.table.codes(self.group)
        count = len(group.labels) + 1
        able = np.bincount(group.codes[eligible], minlength=count)
        taken = np.bincount(group.codes[chosen & eligible], minlength=count)
        lost = np.flatnonzero((able > 0) & (taken == 0))
        if strange.any() or len(lost):
            raise WeightingError(
                "Step {name!r}: {lost} {group} have eligible units and none drawn ({groups}); "
                "{strange} drawn units are not eligible (rows {rows}). A {group} that refused is "
                "for a non-response step before.",
                name=self.name,
                group=self.group,
                lost=len(lost),
                groups=[str(group.labels[k - 1]) for k in lost[:6] if k > 0],
                strange=int(strange.sum()),
                rows=[int(i) + 1 for i in np.flatnonzero(strange)[:6]],
            )
        rate = (taken / np.maximum(able, 1))[group.codes]
        several = bool((taken[able > taken] > 1).all())
        factor = np.where(chosen & eligible, 1 / np.where(rate > 0, rate, 1.0), 0.0)
        return survey.adjusted(
            Adjustment(
                self.name,
                len(survey.levels) - 1,
                survey.weights,
                factor,
                lambda before, _=None: np.broadcast_to(factor[:, None], before.shape),
                # The spread inside a group is not seen where one was drawn; independent draws
                # of the same rates have more of it.
                phase=Phase(np.where(rate > 0, rate, 1.0), group.codes if several else None),
            )
        )
