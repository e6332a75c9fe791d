"""Draws inside the sample: the quadratic form gives what the scores of every row give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.condition import parse
from nsm.estimation import Survey
from nsm.estimation.estimate import named
from nsm.estimation.point import _full, evaluate, phase_stage, phases
from nsm.estimation.variance import variances
from nsm.weighting import Subsample


@pytest.fixture(scope="module")
def known() -> Survey:
    draw = np.random.default_rng(7)
    count = 600
    table = pd.DataFrame(
        {
            "psu": np.repeat(np.arange(60), 10),
            "stratum": np.repeat(np.arange(6), 100),
            "fpc": 0.4,
            "household": np.arange(count) // 2,
            "sex": draw.choice(["F", "M"], count),
            "zone": np.repeat(draw.choice(["r", "u"], 60), 10),
            "y": draw.normal(10, 3, count),
            "z": draw.choice([0.0, 1.0], count),
            "disposition": draw.choice(["respondent", "nonrespondent"], count, p=[0.8, 0.2]),
            "picked": np.repeat(draw.choice([True, False], count // 2), 2),
            "rate": 0.5,
            "w": 25.0,
        }
    )
    drawn = Survey(table, weight="w", stratum="stratum", psu="psu", fpc="fpc")
    answered = drawn.nonresponse(cells=["zone"])
    return answered.calibrate({"sex": {"F": 7600.0, "M": 7400.0}}, method="linear")


@pytest.fixture(scope="module")
def survey(known: Survey) -> Survey:
    return Subsample(selected="picked", probability="rate", unit="household").apply(known)


@pytest.mark.parametrize("by", [(), ("zone",), ("sex", "zone")])
@pytest.mark.parametrize("where", [None, "z == 1"])
def test_the_form_is_the_sum_over_rows(
    survey: Survey, by: tuple[str, ...], where: str | None
) -> None:
    wanted = {"a": "total(y)", "b": "mean(y)", "c": "proportion(sex)", "d": "quantile(y, 0.5)"}
    condition = parse(where) if where else None
    point = evaluate(survey, named(survey, wanted), by=by, where=condition)
    assert len(phases(survey)) == 2
    for m in phases(survey):
        dense = variances(_full(point.phase_scores(m)), [phase_stage(point.survey, m)], "certainty")
        np.testing.assert_allclose(point._phase_variances(m), dense, rtol=1e-9)


def test_a_calibrated_total_has_no_variance_from_response(known: Survey) -> None:
    found = known.estimate({"m": "count()", "y": "total(y)"}, by="sex").table
    by_name = found.groupby("variable")["se"].max()
    assert by_name["m"] <= 1e-9 * by_name["y"]


def test_rows_without_weight_may_be_left_out(survey: Survey) -> None:
    light = survey.active(["y", "sex", "zone"])
    assert len(light) == int((survey.weights > 0).sum()) < len(survey)
    for options in ({}, {"by": "zone"}, {"where": "sex == 'F'", "by": "zone"}):
        wanted = {"a": "total(y)", "b": "mean(y)", "d": "quantile(y, 0.5)"}
        one, other = (s.estimate(wanted, **options).table for s in (survey, light))
        pd.testing.assert_frame_equal(one, other, rtol=1e-9)
