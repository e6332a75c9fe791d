r"""An old prior: drawn toward its municipality's mean, and what its age costs in precision.

People move on, so a prevalence of years ago says less than it seems to. Between an area and its
municipality the deviation fades: with a persistence of :math:`\lambda` a year, the prevalence
expected after t years is

.. math:: \mu_i = \bar p_g + \lambda^t (p_i - \bar p_g),

and around it the true one varies by :math:`(1 - \lambda^{2t})\,\tau_g^2`, with :math:`\tau_g^2` the
variance among the areas of municipality g: a first-order autoregression whose spread stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.errors import OptionError
from nsm.frame.merging import default_within
from nsm.frame.rollup import prior_column, weighted_mean, weights

if TYPE_CHECKING:
    from nsm.frame.frame import Frame


def persistence(
    first: np.ndarray,
    second: np.ndarray,
    *,
    group: np.ndarray,
    years: float,
    weight: np.ndarray | None = None,
    error_variance: float = 0.0,
) -> float:
    """Estimate from two rounds how much of a deviation is left after a year, 0 to 1.

    The slope of the second round's deviations from their municipality's mean on the first's, to
    the power 1 / years.

    Parameters
    ----------
    first, second
        Prevalence of the same areas in both rounds (areas,).
    group
        Municipality of each area (areas,).
    years
        Time between the rounds.
    weight
        What an area counts (areas,).
    error_variance
        Sampling variance of `first` (mean over areas), which would make the slope too small.

    Raises
    ------
    OptionError
        Too few areas, no time between the rounds, or no deviation in the first round.

    References
    ----------
    Fuller (1987), Measurement Error Models, eq. 1.2.2, for the correction of the slope.
    """
    known = ~(np.isnan(first) | np.isnan(second))
    if years <= 0 or known.sum() < 2:
        raise OptionError(
            "The persistence of a prior needs two areas with both rounds and a time between them; "
            "there are {areas} areas and {years} years.",
            areas=int(known.sum()),
            years=years,
        )
    code, names = pd.factorize(np.asarray(group)[known])
    w = np.ones(len(code)) if weight is None else np.asarray(weight, dtype=float)[known]
    one, other = (
        x[known] - weighted_mean(x[known], w, code, len(names))[code] for x in (first, second)
    )
    spread = float(w @ one**2 / w.sum()) - error_variance
    if spread <= 0:
        raise OptionError(
            "Inside municipalities the first round does not vary beyond its sampling error, so "
            "the persistence cannot be estimated. Give it."
        )
    slope = float(w @ (one * other) / w.sum()) / spread
    return float(np.clip(slope, 0, 1) ** (1 / years))


def shrink(
    frame: Frame,
    age: float,
    persistence: float,
    *,
    within: str | None = None,
    column: str | None = None,
) -> Frame:
    """Return the frame with its prior drawn toward the mean of its municipality.

    Parameters
    ----------
    age
        Years since the prior was true.
    persistence
        Share of a deviation that is left after one year, 0 to 1: given, or from `persistence`.
    within
        Level of the means; `municipality` by default if there is one.
    column
        The prior; the described one by default.

    Returns
    -------
    The frame; the prior as it was stands in `<column>_before`.

    Raises
    ------
    OptionError, ColumnError
    """
    name = column or prior_column(frame) or "prior"
    mean, prior, _ = _deviations(frame, name, within)
    left = _left(age, persistence)
    table = frame.table.assign(**{name: mean + left * (prior - mean), f"{name}_before": prior})
    return frame.replaced(table=table)


def expected_cvs(
    frame: Frame,
    n: int,
    *,
    age: float,
    persistence: float,
    by: str | None = None,
    size: str = "households",
    within: str | None = None,
    minimum: int = 5,
) -> pd.DataFrame:
    """Show what the age of the prior does to the expected CV of the number of migrants.

    Areas are drawn with replacement inside the strata of the column `stratum` (one if there is
    none), with probability proportional to `size`, and everyone in them is counted. Neyman's rule
    shares n among the strata, with at least `minimum` in each: on the prior as it stands, or on the
    shrunk prior with the variance that its age leaves.

    Parameters
    ----------
    n
        Areas in all.
    age, persistence, within
        As in `shrink`.
    by
        Column of domains; the whole frame always comes first.

    Returns
    -------
    `domain, migrants` (expected), `cv_trusted` (were the prior still true), `cv_expected` (with
    its age, though the allocation trusts it), `cv_shrunk` (with its age, and the allocation knows).
    """
    name = prior_column(frame) or "prior"
    mean, prior, spread = _deviations(frame, name, within)
    left = _left(age, persistence)
    frame.require_sound(size)
    people, size_of = weights(frame), frame.table[size].to_numpy(float)
    code, names = _strata(frame)
    draw = size_of / np.bincount(code, size_of, len(names))[code]
    trusted = people, prior, np.zeros(len(prior))
    aged = people, mean + left * (prior - mean), (1 - left**2) * spread
    blind, knowing = (
        _neyman(n, _per_draw(model, draw, code), minimum) for model in (trusted, aged)
    )
    rows = []
    for domain, inside in _domains(frame, by).items():
        cvs = []
        for model, sample in ((trusted, blind), (aged, blind), (aged, knowing)):
            part = (model[0] * inside, *model[1:])
            total = float(part[0] @ part[1])
            variance = float((_per_draw(part, draw, code) / sample).sum())
            cvs.append(np.sqrt(variance) / total if total > 0 else np.nan)
        rows.append((domain, float((aged[0] * inside) @ aged[1]), *cvs))
    columns = ["domain", "migrants", "cv_trusted", "cv_expected", "cv_shrunk"]
    return pd.DataFrame(rows, columns=columns)


def _left(age: float, persistence: float) -> float:
    if age < 0 or not 0 <= persistence <= 1:
        raise OptionError(
            "An age of {age} years and a persistence of {persistence} do not make sense: the age "
            "is not negative, the persistence between 0 and 1.",
            age=age,
            persistence=persistence,
        )
    return float(persistence**age)


def _deviations(
    frame: Frame, name: str, within: str | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean of each area's municipality, the prior, and the variance around the mean."""
    level = within or default_within(frame)
    frame.require_columns([name, *([level] if level else [])])
    prior = frame.table[name].to_numpy(float)
    code, names = pd.factorize(frame.table[level]) if level else (np.zeros(len(frame), int), [""])
    w = weights(frame)
    mean = weighted_mean(prior, w, code, len(names))[code]
    spread = weighted_mean((prior - mean) ** 2, w, code, len(names))[code]
    return mean, prior, spread


def _strata(frame: Frame) -> tuple[np.ndarray, pd.Index]:
    if "stratum" in frame.table.columns:
        code, names = pd.factorize(frame.table["stratum"], sort=True)
        return code, pd.Index(names)
    return np.zeros(len(frame), dtype=int), pd.Index([""])


def _domains(frame: Frame, by: str | None) -> dict[str, np.ndarray]:
    out = {"all": np.ones(len(frame), dtype=bool)}
    if by is not None:
        frame.require_columns([by])
        values = frame.table[by]
        out |= {str(d): (values == d).to_numpy() for d in sorted(values.unique())}
    return out


def _neyman(n: int, per_draw: np.ndarray, minimum: int) -> np.ndarray:
    """Share n in proportion to the standard deviation of a draw, with a minimum (strata,)."""
    deviation = np.sqrt(per_draw)
    shares = n * deviation / max(float(deviation.sum()), 1e-12)
    return np.maximum(float(minimum), shares)


def _per_draw(
    model: tuple[np.ndarray, np.ndarray, np.ndarray], draw: np.ndarray, stratum: np.ndarray
) -> np.ndarray:
    """Return the anticipated variance of one draw's estimate by stratum (strata,).

    The count of an area has the mean people x expected, and varies as its prevalence does and,
    given that, as a binomial.

    References
    ----------
    Isaki & Fuller (1982), JASA 77, eq. 2.6.
    """
    people, expected, variance = model
    count = people * expected
    spread = people**2 * variance + people * expected * (1 - expected)
    square = np.divide(count**2 + spread, draw, where=draw > 0, out=np.zeros_like(draw))
    found = np.bincount(stratum, square) - np.bincount(stratum, count) ** 2
    return np.maximum(found - np.bincount(stratum, spread), 0)
