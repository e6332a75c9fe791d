"""What a test of a hypothesis gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from nsm.errors import DesignError


@dataclass(frozen=True)
class SignificanceTest:
    """A test of a hypothesis.

    Parameters
    ----------
    name
        What it is called.
    statistic
        Its statistic.
    p
        Probability of one as extreme if the hypothesis is true (0-1); null without degrees of
        freedom.
    df1, df2
        Degrees of freedom; `df2` is infinite for a chi-square. They need not be whole.
    estimate, se, lower, upper
        Of a difference, where it tests one.
    note
        What was tested.
    """

    name: str
    statistic: float
    p: float
    df1: float
    df2: float
    estimate: float = np.nan
    se: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    note: str = ""

    @classmethod
    def of_f(
        cls, name: str, f: float, *, df1: float, df2: float, **fields: float | str
    ) -> SignificanceTest:
        """Return the test that refers F to its distribution."""
        p = float(special.fdtrc(df1, df2, f)) if df1 > 0 and df2 > 0 else np.nan
        return cls(name, **{"statistic": f, "p": p, "df1": df1, "df2": df2, **fields})  # type: ignore[arg-type]  # fields have two types


def wald_statistic(beta: np.ndarray, covariance: np.ndarray) -> float:
    """Return b'V^-1 b.

    Raises
    ------
    DesignError
        V is singular: there are more coefficients than the design can tell apart.
    """
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    scaled = covariance / np.outer(scale, scale)
    rank = int(np.linalg.matrix_rank(scaled, rtol=1e-10, hermitian=True))
    if rank < len(beta):
        raise DesignError(
            "{count} coefficients are tested, and the design can tell {rank} apart: it has too few "
            "PSUs. Test fewer at once.",
            count=len(beta),
            rank=rank,
        )
    return float((beta / scale) @ np.linalg.solve(scaled, beta / scale))
