"""A subsample drawn inside the sample, with known probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import ValueInColumnError
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
        Column of what was drawn: persons of one household pass together. None: each row.
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
        stratum, unit = (
            None if column is None else survey.table.codes(column).codes
            for column in (self.stratum, self.unit)
        )
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
