"""Maps: one interval for each place, nothing that may not be shown, words for who cannot see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from nsm.errors import ColumnError, PublicationError
from nsm.estimation import Estimates
from nsm.publication.figures import as_svg
from nsm.publication.maps import outlines, region_map

Make = Callable[..., Estimates]
SQUARES = gpd.GeoDataFrame(
    {"region": ["10", "20", "30"]},
    geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 1, 2, 2)],
    crs="EPSG:4326",
)


def row(region: str, estimate: float, **other: Any) -> dict[str, Any]:
    return {"region": region, "estimate": estimate, **other}


@pytest.fixture
def three(make: Make) -> Estimates:
    return make(row("10", 5000.0), row("20", 9000.0), row("30", 7000.0), by=("region",))


def texts(figure: Any) -> list[str]:
    found = [t.get_text() for ax in figure.axes for t in ax.texts]
    return found + [t.get_text() for ax in figure.axes for t in ax.get_yticklabels()]


def test_places_are_numbered_from_the_largest(three: Estimates) -> None:
    figure = region_map(three, SQUARES, by="region")
    assert [t for t in texts(figure) if "  " in t] == ["20  1", "30  2", "10  3"]


def test_the_words_name_both_ends(three: Estimates) -> None:
    said = region_map(three, SQUARES, by="region").get_label()
    assert said == "Map of y in 3 places. From 5,000 (10) to 9,000 (20)."
    spanish = region_map(three, SQUARES, by="region", language="es", country="ESP").get_label()
    assert "De 5000 (10) a 9000 (20)" in spanish or "De 5.000 (10) a 9.000 (20)" in spanish


def test_what_is_suppressed_shows_no_number(three: Estimates) -> None:
    gone = np.array([None, "primary", None], object)
    hidden = Estimates(three.table.assign(suppressed=gone), three.by)
    figure = region_map(hidden, SQUARES, by="region", audience="public")
    assert "(c)" in texts(figure)
    assert "1 of them show no number." in figure.get_label()
    assert "9,000" not in figure.get_label()
    points = [x for line in figure.axes[1].lines for x in np.atleast_1d(line.get_xdata())]
    assert not any(np.isclose(points, 9000.0))


def test_an_unreliable_estimate_is_hidden_from_the_public_only(three: Estimates) -> None:
    verdict = np.array(["publishable", "not_publishable", "caution"], object)
    flagged = Estimates(three.table.assign(verdict=verdict), three.by)
    inside = region_map(flagged, SQUARES, by="region").get_label()
    public = region_map(flagged, SQUARES, by="region", audience="public").get_label()
    assert "9,000" in inside
    assert "9,000" not in public


def test_a_synthetic_map_says_so(three: Estimates) -> None:
    figure = region_map(three, SQUARES, by="region", synthetic=True)
    assert figure._supxlabel.get_text() == "SYNTHETIC: not ENI results"


def test_the_same_map_is_the_same_file(three: Estimates) -> None:
    one, other = (as_svg(region_map(three, SQUARES, by="region")) for _ in range(2))
    assert one == other


def test_a_place_without_polygon_is_named(make: Make) -> None:
    with pytest.raises(PublicationError, match=r"1 places.*'99'"):
        region_map(make(row("99", 1.0), by=("region",)), SQUARES, by="region")


def test_a_small_place_is_not_for_the_public(make: Make) -> None:
    estimates = make({"municipality": "1"}, by=("municipality",))
    with pytest.raises(PublicationError, match="not for the public"):
        region_map(estimates, SQUARES, by="municipality", audience="public")


def test_several_rows_of_a_place_are_refused(make: Make) -> None:
    with pytest.raises(PublicationError, match="2 rows"):
        region_map(make(row("10", 1.0), row("10", 2.0), by=("region",)), SQUARES, by="region")


def test_other_columns_need_their_margin(make: Make) -> None:
    full = {"sex": "M"}
    estimates = make(
        {**row("10", 1.0), **full}, {**row("10", 2.0), "sex": None}, by=("region", "sex")
    )
    assert "2" in region_map(estimates, SQUARES, by="region").get_label()


def test_an_unknown_column_or_variable_is_named(three: Estimates) -> None:
    with pytest.raises(ColumnError, match="'regoin'"):
        region_map(three, SQUARES, by="regoin")
    with pytest.raises(PublicationError, match="'z'"):
        region_map(three, SQUARES, by="region", variable="z")


def test_outlines_cover_their_areas() -> None:
    from nsm.frame import Frame

    squares = [box(x, y, x + 1, y + 1) for x in range(4) for y in range(2)]
    areas = [f"{k:03d}" for k in range(8)]
    table = pd.DataFrame(
        {"area": areas, "region": ["1", "1", "1", "1", "2", "2", "2", "2"], "households": 10}
    )
    shapes = gpd.GeoDataFrame({"area": areas}, geometry=squares, crs="EPSG:4326")
    found = outlines(Frame(table, shapes=shapes), "region")
    assert list(found["region"]) == ["1", "2"]
    assert [shape.area for shape in found.geometry] == [4.0, 4.0]
