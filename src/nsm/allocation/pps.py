"""The variance of a total estimated from areas drawn with probability proportional to size.

References
----------
Hájek (1964), Annals of Mathematical Statistics 35, 1491-1523; Cochran (1977), sec. 8.3-8.6 (one
unit from each zone of an ordered list).
"""

from __future__ import annotations

import numpy as np


def pps_probabilities(size: np.ndarray, n: float) -> np.ndarray:
    """Return PPS probabilities for a size `n` that may be a fraction (all 1 at the population)."""
    order = np.argsort(-size, kind="stable")
    sizes = size[order]
    rest = np.cumsum(sizes[::-1])[::-1]
    places = np.arange(len(size))
    certain = int(np.sum(np.cumprod((n - places) * sizes >= rest * (1 - 1e-12))))
    p = np.ones(len(size))
    if certain < len(size):
        p[order[certain:]] = (n - certain) * sizes[certain:] / rest[certain]
    return p


def hajek_variance(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the variance of sum(y / p) under a design of large entropy with fixed size.

    It is exact for simple random sampling.

    Parameters
    ----------
    p
        Probabilities below 1 (units,).
    y
        Values (units, variables).
    """
    weight = (p * (1 - p))[:, None]
    expanded = y / p[:, None]
    center = (weight * expanded).sum(axis=0) / weight.sum()
    scale = len(p) / max(len(p) - 1, 1)
    return scale * (weight * (expanded - center) ** 2).sum(axis=0)


def zone_variance(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the variance of sum(y / p) when one unit is drawn from each zone of the ordered list.

    A zone is a stretch of the running sum of `p` of length 1; a unit may lie in two. The mean over
    two divisions, half a zone apart, is taken.
    """
    return (_zones(p, y, 0.0) + _zones(p, y, 0.5)) / 2


def _zones(p: np.ndarray, y: np.ndarray, start: float) -> np.ndarray:
    upper = np.cumsum(p) + start
    cuts = np.arange(1, int(np.ceil(upper[-1])))
    edges = np.sort(np.concatenate([[start], upper, cuts]))
    share = np.diff(edges)
    keep = share > 1e-12
    middle = ((edges[1:] + edges[:-1]) / 2)[keep]
    share = share[keep]
    unit = np.minimum(np.searchsorted(upper, middle), len(p) - 1)
    zone = np.floor(middle).astype(int)
    expanded = (y / p[:, None])[unit]
    zones = int(zone.max()) + 1
    weight = np.bincount(zone, share, zones)
    variance = np.zeros(y.shape[1])
    for k in range(y.shape[1]):
        mean = np.bincount(zone, share * expanded[:, k], zones) / np.maximum(weight, 1e-300)
        variance[k] = share @ (expanded[:, k] - mean[zone]) ** 2
    return variance
