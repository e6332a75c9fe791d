"""How many households to add: the formula by hand, and surveys that really have them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from nsm.errors import OptionError
from nsm.estimation import Survey
from nsm.indicators import need


def clustered(areas: int = 60, size: int = 20) -> pd.DataFrame:
    """Persons, two in a household, whose work is alike inside areas."""
    rng = np.random.Generator(np.random.PCG64(11))
    rate = np.repeat(rng.beta(3, 3, areas), size)
    n = areas * size
    return pd.DataFrame(
        {
            "psu": np.repeat(np.arange(areas), size),
            "household": np.arange(n) // 2,
            "w": 10.0,
            "age": 30,
            "status": np.where(np.arange(n) % 4 == 0, "immigrant", "native"),
            "employed": rng.random(n) < rate,
        }
    )


def survey(table: pd.DataFrame) -> Survey:
    return Survey(table, weight="w", psu="psu")


def test_new_areas_by_hand() -> None:
    row = need(survey(clustered()), "employment_rate", cv=0.02).iloc[0]
    wanted = 0.02 * row["estimate"]
    n = 1200 * (row["se"] / wanted) ** 2
    assert row["wanted_se"] == pytest.approx(wanted)
    assert row["households"] == 600
    assert row["rate"] == pytest.approx(2.0)
    assert row["more_persons"] == math.ceil(n - 1200)
    assert row["more_households"] == math.ceil((n - 1200) / 2)
    half = need(survey(clustered()), "employment_rate", cv=0.02, response=0.5).iloc[0]
    assert half["more_households"] == math.ceil((n - 1200) / 2 / 0.5)


def test_a_survey_with_those_households_has_the_precision() -> None:
    table = clustered()
    first = survey(table).mean("employed").table.iloc[0]
    row = need(survey(table), "employment_rate", se=first["se"] / 2).iloc[0]
    copies = 1 + int(row["more_households"]) / 600
    assert copies == pytest.approx(4, rel=0.01)
    four = pd.concat([table.assign(psu=table["psu"] + 1000 * k) for k in range(4)])
    assert survey(four).mean("employed").table["se"].iloc[0] == pytest.approx(
        first["se"] / 2, rel=0.02
    )


def test_the_same_areas_solve_their_equation() -> None:
    se = survey(clustered()).mean("employed").table["se"].iloc[0]
    row = need(survey(clustered()), "employment_rate", se=0.95 * se).iloc[0]
    b, ratio = 20.0, (row["wanted_se"] / row["se"]) ** 2
    rho = (row["deff"] - 1) / (b - 1)
    more = row["more_households_same_areas"] * 2 / 60
    wider = (1 + (b + more - 1) * rho) / (b + more)
    assert wider == pytest.approx(ratio * row["deff"] / b, rel=0.01)
    assert row["more_households_same_areas"] > row["more_households"]


def test_areas_alone_cannot_give_any_precision() -> None:
    row = need(survey(clustered()), "employment_rate", cv=0.001).iloc[0]
    assert np.isnan(row["more_households_same_areas"])
    assert row["more_households"] > 0
    enough = need(survey(clustered()), "employment_rate", cv=0.9).iloc[0]
    assert enough["more_households"] == enough["more_households_same_areas"] == 0


def test_a_small_group_needs_more_households_for_each_person() -> None:
    rows = need(survey(clustered()), "employment_rate", cv=0.02, by=["status"]).set_index("status")
    assert rows.loc["immigrant", "rate"] == pytest.approx(0.5)
    assert rows.loc["native", "rate"] == pytest.approx(1.5)
    assert rows.loc["immigrant", "more_households"] > 1.5 * rows.loc["native", "more_households"]


def test_households_are_those_of_all_who_were_screened() -> None:
    table = clustered()
    asked = table[table["status"] == "immigrant"]
    both = {"persons": survey(table), "interviews": survey(asked)}
    row = need(both, "employment_rate", cv=0.02).iloc[0]
    assert row["households"] == 600
    assert row["rate"] == pytest.approx(0.5)


def test_without_a_column_of_households_persons_are_asked() -> None:
    bare = survey(clustered().drop(columns="household"))
    with pytest.raises(OptionError, match=r"'household'.*persons in a household"):
        need(bare, "employment_rate", cv=0.02)
    row = need(bare, "employment_rate", cv=0.02, persons=3.0).iloc[0]
    assert row["households"] == 400


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "cv or se"),
        ({"cv": 0.1, "se": 1.0}, "cv or se"),
        ({"cv": 0.0}, "above 0"),
        ({"cv": 0.1, "response": 0.0}, "response=0"),
        ({"cv": 0.1, "persons": -1.0}, "persons=-1"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, float], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        need(survey(clustered()), "employment_rate", **options)  # type: ignore[arg-type]  # wrong
