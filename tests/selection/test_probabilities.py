from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsm import inclusion_probabilities
from nsm.errors import SelectionError

SIZES = st.lists(st.floats(0.01, 1e4), min_size=2, max_size=40)


def test_agrees_with_r(reference: Path) -> None:
    table = pd.read_csv(reference / "selection" / "inclusion.csv", skipinitialspace=True)
    for (case, n), part in table.groupby(["case", "n"]):
        got = inclusion_probabilities(part["size"].to_numpy(), int(n))
        assert got == pytest.approx(part["probability"].to_numpy(), rel=1e-12), case


@given(size=SIZES, data=st.data())
def test_they_add_up_to_n_and_follow_size(size: list[float], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(size)))
    p = inclusion_probabilities(size, n)
    assert p.sum() == pytest.approx(n)
    assert np.all((p > 0) & (p <= 1))
    free = p < 1
    if free.any():
        share = p[free] / np.asarray(size)[free]
        assert np.ptp(share) <= 1e-9 * share.max()


def test_certainty_is_found_again_among_the_rest() -> None:
    # 100 is certain at once; 10 only among the others.
    assert inclusion_probabilities([1, 1, 1, 10, 100], 3).tolist() == pytest.approx(
        [1 / 3, 1 / 3, 1 / 3, 1, 1]
    )


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_sizes_that_cannot_be_drawn_are_named(bad: float) -> None:
    with pytest.raises(SelectionError, match=r"zero or negative in 1 units: '1'.*merge them"):
        inclusion_probabilities([3, bad, 4], 1)


@pytest.mark.parametrize("n", [0, -1, 4])
def test_n_beyond_the_units_is_refused(n: int) -> None:
    with pytest.raises(SelectionError, match=f"{n} units cannot be drawn out of 3"):
        inclusion_probabilities([1, 2, 3], n)


def test_words_are_no_sizes() -> None:
    with pytest.raises(SelectionError, match="not a number everywhere"):
        inclusion_probabilities(["a", "b"], 1)  # type: ignore[list-item]  # the mistake under test
