"""Trimmed and smoothed weights: bounds, sums, margins, Kish's effect, variance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nsm.errors import OptionError, WeightingError
from nsm.estimation import Survey, mean, total
from nsm.estimation.point import evaluate
from nsm.weighting import Trimming
from nsm.weighting.report import kish_effect

MARGINS = {
    "sex": {"M": 8800, "F": 9200},
    "band": {"0-14": 2900, "15-29": 3400, "30-59": 6500, "60+": 5200},
}


@pytest.fixture(scope="module")
def survey(people: pd.DataFrame) -> Survey:
    rng = np.random.default_rng(9)
    skewed = people.assign(w=people["w"] * rng.lognormal(0, 0.5, len(people)))
    return Survey(skewed, weight="w", stratum="stratum", psu="psu")


CASES: dict[str, dict[str, Any]] = {
    "upper": {"upper": 80.0},
    "both": {"lower": 20.0, "upper": 90.0, "cells": ("region",)},
    "median": {"lower": 0.4, "upper": 2.0, "median": True},
    "kish": {"kish": 1.15},
    "smooth": {"power": 0.6, "cells": ("sex",)},
    "smooth_kish": {"power": 1.0, "kish": 1.12},
}


def sums(survey: Survey, column: str) -> pd.Series:
    return pd.Series(survey.weights).groupby(survey.table.series(column)).sum()


@pytest.mark.parametrize("case", CASES)
def test_sums_are_kept_and_bounds_hold(case: str, survey: Survey) -> None:
    options = CASES[case]
    made = Trimming(**options).apply(survey)
    assert made.weights.sum() == pytest.approx(survey.weights.sum(), rel=1e-12)
    for column in options.get("cells", ()):
        np.testing.assert_allclose(sums(made, column), sums(survey, column), rtol=1e-12)
    unit = np.median(survey.weights) if options.get("median") else 1.0
    assert made.weights.max() <= options.get("upper", np.inf) * unit * (1 + 1e-12)
    assert made.weights.min() >= options.get("lower", 0) * unit * (1 - 1e-12)
    if "kish" in options:
        assert kish_effect(made.weights) == pytest.approx(options["kish"], rel=1e-6)
    order = np.argsort(survey.weights)
    if not options.get("cells"):
        assert (np.diff(made.weights[order]) >= -1e-9).all()


@pytest.mark.parametrize("case", ["upper", "kish", "smooth", "smooth_kish"])
def test_margins_and_bounds_hold_together(case: str, survey: Survey) -> None:
    options = CASES[case]
    made = Trimming(margins=MARGINS, **options).apply(survey)
    for column, totals in MARGINS.items():
        np.testing.assert_allclose(sums(made, column), pd.Series(totals).sort_index(), rtol=1e-9)
        assert made.count(by=column).table["se"].max() < 1e-6
    assert made.weights.max() <= options.get("upper", np.inf) * (1 + 1e-9)
    if "kish" in options:
        assert kish_effect(made.weights) == pytest.approx(options["kish"], rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_scores_are_derivatives(case: str, survey: Survey) -> None:
    made = Trimming(**CASES[case]).apply(survey)
    units = made.design.units
    for statistic in (total("pay"), mean("pay", where="sex == 'M'")):
        point = evaluate(made, [statistic])
        scores = np.zeros(units)
        np.add.at(scores, point.scores().unit, point.scores().value[:, 0])
        values = []
        for by in (1e-4, -1e-4):
            factors = 1 + by * np.eye(units)
            weights = made.redone(made.base[:, None] * factors[made.levels[0].unit])
            values.append(
                [evaluate(made.having(weight=w), [statistic]).values[0, 0] for w in weights.T]
            )
        wanted = (np.array(values[0]) - np.array(values[1])) / 2e-4
        np.testing.assert_allclose(scores, wanted, rtol=1e-5, atol=1e-6 * abs(scores).max())


@pytest.mark.parametrize("case", CASES)
def test_replicates_agree_with_taylor(case: str, survey: Survey) -> None:
    made = Trimming(**CASES[case]).apply(survey)
    plain, again = (
        s.mean("pay").table["se"][0] for s in (made, made.replicate("bootstrap", count=400, seed=3))
    )
    # The sampling error of 400 replicates is 3.5 %; cut-offs found anew add to it.
    assert again == pytest.approx(plain, rel=0.12)


def test_what_trims_nothing_changes_nothing(survey: Survey) -> None:
    made = survey.trim(upper=1e9)
    np.testing.assert_allclose(made.weights, survey.weights, rtol=1e-12)
    one, other = (s.mean("pay", by="region").table for s in (survey, made))
    pd.testing.assert_frame_equal(one, other, rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({}, OptionError, "give upper= or lower="),
        ({"kish": 1.1, "upper": 3.0}, OptionError, "upper= is not given too"),
        ({"kish": 0.9}, OptionError, "at least 1"),
        ({"power": 2.0}, OptionError, "not between 0 and 1"),
        ({"lower": 5.0, "upper": 2.0}, OptionError, "the least first"),
        ({"upper": 20.0}, WeightingError, "cannot add up to what they do now"),
        ({"kish": 1.0, "margins": MARGINS}, WeightingError, r"least found is 1\.\d+"),
    ],
)
def test_refusals(
    options: dict[str, Any], error: type[Exception], match: str, survey: Survey
) -> None:
    with pytest.raises(error, match=match):
        Trimming(**options).apply(survey)
