"""Whole numbers with an exact total, in proportion to weights and within bounds."""

from __future__ import annotations

import numpy as np

from nsm.errors import OptionError


def apportion(
    weights: np.ndarray,
    total: int,
    *,
    lower: np.ndarray | int = 0,
    upper: np.ndarray | int | None = None,
) -> np.ndarray:
    """Share `total` in whole numbers, nearly in proportion to `weights`, within bounds.

    The proportional shares are held within the bounds (what a bound takes or leaves goes to the
    others), then rounded by largest remainders. Ties go to the earlier unit.

    Parameters
    ----------
    weights
        Non-negative (units,). Where all are zero, all count the same.
    total
        The sum of the result.
    lower, upper
        Whole bounds, one for all or (units,).

    Returns
    -------
    ndarray (units,) of integers that add up to `total`.

    Raises
    ------
    OptionError
        No whole numbers within the bounds add up to `total`.

    Examples
    --------
    >>> apportion(np.array([1.0, 1.0, 2.0]), 10, upper=4).tolist()
    [3, 3, 4]
    """
    weights = np.asarray(weights, dtype=float)
    low = np.broadcast_to(np.asarray(lower, dtype=np.int64), weights.shape)
    most = np.iinfo(np.int64).max // 4 if upper is None else upper
    high = np.broadcast_to(np.asarray(most, dtype=np.int64), weights.shape)
    _require_feasible(total, low, high)
    if not len(weights):
        return np.zeros(0, dtype=np.int64)
    shares = _bounded_shares(weights if weights.sum() > 0 else weights + 1, total, low, high)
    whole = np.clip(np.floor(shares + 1e-9).astype(np.int64), low, high)
    return _top_up(whole, shares, total - int(whole.sum()), (low, high))


def _require_feasible(total: int, low: np.ndarray, high: np.ndarray) -> None:
    least, most = int(low.sum()), float(high.astype(float).sum())
    if not least <= total <= most or (low > high).any():
        raise OptionError(
            "A total of {total} cannot be shared among {units} units that hold between {least} and "
            "{most} in all. Widen the bounds.",
            total=total,
            units=len(low),
            least=least,
            most=f"{most:.0f}",
        )


def _bounded_shares(
    weights: np.ndarray, total: int, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Return clip(c * weights, low, high) with the multiplier c at which it adds up to `total`.

    What the weighted units cannot hold goes to those of weight zero, by the room they have.
    """
    weights = np.where(weights < 1e-12 * weights.max(), 0, weights / weights.max())
    most = np.where(weights > 0, high, low).astype(float)
    if most.sum() <= total:
        room = np.where(weights > 0, 0, high - low).astype(float)
        return most + room * ((total - most.sum()) / max(room.sum(), 1.0))
    start, end = 0.0, 1.0
    while np.clip(end * weights, low, high).sum() < total:
        end *= 4
    for _ in range(200):
        middle = (start + end) / 2
        if np.clip(middle * weights, low, high).sum() < total:
            start = middle
        else:
            end = middle
        if end - start <= 1e-15 * end:
            break
    return np.clip(end * weights, low, high)


def _top_up(
    whole: np.ndarray, shares: np.ndarray, missing: int, bounds: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Add (or take) what is `missing`, one by one, to the units with the largest remainders."""
    low, high = bounds
    whole = whole.copy()
    while missing:
        sign = 1 if missing > 0 else -1
        room = high - whole if sign > 0 else whole - low
        order = np.argsort(-sign * (shares - whole), kind="stable")
        order = order[room[order] > 0][: abs(missing)]
        whole[order] += sign
        missing -= sign * len(order)
    return whole
