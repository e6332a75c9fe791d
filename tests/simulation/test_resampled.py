"""A population drawn from a previous round: margins, seeds, concentration, and what it hides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulation.rounds import FIELD, HEAD, MICRODATA, frame, previous, write

from nsm.errors import ColumnError, ConfigError, KeyColumnError
from nsm.simulation import Resampled, condense, fidelity, fieldwork, read_population
from nsm.simulation.concentration import intra_area_correlation


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("round")
    write(where, MICRODATA, *previous())
    return where


def population(folder: Path, areas: pd.DataFrame, seed: int = 1) -> Resampled:
    made = read_population(folder / "population.toml", areas, seed=seed)
    assert isinstance(made, Resampled)
    return made


@settings(max_examples=10, deadline=None)
@given(areas=st.integers(4, 12), seed=st.integers(0, 2**31 - 1))
def test_dwellings_are_those_of_the_frame(folder: Path, areas: int, seed: int) -> None:
    table = frame(areas)
    made = population(folder, table, seed)
    houses = made.area_tables(made.areas)["dwellings"]
    inside = houses[houses["in_frame"]]
    counted = inside.groupby("area").agg(n=("dwelling", "size"), living=("occupied", "sum"))
    assert counted.loc[table["area"], "n"].tolist() == table["dwellings"].tolist()
    assert counted.loc[table["area"], "living"].tolist() == table["occupied"].tolist()
    assert houses["dwelling"].is_unique


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_a_seed_decides_and_orders_do_not(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    table = frame()
    one = population(folder, table, seed)
    houses, people = previous()
    shuffled = tmp_path_factory.mktemp("shuffled")
    rng = np.random.default_rng(seed)
    write(
        shuffled,
        MICRODATA,
        houses.iloc[rng.permutation(len(houses))],
        people.iloc[rng.permutation(len(people))],
    )
    other = population(shuffled, table.iloc[::-1], seed)
    some = ["007", "002"]
    for name, expected in one.area_tables(some).items():
        found = other.area_tables(some)[name]
        pd.testing.assert_frame_equal(found[[*expected.columns]], expected)
    again = population(folder, table, seed + 1).area_tables(some)["persons"]
    assert not again["age"].equals(one.area_tables(some)["persons"]["age"])


def test_areas_do_not_depend_on_each_other(folder: Path) -> None:
    made = population(folder, frame())
    alone = made.area_tables(["004"])["persons"]
    among = made.area_tables(made.areas)["persons"]
    among = among[among["area"] == "004"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, among)
    pd.testing.assert_frame_equal(made.only(["004"]).area_tables(["004"])["persons"], alone)


def test_nobody_has_the_answers_of_one_person(folder: Path) -> None:
    """Pay tells whose interview it is; the roster's own person is never the same."""
    made = population(folder, frame(40))
    _, people = previous()
    quiet = made.moved.__class__(1, 0, 1e-12, ())  # pay as it was: it names its giver
    made = Resampled(**{**{k: getattr(made, k) for k in made.__dataclass_fields__}, "moved": quiet})
    persons = made.area_tables(made.areas)["persons"].dropna(subset="pay")
    assert len(persons) > 500
    giver = people.set_index("pay").loc[pd.to_numeric(persons["pay"])]
    roster = ["sex", "age", "birth_country", "mother_birth_country", "father_birth_country"]
    same_household = giver["household"].to_numpy() == persons["household"].to_numpy()
    assert not same_household.any()
    everything = [*roster, "schooling", "pay"]
    known = set(map(tuple, people[everything].astype(str).to_numpy()))
    alike = [tuple(row) in known for row in persons[everything].astype(str).to_numpy()]
    # By chance: another person of the same sex, birthplace and age band whose age comes out alike.
    assert np.mean(alike) < 0.12


def test_no_record_comes_back_whole(folder: Path) -> None:
    """Amounts are moved too: with them no person has all answers of another."""
    made = population(folder, frame(40))
    rows = fidelity(made).set_index("measure")["reached"]
    said = "Share of persons with amounts who have all the answers of one person of the round"
    assert rows[said] < 0.02
    houses, _ = previous()
    persons = made.area_tables(made.areas)
    kept = set(houses["dwelling"]) | set(houses["area"])
    for table in persons.values():
        for column in ("area", "dwelling", "household", "person"):
            if column in table:
                assert not set(table[column]) & kept


def test_a_household_of_many_does_not_come_back(folder: Path) -> None:
    made = population(folder, frame(40))
    persons = made.area_tables(made.areas)["persons"]
    _, people = previous()
    shape = lambda t: t.groupby("household").apply(  # noqa: E731
        lambda h: tuple(sorted(zip(h["sex"], h["age"], strict=True)))
    )
    large = [s for s in shape(people) if len(s) >= 4]
    found = shape(persons)
    assert found.isin(large).mean() < 0.02


def test_kinds_and_concentration_are_those_of_the_round(folder: Path) -> None:
    made = population(folder, frame(200))
    houses, people = previous()
    weight = houses.set_index("dwelling")["weight"].loc[people["dwelling"]].to_numpy()
    wanted = np.average(people["birth_country"] == "VEN", weights=weight)
    truth = made.truth(["area"])
    share = truth["immigrants"].sum() / truth["persons"].sum()
    assert share == pytest.approx(wanted, abs=0.04)
    icc = intra_area_correlation(truth["immigrants"].to_numpy(), truth["persons"].to_numpy())
    assert icc > 0.08
    loose = write_loose(folder.parent, alike=0.0)
    apart = population(loose, frame(200)).truth(["area"])
    scattered = intra_area_correlation(apart["immigrants"].to_numpy(), apart["persons"].to_numpy())
    assert scattered < 0.5 * icc


def write_loose(folder: Path, *, alike: float) -> Path:
    where = folder / "loose"
    where.mkdir(exist_ok=True)
    write(where, MICRODATA.replace("alike = 0.8", f"alike = {alike}"), *previous())
    return where


def test_fieldwork_and_stock_take_it(folder: Path) -> None:
    table = frame()
    made = population(folder, table)
    stock = condense(made)
    truth = made.truth().iloc[0]
    assert stock.persons.sum() == truth["persons"]
    drawn = fieldwork(made, table.head(4), seed=3)
    assert set(drawn["persons"]["area"]) <= set(table["area"].head(4))
    assert drawn["persons"]["pay"].notna().any()
    arrival = drawn["persons"]["arrival_year"].dropna()
    assert arrival.between(2018, 2020).all()  # 2015, four years later, moved by one at most


def test_fidelity_says_what_was_wanted(folder: Path) -> None:
    table = fidelity(population(folder, frame(60)))
    exact = table[table["kind"] == "exact"]
    assert len(exact) == 2
    assert (exact["reached"] == 0).all()
    held = table.set_index("measure")
    assert held.loc["Share of men", "reached"] == pytest.approx(
        held.loc["Share of men", "wanted"], abs=0.06
    )
    assert table.attrs["notice"] == "Synthetic."


def test_no_weight_is_named(tmp_path: Path) -> None:
    houses, people = previous()
    houses.loc[3, "weight"] = np.nan
    file = write(tmp_path, MICRODATA, houses, people)
    with pytest.raises(ConfigError, match=r"1 dwellings of the round.*900-003"):
        read_population(file, frame(), seed=1)


def test_a_stratum_without_donors_is_named(tmp_path: Path) -> None:
    houses, people = previous()
    file = write(tmp_path, MICRODATA, houses[houses["zone"] == "urban"], people)
    with pytest.raises(KeyColumnError, match="not in the table of dwellings"):
        read_population(file, frame(), seed=1)
    left = people["dwelling"].isin(houses.loc[houses["zone"] == "urban", "dwelling"])
    file = write(tmp_path, MICRODATA, houses[houses["zone"] == "urban"], people[left])
    with pytest.raises(ConfigError, match=r"1 strata.*rural"):
        read_population(file, frame(), seed=1)


def test_a_frame_without_the_stratum_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, MICRODATA, *previous())
    with pytest.raises(ColumnError, match="zone"):
        read_population(file, frame().drop(columns="zone"), seed=1)


def test_more_occupied_dwellings_than_dwellings(tmp_path: Path) -> None:
    file = write(tmp_path, MICRODATA, *previous())
    with pytest.raises(KeyColumnError, match="002"):
        read_population(file, frame().assign(dwellings=[99, 99, 1] + [99] * 7), seed=1)


def test_an_unknown_key_has_no_meaning(tmp_path: Path) -> None:
    file = write(tmp_path, MICRODATA + "alikee = 1\n", *previous())
    with pytest.raises(ConfigError, match=r"alikee.*alike"):
        read_population(file, frame(), seed=1)


@pytest.mark.parametrize("base", ["1.2", "-0.1"])
def test_a_response_outside_0_and_1_is_refused(tmp_path: Path, base: str) -> None:
    file = write(tmp_path, MICRODATA, *previous())
    file.write_text(
        HEAD + MICRODATA + FIELD.replace("base = 0.9\n", f"base = {base}\n"), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"field\.response\.base"):
        read_population(file, frame(), seed=1)
