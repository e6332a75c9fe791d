"""Calibration factors: the distances, and Newton's method on the dual.

The factors g = F(x'λ) make the weighted sums of x equal to the totals t. They minimize a distance
from 1 (Deville & Särndal 1992); λ minimizes the convex dual, sum w G(x'λ) - t'λ with G' = F, so
that damped Newton steps always descend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from nsm.errors import CalibrationError, OptionError, nearest

MAXIMUM_STEPS = 100
TOLERANCE = 1e-11

Curve = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Distance:
    """A calibration function, its slope and its integral, of u = x'λ."""

    factor: Curve
    slope: Curve
    integral: Curve


def distance(method: str, bounds: tuple[float, float] | None = None) -> Distance:
    """Return a distance.

    Parameters
    ----------
    method
        `linear` (with bounds: truncated linear), `raking` (with bounds: truncated exponential),
        `logit`.
    bounds
        Least and greatest factor; `logit` needs them.

    Raises
    ------
    OptionError
        The method is unknown, or the bounds exclude 1.
    """
    low, high = bounds if bounds is not None else (-np.inf, np.inf)
    if not low < 1 < high:
        raise OptionError(
            "bounds={bounds} must have 1 inside: a factor of 1 leaves a weight as it is.",
            bounds=str(bounds),
        )
    if method == "linear":
        return _truncated(_LINEAR, low, high)
    if method == "raking":
        return _truncated(_RAKING, max(low, 0.0), high)
    if method == "logit":
        if not np.isfinite([low, high]).all():
            raise OptionError('method="logit" needs bounds=(least, greatest), such as (0.3, 3).')
        return _logit(low, high)
    raise OptionError(
        "method={method!r} is not known. {hint}",
        method=method,
        hint=nearest(method, ("linear", "raking", "logit")),
    )


_LINEAR = Distance(lambda u: 1 + u, np.ones_like, lambda u: u + u**2 / 2)
_RAKING = Distance(np.exp, np.exp, np.exp)


def _truncated(plain: Distance, low: float, high: float) -> Distance:
    inverse = np.log if plain is _RAKING else lambda g: g - 1
    with np.errstate(divide="ignore"):
        left, right = float(inverse(np.float64(low))), float(inverse(np.float64(high)))

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
    q: np.ndarray | float = 1.0,
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
    q
        Scale of the distance of each cell: its factor is F(x'λ / q).
    """
    dual = _Dual(matrix, weight, totals, curve, np.broadcast_to(np.asarray(q, float), weight.shape))
    lam = np.zeros(matrix.shape[1])
    scale = np.maximum(np.abs(totals), np.maximum(weight @ np.abs(matrix), 1e-300))
    steps = 0
    while True:
        gap = dual.gap(lam)
        if steps == MAXIMUM_STEPS or np.max(np.abs(gap) / scale, initial=0.0) <= TOLERANCE:
            break
        direction = dual.direction(lam, gap)
        length = dual.descent(lam, direction, float(gap @ direction))
        if length == 0.0:
            break
        lam = lam + length * direction
        steps += 1
    return Solution(curve.factor(dual.u(lam)), gap, steps)


@dataclass(frozen=True)
class _Dual:
    """The convex function of λ whose gradient is how far the totals are exceeded."""

    matrix: np.ndarray
    weight: np.ndarray
    totals: np.ndarray
    curve: Distance
    q: np.ndarray

    def u(self, lam: np.ndarray) -> np.ndarray:
        return self.matrix @ lam / self.q

    def value(self, lam: np.ndarray) -> float:
        with np.errstate(over="ignore"):
            spent = self.weight @ (self.q * self.curve.integral(self.u(lam)))
        return float(spent - self.totals @ lam)

    def gap(self, lam: np.ndarray) -> np.ndarray:
        return self.totals - (self.weight * self.curve.factor(self.u(lam))) @ self.matrix

    def direction(self, lam: np.ndarray, gap: np.ndarray) -> np.ndarray:
        curvature = self.weight * self.curve.slope(self.u(lam)) / self.q
        return _inverse((self.matrix * curvature[:, None]).T @ self.matrix) @ gap

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


def _inverse(gram: np.ndarray) -> np.ndarray:
    """Invert where it can be: redundant margins (two that add to one population) are no error."""
    size = np.sqrt(np.maximum(np.diag(gram), 0.0))
    size[size == 0] = 1.0
    scale = np.outer(size, size)
    return linalg.pinvh(gram / scale, rtol=1e-10) / scale if gram.size else gram


def inverse_gram(matrix: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return (sum w x x')^-1, generalized where controls are redundant (controls, controls)."""
    return _inverse((matrix * weight[:, None]).T @ matrix)


def refuse_unmet(
    gap: np.ndarray, totals: np.ndarray, labels: tuple[str, ...], bounds: object
) -> None:
    """Raise CalibrationError if a control is not met, naming the farthest."""
    relative = np.abs(gap) / np.maximum(np.abs(totals), 1.0)
    worst = int(np.argmax(relative)) if len(relative) else 0
    if len(relative) and relative[worst] > 1e-9:
        unmet = np.flatnonzero(relative > 1e-9)
        raise CalibrationError(
            "{count} of {all} controls cannot be met{within}. The farthest is {control}: "
            "{reached:,.1f} "
            "instead of {wanted:,.1f}. Widen the bounds, join categories, or leave the control "
            "out.",
            count=len(unmet),
            all=len(totals),
            within=f" within bounds {bounds}" if bounds is not None else "",
            control=labels[worst],
            reached=float(totals[worst] - gap[worst]),
            wanted=float(totals[worst]),
        )
