"""National goals: distances by hand, and where the last change goes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nsm.errors import OptionError
from nsm.estimation import Estimates, Survey
from nsm.indicators import Target, compute, distances


def changed(estimate: float, se: float, df: float = 30.0) -> Estimates:
    table = pd.DataFrame(
        {"variable": ["employment_rate"], "category": [None], "estimate": estimate, "se": se}
    )
    return Estimates(table.assign(df=df), ())


@pytest.fixture(scope="module")
def now(survey: Survey) -> Estimates:
    return compute(survey, ["employment_rate", "immigrants"], by=[(), "sex"])


def test_by_hand(now: Estimates) -> None:
    goal = {"employment_rate": Target(0.8, 2030)}
    row = distances(now, goal, 2025, change=changed(0.06, 0.02), since=2022).iloc[0]
    rate = 8 / 13
    assert row["distance"] == pytest.approx(0.8 - rate)
    assert row["distance_se"] == row["se"] > 0
    assert row["needed"] == pytest.approx((0.8 - rate) / 5)
    assert row["change"] == pytest.approx(0.02)
    assert row["change_se"] == pytest.approx(0.02 / 3)
    assert row["p_toward"] == pytest.approx(stats.t.sf(3, 30))
    assert row["verdict"] == "right way"
    alone = now.table.iloc[0]
    t = abs(0.8 - rate) / alone["se"]
    assert row["p_reached"] == pytest.approx(2 * stats.t.sf(t, alone["df"]))


@pytest.mark.parametrize(
    ("change", "se", "goal", "verdict"),
    [
        (0.06, 0.02, Target(0.8, 2030, "higher"), "right way"),
        (-0.06, 0.02, Target(0.8, 2030, "higher"), "wrong way"),
        (0.02, 0.02, Target(0.8, 2030, "higher"), "no clear change"),
        (0.06, 0.02, Target(0.5, 2030, "higher"), "reached"),
        (0.06, 0.02, Target(0.5, 2030, "lower"), "wrong way"),
        (-0.06, 0.02, Target(0.5, 2030, "lower"), "right way"),
        (-0.2, 0.02, Target(0.7, 2030), "right way"),  # it was at 0.815 before: down is toward 0.7
    ],
)
def test_verdicts(now: Estimates, change: float, se: float, goal: Target, verdict: str) -> None:
    given = changed(change, se)
    table = distances(now, {"employment_rate": goal}, 2025, change=given, since=2022)
    assert table["verdict"].tolist() == ["reached" if change == -0.2 else verdict]


def test_without_a_round_before_nothing_is_said_of_the_way(now: Estimates) -> None:
    row = distances(now, {"employment_rate": Target(0.8, 2030)}, 2025).iloc[0]
    assert np.isnan(row["change"])
    assert row["verdict"] is None


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ({"8.5.2": Target(0.05, 2030)}, "8.5.2.*no estimate"),
        ({"immigrants": Target(5, 2025)}, "not after 2025"),
        ({"immigrants": Target(5, 2030, "hihger")}, "'higher'"),
    ],
)
def test_a_wrong_goal_is_named(now: Estimates, targets: dict[str, Target], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        distances(now, targets, 2025)
