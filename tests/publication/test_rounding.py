"""Rounded tables: multiples of the base, right on average, and adding up when controlled."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from nsm.errors import OptionError
from nsm.estimation import Estimates
from nsm.publication.relations import cells
from nsm.publication.rounding import round_counts


@pytest.fixture
def table(make: Any) -> Estimates:
    generator = np.random.Generator(np.random.PCG64(2))
    inside = generator.integers(0, 40, (5, 4))
    rows = []
    for i, j in product([*range(5), None], [*range(4), None]):
        part = inside[slice(i, i + 1) if i is not None else slice(None)]
        part = part[:, slice(j, j + 1) if j is not None else slice(None)]
        rows.append(
            {
                "a": None if i is None else str(i),
                "b": None if j is None else str(j),
                "estimate": float(part.sum()),
                "se": 1.0,
            }
        )
    return make(*rows, by=("a", "b"))


@pytest.mark.parametrize("method", ["random", "controlled"])
@pytest.mark.parametrize("base", [3, 5])
def test_cells_are_multiples_near_their_value(table: Estimates, method: str, base: int) -> None:
    made = round_counts(table, base, method=method, seed=1).table
    assert (made["estimate"] % base == 0).all()
    away = (made["estimate"] - table.table["estimate"]).abs()
    assert away.max() < (base if method == "random" else 4 * base)
    np.testing.assert_allclose(
        made["upper"] - made["estimate"], table.table["upper"] - table.table["estimate"]
    )


def test_a_controlled_table_adds_up(table: Estimates) -> None:
    made = round_counts(table, 5, seed=1)
    system = cells(made)
    assert len(system.sums) == 5 + 4 + 3  # rows, columns, and the grand total three ways
    assert not (system.sums @ made.table["estimate"]).any()


def test_random_rounding_is_right_on_average(make: Any) -> None:
    one = make({"estimate": 7.0})
    values = [
        round_counts(one, 5, method="random", seed=s).table["estimate"].iloc[0] for s in range(400)
    ]
    assert set(values) == {5.0, 10.0}
    assert np.mean(values) == pytest.approx(7.0, abs=0.4)


def test_shares_are_left_alone(make: Any) -> None:
    one = make({"statistic": "proportion", "estimate": 0.37})
    assert round_counts(one, 5, seed=1).table["estimate"].iloc[0] == 0.37


def test_unknown_methods_and_bases_are_refused(table: Estimates) -> None:
    with pytest.raises(OptionError, match="'exact'"):
        round_counts(table, 5, method="exact", seed=1)
    with pytest.raises(OptionError, match="base 1"):
        round_counts(table, 1, seed=1)
