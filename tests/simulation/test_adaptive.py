"""Adaptive plans: hot areas lead to their neighbors, totals stay unbiased, edges are paid for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.errors import OptionError
from nsm.frame import Frame
from nsm.selection import adaptive_weights, draw, networks
from nsm.simulation import Adaptive, Population, Scheme, Stock, condense
from nsm.simulation.trial import RESPONDENT, Trial

COUNTS = {"immigrants": "status == 'immigrant'"}


@pytest.fixture(scope="module")
def stock(population: Population) -> Stock:
    return condense(population)


@pytest.fixture(scope="module")
def frame(stock: Stock) -> Frame:
    return Frame(stock.areas.assign(stratum="all"), "area")


@pytest.fixture(scope="module")
def neighbors(stock: Stock) -> pd.DataFrame:
    """Areas that follow each other in the list, so that networks are known."""
    area = stock.areas["area"].to_numpy()
    return pd.DataFrame({"area": area[:-1], "neighbor": area[1:]})


def trial(
    population: Population, stock: Stock, frame: Frame, adaptive: Adaptive | None, n: int = 60
) -> Trial:
    scheme = Scheme({"all": n}, method="srs", size=None, counts=COUNTS, adaptive=adaptive)
    return Trial(stock, population.field, scheme, frame)


def test_without_hits_it_is_the_plain_survey(
    population: Population, stock: Stock, frame: Frame, neighbors: pd.DataFrame
) -> None:
    assert stock.prevalence.max() < 1
    plain = trial(population, stock, frame, None)(7)
    other = trial(population, stock, frame, Adaptive(1.0, neighbors))(7)
    pd.testing.assert_frame_equal(plain.estimates, other.estimates)
    assert plain.load == other.load


def test_weights_are_those_of_the_selection_room(
    population: Population, stock: Stock, frame: Frame, neighbors: pd.DataFrame
) -> None:
    adaptive = Adaptive(0.1, neighbors)
    made = trial(population, stock, frame, adaptive)
    visits = made.visit(5)
    found = pd.Series(visits.share * visits.sample["base_weight"].to_numpy()[visits.nth])
    found = found.groupby([visits.own, visits.nth]).first().groupby(level=0).sum()
    area = stock.areas["area"].to_numpy()
    hit = (stock.prevalence >= 0.1).to_numpy()
    seen = made.leads.seen(visits.area) if made.leads else np.arange(0)
    sample = draw(frame, {"all": 60}, seed=5, method="srs", size=None)
    wanted = adaptive_weights(
        sample, pd.DataFrame({"area": area[seen], "hit": hit[seen]}), neighbors
    ).set_index("area")["adaptive_weight"]
    wanted = wanted[wanted > 0]
    assert sorted(area[found.index]) == sorted(wanted.index)
    np.testing.assert_allclose(found.to_numpy(), wanted.loc[area[found.index]].to_numpy())
    assert len(networks(area[hit], neighbors)) == hit.sum()


def test_totals_are_unbiased_and_their_errors_honest(
    population: Population, stock: Stock, frame: Frame, neighbors: pd.DataFrame
) -> None:
    """Everybody answers here, so that nothing but the draw varies."""
    made = trial(population, stock, frame, Adaptive(0.1, neighbors))
    value = stock.persons @ (stock.classes["status"] == "immigrant").to_numpy()
    truth = value.sum()
    totals, errors = [], []
    for seed in range(300):
        visits = made.visit(seed)
        weight = visits.share * visits.sample["base_weight"].to_numpy()[visits.nth]
        first = pd.DataFrame({"own": visits.own, "nth": visits.nth, "w": weight})
        first = first.drop_duplicates(["own", "nth"])
        mine = (first["w"] * value[first["own"]]).groupby(first["nth"]).sum()
        totals.append(mine.sum())
        n, whole = len(visits.area), len(value)
        errors.append(np.sqrt((1 - n / whole) * n * mine.var(ddof=1)))
    spread = np.std(totals, ddof=1)
    assert abs(np.mean(totals) - truth) < 4 * spread / np.sqrt(300)
    assert np.mean(errors) == pytest.approx(spread, rel=0.15)


def test_the_load_counts_each_area_once_and_the_edges(
    population: Population, stock: Stock, frame: Frame, neighbors: pd.DataFrame
) -> None:
    made = trial(population, stock, frame, Adaptive(0.1, neighbors))
    visits = made.visit(5)
    seen = made.leads.seen(visits.area) if made.leads else np.arange(0)
    load = made(5).load
    assert load["areas"] == len(seen) == len(set(seen)) > 60
    assert set(visits.own) < set(seen)  # edges are visited in vain
    assert load["dwellings"] == np.diff(stock.first_dwelling)[seen].sum()
    assert (visits.disposition == RESPONDENT).any()


def test_what_cannot_be_is_refused(neighbors: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="threshold 0"):
        Adaptive(0.0, neighbors)
    with pytest.raises(OptionError, match="take"):
        Scheme({"all": 5}, take=5, adaptive=Adaptive(0.3, neighbors))
