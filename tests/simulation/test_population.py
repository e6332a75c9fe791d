"""Counts that hold to the person, and persons that realize them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.errors import FrameError, KeyColumnError, OptionError
from nsm.simulation import Population, read_population

DESCRIPTION = Path(__file__).parents[2] / "examples" / "eni-do" / "population.toml"

Tables = dict[str, pd.DataFrame]


def test_men_and_women_of_every_area_are_those_of_the_frame(
    population: Population, areas: pd.DataFrame
) -> None:
    found = population.margins(["area", "sex"]).pivot_table(
        index="area", columns="sex", values="persons", fill_value=0
    )
    wanted = areas.set_index("area")[["women", "men"]].sort_index()
    assert (found.to_numpy() == wanted.to_numpy()).all()


def test_persons_of_foreign_origin_are_those_of_the_truth_table(
    population: Population, truth: pd.DataFrame
) -> None:
    found = population.count(["area", "status", "origin", "dwelling_type"])
    for status, word in (("immigrant", "immigrants"), ("descendant", "descendants")):
        for place, prefix in (("private", ""), ("habitaculo", "habitaculo_")):
            for origin in ("hti", "other"):
                mine = found[(found["status"] == status) & (found["dwelling_type"] == place)]
                mine = mine[mine["origin"] == origin].set_index("area")["persons"]
                column = f"{prefix}{'' if prefix and word == 'immigrants' else word + '_'}{origin}"
                wanted = truth.set_index("area")[column]
                assert (mine.reindex(wanted.index, fill_value=0) == wanted).all()


def test_persons_realize_the_counts(population: Population, tables: Tables) -> None:
    persons = tables["persons"].merge(tables["truth"], on="person")
    persons = persons.merge(tables["dwellings"][["dwelling", "dwelling_type"]], on="dwelling")
    starts = population.description.ages.starts
    band = np.searchsorted(starts, persons["age"], side="right") - 1
    persons["age"] = np.array(population.description.ages.labels)[band]
    by = {"area": "area", "truth_status": "status", "truth_country": "country", "sex": "sex"}
    by |= {"age": "age", "dwelling_type": "dwelling_type"}
    found = persons.groupby([*by]).size()
    wanted = population.count([*by.values()])
    wanted = wanted[wanted["area"].isin(tables["dwellings"]["area"])]
    wanted = wanted.set_index([*by.values()])["persons"]
    wanted.index.names = [*by]
    assert found.sort_index().equals(wanted.sort_index())


def test_an_area_does_not_depend_on_the_others(population: Population) -> None:
    together = population.area_tables(population.areas[10:16])
    alone = population.area_tables([population.areas[15], population.areas[12]])
    for name in ("dwellings", "households", "persons"):
        mine = together[name][together[name]["area"].isin(alone[name]["area"])]
        left, right = (t.sort_values(t.columns[0], ignore_index=True) for t in (mine, alone[name]))
        pd.testing.assert_frame_equal(left, right)


def test_row_order_does_not_matter(
    population: Population, areas: pd.DataFrame, truth: pd.DataFrame
) -> None:
    again = read_population(
        DESCRIPTION, areas.sample(frac=1, random_state=1), truth.iloc[::-1], seed=20270115
    )
    pd.testing.assert_frame_equal(again.counts, population.counts)


def test_another_seed_gives_another_population(
    population: Population, areas: pd.DataFrame, truth: pd.DataFrame
) -> None:
    other = read_population(DESCRIPTION, areas, truth, seed=2)
    assert not other.counts.equals(population.counts)
    assert other.truth().equals(population.truth())


def test_dwellings_are_those_of_the_frame(areas: pd.DataFrame, tables: Tables) -> None:
    dwellings = tables["dwellings"]
    private = dwellings[dwellings["dwelling_type"] == "private"].groupby("area")
    wanted = areas.set_index("area").loc[[*private.groups]]
    assert (private.size() == wanted["dwellings"]).all()
    assert (private["occupied"].sum() == wanted["occupied"]).all()
    assert (private["households"].sum() == wanted["households"]).all()
    assert dwellings["dwelling"].is_unique
    assert not dwellings.loc[dwellings["dwelling_type"] == "habitaculo", "in_frame"].any()


def test_households_have_the_sizes_of_the_frame(areas: pd.DataFrame, tables: Tables) -> None:
    persons = tables["persons"].groupby("household").size()
    households = tables["households"].set_index("household")
    assert (persons.loc[households.index] == households["household_size"]).all()
    kinds = tables["dwellings"].set_index("dwelling")["dwelling_type"]
    private = households[kinds.loc[households["dwelling"]].to_numpy() == "private"]
    size = private["household_size"].clip(upper=9)
    found = pd.crosstab(private["area"], size)
    wanted = areas.set_index("area").loc[found.index, [f"hh_{k}" for k in range(1, 10)]]
    assert (found.to_numpy() == wanted.to_numpy()).all()


def test_a_parent_in_the_household_was_born_where_the_child_says(tables: Tables) -> None:
    persons = tables["persons"]
    born = persons.set_index(["household", "line"])["birth_country"]
    for parent in ("mother", "father"):
        linked = persons[persons[f"{parent}_line"].notna()]
        key = pd.MultiIndex.from_frame(linked[["household", f"{parent}_line"]])
        assert len(linked) > 1000
        assert (born.loc[key].to_numpy() == linked[f"{parent}_birth_country"]).all()


def test_answers_lead_back_to_the_true_status(tables: Tables) -> None:
    persons = tables["persons"].merge(tables["truth"], on="person")
    abroad = persons["birth_country"] != "DOM"
    parents = [persons[f"{p}_birth_country"] for p in ("mother", "father")]
    foreign = sum((~p.isin(["DOM", "UNKNOWN"])).astype(int) for p in parents)
    status = np.select([abroad, foreign > 0], ["immigrant", "descendant"], "native")
    assert (status == persons["truth_status"]).all()
    descendants = persons["truth_status"] == "descendant"
    assert (foreign[descendants] == persons.loc[descendants, "truth_parents"]).all()


def test_every_household_has_one_head_who_comes_first(tables: Tables) -> None:
    persons = tables["persons"]
    heads = persons[persons["relationship"] == "head"]
    assert (heads["line"] == 1).all()
    assert len(heads) == persons["household"].nunique() == len(tables["households"])
    assert (heads["age"] >= 15).mean() > 0.999
    spouses = persons[persons["relationship"] == "spouse"]
    assert (spouses["age"] >= 17).all()
    assert spouses["household"].is_unique


def test_tables_say_that_they_are_synthetic(tables: Tables) -> None:
    assert all("Not ENI results" in table.attrs["notice"] for table in tables.values())


def test_counts_can_be_had_by_wider_ages(population: Population) -> None:
    wide = population.margins(["sex", "age"], ages=[0, 15, 65])
    assert sorted(set(wide["age"])) == ["0-14", "15-64", "65+"]
    assert wide["persons"].sum() == population.margins(["zone"])["persons"].sum()
    with pytest.raises(OptionError, match=r"rise from 0.*not 0, 16"):
        population.margins(["age"], ages=[0, 16])


def test_an_unknown_area_is_named(population: Population) -> None:
    with pytest.raises(KeyColumnError, match="no areas '0405'"):
        population.area_tables(["0405"])
    twice = population.areas[:1] * 2
    with pytest.raises(KeyColumnError, match="named twice"):
        population.area_tables(twice)


def test_more_migrants_than_persons_are_refused(areas: pd.DataFrame, truth: pd.DataFrame) -> None:
    broken = truth.assign(immigrants_hti=truth["immigrants_hti"].where(truth.index != 3, 9999))
    with pytest.raises(FrameError, match="1 areas hold more.*" + truth["area"][3]):
        read_population(DESCRIPTION, areas, broken, seed=1)


def test_households_that_do_not_fit_their_persons_are_refused(
    areas: pd.DataFrame, truth: pd.DataFrame
) -> None:
    broken = areas.assign(hh_2=areas["hh_2"] + 500 * (areas.index == 2))
    with pytest.raises(FrameError, match="do not fit each other: " + repr(areas["area"][2])):
        read_population(DESCRIPTION, broken, truth, seed=1)
    with pytest.raises(KeyColumnError, match="lacks '04"):
        read_population(DESCRIPTION, areas, truth.iloc[1:], seed=1)
