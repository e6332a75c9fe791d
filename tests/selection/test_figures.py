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
    figure = sample.map(frame, language="es")
    axes = figure.axes[0]
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert shown == ["principal: 6", "reserva: 2"]
    assert figure.get_suptitle() == "Áreas seleccionadas (uso interno)"
    assert axes.get_title(loc="left") == ""
    assert len(strata_map(frame).axes[0].get_legend().get_texts()) == 2


def test_a_map_says_that_it_is_synthetic_and_whose_polygons_it_shows() -> None:
    about = {
        "frame": {"synthetic": True, "notice": {"en": "Synthetic.", "es": "Sintético."}},
        "geometry": {"lon": "x", "lat": "y", "attribution": "Mapmakers"},
    }
    frame = nsm.Frame(TABLE, shapes=SHAPES, description=about)
    sample = nsm.draw(frame, {"a": 3, "b": 3}, seed=1, method="srs")
    for figure in (sample.map(frame, language="es"), strata_map(frame, language="es")):
        assert figure.axes[0].get_title(loc="left") == "Sintético."
        assert [text.get_text() for text in figure.texts][-1] == "© Mapmakers"


def test_a_map_needs_places() -> None:
    sample = nsm.draw(TABLE, 4, seed=1, method="srs")
    with pytest.raises(
        SelectionError, match="needs boundaries in the frame or the columns 'lon', 'lat'"
    ):
        sample.map(TABLE, x="lon", y="lat")
