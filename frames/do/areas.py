"""Enumeration areas of 40 to 250 households inside each distrito x zone cell (synthetic)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from official import SIZES

from nsm.frame.apportion import apportion

SMALLEST, LARGEST, TYPICAL = 40, 250, 100
ZONE_DIGIT = {"urban": "1", "rural": "2"}
# Households of one area resemble each other: the noise on the size by which they are dealt out
# gives an intra-area correlation of household size near 0.04.
NOISE = 8.0


def draw_areas(cells: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Cut each cell into areas that add up to it: households, by size, population, collective."""
    parts = [_areas_of(cell, rng) for _, cell in cells.iterrows()]
    return pd.concat(parts, ignore_index=True)


def _areas_of(cell: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    households = _households(int(cell["households"]), rng)
    count = len(households)
    sizes = _deal(cell[SIZES].to_numpy(dtype=np.int64), households, rng)
    extra = apportion(
        sizes[:, 8] * rng.gamma(2.0, 0.5, count), int(cell["extra"]), upper=20 * sizes[:, 8]
    )
    collective = _institutions(int(cell["collective"]), households, rng)
    serial = pd.Series(range(1, count + 1)).astype("str").str.zfill(4)
    areas = pd.DataFrame(
        {
            "area": cell["district"] + ZONE_DIGIT[cell["zone"]] + serial,
            "region": cell["district"][:2],
            "province": cell["district"][:4],
            "municipality": cell["district"][:6],
            "district": cell["district"],
            "zone": cell["zone"],
            "households": households,
            "population": sizes @ np.arange(1, 10) + extra + collective,
            "collective": collective,
        }
    )
    areas[SIZES] = sizes
    return areas


def _households(total: int, rng: np.random.Generator) -> np.ndarray:
    """Cut a cell's households into areas; a cell below the smallest area is one area."""
    count = max(1, round(total / TYPICAL))
    if count == 1:
        return np.array([total])
    weights = rng.lognormal(0.0, 0.35, count)
    return apportion(weights, total, lower=SMALLEST, upper=LARGEST)


def _deal(counts: np.ndarray, households: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deal the households of each size to areas: (areas, 9), with the cell's counts exactly."""
    size = np.repeat(np.arange(9), counts)
    order = np.argsort(size + rng.normal(0, NOISE, len(size)), kind="stable")
    areas = rng.permutation(len(households))
    area = np.repeat(areas, households[areas])
    dealt = np.zeros((len(households), 9), dtype=np.int64)
    np.add.at(dealt, (area, size[order]), 1)
    return dealt


def _institutions(persons: int, households: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Place persons of collective dwellings: institutions of log-normal size in few areas."""
    placed = np.zeros(len(households), dtype=np.int64)
    chance = households / households.sum()
    while persons:
        size = min(persons, max(persons // 6, int(np.clip(rng.lognormal(3.0, 1.2), 3, 2000))))
        placed[rng.choice(len(households), p=chance)] += size
        persons -= size
    return placed


def add_dwellings(
    areas: pd.DataFrame, towns: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Add dwellings, occupied dwellings, men and women, with the municipality's published sums.

    Households that share a dwelling and vacant dwellings are spread by gamma variates. Samaná and
    Barahona have another population in the municipality table: their men keep their share.
    """
    out = areas.assign(dwellings=0, occupied=0, men=0)
    for code, town in areas.groupby("municipality"):
        row = towns.loc[code]
        households, people = (town[c].to_numpy() for c in ("households", "population"))
        shared = apportion(
            households * rng.gamma(0.7, 1.0, len(town)),
            int(households.sum() - row["dwellings_occupied"]),
            upper=households // 3,
        )
        vacant = apportion(
            households * rng.gamma(1.5, 1.0, len(town)),
            int(row["dwellings"] - row["dwellings_occupied"]),
            upper=3 * households,
        )
        tilt = np.where(town["zone"] == "rural", 1.02, 1.0) * rng.normal(1, 0.02, len(town))
        men = round(row["pop2022_men"] / row["pop2022"] * people.sum())
        occupied = households - shared
        out.loc[town.index, "occupied"] = occupied
        out.loc[town.index, "dwellings"] = occupied + vacant
        out.loc[town.index, "men"] = apportion(
            people * tilt, int(men), lower=people // 3, upper=people - people // 3
        )
    return out.assign(women=out["population"] - out["men"])
