"""Variance between and within areas, from a census or a previous round."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nsm.errors import AllocationError, ValueInColumnError
from nsm.files import require_columns


def variance_components(
    table: pd.DataFrame,
    *,
    y: str,
    psu: str,
    stratum: str | None = None,
    weight: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return variance and homogeneity of `y` by stratum.

    Parameters
    ----------
    table
        One row per unit (person, dwelling).
    psu, stratum
        Columns of the area and its stratum (one stratum if None).
    weight
        Weights, if the rows are a sample; without, they are a census.
    confidence
        Of the interval of the homogeneity.

    Returns
    -------
    DataFrame, one row per stratum: `stratum, psus, n, population, mean, sd, within` (sd inside
    areas), `icc` (1 - within^2 / sd^2), `icc_lower, icc_upper` (F interval of one-way analysis of
    variance, for normal y and areas of one size: a guide), `size` (mean units in an area), `deff`
    (of areas taken whole). Ready for `nsm.allocate(..., "two-stage")` once renamed to `mean_<y>,
    sd_<y>, icc_<y>`.

    Raises
    ------
    AllocationError
        A stratum has one area, or no area with two units.
    ValueInColumnError
        y is missing or a weight is not above 0.

    References
    ----------
    Särndal, Swensson & Wretman (1992), eq. 3.4.7 and 4.2.11 (homogeneity); Searle, Casella &
    McCulloch (1992), Variance Components, sec. 3.6 (interval); Valliant, Dever & Kreuter (2018),
    sec. 9.4.
    """
    columns = [y, psu, *(c for c in (stratum, weight) if c)]
    require_columns(table, columns, "The table")
    for column in columns:
        if table[column].isna().any():
            raise ValueInColumnError(
                "{column!r} is missing in {count} rows. Take them out, or impute them.",
                column=column,
                count=int(table[column].isna().sum()),
            )
    w = np.ones(len(table)) if weight is None else table[weight].to_numpy(dtype=float)
    if np.any(w <= 0):
        raise ValueInColumnError(
            "{column!r} is 0 or negative in {count} rows. Give every unit its weight.",
            column=weight,
            count=int(np.sum(w <= 0)),
        )
    units = pd.DataFrame(
        {"y": table[y].to_numpy(dtype=float), "w": w, "psu": table[psu].to_numpy()}
    )
    label = "all" if stratum is None else table[stratum].astype("str").to_numpy()
    rows = [
        {"stratum": name} | _components(group, str(name), confidence)
        for name, group in units.assign(stratum=label).groupby("stratum", sort=True)
    ]
    return pd.DataFrame(rows)


def _components(units: pd.DataFrame, name: str, confidence: float) -> dict[str, float]:
    codes, areas = pd.factorize(units["psu"])
    count, n = len(areas), len(units)
    if count < 2 or n <= count:
        raise AllocationError(
            "Stratum {stratum!r} has {psus} areas with {n} units: variance between and within "
            "areas needs at least two areas and an area with two units. Merge it with another "
            "stratum.",
            stratum=name,
            psus=count,
            n=n,
        )
    y, w = units["y"].to_numpy(), units["w"].to_numpy()
    population = w.sum()
    weights = np.bincount(codes, w)
    means = np.bincount(codes, w * y) / weights
    mean = w @ y / population
    sizes = np.bincount(codes).astype(float)
    inside = np.bincount(codes, w * (y - means[codes]) ** 2)
    many = sizes > 1
    # In an area of a sample, w_i n_i / (n_i - 1) times the weighted mean square is unbiased.
    scale = np.where(many, sizes / np.maximum(sizes - 1, 1), 0.0)
    census = bool(np.all(w == 1))
    within = inside.sum() / (n - count) if census else (scale * inside).sum() / weights[many].sum()
    between = weights @ (means - mean) ** 2
    # sum W (mean - mean)^2 of a sample holds the error of the means of its areas: taken off again.
    noise = (
        0.0
        if census
        else within * (np.sum(weights / sizes) - np.sum(weights**2 / sizes) / population)
    )
    spread = (inside.sum() if census else within * (population - count)) + max(between - noise, 0.0)
    square = spread / (population - 1)
    lower, upper = _interval(y, codes, sizes, confidence)
    icc = 1 - within / square if square > 0 else np.nan
    size = population / count if census else n / count
    return {
        "psus": count,
        "n": n,
        "population": float(population),
        "mean": float(mean),
        "sd": float(np.sqrt(square)),
        "within": float(np.sqrt(within)),
        "icc": float(icc),
        "icc_lower": lower,
        "icc_upper": upper,
        "size": float(size),
        "deff": float(1 + icc * (size - 1)),
    }


def _interval(
    y: np.ndarray, codes: np.ndarray, sizes: np.ndarray, confidence: float
) -> tuple[float, float]:
    """Return the F interval of the homogeneity from unweighted mean squares."""
    from scipy.stats import f

    n, count = len(y), len(sizes)
    means = np.bincount(codes, y) / sizes
    msw = np.sum((y - means[codes]) ** 2) / (n - count)
    msb = sizes @ (means - y.mean()) ** 2 / (count - 1)
    if msw == 0:
        return np.nan, np.nan
    typical = (n - np.sum(sizes**2) / n) / (count - 1)
    tail = (1 - confidence) / 2
    bounds = []
    for q in (1 - tail, tail):
        ratio = msb / msw / f.ppf(q, count - 1, n - count)
        bounds.append(float((ratio - 1) / (ratio + typical - 1)))
    return bounds[0], bounds[1]
