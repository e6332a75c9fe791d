from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.allocation import areas_at, comparison
from nsm.errors import AllocationError, OptionError

STRATA = pd.DataFrame(
    {
        "stratum": ["hot", "warm", "cold", "none"],
        "region": ["n", "s", "n", "s"],
        "population": [500, 3000, 9000, 20000],
        "cost": [3.0, 2.0, 1.0, 1.0],
        "mean_y": [20.0, 6.0, 1.0, 0.1],
        "sd_y": [15.0, 8.0, 3.0, 0.5],
    }
)
TARGETS = {"all": {"y": 0.05}, "region": {"y": 0.08}}


def plan() -> nsm.Plan:
    return nsm.allocate(STRATA, precision=TARGETS)


def test_beside_proportional_at_the_same_cost() -> None:
    table = plan().compare()
    share = STRATA["population"].to_numpy()
    n = share * plan().cost / (share @ STRATA["cost"].to_numpy())
    variance = share**2 * STRATA["sd_y"].to_numpy() ** 2 * (1 / n - 1 / share)
    total = share @ STRATA["mean_y"].to_numpy()
    assert table["cv_proportional"][0] == pytest.approx(np.sqrt(variance.sum()) / total, rel=1e-3)
    assert table["ratio"].max() > 1


def test_the_cost_of_proportional_for_the_same_targets() -> None:
    table = comparison(plan()).set_index("allocation")
    assert table.loc["plan", "worst"] <= 1
    assert table.loc["proportional, same targets", "cost"] > table.loc["plan", "cost"]
    assert table.loc["proportional, same targets", "worst"] <= 1 + 1e-9
    with pytest.raises(OptionError, match="no targets to compare by"):
        comparison(nsm.allocate(STRATA, "neyman", n=100))


def test_more_precision_costs_more() -> None:
    curve = plan().curve([0.7, 1.0, 1.5])
    cost = curve.groupby("factor")["cost"].first()
    assert cost.loc[1.0] == plan().cost
    assert cost.is_monotonic_decreasing
    assert (curve.loc[curve["factor"] == 0.7, "cv"] <= 0.7 * 0.08).all()
    sized = nsm.allocate(STRATA, "neyman", n=100).curve([0.5, 1.0, 2.0])
    assert sized.groupby("factor")["n"].first().tolist() == [50, 100, 200]
    bought = nsm.allocate(STRATA, "optimal", budget=400).curve([0.5, 1.0])
    assert (bought.groupby("factor")["cost"].first().to_numpy() <= [200, 400]).all()
    with pytest.raises(AllocationError, match="No point of the curve"):
        nsm.allocate(STRATA.assign(response=0.5), precision=TARGETS).curve([1e-9])


def test_areas_are_compared_by_allocating_again() -> None:
    g = np.random.default_rng(1)
    areas = pd.DataFrame(
        {
            "area": [f"{k:04d}" for k in range(800)],
            "stratum": np.repeat(["a", "b"], 400),
            "dwellings": g.integers(40, 200, 800),
            "y": np.r_[g.gamma(2, 5, 400), g.gamma(0.5, 1, 400)],
        }
    )
    made = nsm.allocate(areas_at(areas, size="dwellings", y=["y"]), precision={"all": {"y": 0.08}})
    table = made.compare()
    assert table["ratio"][0] > 1.05
    assert len(made.curve([0.8, 1.2])) == 2


def test_pictures_and_report_in_both_languages() -> None:
    made = plan()
    for kind, title in {
        "allocation": "Muestra por estrato, frente a la proporcional",
        "precision": "Coeficientes de variación esperados",
        "curve": "Precisión según costo",
    }.items():
        figure = made.plot(kind, language="es")
        assert figure.axes[0].get_title("left") == title
    english, spanish = made.report("en"), made.report("es")
    assert len(english) == len(spanish) == 7
    assert set(english).isdisjoint(spanish)
    assert "What the targets cost" in english
    assert len(nsm.allocate(STRATA, "neyman", n=100).report()) == 5
    with pytest.raises(OptionError, match="no picture 'pie'"):
        made.plot("pie")


def test_a_plan_by_hand_cannot_be_made_again() -> None:
    made = plan()
    by_hand = nsm.Plan(made.table, made.precision, made.rule, made.cost)
    with pytest.raises(OptionError, match=r"not made by nsm.allocate"):
        by_hand.curve()
