"""The Dominican example frame against the official tables, read here once more from scratch."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from nsm.simulation.concentration import design_effect

FOLDER = Path(__file__).parents[2] / "frames" / "do"
SIZES = [f"hh_{k}" for k in range(1, 10)]
RATES = {"border": 8.3, "sugar": 7.3, "concentration": 5.5, "crops": 5.3, "rest": 3.8}


@pytest.fixture(scope="module")
def areas() -> pd.DataFrame:
    return pd.read_parquet(FOLDER / "areas.parquet")


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return pd.read_parquet(FOLDER / "truth.parquet")


@pytest.fixture(scope="module")
def polygons() -> gpd.GeoDataFrame:
    return gpd.read_parquet(FOLDER / "boundaries.parquet")


@pytest.fixture(scope="module")
def codes() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "codes.csv", dtype="str")


def official(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / "official" / name, dtype={"mun_code": "str"})


def plain(names: Sequence[str]) -> str:
    bare = "|".join(name.split("(")[0] for name in names)
    folded = unicodedata.normalize("NFKD", bare).casefold()
    return "".join(c for c in folded if c.isalnum() or c == "|")


def test_codes_are_text_that_nests(areas: pd.DataFrame) -> None:
    assert areas["area"].is_unique
    assert areas["area"].str.fullmatch(r"(0[1-9]|10)\d{11}").all()
    for column, digits in {"region": 2, "province": 4, "municipality": 6, "district": 8}.items():
        assert (areas[column] == areas["area"].str[:digits]).all()
    assert (areas["zone"] == areas["area"].str[8].map({"1": "urban", "2": "rural"})).all()


def test_there_are_about_37_000_areas_of_40_to_250_households(areas: pd.DataFrame) -> None:
    assert 36_000 < len(areas) < 38_000
    assert areas["households"].max() <= 250
    small = areas[areas["households"] < 40]
    assert sorted(small["households"]) == [4, 28, 28, 30, 31]


def test_households_by_size_add_up_to_every_cell(areas: pd.DataFrame, codes: pd.DataFrame) -> None:
    table = official("do_households_by_size_zone_2022.csv")
    table = table[table["level"] == "municipal_district"]
    by_name = {plain(row[:3]): row[3] for row in codes.itertuples(index=False)}
    names = table[["provincia", "municipio", "distrito_municipal"]].itertuples(index=False)
    table = table.assign(district=[by_name[plain(row).replace("reina", "reyna")] for row in names])
    sizes = [c for c in table.columns if c.startswith("hh_size")]
    wanted = table.set_index(["district", "zone"])[["households", *sizes]].sort_index()
    found = areas.groupby(["district", "zone"])[["households", *SIZES]].sum()
    assert len(found) == len(wanted) == 773
    assert (found.to_numpy() == wanted.to_numpy()).all()


def test_population_adds_up_to_every_distrito(areas: pd.DataFrame, codes: pd.DataFrame) -> None:
    table = official("do_population_area_2022.csv")
    table = table[table["level"] == "municipal_district"]
    key = ["provincia", "municipio", "distrito_municipal"]
    wanted = table.merge(codes, on=key).set_index("district")["pop2022"].sort_index()
    found = areas.groupby("district")["population"].sum()
    assert len(wanted) == 393
    assert (found == wanted).all()
    assert found.sum() == 10_773_983


def test_regions_add_up_but_for_azua(areas: pd.DataFrame) -> None:
    table = official("do_population_area_2022.csv")
    region = table[table["level"] == "region"].set_index("region")["pop2022"]
    found = areas.groupby("region")["population"].sum()
    azua = areas.loc[areas["province"] == "0502", "population"].sum()
    assert found["05"] - azua == region["Región Valdesia"]
    assert found["07"] + azua == region["Región El Valle"]
    assert found["10"] == region["Región Ozama"]


def test_urban_population_dwellings_and_men_add_up_to_municipalities(areas: pd.DataFrame) -> None:
    table = official("do_municipios_census2022_2010.csv")
    by = areas.assign(urban=areas["population"].where(areas["zone"] == "urban", 0))
    found = by.groupby("municipality")[["urban", "dwellings", "occupied", "men"]].sum()
    found.index = found.index.str[2:4] + "0" + found.index.str[4:6]
    table = table.set_index("mun_code").loc[found.index]
    assert (found["urban"] == table["pop2022_urban"])[table["pop2022_urban"].notna()].all()
    assert (found["dwellings"] == table["dwellings"]).all()
    assert (found["occupied"] == table["dwellings_occupied"]).all()
    same = ~table.index.isin(["04001", "20001"])
    assert (found["men"] == table["pop2022_men"])[same].all()


def test_rows_are_consistent(areas: pd.DataFrame) -> None:
    assert (areas["men"] + areas["women"] == areas["population"]).all()
    assert (areas[SIZES].sum(axis=1) == areas["households"]).all()
    persons = areas["population"] - areas["collective"]
    least = areas[SIZES] @ np.arange(1, 10)
    assert (persons >= least).all()
    assert ((persons == least) | (areas["hh_9"] > 0)).all()
    assert areas["collective"].sum() == 10_773_983 - 10_723_451
    assert (areas["occupied"] <= areas["households"]).all()
    assert (areas["dwellings"] >= areas["occupied"]).all()


def test_polygons_are_a_nested_contiguous_coverage(
    areas: pd.DataFrame, polygons: gpd.GeoDataFrame
) -> None:
    assert (polygons["area"] == areas["area"]).all()
    shapes = polygons.geometry.to_numpy()
    assert (polygons.geom_type == "Polygon").all()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.contains_properly(shapes, shapely.points(areas["lon"], areas["lat"])).all()
    islands = {"municipality": {"061602", "081102"}, "district": {"06160201", "08110203"}}
    for level, split in islands.items():
        groups = areas.groupby(level).indices
        unions = {k: shapely.coverage_union_all(shapes[rows]) for k, rows in groups.items()}
        assert {k for k, v in unions.items() if v.geom_type != "Polygon"} == split
        assert all(shapely.get_num_geometries(unions[k]) == 2 for k in split)
        assert not any(len(p.interiors) for v in unions.values() for p in shapely.get_parts(v))


def test_urban_areas_are_denser(areas: pd.DataFrame, polygons: gpd.GeoDataFrame) -> None:
    km2 = polygons.to_crs(32619).area / 1e6
    density = areas["households"] / km2
    assert (
        density[areas["zone"] == "urban"].median() > 20 * density[areas["zone"] == "rural"].median()
    )


def test_the_truth_holds_the_published_totals(truth: pd.DataFrame) -> None:
    sums = truth.sum(numeric_only=True)
    assert sums["immigrants_hti"] + sums["habitaculo_hti"] == 497_825
    assert sums["immigrants_ven"] + sums["habitaculo_ven"] == 25_872
    immigrants = sums.filter(regex="^immigrants|^habitaculo_(hti|ven|other)$").sum()
    assert immigrants == 570_933
    assert sums.filter(regex="descendants").sum() == 277_046
    assert sums["descendants_hti"] + sums["habitaculo_descendants_hti"] == 252_349
    sheltered = sums.filter(regex="^habitaculo_(hti|ven|other)$").sum()
    assert sheltered / immigrants == pytest.approx(0.02, abs=0.001)


def test_territory_rates_hold_up_to_one_factor(areas: pd.DataFrame, truth: pd.DataFrame) -> None:
    everyone = truth.filter(regex="^immigrants|^habitaculo_(hti|ven|other)$").sum(axis=1)
    by = areas.assign(n=everyone).groupby("territory")[["n", "population"]].sum()
    factor = by["n"] / by["population"] * 100 / pd.Series(RATES)
    assert factor.max() - factor.min() < 1e-5
    assert f"{factor.mean():.4f}" in (FOLDER / "README.md").read_text(encoding="utf-8")
    province = areas.assign(n=everyone).groupby("province")[["n", "population"]].sum()
    rate = province["n"] / province["population"]
    assert rate.idxmax() == "0616"
    assert rate.max() == pytest.approx(0.273 * factor.mean(), abs=1e-4)
    urban = truth.loc[areas["zone"] == "urban", ["immigrants_hti", "habitaculo_hti"]].sum().sum()
    assert urban / 497_825 == pytest.approx(0.651, abs=1e-3)


def test_concentration_is_as_in_life(areas: pd.DataFrame, truth: pd.DataFrame) -> None:
    indoors = truth.filter(like="immigrants").sum(axis=1).to_numpy()
    foreign = indoors + truth.filter(regex="^descendants").sum(axis=1).to_numpy()
    share = indoors / areas["population"].to_numpy()
    assert (share == 0).mean() == pytest.approx(0.40, abs=0.01)
    assert (share > 0.30).mean() == pytest.approx(0.02, abs=0.002)
    assert (foreign <= 0.9 * (areas["population"] - areas["collective"])).all()
    population = areas["population"].to_numpy()
    for size in (None, areas["dwellings"].to_numpy()):
        assert 10 < design_effect(indoors, population, size) < 25


def test_the_prior_is_not_the_truth(areas: pd.DataFrame, truth: pd.DataFrame) -> None:
    share = truth.filter(like="immigrants").sum(axis=1) / areas["population"]
    prior = areas["prior"]
    assert prior.between(0, 0.95).all()
    assert 0.6 < np.corrcoef(share, prior)[0, 1] < 0.95
    assert ((prior == 0) & (share > 0)).sum() > 1_000
    assert ((prior > 0) & (share == 0)).sum() > 1_000
    hot = share > 0.3
    assert (prior[hot] < 0.10).mean() == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize("name", ["areas.parquet", "truth.parquet", "boundaries.parquet"])
def test_files_say_that_they_are_synthetic(name: str) -> None:
    metadata = pq.read_schema(FOLDER / name).metadata
    assert metadata[b"notice"].startswith(b"SYNTHETIC")
    if name == "truth.parquet":
        assert b"simulation only, never for design" in metadata[b"notice"]


def test_the_names_are_there_and_only_one_code_is_provisional(
    areas: pd.DataFrame, codes: pd.DataFrame
) -> None:
    names = pd.read_csv(FOLDER / "names.csv", dtype="str")
    for level in ("region", "province", "municipality", "district"):
        assert set(areas[level]) == set(names.loc[names["level"] == level, "code"])
    assert codes["district"].is_unique
    odd = codes[codes["match"].str.startswith("provisional")]
    assert odd[["distrito_municipal", "district"]].to_numpy().tolist() == [
        ["Santiago Oeste (D.M.)", "01250190"]
    ]


def test_the_folder_stays_small() -> None:
    files = [p for p in FOLDER.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sum(p.stat().st_size for p in files) < 8_000_000
