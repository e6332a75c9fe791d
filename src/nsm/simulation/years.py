"""Single years of age inside age bands, without steps from one band to the next."""

from __future__ import annotations

import numpy as np

from nsm.simulation.description import Description
from nsm.simulation.groups import IMMIGRANT, NATIVE

_OLD = 2.2


def shares_of_groups(description: Description) -> np.ndarray:
    """Return the ages of every group, as shares (groups, 2, bands)."""
    groups = description.groups
    out = []
    for status, number in zip(groups.status, groups.origin, strict=True):
        origin = description.origins[number - 1]
        if status == NATIVE:
            out.append(description.natives)
        elif status == IMMIGRANT or origin.descendants is None:
            out.append(origin.immigrants.ages)
        else:
            out.append(origin.descendants.ages)
    return np.array(out)


def slopes(shares: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Return how density changes across each band, relative to its mean: -1.8 to 1.8.

    Lines from the middle between a band and the one below to the middle between it and the one
    above; they keep the share of the band.

    Examples
    --------
    >>> slopes(np.array([0.5, 0.3, 0.2]), np.array([5, 5, 5])).round(2).tolist()
    [-0.4, -0.5, -0.5]
    """
    density = shares / widths
    middle = (density[..., 1:] + density[..., :-1]) / 2
    below = np.concatenate([2 * density[..., :1] - middle[..., :1], middle], axis=-1)
    above = np.concatenate([middle, 2 * density[..., -1:] - middle[..., -1:]], axis=-1)
    rise = np.divide(above - below, density, out=np.zeros(density.shape), where=density > 0)
    return np.clip(rise, -1.8, 1.8)


def years(
    description: Description,
    group: np.ndarray,
    sex: np.ndarray,
    band: np.ndarray,
    chance: np.ndarray,
) -> np.ndarray:
    """Return the age of each person, in whole years, from a uniform number.

    In the last band, which is open, there are ever fewer.
    """
    ages = description.ages
    widths = np.diff(np.append(ages.starts, ages.oldest + 1))
    slope = slopes(shares_of_groups(description), widths)[group, sex, band]
    # Quantile of the density 1 + slope * (t - 1/2) on 0 to 1.
    half = 1 - slope / 2
    root = np.sqrt(half**2 + 2 * slope * chance)
    within = np.where(np.abs(slope) < 1e-6, chance, 2 * chance / (half + root))
    within = np.where(band == len(ages.starts) - 1, chance**_OLD, within)
    return ages.starts[band] + np.floor(np.minimum(within, 1 - 1e-9) * widths[band]).astype(
        np.int64
    )
