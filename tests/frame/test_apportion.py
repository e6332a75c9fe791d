"""Whole numbers with an exact total."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsm.errors import OptionError
from nsm.frame.apportion import apportion

WEIGHTS = st.lists(st.floats(0, 1e6), min_size=1, max_size=30)


@given(weights=WEIGHTS, total=st.integers(0, 10**7))
def test_the_total_is_exact_and_shares_are_near(weights: list[float], total: int) -> None:
    w = np.array(weights)
    found = apportion(w, total)
    assert found.sum() == total
    if w.sum() > 1e-9:
        assert np.abs(found - total * w / w.sum()).max() < 1 + 1e-6 * total


@given(weights=WEIGHTS, data=st.data())
def test_bounds_hold(weights: list[float], data: st.DataObject) -> None:
    units = len(weights)
    low = np.array(data.draw(st.lists(st.integers(0, 20), min_size=units, max_size=units)))
    high = low + data.draw(st.integers(0, 20))
    total = data.draw(st.integers(int(low.sum()), int(high.sum())))
    found = apportion(np.array(weights), total, lower=low, upper=high)
    assert found.sum() == total
    assert ((found >= low) & (found <= high)).all()


def test_weights_of_zero_share_alike() -> None:
    assert apportion(np.zeros(4), 8).tolist() == [2, 2, 2, 2]
    assert apportion(np.zeros(0), 0).tolist() == []


def test_an_impossible_total_is_refused() -> None:
    with pytest.raises(OptionError) as caught:
        apportion(np.ones(3), 10, upper=3)
    assert str(caught.value) == (
        "A total of 10 cannot be shared among 3 units that hold between 0 and 9 in all. "
        "Widen the bounds."
    )
