"""Base weights of areas, and selection inside households."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.errors import WeightingError
from nsm.estimation import Survey
from nsm.weighting import Nonresponse, Subsample, Within, area_survey


@pytest.fixture
def sample() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "area": [f"{k:03d}" for k in range(1, 9)],
            "stratum": ["h"] * 5 + ["i"] * 3,
            "probability": [0.25] * 5 + [0.5] * 3,
            "base_weight": [4.0] * 5 + [2.0, 2.0, np.nan],
            "certainty": False,
            "role": ["main"] * 7 + ["reserve"],
        }
    )


def test_an_area_that_was_not_reached_stays_a_nonresponse(sample: pd.DataFrame) -> None:
    areas = area_survey(sample, ["001", "002", "003", "006", "007"], empty=["004"])
    assert list(areas.table.series("disposition")[:5]) == ["respondent"] * 4 + ["nonrespondent"]
    made = Nonresponse(cells=("stratum",)).apply(areas)
    dwellings = pd.DataFrame({"area": ["001", "001", "006"], "dwelling": [1, 2, 3]})
    below = made.expand(dwellings, on="area")
    np.testing.assert_allclose(below.weights, [5.0, 5.0, 2.0])
    assert below.design.psus == 7


def test_areas_outside_the_sample_are_refused(sample: pd.DataFrame) -> None:
    with pytest.raises(WeightingError, match=r"'999' are unknown, '008' are reserves"):
        area_survey(sample, ["001", "008", "999"])


def test_one_of_each_household(people: pd.DataFrame) -> None:
    adults = people[people["age"] >= 15]
    first = ~adults["house"].duplicated()
    table = people.assign(drawn=0)
    table.loc[adults.index[first], "drawn"] = 1
    start = Survey(table, weight="w", stratum="stratum", psu="psu", fpc="psus")
    made = Within("drawn", "house", eligible="age >= 15").apply(start)
    counts = adults.groupby("house").size()
    chosen = table[table["drawn"] == 1]
    wanted = chosen["w"] * chosen["house"].map(counts)
    np.testing.assert_allclose(made.weights[chosen.index], wanted)
    assert (made.weights > 0).sum() == len(chosen)


def test_the_variance_of_the_choice_is_counted(people: pd.DataFrame) -> None:
    table = people.assign(all=1.0, drawn=(people.groupby("house").cumcount() < 2).astype(int))
    made = Within("drawn", "house").apply(Survey(table, psu="house", fpc="all"))
    sums = 0.0
    for _, part in table.groupby("house"):
        y = part.loc[part["drawn"] == 1, "pay"]
        if 1 < len(y) < len(part):
            sums += len(part) ** 2 * (1 - len(y) / len(part)) * y.var() / len(y)
    assert made.total("pay").table["se"][0] == pytest.approx(np.sqrt(sums), rel=1e-9)


def test_a_household_without_a_choice_is_refused(people: pd.DataFrame) -> None:
    table = people.assign(drawn=(people["age"] >= 15).astype(int))
    start = Survey(table, weight="w")
    with pytest.raises(WeightingError, match=r"\d+ house have eligible units and none drawn"):
        Within("drawn", "house").apply(start)
    with pytest.raises(WeightingError, match=r"drawn units are not eligible \(rows"):
        Within("drawn", "house", eligible="age >= 30").apply(start)


def test_who_is_taken_with_certainty_has_no_part_in_the_draw_of_the_others() -> None:
    """Natives of one dwelling of two pass together, immigrants all: Poisson variance by hand."""
    rng = np.random.Generator(np.random.PCG64(4))
    table = pd.DataFrame(
        {
            "psu": np.repeat(np.arange(20), 10),
            "dwelling": np.repeat(np.arange(40), 5),
            "native": np.arange(200) % 5 > 1,
            "y": rng.normal(10, 2, 200),
        }
    )
    drawn = rng.random(40) < 0.5
    table["chosen"] = ~table["native"] | drawn[table["dwelling"]]
    table["p"] = np.where(table["native"], 0.5, 1.0)
    survey = Survey(table.assign(w=2.0, N=40), weight="w", psu="psu", fpc="N")
    step = Subsample("chosen", "p", unit="dwelling")
    made = step.apply(survey).estimate("total(y)").table["se"].iloc[0] ** 2
    kept = table[table["chosen"]]
    value = kept["y"] / kept["p"] * 2
    areas = value.groupby(kept["psu"]).sum().reindex(range(20), fill_value=0.0)
    first = 0.5 * 20 * areas.var(ddof=1)
    natives = value[kept["native"]].groupby(kept["dwelling"]).sum()
    assert made == pytest.approx(first + 0.5 * (1 - 0.5) * (natives**2).sum(), rel=1e-12)
