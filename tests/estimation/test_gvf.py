"""Generalized variance functions against R's least squares, and against known curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.errors import DesignError, OptionError
from nsm.estimation import Survey, gvf
from nsm.estimation.gvf import MODELS

DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}


def test_agrees_with_r(people: pd.DataFrame, reference: Path) -> None:
    expected = pd.read_csv(reference / "estimation" / "gvf.csv")
    counts = Survey(people, **DESIGN).count(by=["region", "sex", "band"])
    for (model, weights), rows in expected.groupby(["model", "weights"]):
        made = gvf(counts, model=model, weights=weights)
        np.testing.assert_allclose(made.parameters, rows["parameter"], rtol=1e-8)
        assert made.r2 == pytest.approx(rows["r2"].iloc[0], rel=1e-8)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("weights", ["iterated", "relative", "equal"])
def test_a_curve_of_the_model_is_found_again(model: str, weights: str) -> None:
    x = np.geomspace(1e3, 1e6, 20)
    curves = {
        "reciprocal": 1e-4 + 50 / x,
        "reciprocal-quadratic": 1e-4 + 50 / x + 3e3 / x**2,
        "inverse": 1 / (3 + 2e-2 * x),
        "inverse-quadratic": 1 / (3 + 2e-2 * x + 1e-9 * x**2),
        "log": np.exp(4.0) * x**-1.1,
    }
    table = pd.DataFrame({"estimate": x, "se": x * np.sqrt(curves[model])})
    made = gvf(table, model=model, weights=weights)
    np.testing.assert_allclose(made.table["fitted"], curves[model], rtol=1e-6)
    found = made.predict(x)
    np.testing.assert_allclose(found["se"], table["se"], rtol=1e-6)
    np.testing.assert_allclose(found["cv"] ** 2, found["relvariance"])
    assert made.r2 == pytest.approx(1)


def test_the_curve_of_simple_random_sampling() -> None:
    # A count under binomial sampling has V^2 = -f / N + f / X, f = N / n: Wolter (7.2.7).
    rng = np.random.default_rng(5)
    shares = np.concatenate([rng.uniform(0.02, 0.9, 30)])
    t = pd.DataFrame({f"y{k}": rng.random(4000) < p for k, p in enumerate(shares)}).astype(float)
    s = Survey(t.assign(w=25.0), weight="w")
    made = gvf(s.total(list(t.columns)))
    a, b = made.parameters
    assert b == pytest.approx(25, rel=0.01)
    assert a == pytest.approx(-25 / 1e5, rel=0.01)
    direct = s.mean("y0").table.iloc[0]
    ratio = made.predict_proportion(s.total("y0").table["estimate"][0], 1e5).iloc[0]
    assert ratio["se"] == pytest.approx(direct["se"], rel=0.02)
    assert made.predict_proportion(10.0, 10.0)["se"][0] == 0


def test_what_cannot_be_predicted_is_null() -> None:
    x = np.array([10.0, 20.0, 40.0])
    made = gvf(pd.DataFrame({"estimate": x, "se": x * np.sqrt(2 / x - 0.04)}))
    assert made.predict([30, 0, -1, 100])["se"].isna().tolist() == [False, True, True, True]


def test_refusals(people: pd.DataFrame) -> None:
    counts = Survey(people, **DESIGN).count(by="sex")
    with pytest.raises(OptionError, match="Did you mean 'reciprocal'"):
        gvf(counts, model="reciproc")
    with pytest.raises(OptionError, match="Did you mean 'equal'"):
        gvf(counts, weights="equals")
    with pytest.raises(DesignError, match="has 2 parameters; 2 totals"):
        gvf(counts)
    more = gvf([counts, Survey(people, **DESIGN).count(by="band")])
    assert len(more.table) == 6
    with pytest.raises(OptionError, match="above Y in 1 places"):
        more.predict_proportion(3, 2)
