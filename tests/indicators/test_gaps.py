"""Gaps: the same as R's contrasts of both groups, and as the naive difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nsm.errors import OptionError
from nsm.estimation import Survey
from nsm.indicators import Indicator, gaps


def indicator(code: str, statistic: str, universe: str = "") -> Indicator:
    return Indicator(code, {"en": code}, {"en": code}, "own", statistic, universe, unit="x")


REGISTRY = {
    one.code: one
    for one in (
        indicator("pay", "mean(pay)", "age >= 15"),
        indicator("employed", "mean(employed)", "age >= 15"),
        indicator("hourly", "ratio(pay, hours)", "age >= 15"),
        indicator("band", "proportion(band)"),
        indicator("median", "median(pay)"),
        indicator("share", "count(\"sex == 'F'\") / count()"),
        replace(indicator("groups", "mean(\"group == 'native'\")"), variables=("group",)),
    )
}


@pytest.fixture(scope="module")
def grouped(people: pd.DataFrame) -> Survey:
    labels = {True: "native", False: "immigrant"}
    table = people.assign(group=(people["origin"] == "DOM").map(labels))
    return Survey(table, weight="w", stratum="stratum", psu="psu")


def test_agrees_with_r(grouped: Survey, reference: Path) -> None:
    expected = pd.read_csv(reference / "indicators" / "gaps.csv").set_index("code")
    codes = ["pay", "employed", "hourly", "band"]
    table = gaps(grouped, codes, on="group", registry=REGISTRY).table
    names = table["variable"] + table["category"].map(
        lambda c: f" {c}" if isinstance(c, str) else ""
    )
    for name, estimate, se in zip(names, table["estimate"], table["se"], strict=True):
        assert estimate == pytest.approx(expected.loc[name, "estimate"], rel=1e-9), name
        assert se == pytest.approx(expected.loc[name, "se"], rel=1e-9), name
    assert len(table) == len(expected)
    assert set(table["statistic"]) == {"gap"}
    assert table["note"].iloc[0] == "immigrant - native"


def test_a_median_is_contrasted(grouped: Survey) -> None:
    table = gaps(grouped, ["median"], on="group", registry=REGISTRY).table
    both = grouped.quantile("pay", 0.5, by="group").table.set_index("group")["estimate"]
    assert table["estimate"].iloc[0] == pytest.approx(both["immigrant"] - both["native"])
    assert table["se"].iloc[0] > 0


def test_the_condition_inside_a_count_is_kept(grouped: Survey) -> None:
    table = gaps(grouped, ["share"], on="group", registry=REGISTRY).table
    women = grouped.mean("sex == 'F'", by="group").table.set_index("group")["estimate"]
    assert table["estimate"].iloc[0] == pytest.approx(women["immigrant"] - women["native"])


def test_by_domain_each_is_its_own_gap(grouped: Survey) -> None:
    table = gaps(grouped, ["pay"], on="group", by=["sex"], registry=REGISTRY).table
    own = {
        sex: grouped.mean("pay", by="group", where=f"age >= 15 and sex == '{sex}'").table
        for sex in ("F", "M")
    }
    for row in table.itertuples():
        both = own[str(row.sex)].set_index("group")["estimate"]
        assert row.estimate == pytest.approx(both["immigrant"] - both["native"])


def test_what_has_no_gap_is_left_out_or_named(grouped: Survey) -> None:
    found = gaps(grouped, ["pay", "groups", "median"], on="group", by=["sex"], registry=REGISTRY)
    assert set(found.table["variable"]) == {"pay"}
    assert [f.code for f in found.failures] == ["median"]
    assert "takes no condition" in str(found.failures[0].reason)
    with pytest.raises(OptionError, match="no gap in 'group'"):
        gaps(grouped, ["groups"], on="group", registry=REGISTRY)
