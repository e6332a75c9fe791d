"""Operating characteristics: what repeated surveys tell of a design, with Monte Carlo errors."""

from __future__ import annotations

import numpy as np
import pandas as pd

PUBLISHABLE = "publishable"


def characteristics(runs: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Summarize the estimates of repeated surveys, by scheme and target.

    Parameters
    ----------
    runs
        `scheme, run, domain, variable, estimate, se, lower, upper, verdict`.
    truth
        `domain, variable, truth`.

    Returns
    -------
    One row per scheme and target: `scheme, domain, variable, runs, truth, mean, bias` (mean less
    truth), `sd` (Monte Carlo standard deviation), `mean_se, se_ratio` (mean SE over SD),
    `rms_ratio` (root mean square of the SEs over SD: of an unbiased variance estimator it is 1,
    and the mean SE is below it where SEs waver), `rmse, coverage` (of the confidence intervals),
    `cv` (median), `cv_low, cv_high` (its deciles 1 and 9), `publishable, caution` (shares of
    surveys); `<name>_error` is the Monte Carlo standard error of each, and `bias_z` the bias in its
    own.

    References
    ----------
    Morris, White & Crowther (2019), Statistics in Medicine 38, table 6; the error of `se_ratio` is
    that of its influence values, as is that of `rmse`.
    """
    joined = runs.merge(truth, on=["domain", "variable"], how="left")
    groups = joined.groupby(["scheme", "domain", "variable"], sort=False)
    rows = [
        dict(zip(("scheme", "domain", "variable"), key, strict=True)) | _one(part)
        for key, part in groups
    ]
    return pd.DataFrame(rows)


def _one(part: pd.DataFrame) -> dict[str, float]:
    estimate, se = part["estimate"].to_numpy(float), part["se"].to_numpy(float)
    truth, runs = float(part["truth"].iloc[0]), len(part)
    mean, sd = float(estimate.mean()), _spread(estimate)
    root = float(np.sqrt(runs))
    bias, bias_error = mean - truth, sd / root
    lower, upper = part["lower"].to_numpy(float), part["upper"].to_numpy(float)
    inside = (lower <= truth) & (truth <= upper)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nanmean(se) / sd if sd > 0 else np.nan
        influence = (se - np.nanmean(se)) / sd - ratio * ((estimate - mean) ** 2 - sd**2) / (
            2 * sd**2
        )
        squared = (estimate - truth) ** 2
        rmse = float(np.sqrt(squared.mean()))
        cv = se / np.abs(estimate)
        fourth = float(np.mean((estimate - mean) ** 4))
        sd_error = np.sqrt(max(fourth - sd**4, 0.0) / runs) / (2 * sd) if sd > 0 else 0.0
        rmse_error = _spread(squared) / root / (2 * rmse) if rmse > 0 else 0.0
    shares = {"coverage": inside} | {
        word: (part["verdict"] == word).to_numpy() for word in (PUBLISHABLE, "caution")
    }
    cv = cv[np.isfinite(cv)]
    low, middle, high = np.quantile(cv, [0.1, 0.5, 0.9]) if len(cv) else [np.nan] * 3
    out = {
        "runs": runs,
        "truth": truth,
        "mean": mean,
        "bias": bias,
        "bias_error": bias_error,
        "bias_z": bias / bias_error if bias_error > 0 else 0.0,
        "sd": sd,
        "sd_error": sd_error,
        "mean_se": float(np.nanmean(se)),
        "se_ratio": ratio,
        "se_ratio_error": _spread(influence) / root,
        "rms_ratio": float(np.sqrt(np.nanmean(se**2))) / sd if sd > 0 else np.nan,
        "rmse": rmse,
        "rmse_error": rmse_error,
        "cv": middle,
        "cv_low": low,
        "cv_high": high,
    }
    for name, share in shares.items():
        out[name] = float(share.mean())
        out[f"{name}_error"] = float(np.sqrt(share.mean() * (1 - share.mean()) / runs))
    return out


def _spread(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def load_table(loads: pd.DataFrame) -> pd.DataFrame:
    """Summarize what the surveys took, and their weights, by scheme.

    Parameters
    ----------
    loads
        `scheme, run` and one column per quantity.

    Returns
    -------
    `scheme, quantity, mean, error, sd, low, high` (deciles 1 and 9).
    """
    rows = []
    for scheme, part in loads.groupby("scheme", sort=False):
        for name in part.columns.drop(["scheme", "run"]):
            values = part[name].to_numpy(float)
            low, high = np.quantile(values, [0.1, 0.9])
            spread = _spread(values)
            error = spread / np.sqrt(len(values))
            rows.append((scheme, name, values.mean(), error, spread, low, high))
    return pd.DataFrame(rows, columns=["scheme", "quantity", "mean", "error", "sd", "low", "high"])
