"""Make the frame of Arcadia, an invented country, which shows what another country brings.

Run `python frames/arcadia/build.py`; the same files come out every time.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import Polygon

HERE = Path(__file__).parent
SEED = 20210704
ROWS, COLUMNS, CELL = 36, 44, 0.045  # a lattice of areas, degrees
WEST, SOUTH = -46.0, 22.0  # open sea: the country does not exist
SIZES = [f"size_{k}" for k in range(1, 7)]
SHARES = np.array([0.22, 0.28, 0.20, 0.16, 0.09, 0.05])
BEYOND = 0.6  # persons beyond the sixth, for each household of six and more

DEPARTMENTS = {
    "1": "Argolis",
    "2": "Cinura",
    "3": "Elis",
    "4": "Laconia",
    "5": "Megara",
    "6": "Pisatis",
}
CORRIDORS = {
    "1": "frontier",
    "2": "capital",
    "3": "coast",
    "4": "interior",
    "5": "coast",
    "6": "interior",
}
RATES = {"frontier": 0.09, "capital": 0.06, "coast": 0.04, "interior": 0.015}
NAMES = [
    "Alea", "Asea", "Basilis", "Clitor", "Dipaea", "Eua", "Gortys", "Heraea", "Kynaitha", "Lusi",
    "Lycoa", "Maenalus", "Mantinea", "Methydrion", "Nestane", "Orchomenos", "Pallantion", "Pheneos",
    "Phigalia", "Psophis", "Stymphalos", "Tegea", "Teuthis", "Thelpusa",
]  # fmt: skip


def lattice(rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return the areas' polygons: bent cells inside an oval coast, with row and column."""
    x, y = np.meshgrid(np.arange(COLUMNS + 1.0), np.arange(ROWS + 1.0))
    x, y = x + rng.uniform(-0.28, 0.28, x.shape), y + rng.uniform(-0.28, 0.28, y.shape)
    lon, lat = np.round(WEST + CELL * x, 5), np.round(SOUTH + CELL * y, 5)
    cells = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            across, up = (column - COLUMNS / 2) / (COLUMNS / 2), (row - ROWS / 2) / (ROWS / 2)
            if across**2 + up**2 + 0.18 * np.sin(4 * np.arctan2(up, across)) > 0.95:
                continue
            corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)]
            shape = Polygon([(lon[c], lat[c]) for c in corners])
            cells.append({"row": row, "column": column, "geometry": shape})
    return gpd.GeoDataFrame(cells, crs="EPSG:4326")


def coded(cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give each area its department, municipality and code."""
    third, half = cells["column"] * 3 // COLUMNS, cells["row"] * 2 // ROWS
    department = 1 + third * 2 + half
    inner = (cells["column"] * 6 // COLUMNS) % 2 * 2 + (cells["row"] * 4 // ROWS) % 2
    out = cells.assign(
        department=department.astype(str),
        municipality=department.astype(str) + (1 + inner).astype(str).str.zfill(2),
    ).sort_values(["municipality", "row", "column"])
    serial = (out.groupby("municipality").cumcount() + 1).astype(str).str.zfill(3)
    return out.assign(area=out["municipality"] + serial).reset_index(drop=True)


def peopled(cells: gpd.GeoDataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the table of areas: sizes that add up, classes and a prior."""
    n = len(cells)
    heart = cells.groupby("municipality")[["row", "column"]].transform("median")
    far = np.hypot(cells["row"] - heart["row"], cells["column"] - heart["column"])
    zone = np.select([far < 1.7, far < 3.2], ["city", "town"], "countryside")
    households = np.clip(rng.lognormal(np.log(105), 0.25, n), 50, 220).astype(int)
    sizes = np.array([rng.multinomial(h, rng.dirichlet(60 * SHARES)) for h in households])
    beyond = rng.poisson(BEYOND * sizes[:, -1])
    collective = np.where(rng.random(n) < 0.02, rng.integers(10, 60, n), 0)
    population = sizes @ np.arange(1, 7) + np.where(sizes[:, -1] > 0, beyond, 0) + collective
    men = rng.binomial(population, 0.497)
    corridor = cells["department"].map(CORRIDORS)
    rate = corridor.map(RATES).to_numpy() * np.where(zone == "countryside", 0.8, 1.0)
    spotted = rng.random(n) > 0.35
    prior = np.where(spotted, np.clip(rng.gamma(0.7, 1.4, n) * rate, 0, 0.7), 0.0)
    point = cells.geometry.representative_point()
    return pd.DataFrame(
        {
            "area": cells["area"],
            "department": cells["department"],
            "municipality": cells["municipality"],
            "zone": zone,
            "corridor": corridor,
            "households": households,
            "dwellings": np.ceil(households * rng.uniform(1.05, 1.25, n)).astype(int),
            "occupied": np.ceil(households * rng.uniform(0.96, 1.0, n)).astype(int),
            "population": population,
            "collective": collective,
            "men": men,
            "women": population - men,
            **dict(zip(SIZES, sizes.T, strict=True)),
            "lon": point.x.round(5),
            "lat": point.y.round(5),
            "prior": prior.round(4),
        }
    )


def names(areas: pd.DataFrame) -> pd.DataFrame:
    """Return the names of departments and municipalities."""
    codes = sorted(areas["municipality"].unique())
    rows = [("department", code, name) for code, name in DEPARTMENTS.items()]
    rows += [("municipality", code, name) for code, name in zip(codes, NAMES, strict=True)]
    return pd.DataFrame(rows, columns=["level", "code", "name"])


def main() -> None:
    """Write the areas, their boundaries and the names."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    cells = coded(lattice(rng))
    areas = peopled(cells, rng)
    areas.to_csv(HERE / "areas.csv", index=False)
    cells[["area", "geometry"]].to_parquet(HERE / "boundaries.parquet", index=False)
    names(areas).to_csv(HERE / "names.csv", index=False)
    print(len(areas), "areas,", f"{areas['population'].sum():,}", "persons")


if __name__ == "__main__":
    main()
