"""Generalized variance functions: relative variances of many estimates as a curve.

A survey that publishes thousands of counts cannot print a standard error beside each. The relative
variances V^2 = se^2 / X^2 of some of them are fitted by a curve of the estimate X, and the curve
gives those of the others (Wolter 2007, Introduction to Variance Estimation, ch. 7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from nsm.errors import DesignError, OptionError, nearest
from nsm.estimation.estimates import Estimates

ROUNDS = 200
SETTLED = 1e-12
WEIGHTS = ("iterated", "relative", "equal")

Curve = Callable[[np.ndarray], np.ndarray]


class RelvarianceModel(NamedTuple):
    """A curve that is linear in its parameters after a change of scale.

    Parameters
    ----------
    columns
        Regressors at X (estimates, parameters).
    scale, back
        From relative variances to the scale of the fit, and back.
    formula
        As Wolter writes it.
    """

    columns: Curve
    scale: Curve
    back: Curve
    formula: str


def _powers(*powers: int) -> Curve:
    return lambda x: np.stack([x**power for power in powers], axis=-1)


def _same(v: np.ndarray) -> np.ndarray:
    return v


def _inverse(v: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.where(v > 0, 1 / v, np.nan)


MODELS = {
    "reciprocal": RelvarianceModel(_powers(0, -1), _same, _same, "a + b / X"),
    "reciprocal-quadratic": RelvarianceModel(
        _powers(0, -1, -2), _same, _same, "a + b / X + c / X^2"
    ),
    "inverse": RelvarianceModel(_powers(0, 1), _inverse, _inverse, "1 / (a + b X)"),
    "inverse-quadratic": RelvarianceModel(
        _powers(0, 1, 2), _inverse, _inverse, "1 / (a + b X + c X^2)"
    ),
    "log": RelvarianceModel(
        lambda x: np.stack([np.ones_like(x), np.log(x)], axis=-1), np.log, np.exp, "exp(a) X^b"
    ),
}


@dataclass(frozen=True)
class VarianceFunction:
    """A fitted generalized variance function.

    Parameters
    ----------
    model
        Its name, one of `MODELS`.
    parameters
        a, b (and c) of its formula (parameters,).
    r2
        Share of the variance, on the scale of the fit and with its weights, that it explains.
    table
        What it was fitted to: `estimate, relvariance, fitted`.
    """

    model: str
    parameters: np.ndarray
    r2: float
    table: pd.DataFrame = field(repr=False)

    def relvariance(self, x: np.ndarray | Sequence[float] | float) -> np.ndarray:
        """Return the relative variance at estimates; null where the curve is not positive."""
        v = self._curve(np.asarray(x, float))
        return np.where(v > 0, v, np.nan)

    def _curve(self, x: np.ndarray) -> np.ndarray:
        model = MODELS[self.model]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(x > 0, model.back(model.columns(x) @ self.parameters), np.nan)

    def predict(self, x: np.ndarray | Sequence[float] | float) -> pd.DataFrame:
        """Predict the precision of totals: `estimate, relvariance, cv, se`."""
        x = np.atleast_1d(np.asarray(x, float))
        v = self.relvariance(x)
        return pd.DataFrame(
            {"estimate": x, "relvariance": v, "cv": np.sqrt(v), "se": x * np.sqrt(v)}
        )

    def predict_proportion(
        self, x: np.ndarray | Sequence[float] | float, y: np.ndarray | Sequence[float] | float
    ) -> pd.DataFrame:
        """Predict the precision of X / Y, X a part of Y: `estimate, relvariance, cv, se`.

        Where X / Y and Y are uncorrelated, the relative variance of X / Y is that of X minus that
        of Y (Wolter 2007, eq. 7.2.6); null where this is negative.
        """
        x, y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
        if (x > y).any():
            raise OptionError(
                "X is above Y in {count} places: it must be a part of it.", count=int((x > y).sum())
            )
        # At the size of the population the curve may lie just below 0, where V^2 is 0.
        v = self._curve(x) - np.maximum(self._curve(y), 0.0)
        v = np.where(x == y, 0.0, np.where(v >= 0, v, np.nan))
        return pd.DataFrame(
            {"estimate": x / y, "relvariance": v, "cv": np.sqrt(v), "se": x / y * np.sqrt(v)}
        )


def gvf(
    estimates: Estimates | pd.DataFrame | Sequence[Estimates],
    *,
    model: str = "reciprocal",
    weights: str = "iterated",
) -> VarianceFunction:
    """Fit a generalized variance function to the relative variances of totals.

    Parameters
    ----------
    estimates
        Totals or counts of one kind (persons, say), as estimates or a table with `estimate` and
        `se`. Those with an estimate or a standard error of 0 are left out.
    model
        `reciprocal`, `reciprocal-quadratic`, `inverse`, `inverse-quadratic`, `log`: Wolter's models
        (7.2.1) to (7.2.5).
    weights
        Of the least squares: `iterated`, 1 / fitted^2 until it settles, so that relative errors
        count; `relative`, 1 / observed^2; `equal`. The log model has no weights.

    Raises
    ------
    OptionError
        The model or the weights are not known.
    DesignError
        There are too few totals, or the fit does not settle.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> x = np.array([1e3, 2e3, 5e3, 2e4])
    >>> made = gvf(pd.DataFrame({"estimate": x, "se": x * np.sqrt(0.001 + 30 / x)}))
    >>> made.parameters.round(6).tolist()
    [0.001, 30.0]
    >>> made.predict(10_000)[["cv", "se"]].round(4).to_numpy().tolist()
    [[0.0632, 632.4555]]
    """
    for word, value, known in (("model", model, MODELS), ("weights", weights, WEIGHTS)):
        if value not in known:
            raise OptionError(
                "{word}={value!r} is not known. {hint}",
                word=word,
                value=value,
                hint=nearest(value, known),
            )
    x, v = _observed(estimates)
    spec = MODELS[model]
    matrix = spec.columns(x)
    if len(np.unique(x)) <= matrix.shape[1]:
        raise DesignError(
            "{model!r} has {parameters} parameters; {count} totals with a standard error above 0 "
            "are too few.",
            model=model,
            parameters=matrix.shape[1],
            count=len(x),
        )
    parameters, r2 = _fitted(matrix, spec.scale(v), "equal" if model == "log" else weights)
    fitted = spec.back(matrix @ parameters)
    table = pd.DataFrame({"estimate": x, "relvariance": v, "fitted": fitted})
    return VarianceFunction(model, parameters, r2, table)


def _observed(
    estimates: Estimates | pd.DataFrame | Sequence[Estimates],
) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates and their relative variances, where both are above 0."""
    if isinstance(estimates, Estimates | pd.DataFrame):
        listed: list[Estimates | pd.DataFrame] = [estimates]
    else:
        listed = list(estimates)
    tables = [e.table if isinstance(e, Estimates) else e for e in listed]
    x, se = (
        np.concatenate([t[name].to_numpy(float) for t in tables]) for name in ("estimate", "se")
    )
    used = (x > 0) & (se > 0)
    return x[used], (se[used] / x[used]) ** 2


def _fitted(matrix: np.ndarray, y: np.ndarray, weights: str) -> tuple[np.ndarray, float]:
    weight = np.ones_like(y) if weights == "equal" else 1 / y**2
    parameters = _least_squares(matrix, y, weight)
    if weights == "iterated":
        for _ in range(ROUNDS):
            fitted = matrix @ parameters
            # A fit that is not positive has no relative error: its own observation stands in.
            weight = 1 / np.where(fitted > 0, fitted, y) ** 2
            before, parameters = parameters, _least_squares(matrix, y, weight)
            if np.allclose(matrix @ parameters, matrix @ before, rtol=SETTLED, atol=0):
                break
        else:
            raise DesignError(
                "The variance function does not settle in {rounds} rounds. Take "
                'weights="relative", another model, or leave out totals unlike the others.',
                rounds=ROUNDS,
            )
    residual = y - matrix @ parameters
    center = np.average(y, weights=weight)
    spread = float(weight @ (y - center) ** 2)
    return parameters, 1 - float(weight @ residual**2) / spread if spread else 1.0


def _least_squares(matrix: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    root = np.sqrt(weight)
    size = np.abs(matrix).max(axis=0)
    return np.linalg.lstsq(matrix / size * root[:, None], y * root)[0] / size
