"""Variance of independent draws inside the sample, without a score for every row and estimate.

The score of a drawn unit j in a phase is z_j = a_j + sum_k X_k[j] B_k: what the pass gives, and
what each weighting step k adds, where X_k are the unit's sums of the step's regressors and B_k its
slopes. With c the weight of a squared score,

    sum c z^2 = sum c a^2 + 2 sum_k (sum c a X_k) B_k + sum_kl B_k' H_kl B_l,   H_kl = X_k' c X_l.

H does not depend on what is estimated, so it is made once for a survey. Where the sum is a small
difference of large parts (a calibrated total), it is made again from the scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.sparse as sp

from nsm.totals import Totals

if TYPE_CHECKING:
    from nsm.estimation.design import Stage
    from nsm.estimation.survey import Survey

CANCELED = 1e-7  # of the variance of `a`: what is left has lost half of its digits


class Part(NamedTuple):
    """What a weighting step adds to the scores: sums of its regressors (units, regressors)."""

    step: int
    sums: sp.csr_array


class Form(NamedTuple):
    """A phase of independent draws as a quadratic form.

    Parameters
    ----------
    unit
        Drawn unit of each row of the survey (rows,); the last one holds the rows that add nothing.
    coefficient
        c (units,).
    parts
        The steps that add to its scores.
    products
        Positions of two parts -> H (regressors, regressors).
    """

    unit: np.ndarray
    coefficient: np.ndarray
    parts: tuple[Part, ...]
    products: Mapping[tuple[int, int], np.ndarray]

    @property
    def units(self) -> int:
        """Number of units, with the one that adds nothing."""
        return len(self.coefficient)

    def variances(
        self, totals: Totals, value: np.ndarray, slopes: Sequence[np.ndarray]
    ) -> np.ndarray:
        """Return the variance of estimates.

        Parameters
        ----------
        totals
            The pass, by domain and unit.
        value
            a of each pair of domain and unit (pairs, statistics).
        slopes
            B of each weighting step (regressors, domains x statistics).

        Returns
        -------
        ndarray (domains, statistics), in squared units of the estimates.
        """
        domains, statistics = len(totals), value.shape[1]
        c = self.coefficient[totals.unit]
        own = np.stack([np.bincount(totals.domain, c * a**2, domains) for a in value.T], axis=1)
        slope = [slopes[p.step].reshape(-1, domains, statistics) for p in self.parts]
        result = own.copy()
        for s, a in enumerate(value.T):
            left = sp.csr_array((c * a, (totals.domain, totals.unit)), (domains, self.units))
            for part, b in zip(self.parts, slope, strict=True):
                crossed = (left @ part.sums).toarray()
                result[:, s] += 2 * np.einsum("dr,rd->d", crossed, b[:, :, s])
        for (k, n), matrix in self.products.items():
            twice = 1.0 if k == n else 2.0
            flat = slope[n].reshape(len(slope[n]), -1)
            squares = np.sum(slope[k].reshape(len(slope[k]), -1) * (matrix @ flat), axis=0)
            result += twice * squares.reshape(domains, statistics)
        for d, s in zip(*np.nonzero(result < CANCELED * own), strict=True):
            mine = totals.domain == d
            z = np.zeros(self.units)
            z[totals.unit[mine]] = value[mine, s]
            z += sum(p.sums @ b[:, d, s] for p, b in zip(self.parts, slope, strict=True))
            result[d, s] = self.coefficient @ z**2
        return result


def form_of(
    survey: Survey,
    m: int,
    stage: Callable[[Survey, int], Stage],
    above: Callable[[Survey, int, int], np.ndarray],
) -> Form:
    """Return the form of step m, whose draws are independent; it is made once for a survey.

    Parameters
    ----------
    stage
        Gives the phase as a stage.
    above
        Survey, level, upper level -> row of the upper level's table above each row of the level's.
    """
    chain = (*survey.adjustments, *(level.link for level in survey.levels))
    key = ("phase", m, *map(id, chain))
    kept = survey.table.kept
    if key not in kept:
        # The chain stays referenced, so that its ids stay its own.
        kept[key] = (_made(survey, m, stage(survey, m), above), chain)
    return kept[key][0]


def _made(
    survey: Survey, m: int, stage: Stage, above: Callable[[Survey, int, int], np.ndarray]
) -> Form:
    drawn = stage.coefficient > 0
    place = np.where(drawn, np.cumsum(drawn) - 1, np.count_nonzero(drawn))[stage.unit]
    coefficient = np.append(stage.coefficient[drawn], 0.0)
    own = survey.adjustments[m].level
    parts = []
    for k, step in enumerate(survey.adjustments[m:], start=m):
        if step.cells is None or step.effect is None:
            continue
        unit, values = place, step.passing
        if k > m:
            unit, values = place[above(survey, step.level, own)], step.before * step.effect
        shape = (len(coefficient), len(step.cells.matrix))
        by_cell = sp.coo_array((values, (unit, step.cells.codes)), shape=shape).tocsr()
        parts.append(Part(k, by_cell @ sp.csr_array(step.cells.matrix)))
    products = {}
    for k, one in enumerate(parts):
        weighted = one.sums.multiply(coefficient[:, None]).tocsr()
        for n, other in enumerate(parts[k:], start=k):
            products[k, n] = (weighted.T @ other.sums).toarray()
    return Form(place[survey.link(own)], coefficient, tuple(parts), products)
