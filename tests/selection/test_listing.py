from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.errors import KeyColumnError, OptionError, SelectionError
from nsm.selection import draw_listing

AREAS = pd.DataFrame({"area": ["01", "02", "03"], "probability": [0.1, 0.25, 0.5]})
LISTING = pd.DataFrame(
    [(a, f"{a}-{k:03d}") for a, m in (("01", 40), ("02", 61), ("03", 9)) for k in range(m)],
    columns=["area", "dwelling"],
)


def test_a_fixed_take() -> None:
    drawn = draw_listing(AREAS, LISTING, take=12, seed=1)
    assert drawn.groupby("area").size().to_dict() == {"01": 12, "02": 12, "03": 9}
    weights = drawn.groupby("area")["base_weight"].sum()
    assert weights.to_dict() == pytest.approx({"01": 400, "02": 244, "03": 18})


def test_a_compact_cluster_takes_all() -> None:
    drawn = draw_listing(AREAS, LISTING, fraction=1, seed=1)
    assert len(drawn) == len(LISTING)
    assert set(drawn["conditional_probability"]) == {1.0}


@pytest.mark.parametrize("method", ["systematic", "srs"])
def test_a_fraction_is_the_probability_of_each_dwelling(method: str) -> None:
    counts = pd.Series(0.0, index=LISTING["dwelling"])
    for seed in range(300):
        drawn = draw_listing(AREAS, LISTING, fraction=1 / 8, seed=seed, method=method)
        counts[drawn["dwelling"]] += 1
        assert set(np.round(drawn["base_weight"] * drawn["area_probability"], 9)) == {8.0}
    error = np.sqrt(0.125 * 0.875 / 300)
    assert np.all(np.abs(counts / 300 - 0.125) < 4.7 * error)


def test_an_overall_probability_makes_weights_equal() -> None:
    drawn = draw_listing(AREAS, LISTING, overall=0.05, seed=3)
    assert drawn["base_weight"].to_numpy() == pytest.approx(20)


def test_the_order_of_rows_does_not_matter() -> None:
    one = draw_listing(AREAS, LISTING, take=5, seed=3)
    other = draw_listing(AREAS.iloc[::-1], LISTING.sample(frac=1, random_state=1), take=5, seed=3)
    pd.testing.assert_frame_equal(one, other)


def test_refusals() -> None:
    with pytest.raises(
        SelectionError, match=r"overall probability of 0.2 is above that of 1 areas: '01'"
    ):
        draw_listing(AREAS, LISTING, overall=0.2, seed=1)
    with pytest.raises(SelectionError, match="1 areas of the listing are not in the sample: '03'"):
        draw_listing(AREAS.head(2), LISTING, take=1, seed=1)
    with pytest.raises(SelectionError, match="1 sampled areas have no listing: '03'"):
        draw_listing(AREAS, LISTING[LISTING["area"] != "03"], take=1, seed=1)
    with pytest.raises(KeyColumnError, match="1 rows of the listing repeat a 'dwelling'"):
        draw_listing(AREAS, pd.concat([LISTING, LISTING.head(1)]), take=1, seed=1)
    with pytest.raises(
        OptionError, match="exactly one of take, fraction and overall; 2 were given"
    ):
        draw_listing(AREAS, LISTING, take=1, fraction=0.5, seed=1)
    with pytest.raises(OptionError, match="fraction is 2; it must be > 0, <= 1"):
        draw_listing(AREAS, LISTING, fraction=2, seed=1)
    with pytest.raises(OptionError, match="'cube'"):
        draw_listing(AREAS, LISTING, take=1, seed=1, method="cube")
    for odd in (1.5, 0.0, None):
        wrong = AREAS.assign(probability=[odd, *AREAS["probability"].iloc[1:]])
        with pytest.raises(SelectionError, match="probability of 1 areas is missing or not above"):
            draw_listing(wrong, LISTING, take=1, seed=1)
    with pytest.raises(OptionError, match="seed -1"):
        draw_listing(AREAS, LISTING, take=1, seed=-1)
