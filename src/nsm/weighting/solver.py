"""Calibration factors: the distances, and Newton's method on the dual.

The factors g = F(x'λ) make the weighted sums of x equal to the totals t. They minimize a distance
from 1 (Deville & Särndal 1992); λ minimizes the convex dual, sum w G(x'λ) - t'λ with G' = F, so
that damped Newton steps always descend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import linalg

from nsm.errors import OptionError, nearest

# Rows of a product: so few that BLAS stays in one thread, which on a busy machine is far faster.
BLOCK = 128
MAXIMUM_STEPS = 200
TOLERANCE = 1e-11

Curve = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Distance:
    """A calibration function, its slope and its integral, of u = x'λ."""

    factor: Curve
    slope: Curve
    integral: Curve


METHODS = ("linear", "raking", "logit")


def check_method(method: str, bounds: tuple[float, float] | None = None) -> None:
    """Raise OptionError if the method is unknown, or the bounds exclude 1."""
    if method not in METHODS:
        raise OptionError(
            "method={method!r} is not known. {hint}", method=method, hint=nearest(method, METHODS)
        )
    low, high = bounds if bounds is not None else (-np.inf, np.inf)
    if not low < 1 < high:
        raise OptionError(
            "bounds={bounds} must have 1 inside: a factor of 1 leaves a weight as it is.",
            bounds=str(bounds),
        )
    if method == "logit" and not np.isfinite([low, high]).all():
        raise OptionError('method="logit" needs bounds=(least, greatest), such as (0.3, 3).')


def distance(
    method: str, low: np.ndarray | float = -np.inf, high: np.ndarray | float = np.inf
) -> Distance:
    """Return a distance.

    Parameters
    ----------
    method
        `linear` (with bounds: truncated linear), `raking` (with bounds: truncated exponential),
        `logit`, which needs bounds around 1.
    low, high
        Least and greatest factor, of all cells or of each (cells,).
    """
    if method == "logit":
        return _logit(float(np.max(low)), float(np.min(high)))
    if method == "linear":
        return _LINEAR if np.all(np.isinf(low) & np.isinf(high)) else _truncated(_LINEAR, low, high)
    low = np.maximum(low, 0.0)
    return _RAKING if np.all((low == 0) & np.isinf(high)) else _truncated(_RAKING, low, high)


_LINEAR = Distance(lambda u: 1 + u, np.ones_like, lambda u: u + u**2 / 2)
_RAKING = Distance(np.exp, np.exp, np.exp)


def _truncated(plain: Distance, low: np.ndarray | float, high: np.ndarray | float) -> Distance:
    inverse = np.log if plain is _RAKING else lambda g: g - 1
    with np.errstate(divide="ignore"):
        left, right = inverse(np.asarray(low, float)), inverse(np.asarray(high, float))

    def integral(u: np.ndarray) -> np.ndarray:
        inside = np.clip(u, left, right)
        with np.errstate(invalid="ignore"):
            below = np.where(u < left, low * (u - left), 0.0)
            above = np.where(u > right, high * (u - right), 0.0)
        return plain.integral(inside) + below + above

    return Distance(
        lambda u: np.clip(plain.factor(np.clip(u, left, right)), low, high),
        lambda u: np.where((u > left) & (u < right), plain.slope(np.clip(u, left, right)), 0.0),
        integral,
    )


def _logit(low: float, high: float) -> Distance:
    a = (high - low) / ((1 - low) * (high - 1))

    def share(u: np.ndarray) -> np.ndarray:
        return 1 / (1 + (high - 1) / (1 - low) * np.exp(-np.clip(a * u, -700, 700)))

    def integral(u: np.ndarray) -> np.ndarray:
        return low * u + (high - low) / a * np.logaddexp(
            np.log((high - 1) / (high - low)), np.log((1 - low) / (high - low)) + a * u
        )

    return Distance(
        lambda u: low + (high - low) * share(u),
        lambda u: (high - low) * a * share(u) * (1 - share(u)),
        integral,
    )


@dataclass(frozen=True)
class Solution:
    """Factors by cell (cells,), and how far each control is from its total (controls,)."""

    factor: np.ndarray
    gap: np.ndarray
    steps: int


def solve(
    matrix: np.ndarray,
    weight: np.ndarray,
    totals: np.ndarray,
    curve: Distance,
    *,
    slack: np.ndarray | None = None,
    gram: np.ndarray | None = None,
) -> Solution:
    """Find the factors that meet the totals, as nearly as can be.

    Parameters
    ----------
    matrix
        Regressors (cells, controls).
    weight
        Weight of each cell before calibration (cells,).
    totals
        What the weighted sums must be (controls,).
    slack
        How far each control may give (controls,): the distance has (t - sum)^2 / (2 slack) added,
        so that the sum is t - slack * λ; 0 for those that are met. None: all are met.
    gram
        The sum of w x x', if it is known.

    References
    ----------
    For `slack`, ridge calibration: Bocci & Beaumont (2008), Metrika 68, p. 205-218.
    """
    given = np.zeros(matrix.shape[1]) if slack is None else slack
    dual = _Dual(matrix, weight, totals, curve, given)
    lam = np.zeros(matrix.shape[1])
    scale = np.maximum(np.abs(totals), np.maximum(_sizes(matrix, weight), 1e-300))
    if gram is None:
        gram = weighted_gram(matrix, weight)
    at = dual.at(lam)
    steps = 0
    while steps < MAXIMUM_STEPS and np.max(np.abs(at.gap) / scale, initial=0.0) > TOLERANCE:
        # At λ = 0 every distance has slope 1, unless bounds exclude a factor of 1.
        flat = steps == 0 and bool(np.all(at.factor == 1.0))
        curvature = gram if flat else weighted_gram(matrix, weight * curve.slope(at.u))
        direction = inverse_gram(curvature, given) @ at.gap
        after = dual.at(lam + direction)
        if not _nearer(after.gap, at.gap, scale):
            length = dual.descent(lam, direction, float(at.gap @ direction))
            if length == 0.0:
                # Factors at their bounds have slope 0: where too many are, step as if none were.
                direction = inverse_gram(gram, given) @ at.gap
                length = dual.descent(lam, direction, float(at.gap @ direction))
            if length == 0.0:
                break
            direction = length * direction
            after = dual.at(lam + direction)
        lam, at = lam + direction, after
        steps += 1
    return Solution(at.factor, at.gap, steps)


def _nearer(after: np.ndarray, before: np.ndarray, scale: np.ndarray) -> bool:
    """Tell whether a whole step brought the sums to half their distance, without a search."""
    with np.errstate(invalid="ignore"):
        return bool(np.max(np.abs(after) / scale) <= 0.5 * np.max(np.abs(before) / scale))


class _Point(NamedTuple):
    """The dual at some λ: u = x'λ and factors, each (cells,), and the gap (controls,)."""

    u: np.ndarray
    factor: np.ndarray
    gap: np.ndarray


@dataclass(frozen=True)
class _Dual:
    """The convex function of λ whose gradient is how far the totals are exceeded."""

    matrix: np.ndarray
    weight: np.ndarray
    totals: np.ndarray
    curve: Distance
    slack: np.ndarray

    def at(self, lam: np.ndarray) -> _Point:
        u = self.matrix @ lam
        with np.errstate(over="ignore", invalid="ignore"):
            factor = self.curve.factor(u)
            reached = (self.weight * factor) @ self.matrix
        return _Point(u, factor, self.totals - self.slack * lam - reached)

    def value(self, lam: np.ndarray) -> float:
        with np.errstate(over="ignore"):
            spent = self.weight @ self.curve.integral(self.matrix @ lam)
        return float(spent - self.totals @ lam + self.slack @ lam**2 / 2)

    def descent(self, lam: np.ndarray, direction: np.ndarray, promised: float) -> float:
        """Return the first halved step that lowers the dual; 0 if none does."""
        if promised <= 0:
            return 0.0
        start = self.value(lam)
        noise = 1e-13 * (abs(start) + 1)
        length = 1.0
        while length > 1e-9:
            value = self.value(lam + length * direction)
            if np.isfinite(value) and value <= start - 1e-4 * length * promised + noise:
                return length
            length /= 2
        return 0.0


def inverse_gram(gram: np.ndarray, slack: np.ndarray | None = None) -> np.ndarray:
    """Return (sum w x x' + slack)^-1, generalized where controls are redundant.

    Two margins that add to one population are no error.
    """
    if slack is not None and slack.any():
        gram = gram + np.diag(slack)
    size = np.sqrt(np.maximum(np.diag(gram), 0.0))
    size[size == 0] = 1.0
    scale = np.outer(size, size)
    return linalg.pinvh(gram / scale, rtol=1e-10, check_finite=False) / scale if gram.size else gram


def _sizes(matrix: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return sum w |x| (controls,), block by block."""
    sizes = np.zeros(matrix.shape[1])
    for first in range(0, len(matrix), BLOCK):
        sizes += weight[first : first + BLOCK] @ np.abs(matrix[first : first + BLOCK])
    return sizes


def weighted_gram(matrix: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return sum w x x' (controls, controls), block by block: a large matrix is not copied."""
    gram = np.zeros((matrix.shape[1], matrix.shape[1]))
    for first in range(0, len(matrix), BLOCK):
        part = matrix[first : first + BLOCK]
        gram += (part * weight[first : first + BLOCK, None]).T @ part
    return gram
