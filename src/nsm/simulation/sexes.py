"""Men and women of every group in every area, with three margins that hold to the person."""

from __future__ import annotations

import numpy as np

_CYCLES = 60


def split_by_sex(
    persons: np.ndarray,
    men_of_area: np.ndarray,
    men_of_group: np.ndarray,
    rng: np.random.Generator,
    *,
    clustering: float = 0.0,
) -> np.ndarray:
    """Return men by area and group.

    Odds of being a man are those of the area times those of the group times noise: iterative
    proportional fitting, then rounding at random. What is left is the first group's.

    Parameters
    ----------
    persons
        Whole numbers (areas, groups); the first group has no target of its own.
    men_of_area
        (areas,), adding up to the men of all groups.
    men_of_group
        Targets of the groups after the first (groups - 1,).
    clustering
        Intra-area correlation of sex within a group, above that of independent persons.

    Returns
    -------
    ndarray (areas, groups) of whole numbers: rows add up to `men_of_area`, columns but the first
    to `men_of_group`.
    """
    men = _fitted(persons, men_of_area, men_of_group, _noise(persons, clustering, rng))
    out = np.zeros(persons.shape, dtype=np.int64)
    for k, target in enumerate(men_of_group, start=1):
        out[:, k] = round_at_random(men[:, k], int(target), persons[:, k], rng)
    out[:, 0] = men_of_area - out[:, 1:].sum(axis=1)
    return _within_bounds(out, persons)


def round_at_random(
    shares: np.ndarray, total: int, most: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Round to whole numbers with an exact total, each up or down by less than one.

    Systematic rounding in a random order.
    """
    order = rng.permutation(len(shares))
    ends = np.cumsum(shares[order])
    scaled = ends * (total / ends[-1]) if ends[-1] > 0 else ends
    whole = np.diff(np.floor(scaled + rng.random() * (1 - 1e-9)), prepend=0)
    out = np.zeros(len(shares), dtype=np.int64)
    out[order] = whole
    out = np.clip(out, 0, most)
    while missing := total - int(out.sum()):
        step = 1 if missing > 0 else -1
        room = np.flatnonzero((out < most) if step > 0 else (out > 0))
        chosen = rng.permutation(room)[: abs(missing)]
        out[chosen] += step
    return out


def _noise(persons: np.ndarray, clustering: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise on the log-odds that gives counts the spread of binomial ones, or more."""
    variance = 4 * (clustering + 1 / np.maximum(persons, 1))
    return rng.normal(size=persons.shape) * np.sqrt(variance)


def _fitted(
    persons: np.ndarray, men_of_area: np.ndarray, men_of_group: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    wanted = np.append(men_of_area.sum() - men_of_group.sum(), men_of_group).astype(float)
    total = persons.sum(axis=0).astype(float)
    share = np.clip(wanted / np.maximum(total, 1), 1e-6, 1 - 1e-6)
    odds = np.log(share / (1 - share)) + noise
    men = persons / (1 + np.exp(-odds))
    women = persons - men
    area = [men_of_area.astype(float), persons.sum(axis=1) - men_of_area.astype(float)]
    group = [wanted, total - wanted]
    for _ in range(_CYCLES):
        men *= _ratio(area[0], men.sum(axis=1))[:, None]
        women *= _ratio(area[1], women.sum(axis=1))[:, None]
        men *= _ratio(group[0], men.sum(axis=0))
        women *= _ratio(group[1], women.sum(axis=0))
        scale = _ratio(persons, men + women)
        men *= scale
        women *= scale
    return men


def _ratio(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    return np.divide(wanted, found, out=np.ones(np.shape(found)), where=found > 0)


def _within_bounds(men: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """Move single men of other groups between areas until the first group's fit everywhere."""
    for sign in (1, -1):
        lack = np.maximum(-men[:, 0] if sign > 0 else men[:, 0] - persons[:, 0], 0)
        for area in np.flatnonzero(lack):
            for _ in range(int(lack[area])):
                _move(men, persons, int(area), sign)
    return men


def _move(men: np.ndarray, persons: np.ndarray, area: int, sign: int) -> None:
    """Give one man of another group in `area` (sign 1: away, -1: in) to another area."""
    free = men if sign > 0 else persons - men
    for k in np.argsort(-free[area, 1:]) + 1:
        room = persons[:, k] - men[:, k] if sign > 0 else men[:, k]
        slack = men[:, 0] if sign > 0 else persons[:, 0] - men[:, 0]
        other = int(np.argmax(np.where(room > 0, slack, 0)))
        if free[area, k] > 0 and room[other] > 0 and slack[other] > 0 and other != area:
            men[area, [0, k]] += (sign, -sign)
            men[other, [0, k]] += (-sign, sign)
            return
