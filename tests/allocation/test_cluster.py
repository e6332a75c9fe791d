from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

import nsm
from nsm.errors import AllocationError, OptionError


def test_two_stages_are_the_textbook_optimum() -> None:
    # Valliant, Dever & Kreuter (2018), eq. 9.16: sqrt(C1 / C2 (1 - delta) / delta).
    got = nsm.cluster_size(0.05, [750, 100], budget=100_000)
    assert got["take"] == pytest.approx(sqrt(7.5 * 0.95 / 0.05))
    assert got["psus"] * (750 + 100 * got["take"]) == pytest.approx(100_000)
    assert got["cv"] == pytest.approx(
        sqrt((1 + 0.05 * (got["take"] - 1)) / got["psus"] / got["take"])
    )
    same = nsm.cluster_size(0.05, [750, 100], cv=float(got["cv"]))
    assert same.to_numpy() == pytest.approx(got.to_numpy())


def test_three_stages_cost_least_among_neighbors() -> None:
    best = nsm.cluster_size([0.01, 0.1], [500, 100, 120], cv=0.05)

    def cost(take: float, sub: float) -> float:
        unit = (0.01 * take * sub + 1 + 0.1 * (sub - 1)) / (take * sub)
        return unit / 0.05**2 * (500 + 100 * take + 120 * take * sub)

    assert best["cost"] == pytest.approx(cost(best["take"], best["subtake"]))
    for da, db in [(0.3, 0), (-0.3, 0), (0, 0.3), (0, -0.3)]:
        assert cost(best["take"] + da, best["subtake"] + db) > best["cost"]


def test_a_fixed_number_of_areas() -> None:
    got = nsm.cluster_size(0.05, [500, 100], budget=100_000, psus=80)
    assert got["take"] == pytest.approx((100_000 / 80 - 500) / 100)
    back = nsm.cluster_size(0.05, [500, 100], cv=float(got["cv"]), psus=80)
    assert back["take"] == pytest.approx(got["take"])


def test_without_a_size_only_the_take_is_known() -> None:
    got = nsm.cluster_size(0.1, [300, 20])
    assert got["take"] == pytest.approx(sqrt(15 * 9))
    assert np.isnan(got["psus"])


def test_refusals() -> None:
    with pytest.raises(OptionError, match="3 costs and 1 homogeneities do not fit"):
        nsm.cluster_size(0.1, [1, 2, 3])
    with pytest.raises(OptionError, match="lie between 0 and 1"):
        nsm.cluster_size(1.5, [1, 2])
    with pytest.raises(OptionError, match="budget or cv, not both"):
        nsm.cluster_size(0.1, [1, 2], budget=1, cv=1)
    with pytest.raises(OptionError, match="A fixed number of areas needs two stages"):
        nsm.cluster_size(0.1, [1, 2], psus=5)
    with pytest.raises(AllocationError, match="does not pay for 80 areas, which cost 40000"):
        nsm.cluster_size(0.1, [500, 2], psus=80, budget=1000)
    with pytest.raises(
        AllocationError, match=r"cannot reach a CV of 0.001: even taken whole.*0\.035"
    ):
        nsm.cluster_size(0.1, [500, 2], psus=80, cv=0.001)
