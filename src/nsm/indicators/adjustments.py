"""P-values for many tests at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ADJUSTMENTS = ("holm", "bonferroni", "benjamini-hochberg", "none")


def adjusted(p: np.ndarray, adjustment: str = "holm") -> np.ndarray:
    """Return p-values adjusted for their number (k,); missing ones do not count.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70; Benjamini & Hochberg (1995), JRSS B
    57, 289-300.

    Examples
    --------
    >>> import numpy as np
    >>> adjusted(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.06, nan, 0.06]
    >>> adjusted(np.array([0.01, 0.04, 0.03]), "benjamini-hochberg").round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    import numpy as np

    found = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    k = len(known)
    order = known[np.argsort(p[known], kind="stable")]
    if adjustment == "holm":
        steps = np.maximum.accumulate(p[order] * np.arange(k, 0, -1))
    elif adjustment == "bonferroni":
        steps = p[order] * k
    elif adjustment == "benjamini-hochberg":
        steps = np.minimum.accumulate((p[order] * k / np.arange(1, k + 1))[::-1])[::-1]
    else:
        steps = p[order]
    found[order] = np.minimum(1, steps)
    return found
