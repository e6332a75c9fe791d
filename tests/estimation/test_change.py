"""Change between two rounds: one sample twice, separate samples, and what lies between."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.errors import OptionError
from nsm.estimation import Survey, change, mean, total

DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}
STATISTICS = [total("pay"), mean("pay"), total("pay") / total("hours")]


@pytest.fixture
def rounds(people: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(2)
    later = people.sample(frac=0.9, random_state=4)
    noise = rng.lognormal(0.1, 0.3, len(later))
    return people, later.assign(pay=later["pay"] * noise, w=later["w"] * 1.2)


def stacked(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([one.assign(round=1), other.assign(round=2)], ignore_index=True)


@pytest.mark.parametrize("extra", [{}, {"fpc": "psus"}])
def test_common_psus_are_one_sample_measured_twice(
    rounds: tuple[pd.DataFrame, pd.DataFrame], extra: dict[str, str]
) -> None:
    one, other = (Survey(t, **DESIGN, **extra) for t in rounds)
    assert set(map(tuple, rounds[0][["stratum", "psu"]].to_numpy())) == set(
        map(tuple, rounds[1][["stratum", "psu"]].to_numpy())
    )
    both = Survey(stacked(*rounds), **DESIGN, **extra)
    found = change(one, other, STATISTICS, by="region")
    direct = both.estimate(
        [
            total("pay", where="round == 2") - total("pay", where="round == 1"),
            mean("pay", where="round == 2") - mean("pay", where="round == 1"),
            total("pay", where="round == 2") / total("hours", where="round == 2")
            - total("pay", where="round == 1") / total("hours", where="round == 1"),
        ],
        by="region",
    )
    for column in ("estimate", "se", "df", "lower"):
        np.testing.assert_allclose(found.table[column], direct.table[column], rtol=1e-9)
    np.testing.assert_allclose(found.covariance, direct.covariance, rtol=1e-7, atol=1e-6)


def test_rounds_without_common_psus_are_strata_of_one_sample(
    rounds: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    one, other = (Survey(t, **DESIGN) for t in rounds)
    table = stacked(*rounds)
    table["stratum"] = table["stratum"] + table["round"].astype(str)
    both = Survey(table, **DESIGN)
    found = change(one, other, mean("pay"), by="sex", common=False)
    direct = both.estimate(
        mean("pay", where="round == 2") - mean("pay", where="round == 1"), by="sex"
    )
    for column in ("estimate", "se", "df"):
        np.testing.assert_allclose(found.table[column], direct.table[column], rtol=1e-9)
    moved = Survey(rounds[1].assign(psu=rounds[1]["psu"] + 1000), **DESIGN)
    again = change(one, moved, mean("pay"), by="sex")
    pd.testing.assert_frame_equal(found.table, again.table)


def test_a_relative_change_has_the_slopes_of_a_quotient(
    rounds: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    one, other = (Survey(t, **DESIGN) for t in rounds)
    both = Survey(stacked(*rounds), **DESIGN)
    found = change(one, other, mean("pay"), relative=True).table.iloc[0]
    direct = both.estimate(
        mean("pay", where="round == 2") / mean("pay", where="round == 1") - 1
    ).table.iloc[0]
    for name in ("estimate", "se", "df", "upper"):
        assert found[name] == pytest.approx(direct[name])
    assert found["statistic"] == "relative change of mean"


def test_calibrated_rounds_keep_their_adjustments(
    rounds: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    margins = {"sex": {"M": 8800, "F": 9200}}
    one, other = (Survey(t, **DESIGN).rake(margins) for t in rounds)
    same = change(one, other, total("one"), by="sex").table
    np.testing.assert_allclose(same["estimate"], 0, atol=1e-6)
    np.testing.assert_allclose(same["se"], 0, atol=1e-4)
    itself = change(one, one, mean("pay")).table.iloc[0]
    assert itself["se"] == pytest.approx(0, abs=1e-3)


def test_half_of_the_psus_common_is_unbiased() -> None:
    # 100 pairs of rounds from a population whose PSU means correlate 0.9 over time.
    rng = np.random.default_rng(11)
    found, variances = [], []
    for _ in range(100):
        base = rng.normal(0, 1, 30)
        psu = pd.DataFrame({"psu": np.arange(30), "w": 1.0})
        psu["one"] = base + rng.normal(0, 0.3, 30)
        psu["two"] = base + rng.normal(0, 0.3, 30)
        old, new = psu.iloc[:20].assign(y=psu["one"]), psu.iloc[10:].assign(y=psu["two"])
        one, other = (Survey(t, weight="w", psu="psu") for t in (old, new))
        row = change(one, other, mean("y")).table.iloc[0]
        found.append(row["estimate"])
        variances.append(row["se"] ** 2)
    assert np.mean(variances) == pytest.approx(np.var(found), rel=0.35)
    assert np.mean(variances) < 0.8 * 2 * 1.09 / 20


def test_a_domain_of_one_round_is_null(rounds: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    old, new = rounds
    one, other = Survey(old, **DESIGN), Survey(new.query("origin != 'VEN'"), **DESIGN)
    made = change(one, other, mean("pay"), by="origin")
    row = made.table.set_index("origin").loc["VEN"]
    assert row[["estimate", "se", "lower"]].isna().all()
    assert row["note"] == "no unit in one of the rounds"
    assert row["n"] == 0
    assert np.isnan(made.covariance).any()
    gap = made.contrast({"HTI": 1, "DOM": -1}).table.iloc[0]
    assert gap["se"] > 0


def test_rounds_may_have_columns_of_other_types(
    rounds: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    old, new = rounds
    plain = change(Survey(old, **DESIGN), Survey(new, **DESIGN), mean("pay"), by="psu")
    text = Survey(new.assign(psu=new["psu"].astype(str)), **DESIGN)
    mixed = change(Survey(old, **DESIGN), text, mean("pay"), by="psu")
    np.testing.assert_allclose(plain.table["se"], mixed.table["se"])
    assert change(Survey(old, weight="w"), Survey(new, weight="w"), mean("pay")).table["se"][0] > 0


def test_refusals(rounds: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    one, other = (Survey(t, **DESIGN) for t in rounds)
    with pytest.raises(OptionError, match="list is empty"):
        change(one, other, [])
