from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsm.errors import OptionError
from nsm.estimation import Survey, quantile
from nsm.estimation.quantile import INTERVALS, RULES


@pytest.fixture(scope="module")
def expected(reference: Path) -> pd.DataFrame:
    table = pd.read_csv(reference / "estimation" / "quantiles.csv", keep_default_na=False)
    numbers = table[["order", "estimate", "lower", "upper", "se"]]
    return table.assign(**numbers.replace({"NA": np.nan, "NaN": np.nan}).astype(float))


def survey(design: str, people: pd.DataFrame) -> Survey:
    weight = {"replacement": "w", "equal": "one"}[design]
    rounded = people.assign(tied=(people["pay"] / 1000).round() * 1000)
    return Survey(rounded, weight=weight, stratum="stratum", psu="psu")


def compare(made: pd.DataFrame, wanted: pd.DataFrame, rtol: float = 1e-9) -> None:
    for column in ("estimate", "lower", "upper", "se"):
        np.testing.assert_allclose(made[column], wanted[column], rtol=rtol, err_msg=column)


@pytest.mark.parametrize("design", ["replacement", "equal"])
@pytest.mark.parametrize("y", ["pay", "tied"])
@pytest.mark.parametrize("rule", RULES)
def test_rules_agree_with_r(
    rule: str, y: str, design: str, people: pd.DataFrame, expected: pd.DataFrame
) -> None:
    if rule == "shahvaish" and design == "replacement":
        pytest.skip("R 4.1 takes half of the weight instead of half of the scaled weight")
    wanted = expected.query(
        "design == @design and y == @y and rule == @rule and interval == 'mean' and domain == ''"
    )
    compare(survey(design, people).quantile(y, list(wanted["order"]), rule=rule).table, wanted)


@pytest.mark.parametrize("interval", ["beta", "xlogit", "asin"])
def test_intervals_agree_with_r(
    interval: str, people: pd.DataFrame, expected: pd.DataFrame
) -> None:
    wanted = expected.query("interval == @interval and design == 'replacement'")
    orders = list(wanted["order"])
    compare(survey("replacement", people).quantile("pay", orders, interval=interval).table, wanted)


def test_score_intervals_are_those_of_r_up_to_its_tolerance(
    people: pd.DataFrame, expected: pd.DataFrame
) -> None:
    # R turns the limits around with unweighted shares, which is the same for equal weights only.
    wanted = expected.query("interval == 'score' and design == 'equal'")
    made = survey("equal", people).quantile("pay", list(wanted["order"]), interval="score")
    # The test jumps at each value; R's root may be at either side of a jump.
    ordered = np.sort(people["pay"].to_numpy())
    for column in ("lower", "upper"):
        places = [np.searchsorted(ordered, t[column]) for t in (made.table, wanted)]
        assert np.abs(places[0] - places[1]).max() <= 1


def test_domains_agree_with_r(people: pd.DataFrame, expected: pd.DataFrame) -> None:
    wanted = expected.query("domain != ''")
    made = survey("replacement", people).quantile("pay", [0.25, 0.5], by="region").table
    compare(made[made["region"] != "islands"], wanted)


def test_a_difference_of_medians_has_the_error_of_independent_ones(people: pd.DataFrame) -> None:
    """Regions are strata: their medians are independent."""
    s = survey("replacement", people).quantile("pay", by="region")
    gap = s.contrast({"south": 1, "north": -1}).table.iloc[0]
    table = s.table.set_index("region")
    assert gap["estimate"] == table["estimate"]["south"] - table["estimate"]["north"]
    assert gap["se"] == pytest.approx(np.hypot(table["se"]["south"], table["se"]["north"]))


def test_an_empty_domain_has_no_quantile(people: pd.DataFrame) -> None:
    table = survey("replacement", people).quantile("pay", where="age > 200").table
    assert table.loc[0, ["estimate", "se", "lower", "upper"]].isna().all()
    assert table.loc[0, "n"] == 0
    assert table.loc[0, "note"] == "no unit in the domain"


@given(
    values=st.lists(st.integers(0, 20), min_size=1, max_size=30),
    order=st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9]),
)
def test_equal_weights_give_the_plain_inverse(values: list[int], order: float) -> None:
    y = np.sort(np.array(values, float))
    wanted = np.quantile(y, order, method="inverted_cdf")
    assert RULES["math"](y, np.ones(len(y)), order) == wanted
    wanted = np.quantile(y, order, method="averaged_inverted_cdf")
    assert RULES["school"](y, np.ones(len(y)), order) == pytest.approx(wanted)


def test_wrong_words_are_named() -> None:
    with pytest.raises(OptionError, match=r"between 0 and 1, not 50"):
        quantile("pay", 50)
    with pytest.raises(OptionError, match=r"rule='mth' is not known\. Did you mean 'math'\?"):
        quantile("pay", rule="mth")
    with pytest.raises(OptionError, match=r"interval='scor' is not known\. Did you mean 'score'"):
        quantile("pay", interval="scor")
    assert "replicates" in INTERVALS
