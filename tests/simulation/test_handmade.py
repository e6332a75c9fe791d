"""A population made by hand: the tables come back as they are, and mistakes are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from tests.simulation.rounds import TABLES, frame, previous, write

from nsm.errors import ColumnError, ConfigError, KeyColumnError
from nsm.simulation import HandMade, condense, fidelity, fieldwork, read_population

Change = Callable[[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]]


def hand_made(areas: int = 10) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables whose areas are those of the frame."""
    houses, people = previous(areas)
    for table in (houses, people):
        for column in ("area", "dwelling", "household"):
            if column in table:
                table[column] = "0" + table[column].str[1:]
    return houses.drop(columns=["weight", "zone"]), people


@pytest.fixture
def made(tmp_path: Path) -> HandMade:
    found = read_population(write(tmp_path, TABLES, *hand_made()), frame(), seed=1)
    assert isinstance(found, HandMade)
    return found


def test_tables_come_back_as_they_are(made: HandMade) -> None:
    houses, people = hand_made()
    tables = made.area_tables(["003", "001"])
    mine = people[people["dwelling"].str[:3].isin(["003", "001"])]
    assert len(tables["persons"]) == len(mine)
    assert sorted(tables["persons"]["pay"]) == sorted(mine["pay"])
    assert tables["persons"]["person"].is_unique
    assert (
        tables["dwellings"]["in_frame"] == (tables["dwellings"]["dwelling_type"] == "private")
    ).all()
    assert tables["households"]["household_size"].sum() == len(mine)
    assert len(made.area_tables(made.areas)["dwellings"]) == len(houses)


def test_truth_is_derived(made: HandMade) -> None:
    _, people = hand_made()
    truth = made.truth().iloc[0]
    assert truth["persons"] == len(people)
    assert truth["immigrants"] == (people["birth_country"] == "VEN").sum()
    born_here = people["birth_country"] == "XAR"
    assert truth["descendants"] == (born_here & (people["mother_birth_country"] == "VEN")).sum()
    inside = made.margins(["sex"])["persons"].sum()
    assert inside == (~people["dwelling"].str.endswith("014")).sum()


def test_surveys_take_it(made: HandMade) -> None:
    assert condense(made).persons.sum() == made.truth()["persons"].iloc[0]
    answers = fieldwork(made, frame().head(3), seed=2)
    assert len(answers["persons"])
    assert "notice" in answers["persons"].attrs
    kinds = fidelity(made)["kind"]
    assert {"exact", "structure", "shape"} <= set(kinds)


def test_names_and_codes_of_the_file(tmp_path: Path) -> None:
    houses, people = hand_made()
    people = people.rename(columns={"sex": "p03", "age": "p04"})
    people["p03"] = people["p03"].map({"M": 1, "F": 2})
    part = (
        TABLES
        + '\n[tables.columns]\nsex = "p03"\nage = "p04"\n[tables.codes]\nsex = {1 = "M", 2 = "F"}\n'
    )
    found = read_population(write(tmp_path, part, houses, people), frame(), seed=1)
    assert found.count(["sex"])["persons"].sum() == len(people)
    with pytest.raises(ConfigError, match=r"neither M nor F.*codes\.sex"):
        read_population(
            write(tmp_path, part.split("[tables.codes]")[0], houses, people), frame(), seed=1
        )


def test_persons_alone_are_enough(tmp_path: Path) -> None:
    _, people = hand_made()
    people = people.assign(area=people["dwelling"].str[:3]).drop(columns="dwelling")
    part = TABLES.replace('dwellings = "dwellings.csv"\n', "")
    found = read_population(write(tmp_path, part, hand_made()[0], people), frame(), seed=1)
    assert found.truth()["persons"].iloc[0] == len(people)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda h, p: (h, p.assign(age=p["age"].where(p.index != 4, 200))), ConfigError, "200"),
        (lambda h, p: (pd.concat([h, h.head(1)]), p), KeyColumnError, "000-000"),
        (lambda h, p: (h.iloc[1:], p), KeyColumnError, "000-000"),
        (
            lambda h, p: (h.assign(area="9" + h["area"]), p),
            KeyColumnError,
            "not in the frame.*9000",
        ),
        (lambda h, p: (h, pd.concat([p, p.tail(1)])), KeyColumnError, "stand twice"),
        (lambda h, p: (h, p.drop(columns="mother_birth_country")), ColumnError, "mother_birth"),
        (lambda h, p: (h.drop(columns="area"), p), ColumnError, "area"),
    ],
)
def test_mistakes_are_named(
    tmp_path: Path, change: Change, error: type[Exception], said: str
) -> None:
    file = write(tmp_path, TABLES, *change(*hand_made()))
    with pytest.raises(error, match=said):
        read_population(file, frame(), seed=1)
