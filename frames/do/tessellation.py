"""A polygon for each area: the province polygons cut by a tree of chords (synthetic; ODbL)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import shapely
from official import OFFICIAL, plain

from nsm.frame.cutting import Ring, Seams, area, match, partition

if TYPE_CHECKING:
    import pandas as pd

GRID = 100_000
# The two islands go to the distrito that administers them.
ISLANDS = {"0811": "08110203", "0616": "06160201"}
# The province polygons leave two gaps (0.43 and 0.23 km2, from simplification): each goes to the
# province with which it shares the longest border.
OTHER_NAMES = {"la estrelleta": "elias pina", "hermanas": "hermanas mirabal"}
OTHER_NAMES |= {"el seybo": "el seibo", "bahoruco": "baoruco"}
URBAN_DENSITY, URBAN_MOST = 1_200.0, 0.8


def provinces(codes: pd.DataFrame) -> dict[str, shapely.Geometry]:
    """Return the province polygons by code, without gaps."""
    names = codes[codes["level"] == "province"]
    by_name = {plain(n): c for c, n in zip(names["code"], names["name"], strict=True)}
    text = (OFFICIAL / "do_adm1_provincias.geojson").read_text(encoding="utf-8")
    shapes = {}
    for feature in json.loads(text)["features"]:
        name = plain(feature["properties"]["shapeName"])
        shapes[by_name[OTHER_NAMES.get(name, name)]] = shapely.from_geojson(json.dumps(feature))
    shapes = {
        k: shapely.get_geometry(v, 0) if v.geom_type == "GeometryCollection" else v
        for k, v in shapes.items()
    }
    whole = shapely.union_all(list(shapes.values()))
    for part in shapely.get_parts(whole):
        for hole in part.interiors:
            gap = shapely.Polygon(hole)
            nearest = max(shapes, key=lambda k: shapes[k].intersection(gap.boundary).length)
            shapes[nearest] = shapely.union_all([shapes[nearest], gap])
    return shapes


def to_ring(polygon: shapely.Polygon) -> Ring:
    """Return the exterior of a polygon on the integer grid, counter-clockwise."""
    points = np.rint(shapely.get_coordinates(polygon.exterior)[:-1] * GRID).astype(int).tolist()
    ring = [(x, y) for x, y in points]
    return ring if area(ring) > 0 else ring[::-1]


def to_polygon(ring: Ring) -> shapely.Polygon:
    """Return a ring of the integer grid as a polygon in degrees."""
    return shapely.Polygon(np.array(ring) / GRID)


def boundaries(areas: pd.DataFrame, shapes: dict[str, shapely.Geometry], km2: pd.Series) -> list:
    """Return one polygon for each area, in the order of `areas`.

    Parameters
    ----------
    areas
        With area, municipality, district, zone, households; sorted by area.
    shapes
        Province polygons by code.
    km2
        Official area by distrito.
    """
    seams: Seams = {}
    rings: dict[str, Ring] = {}
    for province, shape in sorted(shapes.items()):
        mine = areas[areas["province"] == province]
        main, *islands = sorted(shapely.get_parts(shape), key=lambda p: -p.area)
        for island in islands:
            host = mine[(mine["district"] == ISLANDS[province]) & (mine["zone"] == "rural")]
            lone = host.loc[host["households"].idxmin(), "area"]
            rings[lone] = to_ring(island)
            mine = mine[mine["area"] != lone]
        start = match([to_ring(main)], seams)[0]
        rings |= _municipalities(start, mine, km2, seams)
    ordered = [rings[a] for a in areas["area"]]
    return [to_polygon(r) for r in match(ordered, seams)]


def _municipalities(
    ring: Ring, areas: pd.DataFrame, km2: pd.Series, seams: Seams
) -> dict[str, Ring]:
    out: dict[str, Ring] = {}
    towns = [town for _, town in areas.groupby("municipality")]
    shares = [km2[town["district"].unique()].sum() for town in towns]
    for town, piece in zip(towns, partition(ring, shares, seams), strict=True):
        districts = [district for _, district in town.groupby("district")]
        parts = [km2[district["district"].iloc[0]] for district in districts]
        for district, part in zip(districts, partition(piece, parts, seams), strict=True):
            whole = km2[district["district"].iloc[0]]
            out |= _areas(part, district, whole, seams)
    return out


def _areas(ring: Ring, district: pd.DataFrame, km2: float, seams: Seams) -> dict[str, Ring]:
    """Cut a distrito into an urban core and a rural rest, and both into areas."""
    ordered = district.sort_values("area")
    urban = (ordered["zone"] == "urban").to_numpy()
    households = ordered["households"].to_numpy(dtype=float)
    core = km2
    if not urban.all():
        core = min(households[urban].sum() / URBAN_DENSITY, URBAN_MOST * km2)
    weights = np.where(
        urban,
        core * households / max(households[urban].sum(), 1),
        (km2 - core) * households / max(households[~urban].sum(), 1),
    )
    pieces = partition(ring, weights.tolist(), seams, first=int(urban.sum()))
    return dict(zip(ordered["area"], pieces, strict=True))
