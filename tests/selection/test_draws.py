from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nsm
from nsm.errors import KeyColumnError, NsmError, OptionError, SelectionError, ValueInColumnError
from nsm.selection import METHODS

EXTRA: dict[str, dict[str, Any]] = {
    "local-pivotal": {"spread": ["x", "y"]},
    "cube": {"balance": ["dwellings", "x"]},
    "local-cube": {"balance": ["dwellings"], "spread": ["x", "y"]},
}


def frame(units: int = 120, seed: int = 1) -> pd.DataFrame:
    g = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "area": [f"{k:05d}" for k in range(units)],
            "stratum": g.choice(["north", "south", "west"], units),
            "dwellings": g.integers(40, 250, units),
            "x": g.random(units),
            "y": g.random(units),
        }
    )


def options(method: str) -> dict[str, Any]:
    size = {} if METHODS[method].equal else {"size": "dwellings"}
    return {"method": method, **size, **EXTRA.get(method, {})}


PLAN = {"north": 6, "south": 8, "west": 5}


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_rows_does_not_matter(method: str) -> None:
    table = frame()
    one = nsm.draw(table, PLAN, seed=9, **options(method))
    other = nsm.draw(table.sample(frac=1, random_state=3), PLAN, seed=9, **options(method))
    pd.testing.assert_frame_equal(one.table, other.table)
    if METHODS[method].fixed:
        assert one.table["stratum"].value_counts().to_dict() == PLAN


@pytest.mark.parametrize("method", [m for m in METHODS if METHODS[m].fixed])
@given(seed=st.integers(0, 2**32), n=st.integers(1, 30))
@settings(max_examples=8, deadline=None)
def test_exactly_n_are_drawn_and_a_seed_gives_its_sample(method: str, seed: int, n: int) -> None:
    table = frame(30)
    one, other = (nsm.draw(table, n, seed=seed, **options(method)) for _ in range(2))
    assert len(one.table) == n
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.verify(table)


def test_weights_are_inverse_probabilities_that_estimate_the_size() -> None:
    table = frame()
    sample = nsm.draw(table, PLAN, size="dwellings", seed=2)
    main = sample.main
    assert main["base_weight"].to_numpy() == pytest.approx(1 / main["probability"].to_numpy())
    assert (main["base_weight"] * main["dwellings"]).sum() == pytest.approx(
        table["dwellings"].sum()
    )


def test_large_areas_are_certain() -> None:
    table = frame().assign(stratum="all")
    table.loc[5, "dwellings"] = 20_000
    sample = nsm.draw(table, {"all": 4}, size="dwellings", seed=1).table.set_index("area")
    assert bool(sample.loc["00005", "certainty"])
    assert sample.loc["00005", "base_weight"] == 1
    assert sample["certainty"].sum() == 1


def test_implicit_stratification_spreads_over_the_sorted_column() -> None:
    table = frame(1000)
    drawn = nsm.draw(table, 10, size="dwellings", sort=["x"], seed=4).table["x"].sort_values()
    assert drawn.to_numpy() == pytest.approx(np.arange(10) / 10 + 0.05, abs=0.08)


def test_a_frame_and_its_table_give_the_same_sample() -> None:
    table = frame()
    one = nsm.draw(nsm.Frame(table), PLAN, size="dwellings", seed=3)
    other = nsm.draw(table, PLAN, size="dwellings", seed=3)
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.verify(table)
    assert other.verify(nsm.Frame(table.sample(frac=1, random_state=1)))


def test_a_plan_is_drawn() -> None:
    table = frame()
    strata = table.groupby("stratum").size().rename("population").reset_index()
    plan = nsm.allocate(strata, "proportional", n=20)
    sample = nsm.draw(table, plan, size="dwellings", seed=3)
    assert sample.table["stratum"].value_counts().sort_index().tolist() == plan.table["n"].tolist()


def test_one_number_is_for_the_whole_or_for_each_stratum() -> None:
    table = frame()
    whole = nsm.draw(table, 9, seed=1, method="srs")
    assert set(whole.table["stratum"]) == {"all"}
    assert "frame_stratum" in whole.table
    each = nsm.draw(table, 9, seed=1, method="srs", stratum="stratum")
    assert each.table["stratum"].value_counts().to_dict() == dict.fromkeys(PLAN, 9)


def test_a_stratum_without_sample_is_said_on_purpose() -> None:
    sample = nsm.draw(frame(), PLAN | {"west": 0}, seed=1, method="srs")
    assert "west" not in set(sample.table["stratum"])
    assert sample.strata.set_index("stratum").loc["west", "n"] == 0


REFUSED: dict[str, tuple[dict[str, Any], type[NsmError], str]] = {
    "unknown method": ({"method": "srss"}, OptionError, "no selection method 'srss'.*'srs'"),
    "size ignored": ({"method": "srs", "size": "dwellings"}, OptionError, "does not use size"),
    "sort ignored": ({"method": "brewer", "sort": ["x"]}, OptionError, "does not use sort"),
    "no coordinates": ({"method": "local-pivotal"}, OptionError, "needs spread="),
    "no balance": ({"method": "cube"}, OptionError, "needs balance="),
    "half a local cube": (
        {"method": "local-cube", "balance": ["x"]},
        OptionError,
        "needs spread=",
    ),
    "n above N": (
        {"plan": PLAN | {"north": 900}},
        SelectionError,
        "900 units cannot be drawn.*'north'",
    ),
    "stratum not planned": (
        {"plan": {"north": 1}},
        SelectionError,
        "2 strata of the frame are not",
    ),
    "stratum not in frame": (
        {"plan": PLAN | {"east": 1}},
        SelectionError,
        "no unit in the frame: 'east'",
    ),
    "fraction": ({"plan": PLAN | {"west": 1.5}}, SelectionError, "not a whole number.*'west'"),
    "nothing": ({"plan": dict.fromkeys(PLAN, 0)}, SelectionError, "draws nothing"),
    "odd plan": ({"plan": "all"}, OptionError, "type str is not understood"),
    "bad seed": ({"seed": -1}, OptionError, "seed -1 is not a whole number"),
    "seed of another type": ({"seed": "7"}, OptionError, "seed '7' is not a whole number"),
    "missing column": (
        {"size": "dwelings"},
        NsmError,
        "no column 'dwelings'. Did you mean 'dwellings'",
    ),
    "reserve of a random size": (
        {"method": "poisson", "reserve": 2},
        OptionError,
        "Reserve areas need a sample of fixed size",
    ),
    "half a reserve": ({"reserve": 2.5}, OptionError, "not a share below 1 or a whole number"),
    "reserve of nowhere": ({"reserve": {"east": 1}}, OptionError, "'east' are not in the plan"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    changed, error, message = REFUSED[case]
    given_options = {"plan": PLAN, "seed": 1} | changed
    plan = given_options.pop("plan")
    with pytest.raises(error, match=message):
        nsm.draw(frame(), plan, **given_options)


def test_bad_frames_are_refused_by_name() -> None:
    table = frame()
    with pytest.raises(KeyColumnError, match="1 rows of the frame repeat a 'area': '00003'"):
        nsm.draw(pd.concat([table, table.iloc[[3]]]), PLAN, seed=1)
    with pytest.raises(KeyColumnError, match="Name the column"):
        nsm.draw(table.rename(columns={"area": "code"}), PLAN, seed=1)
    with pytest.raises(KeyColumnError, match="1 rows of the frame have no 'area'"):
        nsm.draw(table.assign(area=table["area"].mask(table.index == 2)), PLAN, seed=1)
    zero = table.assign(dwellings=table["dwellings"].mask(table.index == 7, 0))
    with pytest.raises(SelectionError, match="zero or negative in 1 units: '00007'"):
        nsm.draw(zero, PLAN, seed=1, size="dwellings")
    with pytest.raises(ValueInColumnError, match="1 units of the frame have no 'stratum': '00004'"):
        nsm.draw(table.assign(stratum=table["stratum"].mask(table.index == 4)), PLAN, seed=1)
    hole = table.assign(x=table["x"].mask(table.index == 1))
    with pytest.raises(ValueInColumnError, match="'x' is missing or no number in 1 units: '00001'"):
        nsm.draw(hole, PLAN, seed=1, method="local-pivotal", spread=["x", "y"])
    with pytest.raises(SelectionError, match="already has the columns 'role'"):
        nsm.draw(table.assign(role="main"), PLAN, seed=1)
    twice = pd.DataFrame({"stratum": ["north", "north", "south", "west"], "n": 1})
    with pytest.raises(SelectionError, match="names 1 strata more than once: 'north'"):
        nsm.draw(table, twice, seed=1)
