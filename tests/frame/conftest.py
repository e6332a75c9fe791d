"""Small invented frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from nsm.frame import Frame

DESCRIPTION: dict[str, Any] = {
    "frame": {"key": "area"},
    "levels": [
        {"key": "province", "digits": 2},
        {"key": "municipality", "digits": 4},
        {"key": "area", "digits": 7},
    ],
    "sizes": {"households": "households", "population": "population", "men": "", "women": ""},
    "parts": {"population": ["men", "women"]},
    "classes": {"zone": {"urban": "urban", "rural": "rural"}},
    "geometry": {"lon": "lon", "lat": "lat"},
    "prior": {"column": "prior", "size": "population"},
}

Grid = Callable[..., Frame]


def make_grid(rows: int = 4, columns: int = 6, seed: int = 1, **changes: Any) -> Frame:
    """A grid of squares; the left half is one municipality, the right half another."""
    rng = np.random.default_rng(seed)
    y, x = (v.ravel() for v in np.mgrid[0:rows, 0:columns])
    town = np.where(x < columns / 2, "0101", "0102")
    order = np.lexsort((x, y, town))
    x, y, town = x[order], y[order], town[order]
    serial = pd.Series(town).groupby(town).cumcount() + 1
    households = rng.integers(5, 60, len(x))
    men, women = households * 2, households + rng.integers(0, 30, len(x))
    table = pd.DataFrame(
        {
            "area": [f"{t}{s:03d}" for t, s in zip(town, serial, strict=True)],
            "province": "01",
            "municipality": town,
            "zone": "urban",
            "households": households,
            "population": men + women,
            "men": men,
            "women": women,
            "prior": rng.beta(0.5, 6, len(x)).round(4),
            "lon": -70 + (x + 0.5) / 100,
            "lat": 18 + (y + 0.5) / 100,
        }
    ).assign(**changes)
    squares = shapely.box(-70 + x / 100, 18 + y / 100, -70 + (x + 1) / 100, 18 + (y + 1) / 100)
    shapes = gpd.GeoDataFrame({"area": table["area"]}, geometry=squares, crs="EPSG:4326")
    return Frame(table, description=DESCRIPTION, shapes=shapes)


@pytest.fixture(scope="session")
def grid() -> Grid:
    return make_grid


@pytest.fixture(scope="session")
def description() -> dict[str, Any]:
    return DESCRIPTION
