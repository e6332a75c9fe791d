"""What quality rules look at: effective sizes, coefficients of variation, widths of intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import special

from nsm.errors import OptionError, nearest
from nsm.estimation.intervals import student_quantile

KINDS = ("proportion", "magnitude", "difference")
LOG_CV = ("symmetric", "package")
LEVEL = 0.95
_DIFFERENCES = frozenset({"contrast", "change", "gap"})


def inputs(
    table: pd.DataFrame, kinds: Mapping[str, str] | None = None, log_cv: str = "symmetric"
) -> pd.DataFrame:
    """Return the inputs of every rule, one row per estimate.

    Parameters
    ----------
    table
        A table of estimates.
    kinds
        Variable -> `proportion`, `magnitude` or `difference`, where `kind_of` should not decide.
    log_cv
        `symmetric`, or `package` for the form that a published package computes above one half.

    Returns
    -------
    Columns `kind`, `n_eff` (n / deff), `log_cv` (proportions), `se_limit` (proportions), `width`
    and `relative_width` and `complement_width` (of the interval of the NCHS), `n_nchs`.

    Raises
    ------
    OptionError
        A kind, its variable or the form of the log-CV is unknown.
    """
    if log_cv not in LOG_CV:
        raise OptionError(
            "log_cv={form!r} is not known. {hint}", form=log_cv, hint=nearest(log_cv, LOG_CV)
        )
    kind = kind_of(table, kinds or {})
    proportion = kind == "proportion"
    p = np.where(proportion, table["estimate"].to_numpy(float), np.nan)
    n, se, df = (table[c].to_numpy(float) for c in ("n", "se", "df"))
    form = log_cv_symmetric if log_cv == "symmetric" else log_cv_package
    with np.errstate(divide="ignore", invalid="ignore"):
        n_eff = n / table["deff"].to_numpy(float)
        low, high, n_nchs = presentation_interval(p, se, df, n)
        width, relative, complement = high - low, (high - low) / p, (high - low) / (1 - p)
    cases = table["cases"].to_numpy(float)
    size, wide = count_precision(cases, table["cv"].to_numpy(float), df, table["deff"])
    return pd.DataFrame(
        {
            "kind": kind,
            "n_eff": n_eff,
            "log_cv": form(p, se),
            "se_limit": ine_limit(p),
            "width": np.where(proportion, width, np.nan),
            "relative_width": np.where(proportion, relative, wide),
            "complement_width": complement,
            "n_nchs": np.where(proportion, n_nchs, size),
        },
        index=table.index,
    ).replace([np.inf, -np.inf], np.nan)


def kind_of(table: pd.DataFrame, kinds: Mapping[str, str]) -> np.ndarray:
    """Return `proportion`, `magnitude` or `difference` for each estimate.

    A mean is a proportion where its variance under simple random sampling is p (1 - p) / (n - 1),
    which only zeros and ones have; a ratio, where all of its estimates lie between 0 and 1.
    """
    known = set(table["variable"])
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise OptionError(
                "kinds: {kind!r} ({name}) is not known. {hint}",
                kind=kind,
                name=name,
                hint=nearest(kind, KINDS),
            )
        if name not in known:
            raise OptionError(
                "kinds: no estimate is called {name!r}. {hint}",
                name=name,
                hint=nearest(name, known),
            )
    statistic = table["statistic"].to_numpy(object)
    found = np.full(len(table), "magnitude", object)
    found[np.isin(statistic, list(_DIFFERENCES))] = "difference"
    found[statistic == "proportion"] = "proportion"
    found[(statistic == "mean") & _binary(table)] = "proportion"
    found[(statistic == "ratio") & _bounded(table)] = "proportion"
    given = table["variable"].map(kinds)
    return np.where(given.notna(), given, found).astype(object)


def _binary(table: pd.DataFrame) -> np.ndarray:
    p, se, deff, n = (table[c].to_numpy(float) for c in ("estimate", "se", "deff", "n"))
    with np.errstate(divide="ignore", invalid="ignore"):
        simple = se**2 / deff * (n - 1)
        same = np.isclose(simple, p * (1 - p), rtol=1e-6, atol=0) & (p > 0) & (p < 1)
    variables = set(table["variable"][same])
    # A variable is of one kind in all its domains, those of only zeros or ones too.
    return table["variable"].isin(variables).to_numpy() & (p >= 0) & (p <= 1)


def _bounded(table: pd.DataFrame) -> np.ndarray:
    group = table.groupby("variable")["estimate"]
    inside = (group.transform("min") >= 0) & (group.transform("max") <= 1)
    return inside.to_numpy()


def log_cv_symmetric(p: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Return the CV of the logarithm of the smaller of p and 1 - p (rows,).

    References
    ----------
    Gutiérrez (2023), Diseño y análisis estadístico de las encuestas de hogares de América Latina,
    ECLAC, chapter 19: CV(L) = SE(p) / (q * -ln q), with q = p up to one half and 1 - p above.
    """
    q = np.where(p <= 0.5, p, 1 - p)
    with np.errstate(divide="ignore", invalid="ignore"):
        return se / (q * -np.log(q))


def log_cv_package(p: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Return the log-CV as R's `calidad` computes it: above one half, CV(p) / -ln(1 - p).

    That is (1 - p) / p times the symmetric form, and too small: nine times at p = 0.9.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p <= 0.5, se / (p * -np.log(p)), se / (p * -np.log(1 - p)))


def ine_limit(p: np.ndarray) -> np.ndarray:
    """Return the largest standard error that INE Chile takes as reliable: q^(2/3) / 9 (rows,)."""
    q = np.where(p <= 0.5, p, 1 - p)
    return np.cbrt(q) ** 2 / 9


def presentation_interval(
    p: np.ndarray, se: np.ndarray, df: np.ndarray, n: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the Korn-Graubard limits of the NCHS and their effective size, each (rows,).

    References
    ----------
    Parker et al. (2017), Vital and Health Statistics 2-175: the effective size p (1 - p) / SE^2 is
    adjusted for degrees of freedom and never above n. Where p is 0 or 1 it is n and the width is 0.
    """
    edge = (p <= 0) | (p >= 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        adjusted = student_quantile(LEVEL, np.maximum(n - 1, 1)) / student_quantile(LEVEL, df)
        size = np.minimum(p * (1 - p) / se**2 * adjusted**2, n)
        size = np.where(edge, n, size)
        x, tail = size * p, (1 - LEVEL) / 2
        low = special.betaincinv(x, size - x + 1, tail)
        high = special.betaincinv(x + 1, size - x, 1 - tail)
    return np.where(edge, p, low), np.where(edge, p, high), size


def count_precision(
    cases: np.ndarray, cv: np.ndarray, df: np.ndarray, deff: pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """Return the effective number of cases and the relative width of the log interval (rows,).

    References
    ----------
    Parker et al. (2023), Vital and Health Statistics 2-200.
    """
    size = cases / np.maximum(deff.to_numpy(float), 1)
    half = student_quantile(LEVEL, df) * cv
    return size, np.exp(half) - np.exp(-half)
