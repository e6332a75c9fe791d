"""Allocation as numbers: what a sample of n by stratum costs and how precise it is.

The variance of the estimated total of target k is

    V_k(n) = sum_h a_kh / n_h - b_k

for simple random sampling in strata, for areas drawn with probability proportional to size, and for
a fixed number of dwellings in each area alike; only a and b differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Problem(NamedTuple):
    """Targets and strata as arrays: `targets` K, `strata` H."""

    cost: np.ndarray  # of one more unit (strata,)
    base: float  # cost that does not depend on n
    low: np.ndarray  # least n (strata,)
    high: np.ndarray  # most n (strata,)
    unit: csr_array  # a (targets, strata)
    credit: np.ndarray  # b (targets,)
    total: np.ndarray  # estimated totals (targets,)
    goal: np.ndarray  # target CVs (targets,); infinite where none

    def variance(self, n: np.ndarray) -> np.ndarray:
        """Return the variances of the totals (targets,)."""
        return np.maximum(self.unit @ (1 / n) - self.credit, 0.0)

    def cv(self, n: np.ndarray) -> np.ndarray:
        """Return the coefficients of variation (targets,); null where the total is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.total != 0, np.sqrt(self.variance(n)) / np.abs(self.total), np.nan)

    def price(self, n: np.ndarray) -> float:
        """Return the cost of a sample."""
        return float(self.base + self.cost @ n)

    def limits(self, scale: float = 1.0) -> np.ndarray:
        """Return what sum_h a_kh / n_h may be at most if target CVs are multiplied by `scale`."""
        return (scale * self.goal * self.total) ** 2 + self.credit

    def ratios(self, n: np.ndarray, scale: float = 1.0) -> np.ndarray:
        """Return sum_h a_kh / n_h over its limit: above 1 the target is missed."""
        limits = self.limits(scale)
        used = self.unit @ (1 / n)
        return np.divide(used, limits, out=np.zeros_like(used), where=limits > 0)

    def only(self, kept: np.ndarray) -> Problem:
        """Return the problem with some of its targets."""
        return self._replace(
            unit=self.unit[kept],
            credit=self.credit[kept],
            total=self.total[kept],
            goal=self.goal[kept],
        )
