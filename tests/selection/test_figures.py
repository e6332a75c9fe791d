from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

import nsm
from nsm.errors import SelectionError
from nsm.selection import strata_map

TABLE = pd.DataFrame(
    {
        "area": [f"{k:02d}" for k in range(16)],
        "stratum": np.repeat(["a", "b"], 8),
        "x": [k % 4 for k in range(16)],
        "y": [k // 4 for k in range(16)],
    }
)
SHAPES = gpd.GeoDataFrame(
    TABLE[["area"]],
    geometry=[box(x, y, x + 1, y + 1) for x, y in zip(TABLE["x"], TABLE["y"], strict=True)],
    crs="EPSG:32619",
)


@pytest.mark.parametrize("frame", [TABLE, nsm.Frame(TABLE, shapes=SHAPES)], ids=["points", "areas"])
def test_maps_show_main_and_reserve_areas(frame: object) -> None:
    sample = nsm.draw(frame, {"a": 3, "b": 3}, seed=1, method="srs", reserve=1)
    axes = sample.map(frame, language="es").axes[0]
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert shown == ["principal: 6", "reserva: 2"]
    assert axes.get_title() == "Áreas seleccionadas (uso interno)"
    assert len(strata_map(frame).axes[0].get_legend().get_texts()) == 2


def test_a_map_needs_places() -> None:
    sample = nsm.draw(TABLE, 4, seed=1, method="srs")
    with pytest.raises(
        SelectionError, match="needs boundaries in the frame or the columns 'lon', 'lat'"
    ):
        sample.map(TABLE, x="lon", y="lat")
