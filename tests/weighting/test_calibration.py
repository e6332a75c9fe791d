"""Calibration: weights against R survey, bounds, partitions, soft and estimated controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nsm.errors import CalibrationError, NsmWarning, OptionError
from nsm.estimation import Survey
from nsm.weighting import Calibration

AGES = {"band": {"0-14": 2900, "15-29": 3400, "30-59": 6500, "60+": 5200}}
BOTH = {"sex": {"M": 8800, "F": 9200}, **AGES}
DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}


@pytest.fixture(scope="module")
def survey(people: pd.DataFrame) -> Survey:
    return Survey(people, **DESIGN)


@pytest.fixture(scope="module")
def households(people: pd.DataFrame) -> Survey:
    return Survey(people.assign(w=40.0), weight="w", psu="house")


LOGIT = {"method": "logit", "bounds": (0.5, 2)}
CASES: dict[str, dict[str, Any]] = {
    "linear": {"method": "linear"},
    "linear_bounded": {"method": "linear", "bounds": (0.95, 1.12)},
    "raking": {},
    "raking_bounded": {"bounds": (0.95, 1.12)},
    "logit": {"method": "logit", "bounds": (0.9, 1.15)},
    "linear_weights": {"method": "linear", "weight_bounds": (22, 65)},
    "raking_weights": {"weight_bounds": (22, 65)},
    "household_linear": {"method": "linear", "unit": "house"},
    "household_raking": {"unit": "house"},
    "household_bounded": {"method": "linear", "unit": "house", "bounds": (0.8, 1.3)},
}


@pytest.mark.parametrize("case", CASES)
def test_weights_agree_with_r(
    case: str, survey: Survey, households: Survey, reference: Path
) -> None:
    expected = pd.read_csv(reference / "weighting" / "calibration.csv")[case]
    start = households if case.startswith("household") else survey
    made = start.calibrate(BOTH, **CASES[case]).weights
    np.testing.assert_allclose(made, expected, rtol=1e-8)


def test_partitions_agree_with_r(survey: Survey, people: pd.DataFrame, reference: Path) -> None:
    expected = pd.read_csv(reference / "weighting" / "calibration.csv")["partitions"]
    size = people.groupby("region")["w"].sum() * 1.05
    margins = {r: {"sex": {"F": n / 2, "M": n / 2}} for r, n in size.items()}
    np.testing.assert_allclose(survey.calibrate(margins, by="region").weights, expected, rtol=1e-9)


def sizes(people: pd.DataFrame) -> pd.Series:
    return people.groupby(["region", "sex"])["w"].sum() * 1.1


def test_partitions_are_separate_calibrations(survey: Survey, people: pd.DataFrame) -> None:
    margins = {
        region: {"sex": part.droplevel(0).to_dict(), **extra}
        for (region, part), extra in zip(
            sizes(people).groupby(level="region"), ({}, {"hours": 2e5}, {}), strict=True
        )
    }
    together = survey.calibrate(margins, by="region", method="linear")
    apart = survey
    for region, own in margins.items():
        apart = apart.calibrate(own, where=f"region == '{region}'", method="linear")
    np.testing.assert_allclose(together.weights, apart.weights, rtol=1e-12)
    one, other = (s.total("pay", by="region").table["se"] for s in (together, apart))
    np.testing.assert_allclose(one, other, rtol=1e-9)


def test_partitions_may_come_as_a_table(survey: Survey, people: pd.DataFrame) -> None:
    rows = sizes(people).reset_index(name="total").rename(columns={"sex": "category"})
    table = rows.assign(variable="sex")
    made = survey.calibrate(table, by="region").count(by=["region", "sex"]).table
    np.testing.assert_allclose(made["estimate"], sizes(people), rtol=1e-9)
    assert made["se"].max() < 1e-6


def test_partitions_with_households(people: pd.DataFrame) -> None:
    start = Survey(people.assign(w=40.0), weight="w", psu="house")
    margins = {r: {"sex": p.droplevel(0).to_dict()} for r, p in sizes(people).groupby(level=0)}
    made = start.calibrate(margins, by="region", unit="house")
    spread = people.assign(made=made.weights).groupby("house")["made"].agg(np.ptp)
    assert spread.max() < 1e-9
    np.testing.assert_allclose(
        made.count(by=["region", "sex"]).table["estimate"], sizes(people), rtol=1e-9
    )


def test_a_household_in_two_partitions_is_refused(people: pd.DataFrame) -> None:
    start = Survey(people, weight="w", psu="house")
    margins = {b: {"sex": {"F": 2000, "M": 2000}} for b in people["band"].unique()}
    with pytest.raises(CalibrationError, match=r"\d+ house are split over partitions of 'band'"):
        start.calibrate(margins, by="band", unit="house")


def test_a_household_partly_outside_keeps_its_margin(people: pd.DataFrame) -> None:
    start = Survey(people, weight="w", psu="house")
    margins = {"sex": {"F": 5000, "M": 5200}}
    made = start.calibrate(margins, unit="house", where="age >= 30")
    counted = made.count(by="sex", where="age >= 30").table
    np.testing.assert_allclose(counted["estimate"], [5000, 5200], rtol=1e-9)
    young = people["age"] < 30
    np.testing.assert_array_equal(made.weights[young], people["w"][young])


def test_soft_controls_lie_between_missed_and_met(survey: Survey) -> None:
    wanted, free = 7000.0, survey.count(where="band == '60+'").table["estimate"][0]
    misses = []
    for cost in (1e-3, 1.0, 1e3, 1e8):
        made = survey.calibrate(
            {"sex": {"M": 8800, "F": 9200}, "band": {**AGES["band"], "60+": 7000, "0-14": 1100}},
            method="linear",
            costs={"band": cost},
        )
        np.testing.assert_allclose(made.count(by="sex").table["estimate"], [9200, 8800], rtol=1e-9)
        misses.append(wanted - made.count(where="band == '60+'").table["estimate"][0])
    assert misses == sorted(misses, reverse=True)
    assert 0.8 * abs(wanted - free) < misses[0]
    assert misses[-1] < 1e-3


def test_soft_controls_are_ridge_regression(survey: Survey, people: pd.DataFrame) -> None:
    made = survey.calibrate({"hours": 7e5}, method="linear", costs={"hours": 3.0}).weights
    w, x = people["w"].to_numpy(), people["hours"].to_numpy()
    slack = 7e5**2 / (3.0 * w.sum())
    naive = w * (1 + x * (7e5 - w @ x) / (w @ x**2 + slack))
    np.testing.assert_allclose(made, naive, rtol=1e-10)


def test_estimated_controls_add_their_variance(survey: Survey, people: pd.DataFrame) -> None:
    margins = {"sex": {"M": 8800, "F": 9200}}
    known = survey.calibrate(margins, method="linear")
    estimated = survey.calibrate(margins, method="linear", covariance={"sex": 200.0**2})
    counts = estimated.count(by="sex").table
    np.testing.assert_allclose(counts["se"], 200.0, rtol=1e-9)
    w, men = people["w"].to_numpy(), (people["sex"] == "M").to_numpy()
    slopes = [np.average(people["pay"][m], weights=w[m]) for m in (men, ~men)]
    added = 200.0**2 * np.sum(np.square(slopes))
    one, other = (s.total("pay").table["se"][0] ** 2 for s in (known, estimated))
    assert other - one == pytest.approx(added, rel=1e-9)
    result = estimated.total("pay", by="region")
    np.testing.assert_allclose(np.diag(result.covariance), result.table["se"] ** 2, rtol=1e-9)


def test_replicates_move_estimated_controls(survey: Survey) -> None:
    made = survey.calibrate({"sex": {"M": 8800, "F": 9200}}, covariance={"sex=M": 300.0**2})
    again = made.replicate("bootstrap", count=1500, seed=4).count(by="sex").table
    assert again["se"][0] < 1e-6
    assert again["se"][1] == pytest.approx(300, rel=0.06)


def test_zero_weight_bounds_and_both_bounds(survey: Survey) -> None:
    made = survey.calibrate(BOTH, bounds=(0.9, 1.2), weight_bounds=(22, 65))
    g = made.weights / survey.weights
    inside = (survey.weights > 22 / 0.9) & (survey.weights < 65 / 1.2)
    assert g[inside].min() >= 0.9 - 1e-12
    assert made.weights.min() >= 22 - 1e-9
    assert made.weights.max() <= 65 + 1e-9
    np.testing.assert_allclose(made.count(by="sex").table["estimate"], [9200, 8800], rtol=1e-9)


def test_what_conflicts_with_the_bounds_is_said(survey: Survey) -> None:
    with pytest.raises(CalibrationError, match=r"2 of 6 .*=0-14: 2,900.0 -> 2,868.0") as e:
        survey.calibrate(BOTH, bounds=(0.92, 1.08))
    table = e.value.table
    assert list(table.columns) == ["control", "total", "reachable", "give", "relative"]
    moved = {k: dict(v) for k, v in BOTH.items()}
    for row in table.itertuples():
        variable, category = row.control.split("=")
        moved[variable][category] = row.reachable
    survey.calibrate(moved, bounds=(0.9199, 1.0801))


@pytest.mark.parametrize(
    ("margins", "options", "error", "match"),
    [
        (BOTH, {"bounds": (1.1, 2)}, OptionError, "must have 1 inside"),
        (BOTH, {"method": "logit"}, OptionError, "needs bounds"),
        (BOTH, {"method": "rakin"}, OptionError, "Did you mean 'raking'"),
        (BOTH, {**LOGIT, "weight_bounds": (1, 2)}, OptionError, "g around 1"),
        (BOTH, {"weight_bounds": (5, 2)}, OptionError, "the least first"),
        (BOTH, {"costs": {"sexo": 1.0}}, OptionError, "no control 'sexo'"),
        (BOTH, {"costs": {"sex": 0.0}}, OptionError, "above 0"),
        (BOTH, {"covariance": {"sex": {"sex": -1.0}}}, OptionError, "symmetric"),
        (BOTH, {"by": "region"}, CalibrationError, "no unit in the partitions|in no partition"),
        (
            {"sex": {"M": 1.0, "F": 2.0}, "band": {"0-14": 9.0}},
            {},
            CalibrationError,
            "differ by 6.0",
        ),
        ({"sex": {"M": 8800, "W": 9200}}, {}, CalibrationError, "no total for 1 categories.*'F'"),
        ({"sex": {"M": 8800, "F": 9000, "X": 200}}, {}, CalibrationError, "No unit.*'X'"),
        ({"income": 5e6}, {}, CalibrationError, "'income' is missing for"),
        (
            {"hours": 6e5, "hours * 2": 5e5},
            {"method": "linear"},
            CalibrationError,
            "collinear in the data.*'hours', 'hours \\* 2'",
        ),
    ],
)
def test_refusals(
    margins: Any, options: dict[str, Any], error: type[Exception], match: str, survey: Survey
) -> None:
    with pytest.raises(error, match=match):
        survey.calibrate(margins, **options)


def test_negative_weights_warn(survey: Survey) -> None:
    with pytest.warns(NsmWarning, match=r"\d+ weights are negative"):
        survey.calibrate({"hours": 1.2e5}, method="linear")


def test_inputs_are_not_changed(people: pd.DataFrame) -> None:
    before, margins = people.copy(), {k: dict(v) for k, v in BOTH.items()}
    Survey(people, **DESIGN).calibrate(margins)
    pd.testing.assert_frame_equal(people, before)
    assert margins == BOTH


def test_a_saved_survey_has_the_same_step(survey: Survey, tmp_path: Path) -> None:
    made = Calibration(
        BOTH, weight_bounds=(22, 65), covariance={"sex": 100.0}, costs={"band=60+": 50.0}
    ).apply(survey)
    again = Survey(made.save(tmp_path / "persons.parquet"))
    np.testing.assert_allclose(again.weights, made.weights, rtol=1e-12)
    assert again.total("pay").table["se"][0] == pytest.approx(made.total("pay").table["se"][0])
