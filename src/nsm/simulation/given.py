"""Tables of dwellings and persons that somebody brings: read, renamed, recoded and verified."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nsm.errors import ConfigError, KeyColumnError
from nsm.fieldwork import derive
from nsm.files import local_path, read_table, require_columns
from nsm.simulation.section import Section
from nsm.simulation.setting import Setting

KEYS = ("area", "dwelling", "household", "person")
ROSTER = (
    "household",
    "sex",
    "age",
    "birth_country",
    "mother_birth_country",
    "father_birth_country",
)
OUTSIDE = "habitaculo"
PRIVATE = "private"
OLDEST = 130
TRUTH = ("truth_status", "truth_origin", "truth_country", "truth_parents")
_COUNTRIES = ("birth_country", "mother_birth_country", "father_birth_country", "citizenship")


@dataclass(frozen=True)
class Given:
    """Dwellings and persons with the names and codes that nsm uses, sorted by their keys.

    Parameters
    ----------
    dwellings
        `dwelling, area, dwelling_type, door_language, occupied` and what else the file holds.
    persons
        `person, household, dwelling, area, line, relationship, sex, age`, the birthplaces, and what
        else the file holds.
    truth
        Status and origin of every person: `person` and the columns of `TRUTH`.
    """

    dwellings: pd.DataFrame
    persons: pd.DataFrame
    truth: pd.DataFrame


def read_given(part: Section, setting: Setting) -> Given:
    """Read the tables that a part of a description names.

    Parameters
    ----------
    part
        `persons` and, as wanted, `dwellings`: files beside the description; `columns`: the names
        that a file has for columns; `codes`: column -> code of the file -> code.

    Raises
    ------
    FileError, ColumnError, ConfigError, KeyColumnError
        A file or column is not there, a key stands twice or belongs to nothing, a sex is neither M
        nor F, or an age is none.
    """
    names = {key: str(value) for key, value in part.part("columns", {}).values.items()}
    codes = {key: dict(value) for key, value in part.part("codes", {}).values.items()}
    folder = Path(part.file).parent
    persons = _read(folder / part.text("persons"), names, codes)
    where = f"{part.file}: {part.text('persons')}"
    require_columns(persons, ROSTER, where)
    if "dwelling" not in persons:
        persons = persons.assign(dwelling=persons["household"])
    named = part.text("dwellings", "")
    if named:
        dwellings = _read(folder / named, names, codes)
        require_columns(dwellings, ["dwelling", "area"], f"{part.file}: {named}")
    else:
        require_columns(persons, ["area"], where)
        about = [c for c in ("dwelling", "area", "dwelling_type", "door_language") if c in persons]
        dwellings = persons[about].drop_duplicates(ignore_index=True)
    dwellings = _dwellings(dwellings, setting, named or where)
    persons = _persons(persons, dwellings, where)
    return Given(dwellings, persons, _truth(persons, setting))


def _read(
    path: str | os.PathLike[str], names: Mapping[str, str], codes: Mapping[str, Mapping[str, str]]
) -> pd.DataFrame:
    file = local_path(path)
    text = [names.get(c, c) for c in (*KEYS, *_COUNTRIES, *codes)]
    table = read_table(file, text=text).rename(columns={old: new for new, old in names.items()})
    for column, known in codes.items():
        if column in table:
            said = table[column].astype("str")
            table[column] = said.map({str(k): v for k, v in known.items()}).fillna(said)
    return table


def _dwellings(table: pd.DataFrame, setting: Setting, where: str) -> pd.DataFrame:
    twice = table["dwelling"][table["dwelling"].duplicated()]
    if len(twice):
        raise KeyColumnError(
            "{where}: {count} dwellings stand twice: {dwellings}. One row for each dwelling.",
            where=where,
            count=len(twice),
            dwellings=twice.tolist(),
        )
    out = table.sort_values(["area", "dwelling"], ignore_index=True)
    kinds = {"dwelling_type": PRIVATE, "door_language": setting.language}
    for column, usual in kinds.items():
        found = out[column] if column in out else pd.Series(usual, out.index)
        out[column] = found.astype("str").fillna(usual)
    return out


def _persons(table: pd.DataFrame, dwellings: pd.DataFrame, where: str) -> pd.DataFrame:
    _require_values(table, where)
    place = pd.Index(dwellings["dwelling"]).get_indexer(table["dwelling"])
    if (place < 0).any():
        lost = table["dwelling"][place < 0].unique()
        raise KeyColumnError(
            "{where}: the dwellings of {count} persons are not in the table of dwellings: "
            "{dwellings}.",
            where=where,
            count=int((place < 0).sum()),
            dwellings=lost.tolist(),
        )
    out = table.assign(area=dwellings["area"].to_numpy()[place], age=table["age"].astype(np.int64))
    if "line" not in out:
        out = out.sort_values([c for c in ("household", "person") if c in out], kind="stable")
        out["line"] = out.groupby("household").cumcount() + 1
    if "person" not in out:
        lines = out["line"].astype(int).map("{:02d}".format)
        out["person"] = out["household"] + "-" + lines
    if "relationship" not in out:
        out["relationship"] = np.where(out["line"] == 1, "head", "not_related")
    twice = out["person"][out["person"].duplicated()]
    if len(twice):
        raise KeyColumnError(
            "{where}: {count} persons stand twice: {persons}.",
            where=where,
            count=len(twice),
            persons=twice.tolist(),
        )
    return out.sort_values(["area", "dwelling", "household", "line"], ignore_index=True)


def _require_values(table: pd.DataFrame, where: str) -> None:
    wrong = ~table["sex"].isin(["M", "F"]).to_numpy()
    if wrong.any():
        raise ConfigError(
            "{where}: {count} persons have a sex that is neither M nor F: {values}. Say in "
            "`codes.sex` what the file's codes mean.",
            where=where,
            count=int(wrong.sum()),
            values=table["sex"][wrong].astype("str").unique().tolist(),
        )
    age = pd.to_numeric(table["age"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~((age >= 0) & (age <= OLDEST) & (age == np.floor(age)))
    if wrong.any():
        raise ConfigError(
            "{where}: {count} persons have no age in whole years from 0 to {oldest}: {values}. "
            "Mend them, or fill them with nsm.fieldwork.impute.",
            where=where,
            count=int(wrong.sum()),
            oldest=OLDEST,
            values=table["age"][wrong].astype("str").unique().tolist(),
        )


def _truth(persons: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Derive status and origin; who is not known to be of foreign origin counts as a native."""
    wanted = ("status", "origin", "parents_abroad")
    made = derive(persons, home=setting.country, only=wanted)
    known = made["status"].isin(["immigrant", "descendant"])
    immigrant = made["status"] == "immigrant"
    origin = made["origin"].where(known, setting.country).astype("str")
    return pd.DataFrame(
        {
            "person": persons["person"],
            "truth_status": made["status"].where(known, "native").astype("str"),
            "truth_origin": origin.where(known, "native"),
            "truth_country": origin.where(~immigrant, persons["birth_country"]).astype("str"),
            "truth_parents": made["parents_abroad"].map({"one": 1, "two": 2}).fillna(0).astype(int),
        }
    )


def listed(
    dwellings: pd.DataFrame, persons: pd.DataFrame, truth: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the four tables of a population: see `Population.area_tables`."""
    people = persons["dwelling"].value_counts()
    homes = persons.drop_duplicates("household")
    size = persons["household"].value_counts()
    nth = homes.groupby("dwelling").cumcount() + 1
    living = dwellings["dwelling"].map(people).fillna(0).astype(np.int64)
    occupied = living > 0
    houses = dwellings.assign(
        number=dwellings.groupby("area").cumcount() + 1,
        occupied=occupied,
        in_frame=dwellings["dwelling_type"] != OUTSIDE,
        door_language=dwellings["door_language"].where(occupied),
        households=dwellings["dwelling"]
        .map(homes["dwelling"].value_counts())
        .fillna(0)
        .astype(int),
        persons=living,
    )
    households = pd.DataFrame(
        {
            "household": homes["household"],
            "dwelling": homes["dwelling"],
            "area": homes["area"],
            "household_number": nth,
            "household_size": homes["household"].map(size),
        }
    ).reset_index(drop=True)
    return {"dwellings": houses, "households": households, "persons": persons, "truth": truth}
