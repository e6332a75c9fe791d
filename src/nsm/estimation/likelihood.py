"""Pseudo-likelihoods with their natural links, and their maximum by Newton's method.

With eta = x'b, the weighted log-likelihood is sum w (y eta - c(eta)); its score is
sum w x (y - c'(eta)), its information sum w c''(eta) x x' (McCullagh & Nelder 1989, sec. 2.5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import linalg, special

from nsm.errors import OptionError, nearest

MAXIMUM_STEPS = 50
TOLERANCE = 1e-9
ALIASED = 1e-7

Curve = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Family:
    """A distribution with its natural link.

    Parameters
    ----------
    mean
        Mean at eta: c'.
    slope
        Its derivative: c''.
    integral
        c.
    start
        A first eta from the response.
    least, greatest
        Between which the response must be.
    """

    name: str
    mean: Curve
    slope: Curve
    integral: Curve
    start: Curve
    least: float = -np.inf
    greatest: float = np.inf


def _logistic_slope(eta: np.ndarray) -> np.ndarray:
    mean = special.expit(eta)
    return mean * (1 - mean)


FAMILIES = {
    "gaussian": Family("gaussian", np.asarray, np.ones_like, lambda eta: eta**2 / 2, np.asarray),
    "binomial": Family(
        "binomial",
        special.expit,
        _logistic_slope,
        lambda eta: np.logaddexp(0.0, eta),
        lambda y: special.logit((y + 0.5) / 2),
        least=0.0,
        greatest=1.0,
    ),
    "poisson": Family("poisson", np.exp, np.exp, np.exp, lambda y: np.log(y + 0.1), least=0.0),
}


def family_of(name: str) -> Family:
    """Return a family by name.

    Raises
    ------
    OptionError
        It is not known.
    """
    if name not in FAMILIES:
        raise OptionError(
            "family={name!r} is not known. {hint}", name=name, hint=nearest(name, FAMILIES)
        )
    return FAMILIES[name]


class Basis(NamedTuple):
    """An orthonormal basis of the columns of a matrix, which keeps Newton's steps accurate.

    Parameters
    ----------
    kept
        Columns that are no linear combination of those before (kept columns,).
    columns
        Orthonormal under the absolute weights (rows, kept columns).
    triangle
        Coefficients of the basis = triangle @ coefficients of the columns.
    """

    kept: np.ndarray
    columns: np.ndarray
    triangle: np.ndarray

    def coefficients(self, of_basis: np.ndarray) -> np.ndarray:
        """Return coefficients of the kept columns from those of the basis (kept columns, ...)."""
        return linalg.solve_triangular(self.triangle, of_basis)


def basis(matrix: np.ndarray, weight: np.ndarray) -> Basis:
    """Orthogonalize a matrix, leaving out columns that others make up, as R's `lm` does.

    Parameters
    ----------
    matrix
        (rows, columns).
    weight
        (rows,); its absolute value counts.
    """
    scaled = matrix * np.sqrt(np.abs(weight))[:, None]
    triangle = np.asarray(np.linalg.qr(scaled, mode="r"))
    kept: list[int] = []
    directions = np.zeros((len(triangle), 0))
    for k, column in enumerate(triangle.T):
        rest = column - directions @ (directions.T @ column)
        rest = rest - directions @ (directions.T @ rest)
        size = np.linalg.norm(rest)
        if size > ALIASED * np.linalg.norm(column):
            kept.append(k)
            directions = np.column_stack([directions, rest / size])
    reduced = directions.T @ triangle[:, kept]
    columns = linalg.solve_triangular(reduced, matrix[:, kept].T, trans="T").T
    return Basis(np.array(kept, int), columns, reduced)


class Maximum(NamedTuple):
    """Coefficients (columns,), whether they settled, and their last step (columns,)."""

    coefficients: np.ndarray
    settled: bool
    step: np.ndarray


def maximize(
    columns: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    family: Family,
    start: np.ndarray | None = None,
) -> Maximum:
    """Maximize a weighted log-likelihood by Newton's method with halved steps.

    Parameters
    ----------
    columns
        An orthonormal basis (rows, columns).
    y, weight
        Response and weights (rows,).
    start
        First coefficients; by default those of the family's first eta.
    """
    scale = float(np.abs(weight).sum()) or 1.0
    weight = weight / scale
    if start is None:
        eta = family.start(y)
        start = np.linalg.lstsq(information(columns, weight), columns.T @ (weight * eta))[0]
    point = start
    step = np.full(len(point), np.inf)
    eta = columns @ point
    value = _value(eta, y, weight, family)
    for _ in range(MAXIMUM_STEPS):
        score = columns.T @ (weight * (y - family.mean(eta)))
        curvature = information(columns, weight * family.slope(eta))
        step, _, rank, _ = np.linalg.lstsq(curvature, score)
        if rank < len(step):
            break
        length, moved, new = 1.0, columns @ step, value
        while length > TOLERANCE:
            new = _value(eta + length * moved, y, weight, family)
            if np.isfinite(new) and new >= value - 1e-12 * (1 + abs(value)):
                break
            length /= 2
        point, eta, value = point + length * step, eta + length * moved, new
        used = weight != 0
        if np.max(np.abs(moved[used]), initial=0.0) <= TOLERANCE * (1 + np.max(np.abs(eta[used]))):
            return Maximum(point, settled=True, step=step)
    return Maximum(point, settled=False, step=step)


def information(columns: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return sum w x x' (columns, columns)."""
    return (columns * weight[:, None]).T @ columns


def _value(eta: np.ndarray, y: np.ndarray, weight: np.ndarray, family: Family) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(weight @ (y * eta - family.integral(eta)))
