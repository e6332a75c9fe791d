"""How many areas and how many dwellings in each, from costs and homogeneity alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt

import pandas as pd

from nsm.errors import AllocationError, OptionError


def cluster_size(
    icc: float | Sequence[float],
    cost: Sequence[float],
    *,
    budget: float | None = None,
    cv: float | None = None,
    relvariance: float = 1.0,
    psus: float | None = None,
) -> pd.Series:
    """Return the cheapest take of each stage and, with a budget or CV, the number of areas.

    Parameters
    ----------
    icc
        Homogeneity of areas; in three stages a pair, of areas and of the units within them.
    cost
        Cost of a unit of each stage, areas first.
    budget, cv
        Money for all, or the CV wanted (one of both, or neither).
    relvariance
        Variance of the units over the squared mean.
    psus
        A fixed number of areas (two stages): the take follows from the budget or the CV.

    Returns
    -------
    Series, not rounded: `psus, take` (and `subtake`), `n`, `cost, cv`; null where not asked for.

    Raises
    ------
    OptionError
        A homogeneity or cost is out of range, or budget and cv are both given.
    AllocationError
        The budget does not pay for the areas, or they cannot reach the CV.

    References
    ----------
    Hansen, Hurwitz & Madow (1953), vol. I, ch. 6; Valliant, Dever & Kreuter (2018), sec. 9.3.

    Examples
    --------
    >>> cluster_size(0.05, [750, 100], budget=100_000).round(4)[["psus", "take", "cv"]].tolist()
    [51.4474, 11.9373, 0.0502]
    """
    homogeneity = [icc] if isinstance(icc, int | float) else list(icc)
    costs = [float(c) for c in cost]
    if len(costs) != len(homogeneity) + 1 or len(costs) not in {2, 3}:
        raise OptionError(
            "{costs} costs and {iccs} homogeneities do not fit: two stages have 2 and 1, three "
            "have 3 and 2.",
            costs=len(costs),
            iccs=len(homogeneity),
        )
    if any(not 0 < h < 1 for h in homogeneity) or any(c <= 0 for c in costs):
        raise OptionError("Homogeneities lie between 0 and 1, and costs are above 0.")
    if budget is not None and cv is not None:
        raise OptionError("Give budget or cv, not both.")
    if psus is not None:
        return _fixed_areas(homogeneity[0], costs, relvariance, (psus, budget, cv))
    takes = _takes(homogeneity, costs)
    unit = relvariance * _per_area(homogeneity, takes)
    price = _price(costs, takes)
    if budget is None and cv is None:
        areas = float("nan")
    else:
        areas = budget / price if budget is not None else unit / float(cv or inf) ** 2
    return _result(areas, takes, (areas * price, sqrt(unit / areas)))


def _takes(homogeneity: list[float], costs: list[float]) -> list[float]:
    """Return the best take of the second (and third) stage."""
    if len(costs) == 2:
        (h,) = homogeneity
        return [sqrt(costs[0] / costs[1] * (1 - h) / h)]
    first, second = homogeneity
    last = sqrt((1 - second) / second * costs[1] / costs[2])
    return [sqrt((1 - second) / first * costs[0] / costs[2]) / last, last]


def _per_area(homogeneity: list[float], takes: list[float]) -> float:
    """Return the relvariance of a mean over one area, over that of a unit."""
    if len(takes) == 1:
        return (1 + homogeneity[0] * (takes[0] - 1)) / takes[0]
    first, second = homogeneity
    n, q = takes
    return (first * n * q + 1 + second * (q - 1)) / (n * q)


def _price(costs: list[float], takes: list[float]) -> float:
    price, units = costs[0], 1.0
    for cost, take in zip(costs[1:], takes, strict=True):
        units *= take
        price += cost * units
    return price


def _fixed_areas(
    h: float, costs: list[float], relvariance: float, size: tuple[float, float | None, float | None]
) -> pd.Series:
    psus, budget, cv = size
    if len(costs) != 2 or (budget is None and cv is None):
        raise OptionError("A fixed number of areas needs two stages and a budget or cv.")
    if budget is not None:
        take = (budget / psus - costs[0]) / costs[1]
        if take <= 0:
            raise AllocationError(
                "The budget of {budget} does not pay for {psus} areas, which cost {least}.",
                budget=budget,
                psus=psus,
                least=psus * costs[0],
            )
    else:
        left = float(cv or inf) ** 2 * psus / relvariance - h
        if left <= 0:
            raise AllocationError(
                "{psus} areas cannot reach a CV of {cv}: even taken whole they leave {best}. Take "
                "more areas.",
                psus=psus,
                cv=cv,
                best=sqrt(relvariance * h / psus),
            )
        take = (1 - h) / left
    unit = relvariance * _per_area([h], [take])
    return _result(psus, [take], (psus * _price(costs, [take]), sqrt(unit / psus)))


def _result(psus: float, takes: list[float], found: tuple[float, float]) -> pd.Series:
    names = ["take", "subtake"][: len(takes)]
    units = psus
    for take in takes:
        units *= take
    values = {"psus": psus, **dict(zip(names, takes, strict=True)), "n": units}
    return pd.Series(values | {"cost": found[0], "cv": found[1]}, dtype=float)
