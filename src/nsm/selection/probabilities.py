"""Inclusion probabilities proportional to size, with units that are certain to be drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nsm.errors import SelectionError

# A probability this near to 1 is 1: the unit is certain.
_NEARLY_ONE = 1 - 1e-12


def checked_size(size: Sequence[float] | np.ndarray, keys: np.ndarray | None = None) -> np.ndarray:
    """Return the sizes as numbers above zero.

    Parameters
    ----------
    size
        Measure of size (units,).
    keys
        The names of the units in messages; their positions if None.

    Raises
    ------
    SelectionError
        A size is missing, infinite, zero or negative: such a unit could never be drawn.
    """
    try:
        values = np.asarray(size, dtype=float)
    except (TypeError, ValueError) as error:
        raise SelectionError(
            "The measure of size is not a number everywhere ({reason}). Give numbers.",
            reason=str(error),
        ) from error
    if values.ndim != 1:
        raise SelectionError(
            "The measure of size has {dimensions} dimensions. Give one number for each unit.",
            dimensions=values.ndim,
        )
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(bad):
        units = [str(k) for k in (bad if keys is None else np.asarray(keys)[bad])]
        raise SelectionError(
            "The measure of size is missing, zero or negative in {count} units: {units}. They "
            "could never be drawn: merge them with others, correct them, or leave them out of the "
            "frame and report the coverage that is lost.",
            count=len(bad),
            units=units,
        )
    return values


def inclusion_probabilities(size: Sequence[float] | np.ndarray, n: float) -> np.ndarray:
    """Give probabilities proportional to size that add up to `n`, none above 1.

    Units whose share is 1 or more are certain; the rest of `n` is shared among the others, again
    and again, until no share is above 1.

    Parameters
    ----------
    size
        Measure of size (units,), above zero.
    n
        Expected size of the sample; a fraction is allowed (Poisson sampling).

    Returns
    -------
    ndarray (units,)

    Raises
    ------
    SelectionError
        A size is not above zero, or `n` is not between 0 and the number of units.

    References
    ----------
    Särndal, Swensson & Wretman (1992), sec. 3.6.2; Tillé (2006), sec. 2.10.

    Examples
    --------
    >>> inclusion_probabilities([1, 1, 2, 16], 2).tolist()
    [0.25, 0.25, 0.5, 1.0]
    """
    values = checked_size(size)
    if not 0 < n <= len(values):
        raise SelectionError(
            "{n} units cannot be drawn out of {units}. Ask for more than 0 and at most {units}.",
            n=n,
            units=len(values),
        )
    certain = np.zeros(len(values), dtype=bool)
    probability = np.ones(len(values))
    while not certain.all():
        free = ~certain
        probability[free] = (n - certain.sum()) * (values[free] / values[free].sum())
        new = free & (probability >= _NEARLY_ONE)
        if not new.any():
            break
        certain |= new
        probability[certain] = 1.0
    if np.any(probability <= 0):
        raise SelectionError(
            "The sizes differ so much that {count} units would get probability 0. Divide the frame "
            "into strata by size.",
            count=int(np.sum(probability <= 0)),
        )
    return probability


def checked_probabilities(p: Sequence[float] | np.ndarray, *, whole: bool = True) -> np.ndarray:
    """Return probabilities in (0, 1] that, with `whole`, add up to a whole number.

    Raises
    ------
    SelectionError
        A probability is outside (0, 1], or their sum is not whole.
    """
    values = np.asarray(p, dtype=float)
    bad = np.flatnonzero(~((values > 0) & (values <= 1)))
    if len(bad):
        raise SelectionError(
            "{count} probabilities are not above 0 and at most 1, at positions {units}. Make them "
            "with nsm.inclusion_probabilities(size, n).",
            count=len(bad),
            units=[int(b) for b in bad],
        )
    total = values.sum()
    if whole and abs(total - round(total)) > 1e-6:
        raise SelectionError(
            "The probabilities add up to {total}, which is not a whole number, so a sample of "
            "fixed size cannot have them. Make them with nsm.inclusion_probabilities(size, n), or "
            "draw with method 'poisson'.",
            total=float(total),
        )
    return values
