from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.errors import SelectionError


def frame() -> pd.DataFrame:
    size = np.array([40, 60, 80, 55, 120, 70, 45, 95, 65, 50, 400, 75], dtype=float)
    return pd.DataFrame(
        {"area": [f"{k:02d}" for k in range(12)], "stratum": "s", "dwellings": size}
    )


def test_weights_follow_from_what_was_released() -> None:
    sample = nsm.draw(frame(), {"s": 5}, size="dwellings", seed=1, reserve=3)
    assert sample.table["role"].value_counts().to_dict() == {"main": 5, "reserve": 3}
    assert sample.reserve()["order"].tolist() == [6, 7, 8]
    assert sample.reserve()["base_weight"].isna().all()
    after = sample.release({"s": 2})
    free = ~sample.main["certainty"].to_numpy()
    both = sample.main.merge(after.main, on="area")
    ratio = (both["probability_y"] / both["probability_x"]).to_numpy()
    assert ratio[free] == pytest.approx(6 / 4)  # 4 + 2 of the 4 + 3 that are not certain
    assert ratio[~free] == pytest.approx(1)
    assert after.reserve()["order"].tolist() == [8]
    assert after.release({"s": 1}).verify(frame())


def test_certain_areas_are_never_reserves() -> None:
    for seed in range(30):
        sample = nsm.draw(frame(), {"s": 4}, size="dwellings", seed=seed, reserve=4)
        assert set(sample.table.loc[sample.table["certainty"], "role"]) == {"main"}
        assert set(sample.table.loc[sample.table["certainty"], "area"]) == {"10"}


@pytest.mark.parametrize(
    ("released", "draws"), [(2, 150), pytest.param(0, 4000, marks=pytest.mark.simulation)]
)
def test_each_area_is_main_with_its_stated_probability(released: int, draws: int) -> None:
    table = frame()
    count, stated = np.zeros(12), np.full(12, np.nan)
    for seed in range(draws):
        sample = nsm.draw(table, {"s": 4}, size="dwellings", seed=seed, reserve=3)
        main = sample.release({"s": released}).main
        where = main["area"].astype(int).to_numpy()
        count[where] += 1
        stated[where] = main["probability"]
    error = np.sqrt(stated * (1 - stated) / draws) + 1e-9
    assert np.all(np.abs(count / draws - stated) < 4.5 * error)
    assert np.nansum(stated) == pytest.approx(4 + released)


def test_no_more_reserves_than_the_stratum_has() -> None:
    sample = nsm.draw(frame(), {"s": 10}, seed=1, method="srs", reserve=5)
    assert sample.strata["reserve"].tolist() == [2]


def test_releases_that_cannot_be() -> None:
    sample = nsm.draw(frame(), {"s": 4}, seed=1, method="srs", reserve=2)
    with pytest.raises(SelectionError, match=r"3 reserves cannot be released.*has 2 left"):
        sample.release({"s": 3})
    with pytest.raises(SelectionError, match="'t' is not in the sample"):
        sample.release({"t": 1})
