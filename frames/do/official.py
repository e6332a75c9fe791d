"""The official tables, read, joined by a written table of names, and made consistent by rule."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

from nsm.frame.apportion import apportion

HERE = Path(__file__).resolve().parent
OFFICIAL = HERE / "official"
SIZES = [f"hh_{k}" for k in range(1, 10)]
LEVELS = ["region", "province", "municipality", "district"]
PROVISIONAL = {"Santiago Oeste": "01250190"}
IN_HOUSEHOLDS = 10_723_451


def plain(name: str) -> str:
    """Return a name without accents, case, brackets and "D.M.".

    >>> plain("Verón Punta Cana (DM)")
    'veron punta cana'
    """
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"\(.*?\)", "", ascii_)).strip()


def code_list() -> pd.DataFrame:
    """Return the 2020 code list to the distrito municipal: level, code, name, cumulative codes."""
    raw = pd.read_csv(OFFICIAL / "do_territorial_division_2020.csv", dtype="str")
    raw = raw[raw["level"].isin(["region", "province", "municipality", "municipal_district"])]
    parts = raw[["region", "province", "municipality", "municipal_district"]].to_numpy()
    width = raw["level"].map(
        {"region": 1, "province": 2, "municipality": 3, "municipal_district": 4}
    )
    code = ["".join(row[:w]) for row, w in zip(parts, width, strict=True)]
    name = raw["name"].str.replace(r"\s*\(DM\)\s*$", "", regex=True)
    return pd.DataFrame(
        {
            "level": raw["level"].replace("municipal_district", "district").to_numpy(),
            "code": code,
            "name": name.str.split().str.join(" ").to_numpy(),
        }
    )


def census_districts() -> pd.DataFrame:
    """Return the 393 distritos of the population table: names, population, km2."""
    raw = pd.read_csv(OFFICIAL / "do_population_area_2022.csv")
    raw = raw[raw["level"] == "municipal_district"].reset_index(drop=True)
    names = ["region", "provincia", "municipio", "distrito_municipal"]
    return raw[[*names, "pop2022", "area_km2"]].rename(columns={"pop2022": "population"})


def name_table(codes: pd.DataFrame, census: pd.DataFrame) -> pd.DataFrame:
    """Join census names to codes: by plain name, then by the written variants.

    Returns
    -------
    One row per distrito: the three names of the census, its code and how it was found.
    """
    variants = pd.read_csv(HERE / "variants.csv", dtype="str")
    spelled = {
        (level, province, plain(name)): plain(known)
        for level, province, name, known in variants.iloc[:, :4].itertuples(index=False)
    }
    by_code = codes.set_index("code")["name"]
    known = {}
    for code in codes.loc[codes["level"] == "district", "code"]:
        known[code[2:4], plain(by_code[code[:6]]), plain(by_code[code])] = code
    provinces = {
        plain(n): c[2:] for c, n in by_code[codes.loc[codes["level"] == "province", "code"]].items()
    }
    rows = []
    for r in census.itertuples():
        province = provinces[plain(r.provincia)]
        key = [plain(r.municipio), plain(r.distrito_municipal)]
        found = [
            spelled.get((level, province, k), k)
            for level, k in zip(("municipality", "municipal_district"), key, strict=True)
        ]
        code, how = known.get((province, *key)), "same name"
        if code is None:
            code, how = known.get((province, *found)), "variant"
        if code is None:
            name = re.sub(r"\s*\(D\.?M\.?\)$", "", r.distrito_municipal)
            code, how = PROVISIONAL[name], "provisional: the 2020 code list has none"
        rows.append((r.provincia, r.municipio, r.distrito_municipal, code, how))
    columns = ["provincia", "municipio", "distrito_municipal", "district", "match"]
    return pd.DataFrame(rows, columns=columns)


def cells(names: pd.DataFrame) -> pd.DataFrame:
    """Return the 773 distrito x zone cells: households by size (hh_1 .. hh_9)."""
    raw = pd.read_csv(OFFICIAL / "do_households_by_size_zone_2022.csv")
    raw = raw[raw["level"] == "municipal_district"]
    # The two distrito tables spell one name in two ways: Canca La Reina, Canca La Reyna.
    key = ["provincia", "municipio", "distrito_municipal"]
    plain_names = raw[key].map(plain).replace("canca la reyna", "canca la reina")
    raw = raw.assign(key=plain_names.agg("|".join, axis=1))
    table = names.assign(
        key=names[key].map(plain).replace("canca la reyna", "canca la reina").agg("|".join, axis=1)
    )
    out = raw.merge(table[["key", "district"]], on="key", validate="many_to_one")
    sizes = [c for c in out.columns if c.startswith("hh_size_")]
    out = out.rename(columns=dict(zip(sizes, SIZES, strict=True)))
    out["municipality"] = out["district"].str[:6]
    order = out.sort_values(["district", "zone"], ascending=[True, False])
    return order[["municipality", "district", "zone", "households", *SIZES]].reset_index(drop=True)


def municipalities(codes: pd.DataFrame) -> pd.DataFrame:
    """Return the municipality table by the ONE code; the 5-digit one is province + 0 + number."""
    raw = pd.read_csv(
        OFFICIAL / "do_municipios_census2022_2010.csv",
        dtype={"mun_code": "str", "prov_code": "str"},
    )
    by_short = {
        c[2:4] + "0" + c[4:6]: c for c in codes.loc[codes["level"] == "municipality", "code"]
    }
    raw["municipality"] = raw["mun_code"].map(by_short)
    return raw.set_index("municipality").sort_index()


def with_population(table: pd.DataFrame, census: pd.Series, towns: pd.DataFrame) -> pd.DataFrame:
    """Add population, collective and extra persons to the cells.

    Parameters
    ----------
    table
        The cells.
    census
        Population by distrito.
    towns
        The municipality table.

    Returns
    -------
    The cells with `least` (persons if every household of nine or more has nine), `population`,
    `collective` and `extra` (persons beyond the ninth). least + extra + collective = population.
    """
    table = table.copy()
    table["least"] = table[SIZES].to_numpy() @ np.arange(1, 10)
    room = census - table.groupby("district")["least"].sum()
    table["rest"] = 0
    for code, town in table.groupby("municipality"):
        table.loc[town.index, "rest"] = _by_zone(town, room, towns.loc[code])
    table["population"] = table["least"] + table["rest"]
    in_households = _in_households(table, towns)
    table["extra"] = 0
    for code, town in table.groupby("municipality"):
        table.loc[town.index, "extra"] = apportion(
            town["hh_9"].to_numpy(), in_households[code], upper=_extra_room(town)
        )
    table["collective"] = table["rest"] - table["extra"]
    return table.drop(columns=["least", "rest"])


def _by_zone(town: pd.DataFrame, room: pd.Series, published: pd.Series) -> np.ndarray:
    """Share each distrito's persons beyond `least` between its zones.

    Where the municipality table has the split of its population (157 of 158), the urban persons
    add up to it; else they follow the least population.
    """
    urban = town["zone"].to_numpy() == "urban"
    both = town.groupby("district")["zone"].transform("size").to_numpy() == 2
    whole = town["district"].map(room).to_numpy()
    rest = np.where(both, 0, whole)
    if not both.any():
        return rest
    split = urban & both
    weights = whole[split] * town["least"].to_numpy()[split] / _district_least(town)[split]
    wanted = published["pop2022_urban"] - town["least"].to_numpy()[urban].sum()
    wanted -= rest[urban].sum()
    total = round(weights.sum()) if np.isnan(wanted) else int(wanted)
    rest[split] = apportion(whole[split] + weights * 1e-3, total, upper=whole[split])
    done = dict(zip(town["district"].to_numpy()[split], rest[split], strict=True))
    rural = both & ~urban
    rest[rural] = whole[rural] - [done[d] for d in town["district"].to_numpy()[rural]]
    return rest


def _district_least(town: pd.DataFrame) -> np.ndarray:
    return town.groupby("district")["least"].transform("sum").to_numpy()


def _extra_room(town: pd.DataFrame) -> np.ndarray:
    """Let a household of nine or more hold at most six persons beyond the ninth, on average."""
    return np.minimum(town["rest"], 6 * town["hh_9"]).to_numpy()


def _in_households(table: pd.DataFrame, towns: pd.DataFrame) -> pd.Series:
    """Return the persons beyond the ninth of their household by municipality.

    The municipality table has the persons in households; what it leaves over `least` is the guide.
    Samaná's row is stale (60,590 persons; its households need 63,011), so the guides are scaled to
    the national figure.
    """
    people = table.groupby("municipality")[["least", "rest"]].sum()
    guide = (towns["pop_in_households"] - people["least"]).clip(lower=0)
    most = _extra_room(table)
    bound = pd.Series(most, table["municipality"]).groupby(level=0).sum()
    total = IN_HOUSEHOLDS - int(people["least"].sum())
    return pd.Series(apportion(guide.to_numpy(), total, upper=bound.to_numpy()), guide.index)
