"""Confidence intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from nsm.errors import OptionError, nearest


class Estimated(NamedTuple):
    """What an interval is made from; each an array of one length, fractions in 0-1.

    `n` is the unweighted number of units in the denominator.
    """

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    n: np.ndarray


Limits = tuple[np.ndarray, np.ndarray]


def student(of: Estimated, level: float) -> Limits:
    """Return estimate ± t * se."""
    half = student_quantile(level, of.df) * of.se
    return of.estimate - half, of.estimate + half


def normal(of: Estimated, level: float) -> Limits:
    """Return estimate ± z * se."""
    half = special.ndtri((1 + level) / 2) * of.se
    return of.estimate - half, of.estimate + half


def logarithmic(of: Estimated, level: float) -> Limits:
    """Return the t interval of the logarithm, for totals and other positive statistics."""
    with np.errstate(divide="ignore", invalid="ignore"):
        half = student_quantile(level, of.df) * of.se / of.estimate
        inside = np.where(of.estimate > 0, half, np.nan)
    return of.estimate * np.exp(-inside), of.estimate * np.exp(inside)


def logit(of: Estimated, level: float) -> Limits:
    """Return the t interval of the log-odds; Korn-Graubard where the proportion is 0 or 1."""
    p = of.estimate
    with np.errstate(divide="ignore", invalid="ignore"):
        center = np.log(p / (1 - p))
        half = student_quantile(level, of.df) * of.se / (p * (1 - p))
        low, high = 1 / (1 + np.exp(-(center - half))), 1 / (1 + np.exp(-(center + half)))
    edge = (p <= 0) | (p >= 1)
    exact = korn_graubard(of, level)
    return np.where(edge, exact[0], low), np.where(edge, exact[1], high)


def korn_graubard(of: Estimated, level: float) -> Limits:
    """Return the beta interval with the effective sample size.

    References
    ----------
    Korn & Graubard (1998), Survey Methodology 24, p. 193-201; the effective size is corrected for
    degrees of freedom, and is that of the sample where the proportion is 0 or 1.
    """
    p = np.clip(of.estimate, 0, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where((p > 0) & (p < 1), p * (1 - p) / of.se**2, of.n)
        size = (
            size
            * (student_quantile(level, np.maximum(of.n - 1, 1)) / student_quantile(level, of.df))
            ** 2
        )
        tail = (1 - level) / 2
        low = special.betaincinv(size * p, size * (1 - p) + 1, tail)
        high = special.betaincinv(size * p + 1, size * (1 - p), 1 - tail)
    known = np.isfinite(size)
    low = np.where(p <= 0, 0.0, np.where(p >= 1, tail ** (1 / np.maximum(size, 1e-300)), low))
    high = np.where(p >= 1, 1.0, np.where(p <= 0, 1 - tail ** (1 / np.maximum(size, 1e-300)), high))
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def wilson(of: Estimated, level: float) -> Limits:
    """Return the score interval with the effective sample size and t in place of z.

    References
    ----------
    Wilson (1927); Kott & Carr (1997) for the effective size in surveys.
    """
    p, t = of.estimate, student_quantile(level, of.df)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where((p > 0) & (p < 1), p * (1 - p) / of.se**2, of.n)
        spread = 1 + t**2 / size
        center = (p + t**2 / (2 * size)) / spread
        half = t / spread * np.sqrt(p * (1 - p) / size + t**2 / (4 * size**2))
    return center - half, center + half


KINDS: dict[str, Callable[[Estimated, float], Limits]] = {
    "t": student,
    "normal": normal,
    "log": logarithmic,
    "logit": logit,
    "korn-graubard": korn_graubard,
    "wilson": wilson,
}
FOR_PROPORTIONS = ("logit", "korn-graubard", "wilson", "normal", "t")
FOR_OTHERS = ("t", "normal", "log")


def limits(of: Estimated, kind: str, level: float) -> Limits:
    """Return the limits of an interval; null without standard error or degrees of freedom.

    Raises
    ------
    OptionError
        The kind is unknown, or the level is not between 0 and 1.
    """
    if kind not in KINDS:
        raise OptionError(
            "interval={kind!r} is not known. {hint}", kind=kind, hint=nearest(kind, KINDS)
        )
    if not 0 < level < 1:
        raise OptionError("level={level} is not between 0 and 1, such as 0.95.", level=level)
    low, high = KINDS[kind](of, level)
    known = (of.df > 0) & np.isfinite(of.se)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def student_quantile(level: float, df: np.ndarray) -> np.ndarray:
    """Return the half-width of a t interval in standard errors; null where df <= 0."""
    df = np.asarray(df, float)
    quantile = special.stdtrit(np.where(df > 0, df, np.nan), (1 + level) / 2)
    return np.where(np.isinf(df), special.ndtri((1 + level) / 2), quantile)
