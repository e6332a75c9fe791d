"""Build the example frame from the official tables: `python frames/do/build.py`.

Deterministic: the same tables and seed give the same files. The output is committed; run it again
after a change of rule, and read the differences. It needs about a minute.
"""

from __future__ import annotations

import re
from pathlib import Path

import areas as area_rules
import geopandas as gpd
import numpy as np
import official
import pandas as pd
import prevalence
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
import tessellation

HERE = Path(__file__).resolve().parent
SEED = 20221110
NOTICE = (
    "SYNTHETIC. An invented frame whose sums are those of the Dominican census of 2022. "
    "Not census segments, not ENI results."
)
TRUTH_NOTICE = (
    "SYNTHETIC TRUTH: simulation only, never for design. Invented counts with the published "
    "totals of ENI-2017. Not ENI results."
)
GEOMETRY_NOTICE = (
    "SYNTHETIC polygons cut from the province polygons of geoBoundaries gbOpen DOM ADM1 "
    "(OpenStreetMap contributors). Open Database License 1.0."
)
COLUMNS = [
    "area", *official.LEVELS, "zone", "territory", "households", "dwellings", "occupied",
    "population", "collective", "men", "women", *official.SIZES, "lon", "lat", "prior",
]  # fmt: skip


def main() -> None:
    """Build, verify and write the frame."""
    codes, census = official.code_list(), official.census_districts()
    names = official.name_table(codes, census)
    population = pd.Series(census["population"].to_numpy(), names["district"])
    km2 = pd.Series(census["area_km2"].to_numpy(), names["district"])
    towns = official.municipalities(codes)
    cells = official.with_population(official.cells(names), population, towns)
    rng = np.random.default_rng(SEED)
    table = area_rules.draw_areas(cells, rng).sort_values("area", ignore_index=True)
    table = area_rules.add_dwellings(table, towns, rng)
    territory = pd.read_csv(HERE / "territories.csv", dtype="str")
    table["territory"] = table["province"].map(territory.set_index("province")["territory"])
    shapes = tessellation.provinces(codes)
    polygons = np.array(tessellation.boundaries(table, shapes, km2))
    table["lon"], table["lat"] = centers(polygons)
    truth = prevalence.truth(table, rng)
    table["prior"] = prevalence.prior(table, truth, rng)
    verify(table, cells, population, polygons, shapes)
    write(table[COLUMNS], "areas.parquet", NOTICE)
    write(truth, "truth.parquet", TRUTH_NOTICE)
    write_boundaries(table["area"], polygons)
    names.sort_values("district").to_csv(HERE / "codes.csv", index=False, lineterminator="\n")
    upper_names(codes, names).to_csv(HERE / "names.csv", index=False, lineterminator="\n")
    write_measures(table, truth)


def centers(polygons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centroids with five decimals; a point inside where the centroid is not."""
    points = shapely.centroid(polygons)
    outside = ~shapely.contains_properly(polygons, points)
    points[outside] = shapely.point_on_surface(polygons[outside])
    return np.round(shapely.get_x(points), 5), np.round(shapely.get_y(points), 5)


def upper_names(codes: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Return the names of all units above the area, the provisional one included."""
    extra = [
        {"level": "district", "code": code, "name": name, "note": "provisional code"}
        for name, code in official.PROVISIONAL.items()
    ]
    table = pd.concat([codes.assign(note=""), pd.DataFrame(extra)], ignore_index=True)
    used = set(names["district"])
    table = table[(table["level"] != "district") | table["code"].isin(used)].copy()
    moved = (table["level"] == "province") & (table["code"] == "0502")
    table.loc[moved, "note"] = "in region El Valle in the census volumes"
    order = table["level"].map({k: i for i, k in enumerate(official.LEVELS)})
    return table.assign(order=order).sort_values(["order", "code"]).drop(columns="order")


def verify(
    table: pd.DataFrame,
    cells: pd.DataFrame,
    population: pd.Series,
    polygons: np.ndarray,
    shapes: dict[str, shapely.Geometry],
) -> None:
    """Stop if the frame breaks one of its promises."""
    by_cell = table.groupby(["district", "zone"])[["households", *official.SIZES]].sum()
    wanted = cells.set_index(["district", "zone"])[["households", *official.SIZES]]
    promises = {
        "area codes are unique": table["area"].is_unique,
        "codes have 13 digits": table["area"].str.fullmatch(r"\d{13}").all(),
        "households by cell": by_cell.eq(wanted.sort_index()).all(axis=None),
        "population by distrito": table.groupby("district")["population"]
        .sum()
        .eq(population.sort_index())
        .all(),
        "five small cells": (table["households"] < area_rules.SMALLEST).sum() == 5,
        "at most 250 households": table["households"].max() <= area_rules.LARGEST,
        "persons reach households": (
            table["population"] - table["collective"] >= table["households"]
        ).all(),
        "valid polygons": shapely.is_valid(polygons).all(),
        "one polygon an area": (shapely.get_type_id(polygons) == 3).all(),
        "no overlap": shapely.coverage_is_valid(polygons),
        "no gap": _holes(polygons) == 0,
        "nested in provinces": all(
            _covers(shapes[p], polygons[rows])
            for p, rows in table.groupby("province").indices.items()
        ),
    }
    broken = [name for name, holds in promises.items() if not holds]
    if broken:
        raise SystemExit(f"Broken: {broken}")


def _holes(polygons: np.ndarray) -> int:
    return sum(len(p.interiors) for p in shapely.get_parts(shapely.coverage_union_all(polygons)))


def _covers(province: shapely.Geometry, polygons: np.ndarray) -> bool:
    """Say whether the areas fill their province, but for the rounding of chord ends (2 m)."""
    union = shapely.coverage_union_all(polygons)
    return shapely.hausdorff_distance(union.boundary, province.boundary) < 2e-5


def write(table: pd.DataFrame, name: str, notice: str) -> None:
    """Write a Parquet table with its notice in the file's metadata."""
    _store(pa.Table.from_pandas(table, preserve_index=False), name, notice)


def _store(table: pa.Table, name: str, notice: str) -> None:
    metadata = {**(table.schema.metadata or {}), b"notice": notice.encode(), b"synthetic": b"true"}
    pq.write_table(
        table.replace_schema_metadata(metadata), HERE / name, compression="zstd",
        compression_level=19,
    )  # fmt: skip


def write_boundaries(area: pd.Series, polygons: np.ndarray) -> None:
    """Write the polygons as GeoParquet."""
    frame = gpd.GeoDataFrame({"area": area}, geometry=polygons, crs="EPSG:4326")
    file = HERE / "boundaries.parquet"
    frame.to_parquet(file, index=False)
    _store(pq.read_table(file), file.name, GEOMETRY_NOTICE)


def write_measures(table: pd.DataFrame, truth: pd.DataFrame) -> None:
    """Print what was measured into the README, between its two marks."""
    common = prevalence.factor(table.groupby("territory")["population"].sum())
    lines = [
        "| measure | value |", "|---|---|",
        f"| factor from the 2017 rates to the 2022 population | {common:.4f} |",
    ]  # fmt: skip
    everyone = truth.filter(regex=r"immigrants|habitaculo_(hti|ven|other)").sum(axis=1)
    by = table.assign(immigrants=everyone).groupby("territory")[["immigrants", "population"]].sum()
    for name, rate in prevalence.RATES.items():
        found = by.loc[name, "immigrants"] / by.loc[name, "population"]
        lines.append(f"| {name}: published {rate:.3f}, here | {found:.5f} |")
    for name, value in prevalence.measures(table, truth).items():
        lines.append(f"| {name} | {value:,.4g} |" if value < 1e4 else f"| {name} | {value:,.0f} |")
    readme = HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    block = "<!-- measured -->\n" + "\n".join(lines) + "\n<!-- end -->"
    readme.write_text(
        re.sub(r"<!-- measured -->.*<!-- end -->", block, text, flags=re.DOTALL), encoding="utf-8"
    )
    print("\n".join(lines))


if __name__ == "__main__":
    main()
