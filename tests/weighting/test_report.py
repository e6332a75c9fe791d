"""What weighting did, in tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.figure import Figure

from nsm.errors import NsmWarning
from nsm.estimation import Survey
from nsm.weighting import Nonresponse, report

if TYPE_CHECKING:
    import pandas as pd

MARGINS = {"sex": {"M": 8800.0, "F": 9200.0}}


@pytest.fixture(scope="module")
def survey(people: pd.DataFrame) -> Survey:
    low = (people["region"] == "north") & (np.arange(len(people)) % 2 == 0)
    status = np.where(low, "nonrespondent", "respondent").astype(object)
    table = people.assign(status=status, area=people["psu"].map(lambda k: f"{k:03d}"))
    start = Survey(table, weight="w", stratum="stratum", psu="psu")
    return start.nonresponse("status", cells=["region"]).rake(MARGINS)


def test_steps_and_factors(survey: Survey, people: pd.DataFrame) -> None:
    table = report.step_table(survey)
    assert list(table["step"]) == ["nonresponse", "calibration"]
    assert table["sum_after"][1] == pytest.approx(18000)
    factors = report.factor_table(survey)
    np.testing.assert_allclose(factors["base_weight"], people["w"])
    product = factors[["base_weight", "1 nonresponse", "2 calibration"]].prod(axis=1)
    np.testing.assert_allclose(product, factors["weight"], rtol=1e-12)


def test_controls_before_and_after(survey: Survey) -> None:
    table = report.margin_table(survey).set_index("control")
    assert list(table["after"].round(6)) == [8800, 9200]
    men = survey.table.series("sex").to_numpy() == "M"
    assert table["before"]["sex=M"] == pytest.approx(survey.adjustments[1].before[men].sum())


def test_classes(survey: Survey, people: pd.DataFrame) -> None:
    table = report.class_table(survey).set_index("class")
    north = people["region"] == "north"
    assert table["units"]["north"] == north.sum()
    assert table["rate"]["south"] == 1
    assert table["factor"]["north"] == pytest.approx(1 / table["rate"]["north"])


def test_respondents_and_all(survey: Survey, people: pd.DataFrame) -> None:
    table = report.response_table(survey)
    row = table[(table["variable"] == "region") & (table["category"] == "north")].iloc[0]
    share = people.loc[people["region"] == "north", "w"].sum() / people["w"].sum()
    assert row["eligible"] == pytest.approx(share)
    assert row["respondents"] < share
    assert row["adjusted"] == pytest.approx(share)
    assert row["difference"] == pytest.approx(row["respondents"] - share)


def test_domains_and_extremes(survey: Survey) -> None:
    domains = report.distribution(survey, "region")
    assert domains["sum"].sum() == pytest.approx(18000)
    top = report.extremes(survey, count=3)
    assert top["weight"][0] == survey.weights.max()
    assert list(top.columns) == ["row", "area", "weight", "times_median", "share"]


def test_the_section_in_spanish(survey: Survey) -> None:
    made = report.sections({"persons": survey}, "es", by="region")
    assert "Pesos, paso a paso" in made
    assert sum(isinstance(part, Figure) for part in made.values()) == 2


def test_extreme_factors_warn(people: pd.DataFrame) -> None:
    few = (people["region"] == "north") & (np.arange(len(people)) % 12 > 0)
    table = people.assign(status=np.where(few, "nonrespondent", "respondent").astype(object))
    start = Survey(table, weight="w", stratum="stratum", psu="psu")
    with pytest.warns(NsmWarning, match=r"\d+ units have a factor above 5\.0"):
        Nonresponse("status", ("region",)).apply(start)
