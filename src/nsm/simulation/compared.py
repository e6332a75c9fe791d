"""How far a population from a previous round, or from files, is like its frame and its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from nsm.simulation.concentration import intra_area_correlation
from nsm.simulation.given import OUTSIDE
from nsm.simulation.population import Population
from nsm.simulation.resampled import Resampled

Row = tuple[str, Mapping[str, object], float, float, float, str, str]
_STATUS = ("immigrant", "descendant", "native")
_BATCH = 500


def row(text: str, wanted: float, reached: float, kind: str, **names: object) -> Row:
    """Return a row of `fidelity`: what was wanted, what came out."""
    return (text, names, float(wanted), float(reached), 0.0, kind, "")


def compared(population: Population) -> Iterator[Row]:
    """Compare with the frame, and with the round that it was drawn from."""
    houses, people = _everything(population)
    yield from _frame(population, houses, people)
    yield from _persons(population, people)
    if isinstance(population, Resampled):
        yield from _hidden(population, people)


def _everything(population: Population) -> tuple[pd.DataFrame, pd.DataFrame]:
    houses, people, areas = [], [], population.areas
    for start in range(0, len(areas), _BATCH):
        tables = population.area_tables(areas[start : start + _BATCH])
        houses.append(tables["dwellings"])
        kinds = tables["dwellings"][["dwelling", "dwelling_type"]]
        persons = tables["persons"].drop(columns="dwelling_type", errors="ignore")
        people.append(persons.merge(tables["truth"], on="person").merge(kinds, on="dwelling"))
    return pd.concat(houses, ignore_index=True), pd.concat(people, ignore_index=True)


def _frame(population: Population, houses: pd.DataFrame, people: pd.DataFrame) -> Iterator[Row]:
    frame, columns = population.frame, population.setting.columns
    index = frame[columns["area"]]
    inside = houses[houses["dwelling_type"] != OUTSIDE]
    counts = {
        "dwellings": inside["area"].value_counts(),
        "occupied": inside.loc[inside["occupied"], "area"].value_counts(),
    }
    said = {
        "dwellings": "Areas whose dwellings are not those of the frame",
        "occupied": "Areas whose occupied dwellings are not those of the frame",
    }
    for name, count in counts.items():
        if columns[name] in frame:
            made = count.reindex(index, fill_value=0).to_numpy()
            yield row(said[name], 0, (made != frame[columns[name]].to_numpy()).sum(), "exact")
    if columns["population"] in frame:
        living = (people["dwelling_type"] != OUTSIDE).sum()
        text = "Persons in dwellings; wanted: those of the frame"
        yield row(text, frame[columns["population"]].sum(), living, "structure")


def _persons(population: Population, people: pd.DataFrame) -> Iterator[Row]:
    source, weight = None, np.ones(0)
    if isinstance(population, Resampled):
        source, weight = _source(population)
    wanted = _shares(source, weight) if source is not None else {}
    for name, (text, reached) in _named(_shares(people, np.ones(len(people)))).items():
        yield row(text, wanted.get(name, np.nan), reached, "structure")
    for status, text in (
        ("immigrant", "Intra-area correlation of being an immigrant"),
        ("descendant", "Intra-area correlation of being a descendant"),
    ):
        before = _icc(source, status) if source is not None else np.nan
        yield row(text, before, _icc(people, status), "shape")


def _shares(people: pd.DataFrame, weight: np.ndarray) -> dict[str, float]:
    status = people["truth_status"].to_numpy()
    out = {name: float(np.average(status == name, weights=weight)) for name in _STATUS}
    out["men"] = float(np.average((people["sex"] == "M").to_numpy(), weights=weight))
    out["young"] = float(np.average(people["age"].to_numpy() < 15, weights=weight))
    out["mean_age"] = float(np.average(people["age"].to_numpy(dtype=float), weights=weight))
    homes = people.drop_duplicates("household")
    first = weight[~people["household"].duplicated().to_numpy()]
    size = homes["household"].map(people["household"].value_counts()).to_numpy(dtype=float)
    return {**out, "size": float(np.average(size, weights=first))}


def _named(shares: Mapping[str, float]) -> dict[str, tuple[str, float]]:
    said = {
        "immigrant": "Share of immigrants",
        "descendant": "Share of descendants",
        "native": "Share of natives",
        "men": "Share of men",
        "young": "Share of persons under 15",
        "mean_age": "Mean age",
        "size": "Persons in a household",
    }
    return {name: (said[name], value) for name, value in shares.items()}


def _source(population: Resampled) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the persons of the round and the weights of their dwellings."""
    donors = population.donors
    given = donors.given
    people = given.persons.merge(given.truth, on="person")
    place = pd.Index(given.dwellings["dwelling"]).get_indexer(people["dwelling"])
    return people, donors.weight[place]


def _icc(people: pd.DataFrame, status: str) -> float:
    yes = (people["truth_status"] == status).groupby(people["area"]).sum()
    size = people["area"].value_counts().reindex(yes.index)
    if len(yes) < 2 or not yes.sum():
        return np.nan
    return intra_area_correlation(yes.to_numpy(), size.to_numpy())


def _hidden(population: Resampled, people: pd.DataFrame) -> Iterator[Row]:
    """Count who has all the answers of one person of the round: roster and interview."""
    source, _ = _source(population)
    roster = ["sex", "age", "birth_country", "mother_birth_country", "father_birth_country"]
    asked = [c for c in population.donors.interview if c in people and c in source]
    if not asked:
        return
    amounts = [c for c in population.moved.columns if c in asked] or asked
    told = people[amounts].notna().all(axis=1)
    answered = source[source[amounts].notna().all(axis=1)]
    mine, theirs = (_joined(table[[*roster, *asked]]) for table in (people[told], answered))
    same = np.isin(mine, theirs).mean()
    text = "Share of persons with amounts who have all the answers of one person of the round"
    yield row(text, np.nan, float(same), "protection")


def _joined(table: pd.DataFrame) -> np.ndarray:
    """Return each row as one number."""
    text = table.apply(lambda column: column.astype("str").fillna(""))
    return pd.util.hash_pandas_object(text, index=False).to_numpy()
