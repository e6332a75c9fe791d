"""Multiple imputations and plausible values, combined by Rubin's rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nsm.errors import OptionError, nearest
from nsm.estimation.estimates import Estimates, tidy
from nsm.estimation.intervals import Estimated, limits

RULES = ("barnard-rubin", "rubin")


def combine(estimates: Sequence[Estimates], *, df: str = "barnard-rubin") -> Estimates:
    """Combine the estimates of several imputations of one survey, or of plausible values.

    With U the mean of the variances and B the variance between the m estimates, the variance is
    T = U + (1 + 1/m) B. Design effects are left out: they would be of one imputation.

    Parameters
    ----------
    estimates
        The same statistics and domains, estimated from each completed data set.
    df
        `rubin`, (m - 1) (1 + 1/r)^2 with r = (1 + 1/m) B / U, or `barnard-rubin`, which is never
        above those of the design.

    Raises
    ------
    OptionError
        There are fewer than two, or they do not have the same rows.

    References
    ----------
    Rubin (1987), eq. 3.1.2-3.1.6; Barnard & Rubin (1999), Biometrika 86, p. 948-955.

    Examples
    --------
    >>> import nsm, pandas as pd
    >>> surveys = [
    ...     nsm.Survey(pd.DataFrame({"y": [1.0, 3.0, 2.0, imputed], "w": 10.0}), weight="w")
    ...     for imputed in (5.0, 6.0, 7.0)
    ... ]
    >>> made = combine([survey.mean("y") for survey in surveys])
    >>> made.table[["estimate", "se", "df"]].round(3)
       estimate     se     df
    0       3.0  1.137  1.864
    """
    if df not in RULES:
        raise OptionError("df={df!r} is not known. {hint}", df=df, hint=nearest(df, RULES))
    made = list(estimates)
    if len(made) < 2:
        raise OptionError(
            "Rubin's rules need the estimates of two imputations or more; {count} were given.",
            count=len(made),
        )
    first = made[0]
    keys = [*first.by, "variable", "statistic", "category", "order"]
    for k, other in enumerate(made[1:], start=2):
        if other.by != first.by or not other.table[keys].equals(first.table[keys]):
            raise OptionError(
                "Imputation {number} has other statistics or domains than the first: the same call "
                "must be made on each.",
                number=k,
            )
    return _combined(made, df)


def _combined(made: Sequence[Estimates], rule: str) -> Estimates:
    first, m = made[0], len(made)
    values, se = (np.array([e.table[c].to_numpy(float) for e in made]) for c in ("estimate", "se"))
    mean, within = values.mean(axis=0), (se**2).mean(axis=0)
    between = (1 + 1 / m) * values.var(axis=0, ddof=1)
    total = within + between
    design = np.min([e.table["df"].to_numpy(float) for e in made], axis=0)
    degrees = _degrees(within, between, m, design=design if rule == "barnard-rubin" else None)
    with np.errstate(divide="ignore", invalid="ignore"):
        cv = np.where(mean != 0, np.sqrt(total) / np.abs(mean), np.nan)
    counts = {
        name: np.min([e.table[name].to_numpy() for e in made], axis=0)
        for name in ("n", "cases", "psus")
    }
    low, high = limits(Estimated(mean, np.sqrt(total), degrees, counts["n"]), "t", first.level)
    table = first.table.assign(
        estimate=mean,
        se=np.sqrt(total),
        cv=cv,
        lower=low,
        upper=high,
        df=degrees,
        deff=np.nan,
        **counts,
    )

    def covariance(rows: np.ndarray) -> np.ndarray:
        inside = np.mean([e.covariance[np.ix_(rows, rows)] for e in made], axis=0)
        apart = values[:, rows] - mean[rows]
        return inside + (1 + 1 / m) * apart.T @ apart / (m - 1)

    unknown = float(np.mean([e.unknown for e in made]))
    return Estimates(tidy(table, first.by), first.by, first.level, unknown, covariance)


def _degrees(
    within: np.ndarray, between: np.ndarray, m: int, *, design: np.ndarray | None
) -> np.ndarray:
    """Return degrees of freedom; those of the design bound them where they are given."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rubin = np.where(between > 0, (m - 1) * (1 + within / between) ** 2, np.inf)
        if design is None:
            return rubin
        missing = np.where(between > 0, between / (within + between), 0.0)
        observed = (design + 1) / (design + 3) * design * (1 - missing)
        observed = np.where(np.isinf(design), np.inf, observed)
        made = 1 / (1 / rubin + 1 / observed)
    return np.where(design > 0, made, design)
