"""Scores of a weighted survey are the derivatives of its estimates on the weights of its PSUs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.estimation import Statistic, Survey, mean, ratio, total
from nsm.estimation.point import evaluate
from nsm.weighting import Nonresponse, Subsample

STATISTICS = {
    "total": total("pay"),
    "mean": mean("pay"),
    "ratio": ratio("pay", "hours"),
    "gap": mean("pay", where="sex == 'M'") - mean("pay", where="sex == 'F'"),
}


@pytest.fixture(scope="module")
def dwellings(people: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    table = people.drop_duplicates("house")[["house", "stratum", "psu", "psus", "region", "member"]]
    status = rng.choice(
        ["respondent", "nonrespondent", "unknown", "ineligible"],
        len(table),
        p=[0.7, 0.15, 0.1, 0.05],
    )
    return table.assign(
        status=status,
        weight=rng.uniform(5, 9, len(table)),
        chosen=rng.random(len(table)) < 0.6,
        share=0.6,
    ).reset_index(drop=True)


DWELLING_DESIGN = {"weight": "weight", "stratum": "stratum", "psu": "psu", "fpc": "psus"}


def chain(name: str, dwellings: pd.DataFrame, people: pd.DataFrame) -> Survey:
    survey = Survey(dwellings, **DWELLING_DESIGN).nonresponse("status", cells=["region"])
    answered = dwellings.loc[dwellings["status"] == "respondent", "house"]
    persons = people[people["house"].isin(answered)].drop(columns=["stratum", "psu", "psus"])
    persons = persons.assign(chosen=np.arange(len(persons)) % 3 > 0, share=2 / 3)
    expanded = survey.expand(persons, on="house")
    size = float(expanded.weights.sum())
    sexes = {"sex": {"M": 0.47 * size, "F": 0.53 * size}}
    bands = {
        "band": dict(
            zip(
                ["0-14", "15-29", "30-59", "60+"],
                size * np.array([0.2, 0.2, 0.32, 0.28]),
                strict=True,
            )
        )
    }
    match name:
        case "nonresponse":
            return expanded
        case "calibrated":
            return expanded.calibrate({**sexes, **bands}, method="linear")
        case "raked":
            return expanded.rake({**sexes, **bands})
        case "household":
            return expanded.calibrate({**sexes, **bands}, method="linear", unit="house")
        case "twice":
            return expanded.rake(bands).calibrate(sexes, method="linear")
        case "part":
            part = {"sex": {"M": 0.5 * size, "F": 0.46 * size}}
            return expanded.calibrate(part, where="origin == 'DOM' or age > 20")
        case "subsample":
            return Subsample("chosen", "share").apply(expanded).rake(sexes)
    raise KeyError(name)


CHAINS = ["nonresponse", "calibrated", "raked", "household", "twice", "part", "subsample"]


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("statistic", STATISTICS)
def test_scores_are_derivatives(
    name: str, statistic: str, dwellings: pd.DataFrame, people: pd.DataFrame
) -> None:
    survey = chain(name, dwellings, people)
    of: Statistic = STATISTICS[statistic]
    point = evaluate(survey, [of])
    scores = np.zeros(survey.design.units)
    found = point.scores()
    np.add.at(scores, found.unit, found.value[:, 0])
    # Raking is credited with the residuals of the linear method, as is usual: equal in large
    # samples.
    near = 1e-2 if name == "raked" else 1e-7
    wanted = derivatives(survey, of)
    np.testing.assert_allclose(scores, wanted, rtol=1e-5, atol=near * abs(scores).max())


def moved_weights(survey: Survey, by: float) -> np.ndarray:
    factors = 1 + by * np.eye(survey.design.units)
    return survey.redone(survey.base[:, None] * factors[survey.levels[0].unit])


def derivatives(survey: Survey, statistic: Statistic, step: float = 1e-4) -> np.ndarray:
    """Move the base weights of one sampling unit at a time and redo everything."""
    units = survey.design.units

    def value(weights: np.ndarray) -> float:
        return float(evaluate(survey.having(weight=weights), [statistic]).values[0, 0])

    up, down = (moved_weights(survey, by) for by in (step, -step))
    return np.array([(value(up[:, k]) - value(down[:, k])) / (2 * step) for k in range(units)])


@pytest.mark.parametrize("name", ["calibrated", "household", "twice", "part"])
def test_the_last_control_has_its_target_and_no_error(
    name: str, dwellings: pd.DataFrame, people: pd.DataFrame
) -> None:
    survey = chain(name, dwellings, people)
    where = "origin == 'DOM' or age > 20" if name == "part" else None
    table = survey.count(by="sex", where=where).table
    assert table["se"].max() < 1e-7 * table["estimate"].min()


def test_a_step_that_changes_nothing_changes_nothing(people: pd.DataFrame) -> None:
    survey = Survey(people, weight="w", stratum="stratum", psu="psu")
    answered = survey.with_columns({"status": np.full(len(people), "respondent", object)})
    stepped = Nonresponse("status", ("region",)).apply(answered)
    one, other = (s.mean("pay", by="region").table for s in (survey, stepped))
    pd.testing.assert_frame_equal(one, other, rtol=1e-12)


def test_a_census_with_nonresponse_has_an_error(people: pd.DataFrame) -> None:
    rng = np.random.default_rng(5)
    status = np.where(rng.random(len(people)) < 0.8, "respondent", "nonrespondent").astype(object)
    survey = Survey(people.assign(status=status, all=1.0), psu="house", fpc="all")
    assert survey.total("pay").table["se"][0] == 0
    stepped = survey.nonresponse("status", cells=["region"])
    f = stepped.weights
    region = people["region"].to_numpy()
    residual = people["pay"].to_numpy() - np.array(
        [people["pay"].to_numpy()[(region == r) & (f > 0)].mean() for r in region]
    )
    naive = np.sqrt(np.sum((f * (f - 1) * residual**2)[f > 0]))
    assert stepped.total("pay").table["se"][0] == pytest.approx(naive, rel=1e-12)


@pytest.mark.parametrize("name", CHAINS)
def test_covariances_hold_the_variance_of_every_phase(
    name: str, dwellings: pd.DataFrame, people: pd.DataFrame
) -> None:
    result = chain(name, dwellings, people).total("pay", by="region")
    np.testing.assert_allclose(np.diag(result.covariance), result.table["se"] ** 2, rtol=1e-9)
