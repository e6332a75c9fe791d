from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.errors import OptionError
from nsm.estimation import (
    Statistic,
    Survey,
    gini,
    poverty_gap,
    poverty_line,
    poverty_rate,
    quintile_share_ratio,
)
from nsm.estimation.inequality import Gini, Indicator, MedianGap, Poverty, ShareRatio
from nsm.estimation.point import evaluate

STATISTICS = {
    "gini": gini("pay"),
    "quintile share ratio": quintile_share_ratio("pay"),
    "poverty line": poverty_line("pay"),
    "poverty rate": poverty_rate("pay"),
    "median poverty gap": poverty_gap("pay", kind="median"),
}


@pytest.fixture(scope="module")
def survey(people: pd.DataFrame) -> Survey:
    return Survey(people, weight="w", stratum="stratum", psu="psu")


@pytest.mark.parametrize("name", STATISTICS)
def test_values_agree_with_laeken(name: str, survey: Survey, reference: Path) -> None:
    wanted = pd.read_csv(reference / "estimation" / "inequality.csv", keep_default_na=False)
    wanted = wanted[wanted["statistic"] == name]
    made = [
        survey.estimate(STATISTICS[name]).table["estimate"],
        survey.estimate(STATISTICS[name], by="sex").table["estimate"],
    ]
    np.testing.assert_allclose(np.concatenate(made), wanted["estimate"].astype(float), rtol=1e-9)


def test_the_mean_gap_is_its_definition(people: pd.DataFrame, survey: Survey) -> None:
    line = float(survey.estimate(poverty_line("pay")).table["estimate"][0])
    short = np.maximum(line - people["pay"], 0) / line
    wanted = np.average(short, weights=people["w"])
    assert survey.estimate(poverty_gap("pay")).table["estimate"][0] == pytest.approx(wanted)


def test_gini_is_half_the_relative_mean_difference() -> None:
    y, w = np.array([1.0, 4.0, 4.0, 9.0]), np.array([2.0, 1.0, 3.0, 5.0])
    differences = np.abs(y[:, None] - y) * np.outer(w, w)
    wanted = differences.sum() / (2 * w.sum() * (w @ y))
    assert Gini().compute(y, w)[0] == pytest.approx(wanted)


def numerical(indicator: Indicator, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    step = 1e-6
    moves = step * np.diag(w)
    up, down = (np.array([indicator.compute(y, w + s * m)[0] for m in moves]) for s in (1, -1))
    return (up - down) / (2 * step * w)


def test_gini_scores_are_derivatives_with_ties_too() -> None:
    rng = np.random.default_rng(1)
    y, w = np.sort(np.round(np.exp(rng.normal(2, 1, 60)))), rng.uniform(1, 3, 60)
    np.testing.assert_allclose(
        Gini().compute(y, w)[1], numerical(Gini(), y, w), rtol=1e-5, atol=1e-9
    )


@pytest.mark.parametrize("indicator", [ShareRatio(), Poverty(), Poverty(power=1), MedianGap()])
def test_errors_are_those_of_repeated_samples(indicator: Indicator) -> None:
    """Derivatives through a quantile hold for its smooth limit: shown by drawing again."""
    rng = np.random.default_rng(20270115)
    w = np.ones(2000)
    values, predicted = [], []
    for _ in range(400):
        y = np.sort(np.exp(rng.normal(9, 0.8, 2000)))
        value, derivative = indicator.compute(y, w)
        values.append(value)
        predicted.append(np.var(derivative * w, ddof=1) * 2000)
    # 400 samples know their standard deviation to 3.5 %.
    assert np.sqrt(np.mean(predicted)) / np.std(values, ddof=1) == pytest.approx(1, abs=0.11)


@pytest.mark.parametrize("name", ["gini", "quintile share ratio", "poverty rate"])
def test_taylor_and_jackknife_agree(name: str, survey: Survey) -> None:
    statistic: Statistic = STATISTICS[name]
    taylor = survey.estimate(statistic).table["se"][0]
    jackknife = survey.replicate("bootstrap", count=400, seed=1).estimate(statistic).table["se"][0]
    assert taylor == pytest.approx(jackknife, rel=0.25)


def test_nobody_poor_gives_null_not_a_number() -> None:
    table = pd.DataFrame({"y": [5.0, 5, 5, 5], "w": 1.0})
    row = evaluate(Survey(table, weight="w"), [poverty_gap("y", kind="median")])
    assert not np.isfinite(row.values).any()


def test_shares_are_checked() -> None:
    with pytest.raises(OptionError, match=r"share=0\.7 is not a positive fraction below 0.5"):
        quintile_share_ratio("pay", 0.7)
    with pytest.raises(OptionError, match="kind='mode'"):
        poverty_gap("pay", kind="mode")
