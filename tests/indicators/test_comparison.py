"""Two surveys beside each other: differences, many tests, and what does not compare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.indicators.conftest import people

from nsm.errors import OptionError
from nsm.estimation import Survey
from nsm.indicators import compare, compute, read_registry
from nsm.indicators.adjustments import ADJUSTMENTS, adjusted


def other(raised: float = 20.0) -> Survey:
    table = people()
    return Survey(table.assign(pay=table["pay"] + raised), weight="w", psu="psu")


@pytest.mark.parametrize("adjustment", ADJUSTMENTS)
def test_adjusts_as_r(reference: Path, adjustment: str) -> None:
    rows = pd.read_csv(reference / "indicators" / "adjusted.csv").query("adjustment == @adjustment")
    given = np.append(rows["p"].to_numpy(), np.nan)
    found = adjusted(given, adjustment)
    np.testing.assert_allclose(found[:-1], rows["adjusted"], rtol=1e-12)
    assert np.isnan(found[-1])


def test_independent_surveys_add_their_variances(survey: Survey) -> None:
    codes = ["mean_pay", "employment_rate"]
    found = compare(survey, other(), codes, common=False).table.set_index("variable")
    one, two = (compute(s, codes).table.set_index("variable") for s in (survey, other()))
    for code in codes:
        difference = two.loc[code, "estimate"] - one.loc[code, "estimate"]
        assert found.loc[code, "estimate"] == pytest.approx(difference)
        expected = np.hypot(one.loc[code, "se"], two.loc[code, "se"])
        assert found.loc[code, "se"] == pytest.approx(expected)
    assert found.loc["employment_rate", "p"] == pytest.approx(1.0)


def test_the_same_areas_bring_their_covariance(survey: Survey) -> None:
    found = compare(survey, other(), ["mean_pay"]).table.iloc[0]
    assert found["estimate"] == pytest.approx(20.0)
    assert found["se"] == pytest.approx(0.0, abs=1e-9)


def test_verdicts_are_of_the_adjusted_tests() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    table = pd.DataFrame({"psu": np.arange(400) // 4, "w": 1.0, "status": "native", "age": 30})
    table["employed"] = rng.random(400) < 0.5
    table["pay"] = rng.normal(100, 10, 400)
    table["hours"] = rng.normal(40, 10, 400)
    later = table.assign(pay=table["pay"] + 5.0)
    one, two = (Survey(t, weight="w", psu="psu") for t in (table, later))
    found = compare(one, two, ["mean_pay", "mean_hours"], common=False).table
    verdicts = dict(zip(found["variable"], found["verdict"], strict=True))
    assert verdicts == {"mean_pay": "higher", "mean_hours": "no clear difference"}
    back = compare(two, one, ["mean_pay"], common=False).table
    assert back["verdict"].tolist() == ["lower"]


def test_notes_say_what_does_not_compare(survey: Survey) -> None:
    new = read_registry()
    old = {**new, "employment_rate": replace(new["employment_rate"], universe="age >= 10")}
    del old["mean_pay"]
    crosswalk = pd.DataFrame(
        {
            "target": ["employed", "hours"],
            "source": ["worked", "hours"],
            "rule": ["1: 1; 2: 0", "copy"],
            "status": ["partial", "full"],
            "note": ["absent not asked", ""],
        }
    )
    found = compare(
        survey,
        other(),
        ["employment_rate", "mean_pay", "mean_hours"],
        registries=(old, new),
        crosswalk=crosswalk,
    ).table
    notes = dict(zip(found["variable"], found["note"], strict=True))
    assert "the definitions differ in the universe" in notes["employment_rate"]
    assert "employed: partial (absent not asked)" in notes["employment_rate"]
    assert notes["mean_pay"].startswith("not in the first registry")
    assert "full" not in (notes["mean_hours"] or "")


def test_what_one_of_them_lacks_is_named(survey: Survey) -> None:
    less = Survey(people().drop(columns="pay"), weight="w", psu="psu")
    found = compare(less, survey, ["mean_pay", "employment_rate"])
    assert found.table["variable"].tolist() == ["employment_rate"]
    assert "'pay'" in str(found.failures[0].reason)
    with pytest.raises(OptionError, match="None of 1 indicators"):
        compare(less, survey, ["mean_pay"])
    with pytest.raises(OptionError, match="holm"):
        compare(survey, survey, ["mean_pay"], adjustment="hollm")
