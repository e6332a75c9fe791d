"""A general survey that is to count a rare group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.errors import OptionError
from nsm.simulation.proposal import enlarged

COUNTS = pd.Series({"a": 5_000.0, "b": 500.0})
TARGET = pd.Series({"b": 0.10, "a": 0.05})


def test_a_simulated_count_varies_as_it_says() -> None:
    table = enlarged(COUNTS, 100_000.0, target=TARGET, size=1.0, deff=1.0, n=4_000.0)
    rng = np.random.Generator(np.random.PCG64(1))
    drawn = rng.binomial(4_000, table["share"], size=(20_000, 2))
    cv = drawn.std(axis=0) / drawn.mean(axis=0)
    assert cv == pytest.approx(table["cv"].to_numpy(), rel=0.02)


def test_with_the_households_it_needs_it_meets_its_targets() -> None:
    table = enlarged(COUNTS, 100_000.0, target=TARGET, size=3.2, deff=7.0, n=10_000.0)
    for row in table.to_dict("records"):
        one = COUNTS[[row["variable"]]]
        again = enlarged(one, 1e5, target=TARGET, size=3.2, deff=7.0, n=row["needed"])
        assert again["cv"].iloc[0] == pytest.approx(row["target"], rel=1e-3)
        assert row["more"] == pytest.approx(row["needed"] / 10_000)


@pytest.mark.parametrize("changed", [{"deff": 0.0}, {"n": -1.0}, {"size": 0.0}])
def test_what_makes_no_sense_is_refused(changed: dict[str, float]) -> None:
    given = {"size": 3.0, "deff": 2.0, "n": 100.0} | changed
    with pytest.raises(OptionError, match="above 0"):
        enlarged(COUNTS, 100_000.0, target=TARGET, **given)
    with pytest.raises(OptionError, match="between 0 and 1"):
        enlarged(COUNTS, 100.0, target=TARGET, size=3.0, deff=2.0, n=100.0)
