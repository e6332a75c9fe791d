"""Hot deck: donors of the same class, flags, and a variance that Rubin's rules find."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nsm
from nsm.errors import ColumnError, FieldworkError, OptionError
from nsm.estimation import combine
from nsm.fieldwork import impute, multiply_impute


def people(n: int = 400, seed: int = 1, rate: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M"], n)
    pay = np.where(sex == "M", 200, 100) + rng.normal(0, 10, n).round(2)
    hours = pay / 5
    blank = rng.random(n) < rate
    table = pd.DataFrame({"sex": sex, "pay": pay, "hours": hours, "age": rng.integers(15, 80, n)})
    table[["pay", "hours"]] = table[["pay", "hours"]].mask(pd.Series(blank))
    table["psu"] = np.arange(n) // 10
    return table


def test_only_blanks_are_filled_and_flagged() -> None:
    table = people()
    made = impute(table, ["pay"], ["sex"], seed=1)
    blank = table["pay"].isna()
    assert made["pay"].notna().all()
    assert made["pay_imputed"].tolist() == blank.tolist()
    pd.testing.assert_series_equal(made.loc[~blank, "pay"], table.loc[~blank, "pay"])
    pd.testing.assert_frame_equal(made[["sex", "hours", "age"]], table[["sex", "hours", "age"]])


def test_donors_are_of_the_same_class() -> None:
    table = people()
    made = impute(table, ["pay"], ["sex"], seed=1)
    for sex, group in made.groupby("sex"):
        donors = set(table.loc[table["sex"] == sex, "pay"].dropna())
        assert set(group["pay"]) <= donors


def test_a_block_comes_from_one_donor() -> None:
    made = impute(people(), [("pay", "hours")], ["sex"], seed=1)
    assert np.allclose(made["pay"] / 5, made["hours"])
    apart = impute(people(), ["pay", "hours"], ["sex"], seed=1)
    assert not np.allclose(apart["pay"] / 5, apart["hours"])


def test_classes_without_donors_widen_from_the_last() -> None:
    table = pd.DataFrame(
        {
            "region": ["a", "a", "b", "b"],
            "sex": ["F", "M", "F", "M"],
            "pay": [1.0, None, 7.0, 9.0],
        }
    )
    assert impute(table, ["pay"], ["region", "sex"], seed=1)["pay"].tolist() == [1, 1, 7, 9]
    assert impute(table, ["pay"], ["sex", "region"], seed=1)["pay"].tolist() == [1, 9, 7, 9]


def test_those_who_were_not_asked_stay_blank() -> None:
    table = pd.DataFrame({"age": [40, 50, 9, 60], "pay": [5.0, None, None, 6.0], "g": "x"})
    made = impute(table, ["pay"], ["g"], seed=1, where="age >= 15")
    assert made["pay"].isna().tolist() == [False, False, True, False]
    assert made["pay_imputed"].tolist() == [False, True, False, False]


def test_heavy_donors_are_drawn_in_proportion() -> None:
    table = pd.DataFrame({"y": [0.0, 1.0, *[None] * 4000], "w": [1.0, 3.0, *[1.0] * 4000], "g": 1})
    made = impute(table, ["y"], ["g"], seed=3, weight="w")
    assert made.loc[made["y_imputed"], "y"].mean() == pytest.approx(0.75, abs=0.03)


def test_text_and_flags_keep_their_type() -> None:
    table = pd.DataFrame(
        {
            "g": [1, 1, 1],
            "name": pd.Series(["a", None, "a"], dtype="str"),
            "flag": pd.Series([True, None, True], dtype="boolean"),
            "code": pd.Series([3, None, 3], dtype="Int64"),
        }
    )
    made = impute(table, ["name", "flag", "code"], ["g"], seed=1)
    assert made["name"].tolist() == ["a", "a", "a"]
    assert made.dtypes[["name", "flag", "code"]].equals(table.dtypes[["name", "flag", "code"]])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), order=st.permutations(range(40)))
def test_the_order_of_rows_does_not_matter(seed: int, order: list[int]) -> None:
    table = people(40)
    one = impute(table, ["pay"], ["sex"], seed=seed)
    other = impute(table.iloc[order], ["pay"], ["sex"], seed=seed).sort_index()
    pd.testing.assert_frame_equal(one, other)


def test_refusals() -> None:
    table = people()
    with pytest.raises(ColumnError, match="income"):
        impute(table, ["income"], ["sex"], seed=1)
    with pytest.raises(OptionError, match="'sex' cannot be imputed and make the classes"):
        impute(table, ["sex"], ["sex"], seed=1)
    with pytest.raises(FieldworkError, match="Nobody answered 'pay'"):
        impute(table.assign(pay=np.nan), ["pay"], ["sex"], seed=1)
    with pytest.raises(OptionError, match="2 tables at least"):
        multiply_impute(table, ["pay"], ["sex"], count=1, seed=1)


def _estimates(tables: list[pd.DataFrame]) -> nsm.Estimates:
    weighted = [table.assign(one=1.0) for table in tables]
    return combine([nsm.Survey(t, weight="one", psu="psu").mean("pay") for t in weighted])


def test_multiple_imputation_finds_the_variance_that_one_hides() -> None:
    table = people(rate=0.5)
    many = multiply_impute(table, ["pay"], ["sex"], count=8, seed=2)
    one = nsm.Survey(many[0].assign(one=1.0), weight="one", psu="psu").mean("pay").table
    both = _estimates(many).table
    assert both["se"][0] > one["se"][0]


@pytest.mark.simulation
def test_combined_intervals_cover() -> None:
    _cover(800, 0.03)


def test_combined_intervals_cover_shortly() -> None:
    _cover(80, 0.08)


def _cover(times: int, tolerance: float) -> None:
    hits = 0
    for n in range(times):
        table = people(160, seed=100 + n, rate=0.4)
        found = _estimates(multiply_impute(table, ["pay"], ["sex"], count=5, seed=n)).table.iloc[0]
        hits += found["lower"] <= 150 <= found["upper"]
    assert hits / times == pytest.approx(0.95, abs=tolerance)
