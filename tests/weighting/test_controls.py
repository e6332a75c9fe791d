"""Control tables: templates, and checks before use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nsm.errors import CalibrationError
from nsm.estimation import Survey
from nsm.weighting import Calibration, check_controls, control_template

if TYPE_CHECKING:
    import pandas as pd

SEX = {"M": 8800.0, "F": 9200.0}
AGES = {"0-14": 2900.0, "15-29": 3400.0, "30-59": 6500.0, "60+": 5200.0}


@pytest.fixture(scope="module")
def survey(people: pd.DataFrame) -> Survey:
    return Survey(people, weight="w", stratum="stratum", psu="psu")


def test_a_template_that_is_filled_in_calibrates(survey: Survey) -> None:
    step = Calibration({}, controls=("sex", "region*band", "pay"))
    table = control_template(step, survey)
    assert list(table.columns) == ["variable", "category", "total", "units", "weighted"]
    assert list(table["category"][:2]) == ["F", "M"]
    assert "north*60+" in set(table["category"])
    filled = table.assign(total=table["weighted"] * 1.0)
    made = Calibration(filled).apply(survey)
    assert made.weights == pytest.approx(survey.weights, rel=1e-9)


def test_a_template_by_partition(survey: Survey) -> None:
    table = control_template(Calibration({}, by="region", controls=("sex",)), survey)
    assert list(table.columns[:3]) == ["region", "variable", "category"]
    filled = table.assign(total=table["weighted"])
    made = Calibration(filled, by="region").apply(survey)
    assert made.weights == pytest.approx(survey.weights, rel=1e-9)


def test_a_template_without_controls_is_refused(survey: Survey) -> None:
    with pytest.raises(CalibrationError, match="does not say what it calibrates to"):
        control_template(Calibration("later.csv"), survey)


def codes(margins: Any, survey: Survey, **options: Any) -> dict[str, tuple[str, str]]:
    table = check_controls(Calibration(margins, **options), survey)
    return {row.code: (row.severity, row.examples) for row in table.itertuples()}


def test_sound_controls_have_no_errors(survey: Survey) -> None:
    table = check_controls(Calibration({"sex": SEX, "band": AGES}), survey)
    assert "error" not in set(table["severity"])


def test_crossed_margins_that_disagree(survey: Survey) -> None:
    crossed = {("M", r): n for r, n in {"north": 3000, "south": 5000, "islands": 800}.items()}
    crossed |= {("F", r): n for r, n in {"north": 3000, "south": 5300, "islands": 900}.items()}
    found = codes({("sex", "region"): crossed, "sex": SEX}, survey)
    assert found["W106"] == ("info", "sex")
    crossed["M", "north"], crossed["F", "north"] = 2900, 3100
    found = codes({("sex", "region"): crossed, "sex": SEX}, survey)
    assert found["W102"] == ("error", "M: 8,700 / 8,800, F: 9,300 / 9,200")


def test_categories_and_missing_values(survey: Survey) -> None:
    found = codes({"sex": {"M": 8800, "X": 9200}, "income": 1e8}, survey)
    assert found["W103"][0] == "error"
    assert found["W104"] == ("error", "X")
    found = codes({"sex": {"M": 8800}}, survey)
    assert found["W103"] == ("error", "F")


def test_few_units_and_another_population(survey: Survey) -> None:
    regions = {"islands": 500.0, "north": 15000.0, "south": 20500.0}
    found = codes({"region": regions}, survey)
    assert found["W105"][1].startswith("islands (")
    assert found["W107"][0] == "warning"


def test_conflicts_with_the_bounds(survey: Survey) -> None:
    found = codes({"sex": SEX, "band": AGES}, survey, bounds=(0.92, 1.08))
    assert "band=0-14: 2,900.0 -> 2,868.0 (-1.1%)" in found["W108"][1]


def test_margins_that_do_not_add_up_are_one_finding(survey: Survey) -> None:
    table = check_controls(Calibration({"sex": SEX, "band": {**AGES, "60+": 5000}}), survey, "es")
    assert list(table["code"]) == ["W101"]
    assert table["message"][0].startswith("Los márgenes no suman una misma población")


def test_households_over_partitions(people: pd.DataFrame) -> None:
    survey = Survey(people, weight="w", psu="house")
    margins = {b: {"sex": {"F": 2000, "M": 2000}} for b in people["band"].unique()}
    found = codes(margins, survey, by="band", unit="house")
    assert found["W109"][0] == "error"
