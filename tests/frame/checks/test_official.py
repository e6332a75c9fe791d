"""The traps of the official tables, found by running the checks on the tables as they came."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from nsm.frame import Frame, compare, level_sums
from nsm.frame.checks.names import plain
from nsm.frame.reading import read_areas

OFFICIAL = Path(__file__).parents[3] / "frames" / "do" / "official"
TOWNS = "do_municipios_census2022_2010.csv"
SIZES = [f"hh_size_{k}" for k in range(1, 10)] + ["hh_size_10"]


def table(name: str) -> pd.DataFrame:
    return read_areas(OFFICIAL / name, text=["mun_code", "prov_code"])[0]


@pytest.fixture(scope="module")
def towns() -> Frame:
    about = {
        "levels": [{"key": "prov_code", "digits": 2}, {"key": "mun_code", "digits": 5}],
        "sizes": {
            c: c
            for c in ("pop2022", "pop2022_urban", "pop2022_rural", "pop2022_men", "pop2022_women",
                      "dwellings", "households", "pop_in_households", "pop2010")
        },
        "parts": {
            "pop2022": ["pop2022_urban", "pop2022_rural"],
        },
    }  # fmt: skip
    return Frame(table(TOWNS), key="mun_code", description=about)


def test_urban_and_rural_do_not_add_up(towns: Frame) -> None:
    findings = towns.check().set_index("code")
    assert findings.loc["F201", "examples"] == "04001 (-2), 20001 (+2481)"
    assert findings.loc["F202", "examples"] == "03001"


def test_four_municipalities_have_no_population_in_2010(towns: Frame) -> None:
    findings = towns.check(totals={"pop2010": 9_445_281}).query("where == 'pop2010'")
    assert findings.set_index("code").loc["F301", "count"] == 4
    assert (
        "adds up to 9406319; its known total is 9445281"
        in (findings.set_index("code").loc["F204", "message"])
    )


def test_two_totals_of_population_and_households(towns: Frame) -> None:
    totals = {"pop2022": 10_773_983, "households": 3_726_936}
    findings = towns.check(totals=totals).query("code == 'F204'")
    assert findings["examples"].tolist() == ["-888", "-2479"]


def test_two_population_tables_differ_in_two_municipalities(towns: Frame) -> None:
    volume = table("do_population_area_2022.csv").query("level == 'municipality'")
    one = towns.table.assign(unit=_unit(towns.table))
    other = volume.assign(unit=_unit(volume)).rename(columns={"pop2022": "population"})
    findings = compare(one, other, on="unit", columns={"pop2022": "population"})
    by_code = findings.set_index("code")
    assert by_code.loc["F204", "examples"] == "barahona|barahona (+2), samana|samana (-2481)"
    # Names of three municipalities are spelled in two ways: they stand in one table only.
    assert by_code.loc["F205", "count"] == 6
    assert "baoruco|de neiba" in by_code.loc["F205", "examples"]


def _unit(rows: pd.DataFrame) -> pd.Series:
    return rows["provincia"].map(plain) + "|" + rows["municipio"].map(plain)


def test_household_sizes_slipped_by_a_column(towns: Frame) -> None:
    sizes = table("do_municipios_household_size_2022.csv")
    joined = sizes.merge(towns.table[["mun_code", "households"]], on="mun_code")
    about = {"parts": {"households": SIZES}}
    findings = Frame(joined, key="mun_code", description=about).check().set_index("code")
    assert findings.loc["F203", "examples"] == "03001, 21004"
    assert findings.loc["F201", "examples"] == "20001 (+888)"


def test_persons_in_households_exceed_persons(towns: Frame) -> None:
    held = towns.table.assign(rest=towns.table["pop2022"] - towns.table["pop_in_households"])
    about = {"sizes": {"rest": ""}}
    findings = Frame(held, key="mun_code", description=about).check().set_index("code")
    lost = held.loc[held["rest"] < 0, "municipio"].tolist()
    assert lost == ["Postrer Río"]
    assert findings.loc["F302", "count"] == 1


def test_codes_read_as_numbers_lose_their_zeros(towns: Frame) -> None:
    raw = pd.read_csv(OFFICIAL / TOWNS)
    findings = Frame(raw, key="mun_code", description=towns.description).check()
    lost = findings.query("code == 'F103'").set_index("where")
    assert lost.loc["mun_code", "count"] == towns.table["mun_code"].str.startswith("0").sum()
    assert "leading zeros are lost" in lost.loc["prov_code", "message"]


def test_two_code_systems_are_named(towns: Frame) -> None:
    codes = table("do_territorial_division_2020.csv").query("level == 'municipality'")
    one = codes["region"] + codes["province"] + codes["municipality"]
    findings = compare(
        towns.table, codes.assign(mun_code=one, households=1), on="mun_code", columns=["households"]
    )
    assert "F206" in set(findings["code"])


def test_the_tables_of_all_levels_add_up() -> None:
    households = table("do_households_by_size_zone_2022.csv")
    keys = {
        "nation": ["zone"],
        "region": ["zone", "region"],
        "province": ["zone", "region", "provincia"],
        "municipality": ["zone", "region", "provincia", "municipio"],
        "municipal_district": ["zone", "region", "provincia", "municipio", "distrito_municipal"],
    }
    assert level_sums(households, level="level", keys=keys, sizes=["households"]).empty
    spoiled = households.assign(
        households=households["households"] + (households["municipio"] == "Constanza")
    )
    findings = level_sums(spoiled, level="level", keys=keys, sizes=["households"])
    assert findings.query("where == 'province/municipality'")["count"].tolist() == [2]


def test_names_that_do_not_join_stand_in_one_table_only() -> None:
    codes = table("do_territorial_division_2020.csv").query("level == 'municipal_district'")
    names = table("do_population_area_2022.csv").query("level == 'municipal_district'")
    one = pd.DataFrame({"name": codes["name"].map(plain), "n": 1})
    other = pd.DataFrame({"name": names["distrito_municipal"].map(plain), "n": 1})
    findings = compare(one, other, on="name", columns=["n"]).set_index("code")
    lone = set(other["name"]) - set(one["name"])
    assert {"santiago oeste", "juancalito", "taveras"} <= lone
    assert findings.loc["F205", "count"] == len(lone) + len(set(one["name"]) - set(other["name"]))


def test_stray_spaces_in_the_code_list() -> None:
    codes = table("do_territorial_division_2020.csv")
    about = {"frame": {"key": "row"}}
    rows = codes.assign(row=[str(k) for k in range(len(codes))])
    findings = Frame(rows, description=about).check().set_index("code")
    assert findings.loc["F108", "count"] >= 60


def test_two_distritos_of_one_name_in_a_province() -> None:
    codes = pd.read_csv(OFFICIAL.parent / "codes.csv", dtype="str")
    areas = codes.assign(province=codes["district"].str[:4])
    districts = codes.rename(columns={"district": "code", "distrito_municipal": "name"})
    provinces = pd.DataFrame({"level": "province", "code": areas["province"].unique(), "name": "?"})
    names = pd.concat([provinces, districts.assign(level="district")])[["level", "code", "name"]]
    about = {"levels": [{"key": "province", "digits": 4}, {"key": "district", "digits": 8}]}
    frame = Frame(areas, key="district", description=about, names=names)
    findings = frame.check().query("code == 'F112'")
    assert (
        "04270103 Jaibón (Pueblo Nuevo) (D.M.), 04270302 Jaibón (D.M.)"
        in (findings["examples"].iloc[0])
    )


def test_gaps_between_the_province_polygons() -> None:
    shapes = gpd.read_file(OFFICIAL / "do_adm1_provincias.geojson")
    table_ = pd.DataFrame({"shapeISO": shapes["shapeISO"]})
    findings = Frame(table_, key="shapeISO", shapes=shapes).check().set_index("code")
    # The gaps are slivers of 0.4 and 0.2 km2 beside provinces of 1,500 km2.
    assert findings.loc["F409", "count"] == 2
    assert findings.loc["F407", "examples"] == "DO-16, DO-11"
