"""Strata with one PSU join what is like them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.errors import ColumnError, DesignError, SingletonStratumError, ValueInColumnError
from nsm.estimation import Survey, collapse


def sample() -> pd.DataFrame:
    rows = [
        ("n1", "north", 1, 10.0),
        ("n2", "north", 1, 80.0),
        ("n2", "north", 2, 90.0),
        ("n3", "north", 1, 20.0),
        ("n3", "north", 2, 12.0),
        ("s1", "south", 1, 11.0),
        ("s2", "south", 1, 50.0),
        ("s3", "south", 1, 14.0),
    ]
    table = pd.DataFrame(rows, columns=["stratum", "region", "psu", "prior"])
    return table.assign(w=5.0, y=np.arange(8.0))


def test_the_nearest_stratum_of_the_class_is_proposed() -> None:
    made = collapse(sample(), stratum="stratum", psu="psu", near="prior", within="region")
    found = made.set_index("stratum")
    assert found.loc["n1", "collapsed"] == found.loc["n3", "collapsed"] == "n1 + n3"
    assert found.loc["n1", "partner"] == "n3"
    assert found.loc["n2", "collapsed"] == "n2"
    assert found.loc["s1", "partner"] == "s3"
    assert found.loc["s2", "collapsed"] == "s1 + s2 + s3"
    assert made["distance"].notna().sum() == 3
    assert made["psus"].tolist() == [1, 2, 2, 1, 1, 1]


def test_without_columns_the_neighbor_in_order_is_taken() -> None:
    made = collapse(sample(), stratum="stratum", psu="psu").set_index("stratum")
    assert made.loc["n1", "collapsed"] == "n1 + n2"
    assert made.loc["s1", "collapsed"] == "s1 + s2 + s3" or made.loc["s1", "partner"] in {
        "s2",
        "n3",
    }


def test_a_collapsed_survey_has_a_variance() -> None:
    table = sample()
    design = {"weight": "w", "psu": "psu"}
    with pytest.raises(SingletonStratumError, match="collapse"):
        Survey(table, stratum="stratum", **design).total("y")
    made = collapse(table, stratum="stratum", psu="psu", near="prior")
    label = table["stratum"].map(made.set_index("stratum")["collapsed"])
    joined = table.assign(joined=label, label=table["stratum"] + table["psu"].astype(str))
    found = Survey(joined, stratum="joined", weight="w", psu="label").total("y").table.iloc[0]
    assert found["se"] > 0
    assert found["df"] == len(joined) - label.nunique()


def test_rows_may_come_in_any_order() -> None:
    moved = sample().sample(frac=1, random_state=2)
    options = {"stratum": "stratum", "psu": "psu", "near": ["prior"], "within": ["region"]}
    pd.testing.assert_frame_equal(collapse(sample(), **options), collapse(moved, **options))


def test_more_than_two_may_be_asked() -> None:
    made = collapse(sample(), stratum="stratum", psu="psu", near="prior", minimum=4)
    assert made.groupby("collapsed")["psus"].sum().min() >= 4


def test_refusals() -> None:
    table = sample()
    with pytest.raises(ColumnError, match="Did you mean 'stratum'"):
        collapse(table, stratum="strata", psu="psu")
    with pytest.raises(ValueInColumnError, match=r"'prior' is missing in 1 rows"):
        collapse(table.assign(prior=[None, *range(7)]), stratum="stratum", psu="psu", near="prior")
    with pytest.raises(DesignError, match=r"no other stratum in .*'north'"):
        collapse(
            table[~table["stratum"].isin(["n2", "n3"])],
            stratum="stratum",
            psu="psu",
            within="region",
        )
    with pytest.raises(DesignError, match="no other stratum in the table"):
        collapse(table.query("stratum == 's1'"), stratum="stratum", psu="psu")
