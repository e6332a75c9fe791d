"""Each statistic computed in every way that applies; the ways must agree.

| way | what it is |
|---|---|
| R | the number of R survey 4.1, in `tests/reference/estimation` |
| textbook | the linearized variable written by hand, and the variance between PSUs |
| algebra | the statistic written with + - * / over totals |
| differences | scores by numerical derivatives on the weights of each PSU |
| jackknife | the estimate again without each PSU (`jkn`) |
| bootstrap | the estimate again in 400 bootstrap samples |
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.estimation import (
    Statistic,
    Survey,
    correlation,
    count,
    covariance,
    gini,
    mean,
    poverty_gap,
    poverty_line,
    poverty_rate,
    proportion,
    quantile,
    quintile_share_ratio,
    ratio,
    total,
    variance,
)

DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}
STATISTICS: dict[str, Statistic] = {
    "total": total("pay"),
    "count": count("origin == 'HTI'"),
    "mean": mean("pay"),
    "ratio": ratio("pay", "hours"),
    "proportion": proportion("origin", "HTI"),
    "difference": mean("pay", where="sex == 'M'") - mean("pay", where="sex == 'F'"),
    "variance": variance("pay"),
    "covariance": covariance("pay", "hours"),
    "correlation": correlation("pay", "hours"),
    "median": quantile("pay"),
    "gini": gini("pay"),
    "quintile share ratio": quintile_share_ratio("pay"),
    "poverty line": poverty_line("pay"),
    "poverty rate": poverty_rate("pay"),
    "poverty gap": poverty_gap("pay"),
}
# The ways of each statistic. Quantiles jump, so derivatives and the jackknife do not serve what is
# made of them, and replicates agree with a smoothed density up to its bandwidth only. R has no
# standard errors of the last five; their values are those of laeken (test_inequality.py).
WAYS: dict[str, tuple[str, ...]] = {
    "total": ("R", "textbook", "algebra", "differences", "jackknife", "bootstrap"),
    "count": ("textbook", "algebra", "differences", "jackknife", "bootstrap"),
    "mean": ("R", "textbook", "algebra", "differences", "jackknife", "bootstrap"),
    "ratio": ("R", "textbook", "algebra", "differences", "jackknife", "bootstrap"),
    "proportion": ("R", "textbook", "algebra", "differences", "jackknife", "bootstrap"),
    "difference": ("textbook", "algebra", "differences", "jackknife", "bootstrap"),
    "variance": ("R", "textbook", "algebra", "differences", "jackknife", "bootstrap"),
    "covariance": ("textbook", "algebra", "differences", "jackknife", "bootstrap"),
    "correlation": ("algebra", "differences", "jackknife", "bootstrap"),
    "median": ("R", "bootstrap"),
    "gini": ("textbook", "differences", "jackknife", "bootstrap"),
    "quintile share ratio": ("bootstrap",),
    "poverty line": ("bootstrap",),
    "poverty rate": ("bootstrap",),
    "poverty gap": ("bootstrap",),
}
TOLERANCE = {
    "R": 1e-9,
    "textbook": 1e-9,
    "algebra": 1e-9,
    "differences": 1e-5,
    "jackknife": 0.08,
    "bootstrap": 0.2,
}
CASES = [(name, way) for name, ways in WAYS.items() for way in ways]
# A share of a ranked tail is far from linear with 36 PSUs.
ROUGH = {"quintile share ratio": 0.35, "median": 0.35, "poverty line": 0.35, "poverty rate": 0.3}


@pytest.fixture(scope="module")
def data(people: pd.DataFrame) -> pd.DataFrame:
    return people


@pytest.fixture(scope="module")
def ways(data: pd.DataFrame, reference: Path) -> dict[str, Callable[[str], tuple[float, float]]]:
    s = Survey(data, **DESIGN)
    repeated = {
        "jackknife": s.replicate("jkn"),
        "bootstrap": s.replicate("bootstrap", count=400, seed=3),
    }

    def again(way: str) -> Callable[[str], tuple[float, float]]:
        return lambda name: pair(repeated[way], STATISTICS[name])

    return {
        "R": lambda name: in_r(name, reference),
        "textbook": lambda name: textbook(name, data),
        "algebra": lambda name: pair(s, ALGEBRA[name]) if name in ALGEBRA else moments(name, data),
        "differences": lambda name: differences(name, data),
        "jackknife": again("jackknife"),
        "bootstrap": again("bootstrap"),
    }


def test_every_statistic_has_its_ways() -> None:
    assert set(WAYS) == set(STATISTICS)


@pytest.mark.parametrize(("name", "way"), CASES, ids=[" ".join(case) for case in CASES])
def test_the_ways_agree(
    name: str,
    way: str,
    data: pd.DataFrame,
    ways: dict[str, Callable[[str], tuple[float, float]]],
) -> None:
    value, se = pair(Survey(data, **DESIGN), STATISTICS[name])
    other_value, other_se = ways[way](name)
    assert value == pytest.approx(other_value, rel=1e-9)
    rel = ROUGH.get(name, TOLERANCE[way]) if way == "bootstrap" else TOLERANCE[way]
    assert se == pytest.approx(other_se, rel=rel)


def pair(s: Survey, statistic: Statistic) -> tuple[float, float]:
    row = s.estimate(statistic, deff=None).table.iloc[0]
    return row["estimate"], row["se"]


def in_r(name: str, reference: Path) -> tuple[float, float]:
    if name == "median":
        table = pd.read_csv(reference / "estimation" / "quantiles.csv", keep_default_na=False)
        found = table.query(
            "design == 'replacement' and y == 'pay' and rule == 'math' and interval == 'mean' "
            "and domain == '' and order == 0.5"
        )
    else:
        table = pd.read_csv(reference / "estimation" / "core.csv", keep_default_na=False)
        category = "HTI" if name == "proportion" else ""
        same = (table["case"] == name) & (table["category"] == category) & (table["domain"] == "")
        found = table[same & (table["design"] == "replacement")]
    (row,) = found[["estimate", "se"]].astype(float).itertuples(index=False)
    return row.estimate, row.se


ALGEBRA = {
    "total": total("pay", where="sex == 'M'") + total("pay", where="sex == 'F'"),
    "count": total("origin == 'HTI'"),
    "mean": total("pay") / count(),
    "ratio": mean("pay") / mean("hours"),
    "proportion": count("origin == 'HTI'") / count(),
    "difference": total("pay", where="sex == 'M'") / count("sex == 'M'")
    - total("pay", where="sex == 'F'") / count("sex == 'F'"),
}


def moments(name: str, data: pd.DataFrame) -> tuple[float, float]:
    """Second moments from totals of centered products."""
    n = len(data)
    pay, hours = (data[c] - np.average(data[c], weights=data["w"]) for c in ("pay", "hours"))
    s = Survey(data.assign(xx=pay**2, yy=hours**2, xy=pay * hours), **DESIGN)
    scale = n / (n - 1)
    made = {
        "variance": scale * mean("xx"),
        "covariance": scale * mean("xy"),
        "correlation": mean("xy") / (mean("xx") * mean("yy")).sqrt(),
    }
    return pair(s, made[name])


def textbook(name: str, data: pd.DataFrame) -> tuple[float, float]:
    """Value, and standard error from a linearized variable written by hand."""
    w, y, x = (data[c].to_numpy(float) for c in ("w", "pay", "hours"))
    size = w.sum()
    haiti = (data["origin"] == "HTI").to_numpy(float)
    man = (data["sex"] == "M").to_numpy(float)
    center, other = w @ y / size, w @ x / size
    scale = len(data) / (len(data) - 1)
    men, women = w @ (man * y) / (w @ man), w @ ((1 - man) * y) / (w @ (1 - man))
    made = {
        "total": (w @ y, y),
        "count": (w @ haiti, haiti),
        "mean": (center, (y - center) / size),
        "ratio": (w @ y / (w @ x), (y - w @ y / (w @ x) * x) / (w @ x)),
        "proportion": (w @ haiti / size, (haiti - w @ haiti / size) / size),
        "difference": (
            men - women,
            man * (y - men) / (w @ man) - (1 - man) * (y - women) / (w @ (1 - man)),
        ),
    }
    for key, product in (
        ("variance", scale * (y - center) ** 2),
        ("covariance", scale * (y - center) * (x - other)),
    ):
        value = w @ product / size
        made[key] = (value, (product - value) / size)
    made["gini"] = gini_by_hand(y, w)
    value, u = made[name]
    return float(value), between_psus(w * u, data)


def gini_by_hand(y: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
    """Half the relative mean difference, and its derivative on each weight."""
    size, sum_y = w.sum(), w @ y
    apart = np.abs(y[:, None] - y) @ w
    value = w @ apart / (2 * size * sum_y)
    return value, apart / (size * sum_y) - value / size - value * y / sum_y


def between_psus(scores: np.ndarray, data: pd.DataFrame) -> float:
    psus = pd.Series(scores).groupby([data["stratum"], data["psu"]]).sum()
    result = 0.0
    for _, z in psus.groupby(level=0):
        result += len(z) / (len(z) - 1) * float(((z - z.mean()) ** 2).sum())
    return float(np.sqrt(result))


def differences(name: str, data: pd.DataFrame) -> tuple[float, float]:
    """Scores as derivatives on the logarithm of the weights of each PSU."""
    step = 1e-4
    scores = np.zeros(len(data))
    first = data.groupby(["stratum", "psu"], sort=False).ngroup()
    for psu in first.unique():
        values = [
            point(name, data.assign(w=data["w"] * np.where(first == psu, 1 + sign * step, 1.0)))
            for sign in (1, -1)
        ]
        scores[np.flatnonzero(first == psu)[0]] = (values[0] - values[1]) / (2 * step)
    return point(name, data), between_psus(scores, data)


def point(name: str, data: pd.DataFrame) -> float:
    made = Survey(data, weight="w").estimate(STATISTICS[name], deff=None)
    return float(made.table["estimate"][0])
