"""Joint inclusion probabilities: exact where a formula is known, approximate only by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nsm.errors import SelectionError, nearest
from nsm.selection.conditional_poisson import (
    conditional_joint,
    sampford_joint,
    working_probabilities,
)
from nsm.selection.drawing import tille_joint
from nsm.selection.probabilities import checked_probabilities
from nsm.selection.systematic import systematic_joint

LARGEST = 10_000  # units; their matrix takes 0.8 GB


def _independent(p: np.ndarray) -> np.ndarray:
    return _with_diagonal(np.outer(p, p), p)


def _srs(p: np.ndarray) -> np.ndarray:
    """Return n(n - 1) / N(N - 1) off the diagonal."""
    n, units = round(p.sum()), len(p)
    if np.ptp(p) > 1e-9:
        raise SelectionError(
            "Simple random sampling has equal probabilities, but these lie between {low} and "
            "{high}. Name the method that drew them.",
            low=float(p.min()),
            high=float(p.max()),
        )
    return _with_diagonal(np.full((units, units), n * (n - 1) / max(units * (units - 1), 1)), p)


def _conditional_poisson(p: np.ndarray) -> np.ndarray:
    return conditional_joint(working_probabilities(p), round(p.sum()))


def _hajek(p: np.ndarray) -> np.ndarray:
    """Return p_k p_l (1 - (1 - p_k)(1 - p_l) / d), d = sum p(1 - p) (Hájek 1964)."""
    rest = 1 - p
    return _with_diagonal(np.outer(p, p) * (1 - np.outer(rest, rest) / np.sum(p * rest)), p)


def _hartley_rao(p: np.ndarray) -> np.ndarray:
    """Return the expansion to order N^-3 of Hartley & Rao (1962), eq. 5.17, for random order."""
    n, square = p.sum(), np.sum(p**2)
    cube, fourth = np.sum(p**3), (n - 1) / n
    one, other = p[:, None], p[None, :]
    joint = (
        fourth * one * other
        + (n - 1) / n**2 * (one**2 * other + one * other**2)
        - (n - 1) / n**3 * one * other * square
        + 2 * (n - 1) / n**3 * (one**3 * other + one * other**3 + one**2 * other**2)
        - 3 * (n - 1) / n**4 * (one**2 * other + one * other**2) * square
        + 3 * (n - 1) / n**5 * one * other * square**2
        - 2 * (n - 1) / n**4 * one * other * cube
    )
    return _with_diagonal(joint, p)


def _with_diagonal(joint: np.ndarray, p: np.ndarray) -> np.ndarray:
    np.fill_diagonal(joint, p)
    return joint


EXACT: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "srs": _srs,
    "bernoulli": _independent,
    "poisson": _independent,
    "systematic": systematic_joint,
    "sampford": sampford_joint,
    "tille": tille_joint,
    "conditional-poisson": _conditional_poisson,
}
APPROXIMATE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "hajek": _hajek,
    "hartley-rao": _hartley_rao,
}
_UNKNOWN = ("brewer", "pareto", "pivotal", "local-pivotal", "cube", "local-cube")


def joint_probabilities(p: Sequence[float] | np.ndarray, method: str) -> np.ndarray:
    """Give the probability that two units are drawn together, for every pair.

    Parameters
    ----------
    p
        Inclusion probabilities (units,), in the order of the list if `method` is systematic.
        Certain units (probability 1) are allowed.
    method
        Exact: `srs, bernoulli, poisson, systematic, sampford, tille, conditional-poisson`.
        Approximate, for designs of large entropy (brewer, pareto, pivotal): `hajek`, `hartley-rao`.

    Returns
    -------
    ndarray (units, units), with `p` on the diagonal.

    Raises
    ------
    SelectionError
        The method has no known joint probabilities, the probabilities do not fit it, or there are
        too many units.

    References
    ----------
    Tillé (2006), Sampling Algorithms, ch. 5-7; Hartley & Rao (1962), Annals of Mathematical
    Statistics 33, 350-374; Hájek (1964), same journal 35, 1491-1523.

    Examples
    --------
    >>> joint_probabilities([0.5, 0.5, 0.5, 0.5], "srs").round(4)[0].tolist()
    [0.5, 0.1667, 0.1667, 0.1667]
    """
    if method in _UNKNOWN:
        raise SelectionError(
            "No exact joint probabilities are known for method {method!r}. Ask for the "
            "approximation 'hajek' or 'hartley-rao' by its name.",
            method=method,
        )
    known = EXACT | APPROXIMATE
    if method not in known:
        raise SelectionError(
            "Joint probabilities of method {method!r} are not known. {hint}",
            method=method,
            hint=nearest(method, known),
        )
    values = checked_probabilities(p, whole=method not in {"poisson", "bernoulli"})
    if len(values) > LARGEST:
        raise SelectionError(
            "The joint probabilities of {units} units would take {gigabytes} GB. Ask for them "
            "stratum by stratum, or for the sampled units with method 'hajek'.",
            units=len(values),
            gigabytes=round(8e-9 * len(values) ** 2, 1),
        )
    free = values < 1
    joint = np.outer(values, values)
    if free.any():
        inside = known[method](values[free])
        joint[np.ix_(free, free)] = inside
    return _with_diagonal(joint, values)
