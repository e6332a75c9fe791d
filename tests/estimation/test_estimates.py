"""What users do with estimates: read, widen, contrast, draw, write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nsm.errors import OptionError
from nsm.estimation import Estimates, Survey, mean, total
from nsm.estimation.estimates import COLUMNS

DESIGN: dict[str, Any] = {"weight": "w", "stratum": "stratum", "psu": "psu"}


@pytest.fixture
def survey(people: pd.DataFrame) -> Survey:
    return Survey(people, **DESIGN)


def test_columns_have_their_order(survey: Survey) -> None:
    made = survey.proportion("origin", by=["region", "sex"]).table
    assert tuple(made) == ("region", "sex", *COLUMNS)


@pytest.mark.parametrize("values", ["estimate", "se", "n"])
def test_a_wide_view_has_every_number_once(survey: Survey, values: str) -> None:
    long = survey.mean(["pay", "age"], by=["region", "sex"], margins=True)
    made = long.wide("sex", values)
    assert list(made) == ["region", "variable", "statistic", "F", "M", "total"]
    assert len(made) * 3 == len(long)
    cells = {
        (variable, region if isinstance(region, str) else None): row
        for variable, region, row in zip(
            made["variable"], made["region"], made.to_dict("records"), strict=True
        )
    }
    for row in long.table.to_dict("records"):
        region, sex = (v if isinstance(v, str) else None for v in (row["region"], row["sex"]))
        assert cells[row["variable"], region][sex or "total"] == row[values]


def test_a_wide_view_keeps_rows_without_category_or_estimate(survey: Survey) -> None:
    both = survey.estimate(["proportion(origin)", "mean(pay)"], by="sex").wide("sex")
    assert set(both["variable"]) == {"origin", "pay"}
    assert both[["F", "M"]].notna().all(axis=None)
    nobody = survey.mean("pay", by="sex", where="age > 300").wide("sex")
    assert nobody[["F", "M"]].isna().all(axis=None)
    assert len(nobody) == 1
    orders = survey.quantile("pay", [0.25, 0.5], by="sex").wide("order")
    assert list(orders) == ["sex", "variable", "statistic", 0.25, 0.5]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda e: e.wide("sx"), "no column 'sx' to show. Did you mean 'sex'"),
        (lambda e: e.wide("sex", "estimat"), "no column 'estimat' to show"),
        (lambda e: e.__class__(pd.concat([e.table, e.table])).wide("variable"), "Give the stat"),
        (lambda e: e.contrast({"M": 1, "X": -1}), "'X' names 0 rows"),
        (lambda e: e.contrast({"M": 1, "pay": -1}), "'pay' names 2 rows"),
        (lambda e: e.contrast([1, 2, 3]), "2 rows needs as many numbers; 3"),
        (lambda e: e.contrast([1, float("nan")]), "finite numbers"),
        (lambda e: e.contrast({"M": "one"}), "finite numbers; 'one' was given"),
    ],
)
def test_what_cannot_be_shown_is_said(
    survey: Survey, call: Callable[[Estimates], Any], said: str
) -> None:
    with pytest.raises(OptionError, match=said):
        call(survey.mean("pay", by="sex"))


def test_domain_columns_that_cannot_be_told_apart(survey: Survey, people: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="'sex' twice"):
        survey.mean("pay", by=["sex", "sex"])
    with pytest.raises(OptionError, match="'estimate' has the name of a column"):
        Survey(people.rename(columns={"sex": "estimate"}), **DESIGN).mean("pay", by="estimate")


def test_a_contrast_is_the_difference_and_uses_the_covariance(survey: Survey) -> None:
    by_sex = survey.mean("pay", by="sex")
    made = by_sex.contrast({"M": 1, "F": -1}).table.iloc[0]
    gap = survey.estimate(
        mean("pay", where="sex == 'M'") - mean("pay", where="sex == 'F'")
    ).table.iloc[0]
    assert made["estimate"] == pytest.approx(gap["estimate"], rel=1e-12)
    assert made["se"] == pytest.approx(gap["se"], rel=1e-10)
    covariance = by_sex.covariance
    assert made["se"] ** 2 == pytest.approx(covariance.sum() - 4 * covariance[0, 1], rel=1e-10)
    assert covariance[0, 1] != 0
    np.testing.assert_allclose(np.diag(covariance), by_sex.table["se"] ** 2, rtol=1e-12)


def test_the_notebook_view_is_short_and_harmless(people: pd.DataFrame) -> None:
    wild = people.assign(sex=people["sex"].replace({"F": "<script>alert(1)</script>"}))
    html = Survey(wild, **DESIGN).mean("pay", by="sex")._repr_html_()
    assert "<script>" not in html
    assert "None" not in html
    assert "category" not in html
    assert " %</td>" in html  # the coefficient of variation
    text = str(Survey(people, **DESIGN).proportion("origin", by="sex"))
    assert "category" in text
    assert "note" not in text
    nobody = Survey(people, **DESIGN).mean("pay", where="age > 300")
    assert "nan" not in str(nobody).lower()
    assert "no unit in the domain" in str(nobody)


def test_a_plot_says_what_it_shows(survey: Survey) -> None:
    import matplotlib.pyplot as plt

    one = survey.mean("pay", by=["region", "sex"]).plot()
    assert [ax.get_title(loc="left") for ax in one.axes] == ["pay"]
    two = survey.estimate([mean("pay"), total("pay")], by="region").plot()
    assert [ax.get_title(loc="left") for ax in two.axes] == ["pay (mean)", "pay (total)"]
    assert "95 % intervals" in str(one.get_label())
    plt.close("all")


def test_a_workbook_and_a_csv_hold_the_numbers(survey: Survey, tmp_path: Path) -> None:
    made = survey.proportion("origin", by="sex")
    made.to_excel(tmp_path / "made.xlsx")
    sheets = pd.read_excel(tmp_path / "made.xlsx", sheet_name=None, header=None)
    cells = pd.concat(sheets.values()).to_numpy().ravel()
    numbers = np.array([x for x in cells if isinstance(x, float)])
    for estimate in made.table["estimate"]:
        assert np.isclose(numbers, estimate, rtol=1e-9).any()
    made.to_csv(str(tmp_path / "made.csv"))
    read = pd.read_csv(tmp_path / "made.csv")
    np.testing.assert_allclose(read["estimate"], made.table["estimate"], rtol=1e-12)
    assert read.to_csv(index=False).splitlines()[0] == str(made.to_csv()).splitlines()[0]
