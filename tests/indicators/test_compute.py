"""Estimates of indicators: numbers made by hand, and failures that stop nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.errors import ColumnError, OptionError
from nsm.estimation import Survey
from nsm.estimation.estimates import COLUMNS
from nsm.indicators import Indicator, compute, coverage, read_registry
from nsm.language import translate


def value(survey: Survey, code: str) -> float:
    return float(compute(survey, [code]).table["estimate"].iloc[0])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("residents", 16.0),
        ("immigrants", 8.0),
        ("immigrant_share", 0.5),
        ("dependency_ratio", 3 / 13),
        ("employment_rate", (1 + 3 + 1 + 3) / (1 + 1 + 3 + 1 + 1 + 3 + 3)),
        ("participation_rate", (1 + 1 + 3 + 1 + 1 + 3) / (1 + 1 + 3 + 1 + 1 + 3 + 3)),
        ("8.5.2", (1 + 1) / (1 + 1 + 3 + 1 + 1 + 3)),
        ("8.5.2-youth", 1 / 2),
        ("8.5.2-adults", 1 / 8),
        ("8.6.1", 1 / (1 + 1 + 3)),
        ("mean_pay", (100 + 900 + 200 + 1200) / 8),
        ("pay_per_hour_worked", 2400 / ((40 + 150 + 40 + 180) * 52 / 12)),
        ("long_hours", 6 / 8),
        ("attendance", 1.0),
    ],
)
def test_by_hand(survey: Survey, code: str, expected: float) -> None:
    assert value(survey, code) == pytest.approx(expected)


def test_one_table_in_the_standard_shape(survey: Survey) -> None:
    found = compute(survey, ["employment_rate", "immigrants"], by=[(), "sex", ("status", "sex")])
    table = found.table
    assert list(table.columns) == ["sex", "status", *COLUMNS]
    assert table["variable"].tolist()[:2] == ["employment_rate", "immigrants"]
    overall = table[table["sex"].isna()]
    assert overall["status"].isna().all()
    own = survey.estimate({"employment_rate": "mean(employed)"}, by="sex", where="age >= 15").table
    mine = table[
        (table["variable"] == "employment_rate") & table["sex"].notna() & table["status"].isna()
    ]
    assert mine["se"].tolist() == pytest.approx(own["se"].tolist())
    assert mine["sex"].tolist() == own["sex"].tolist()


def test_rows_of_one_pass_keep_their_covariance(survey: Survey) -> None:
    found = compute(survey, ["immigrants", "employment_rate"], by=["status"])
    own = survey.estimate({"employment_rate": "mean(employed)"}, by="status", where="age >= 15")
    rows = np.flatnonzero(found.table["variable"] == "employment_rate")
    assert found.covariances is not None
    np.testing.assert_allclose(found.covariances(rows), own.covariance)
    with pytest.raises(OptionError, match="2 universes"):
        found.contrast({("native", "immigrants"): 1, ("native", "employment_rate"): 1})


def test_a_failure_is_named_and_the_rest_made(survey: Survey) -> None:
    own = {
        **read_registry(),
        "broken": Indicator("broken", {"en": "x"}, {"en": "x"}, statistic="total(pay)"),
        "never": Indicator("never", {"en": "x"}, {"en": "x"}, "own", "mean(age)", "sex > 3"),
    }
    codes = ["8.3.1", "broken", "never", "employment_rate", "16.2.2"]
    found = compute(survey, codes, by=[(), "nowhere"], registry=own)
    assert found.table["variable"].tolist() == ["employment_rate"]
    first = {f.code: str(f.reason) for f in reversed(found.failures) if not f.by}
    assert "'informal'" in first["8.3.1"]
    assert "4 units" in first["broken"]
    assert "not estimated from persons" in first["16.2.2"]
    assert set(first) == {"8.3.1", "broken", "never", "16.2.2"}
    lost = {f.code: str(f.reason) for f in found.failures if f.by}
    assert "'nowhere'" in lost["employment_rate"]


def test_nothing_at_all_is_refused(survey: Survey) -> None:
    with pytest.raises(ColumnError, match=r"None of the 1 .*'informal'"):
        compute(survey, ["8.3.1"])
    with pytest.raises(OptionError, match=r"'8\.5\.3'.*8\.5\.2"):
        compute(survey, ["8.5.3"])


def test_a_proxy_says_so_in_every_row(survey: Survey) -> None:
    found = compute(survey, ["8.5.1-proxy", "8.5.2", "mean_age"], by=["sex"]).table
    notes = dict(zip(found["variable"], found["note"], strict=True))
    assert notes["8.5.1-proxy"] == "proxy, not the official indicator 8.5.1"
    assert notes["8.5.2"] == "from a module of the questionnaire"
    assert notes["mean_age"] is None


def test_each_indicator_says_whose_it_is(survey: Survey) -> None:
    adults = Survey(
        pd.DataFrame({"age": [30, 40], "employed": [True, True], "w": 2.0, "psu": [1, 2]}),
        weight="w",
        psu="psu",
    )
    found = compute(
        {"persons": survey, "interviews": adults}, ["residents", "employment_rate", "5.2.1"]
    )
    assert found.table["estimate"].tolist() == [16.0, 1.0]
    assert "'selected'" in str(found.failures[0].reason)


def test_only_what_the_definition_names(survey: Survey) -> None:
    codes = ["men_share", "immigrant_share"]
    found = compute(survey, codes, by=[(), "sex"], declared=True).table
    by_sex = found[found["sex"].notna()]
    assert set(by_sex["variable"]) == {"immigrant_share"}


def test_coverage_names_what_is_missing() -> None:
    found = coverage(columns={"": ["age", "employed"]}).set_index("code")
    assert found.loc["8.3.1", "missing"] == "informal"
    assert bool(found.loc["employment_rate", "data"])
    assert found.loc["16.2.2", "data"] is None
    assert found["questionnaire"].isna().all()
    spanish = coverage(codes=["16.2.2-proxy"], columns={}, language="es")
    assert translate("proxy", "es") == spanish["class"].iloc[0] == "aproximación"


def test_coverage_of_the_forms() -> None:
    from nsm.questionnaire import Questionnaire

    full = coverage(form=Questionnaire.read("questionnaires/eni")).set_index("code")
    short = coverage(form=Questionnaire.read("questionnaires/eni-short")).set_index("code")
    for code in ("8.3.1", "8.5.1", "8.5.2", "8.6.1", "8.7.1", "5.2.1", "5.2.2", "16.2.3"):
        assert full.loc[code, "questionnaire"], full.loc[code, "not_asked"]
    assert "unemployed" in short.loc["8.5.2", "not_asked"]
    assert short.loc["employment_rate", "questionnaire"]
