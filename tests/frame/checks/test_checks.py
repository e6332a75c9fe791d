"""Each check finds its fault, and a sound frame has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from nsm.errors import FrameError
from nsm.frame import Frame, compare, level_sums
from nsm.frame.findings import COLUMNS

Grid = Callable[..., Frame]


def found(frame: Frame, **options: Any) -> pd.DataFrame:
    return frame.check(**options).set_index("code")


def with_table(frame: Frame, rows: object, column: str, value: object) -> Frame:
    table = frame.table.copy()
    if isinstance(value, float):
        table[column] = table[column].astype(float)
    table.loc[rows, column] = value
    return frame.replaced(table=table)


def test_a_sound_frame_has_no_findings(grid: Grid) -> None:
    findings = grid().check()
    assert findings.empty
    assert list(findings.columns) == COLUMNS


@pytest.mark.parametrize(
    ("code", "fault", "where", "example"),
    [
        ("F101", ("area", [0], "0101002"), "area", "0101002"),
        ("F102", ("area", [3], ""), "area", "4"),
        ("F104", ("area", [0], "01010011"), "area", "01010011"),
        ("F105", ("area", [0], "0101 01"), "area", "0101 01"),
        ("F106", ("area", [0], "0202001"), "area", "0202001"),
        ("F108", ("zone", [0], "urban\r\n"), "zone", r"'urban\r\n'"),
        ("F201", ("men", [2], 0), "population", "0101003"),
        ("F301", ("households", [1], np.nan), "households", "0101002"),
        ("F302", ("households", [1, 2], -3), "households", "0101002, 0101003"),
        ("F303", ("households", [1], 0), "households", "0101002"),
        ("F304", ("households", [1], 7.5), "households", "0101002"),
        ("F307", ("population", [4], 90_000), "population/households", "0101005"),
        ("F308", ("zone", [5], "suburb"), "zone", "0101006"),
        ("F309", ("prior", [5], 1.5), "prior", "0101006"),
        ("F411", ("lon", [5], np.nan), "points", "0101006"),
        ("F412", ("lon", [5], -69.0), "points", "0101006"),
    ],
)
def test_one_fault_one_finding(
    code: str, fault: tuple[str, list[int], object], where: str, example: str, grid: Grid
) -> None:
    column, rows, value = fault
    findings = found(with_table(grid(), rows, column, value))
    assert code in findings.index
    row = findings.loc[[code]].set_index("where").loc[where]
    assert row["count"] == len(rows)
    assert example in row["examples"]


def test_every_case_is_listed(grid: Grid) -> None:
    frame = with_table(grid(), list(range(9)), "households", -3)
    findings, cases = frame.check(), frame.check(detail=True, language="es")
    assert cases.columns.tolist() == ["code", "severity", "where", "case", "message"]
    assert cases.groupby("code").size().to_dict() == (
        findings.groupby("code")["count"].sum().to_dict()
    )
    listed = cases.loc[cases["code"] == "F302", "case"].tolist()
    assert listed == frame.table["area"].head(9).tolist()
    assert cases["message"].str.contains("es negativo en 9 áreas").any()


def test_a_frame_without_areas(grid: Grid) -> None:
    frame = grid()
    assert list(found(frame.replaced(table=frame.table.head(0), shapes=None)).index) == ["F113"]


def test_lost_zeros_are_told_from_short_codes(grid: Grid) -> None:
    frame = grid()
    lost = frame.table.assign(
        area=frame.table["area"].astype(int), province=1, municipality=frame.table["municipality"]
    )
    findings = found(frame.replaced(table=lost))
    assert findings.loc[["F103"], "where"].tolist() == ["area", "province"]
    assert "leading zeros are lost" in findings.loc[["F103"], "message"].iloc[0]
    assert "F104" not in findings.index


def test_lost_zeros_are_found_without_a_description() -> None:
    table = pd.DataFrame({"code": [1001, 2001, 9001, 10001, 32001], "homes": 5})
    findings = found(Frame(table, key="code"))
    assert findings.loc["F103", "count"] == 3
    text = table.assign(code=["01001", "02001", "09001", "10001", "32001"])
    assert Frame(text, key="code").check().empty


def test_a_unit_in_two_units_above(grid: Grid) -> None:
    frame = grid()
    about = {"frame": {"key": "area"}, "levels": [{"key": "district"}, {"key": "town"}]}
    table = frame.table.assign(town=["A", "B"] * 12, district=["X"] * 12 + ["Y"] * 12)
    findings = found(Frame(table, description=about))
    assert findings.loc[["F107"], "examples"].tolist() == ["A, B"]


def test_names(grid: Grid) -> None:
    rows = [
        ("province", "01", "Azua"),
        ("municipality", "0101", "Peralta "),
        ("municipality", "0103", "Las Charcas"),
        ("municipality", "0104", "LAS CHARCÁS (D.M.)"),
        ("province", "01", "Azua"),
    ]
    names = pd.DataFrame(rows, columns=["level", "code", "name"])
    findings = found(grid().replaced(names=names))
    assert findings.loc["F108", "examples"] == "'Peralta '"
    assert findings.loc["F109", "examples"] == "0102"
    assert findings.loc["F110", "examples"] == "0103, 0104"
    assert findings.loc["F111", "examples"] == "01"
    assert findings.loc["F112", "examples"] == "0103 Las Charcas, 0104 LAS CHARCÁS (D.M.)"


def test_parts_that_are_missing_or_slipped() -> None:
    about = {"parts": {"n": ["a", "b"]}, "sizes": {"n": "", "a": "", "b": ""}}
    table = pd.DataFrame(
        {
            "area": ["1", "2", "3", "4", "5"],
            "n": [10, 10, 10, 10, 10],
            "a": [4, 5, np.nan, 10, 10],
            "b": [6, 7, np.nan, 10, 0],
        }
    )
    findings = found(Frame(table, description=about))
    assert findings.loc["F201", "examples"] == "2 (+2)"
    assert findings.loc["F202", "examples"] == "3"
    assert findings.loc["F203", "examples"] == "4"


def test_text_among_sizes_is_a_finding_and_no_crash(grid: Grid) -> None:
    frame = grid()
    table = frame.table.assign(households=["12"] * 23 + ["?"])
    about = {
        **frame.description,
        "bounds": {"households": [1, 9]},
        "parts": {"households": ["men"]},
    }
    findings = found(frame.replaced(table=table, description=about))
    assert findings.loc["F305", "examples"] == "0102012"


def test_bounds(grid: Grid) -> None:
    frame = grid()
    about = {**frame.description, "bounds": {"households": [10, 50]}}
    findings = found(frame.replaced(description=about))
    outside = ~frame.table["households"].between(10, 50)
    assert findings.loc["F306", "count"] == outside.sum()


def test_known_totals(grid: Grid) -> None:
    frame = grid()
    whole = frame.total("population")
    assert frame.check(totals={"population": whole}).empty
    findings = found(frame, totals={"population": whole + 5})
    assert findings.loc["F204", "examples"] == "-5"


def test_coverage_by_domain(grid: Grid) -> None:
    frame = grid()
    census = frame.table.groupby("municipality", as_index=False)["population"].sum()
    assert frame.check(against=census).empty
    census["population"] = [census["population"][0] * 2, census["population"][1] // 2]
    census.loc[2] = ["0103", 100]
    findings = found(frame, against=census)
    assert findings.loc["F501", "examples"] == "0101 (0.500)"
    assert findings.loc["F502", "examples"].startswith("0102 (2.")
    assert findings.loc["F503", "examples"] == "0103"


@pytest.mark.parametrize(
    ("census", "message"),
    [
        (
            pd.DataFrame({"x": [1], "population": [2]}),
            "The census table has no domain column of the frame; it has 'x', 'population'. ",
        ),
        (
            pd.DataFrame({"zone": ["urban"], "y": [2]}),
            "The census table has no size of the frame; it has 'zone', 'y'. ",
        ),
    ],
)
def test_a_census_that_shares_nothing(census: pd.DataFrame, message: str, grid: Grid) -> None:
    with pytest.raises(FrameError) as caught:
        grid().check(against=census)
    assert str(caught.value) == message + "Rename one to the frame's."


# Polygons.


def reshaped(frame: Frame, **changes: Any) -> Frame:
    shapes = frame.boundaries.copy()
    geometry = shapes.geometry.to_numpy().copy()
    for position, shape in changes.items():
        geometry[int(position.removeprefix("p"))] = shape
    return frame.replaced(shapes=shapes.set_geometry(gpd.GeoSeries(geometry, crs=shapes.crs)))


BOW = shapely.Polygon([(-70, 18), (-69.99, 18.01), (-69.99, 18), (-70, 18.01)])


def test_polygons_that_lack_an_area_and_the_reverse(grid: Grid) -> None:
    frame = grid()
    shapes = frame.boundaries
    extra = shapes.iloc[[5]].assign(area="0199001")
    twice = shapes.iloc[[7]]
    changed = gpd.GeoDataFrame(pd.concat([shapes.iloc[1:], extra, twice], ignore_index=True))
    findings = found(frame.replaced(shapes=changed))
    assert findings.loc["F401", "examples"] == "0101001"
    assert findings.loc["F402", "examples"] == "0199001"
    assert findings.loc["F403", "examples"] == "0101008"
    assert findings.loc["F408", "count"] == 2


def test_invalid_empty_and_other_shapes(grid: Grid) -> None:
    frame = reshaped(grid(), p0=BOW, p1=shapely.Polygon(), p2=shapely.Point(-69.975, 18.005))
    findings = found(frame)
    assert findings.loc["F405", "examples"].startswith("0101001 (Self-intersection")
    assert findings.loc["F404", "examples"] == "0101002"
    assert findings.loc["F406", "examples"] == "0101003"


def test_overlap_gap_and_ragged_borders(grid: Grid) -> None:
    frame = grid()
    squares = frame.boundaries.geometry
    wide = shapely.box(-70, 18, -69.988, 18.01)
    findings = found(reshaped(frame, p0=wide))
    assert findings.loc["F408", "examples"] == "0101001 + 0101002"
    hole = squares[4].difference(shapely.Point(squares[4].centroid).buffer(0.002))
    findings = found(reshaped(frame, p4=hole))
    assert findings.loc["F409", "count"] == 1
    assert findings.loc["F409", "examples"].startswith("(-69.985")
    x, y, x1, y1 = squares[0].bounds
    knot = shapely.Polygon([(x, y), (x1, y), (x1, (y + y1) / 2), (x1, y1), (x, y1)])
    findings = found(reshaped(frame, p0=knot))
    assert list(findings.index) == ["F410"]
    assert "F408" not in findings.index


def test_an_area_of_two_polygons(grid: Grid) -> None:
    frame = grid()
    two = shapely.MultiPolygon([frame.boundaries.geometry[0], shapely.box(-60, 18, -59.9, 18.1)])
    findings = found(reshaped(frame, p0=two))
    assert findings.loc["F407", "examples"] == "0101001"


# Published tables.


def test_two_tables_compared() -> None:
    one = pd.DataFrame({"code": ["01", "02", "03"], "n": [10, 20, 30]})
    other = pd.DataFrame({"code": ["01", "02", "04"], "m": [10, 22, 30]})
    findings = compare(one, other, on="code", columns={"n": "m"}).set_index("code")
    assert findings.loc["F204", "examples"] == "02 (-2)"
    assert findings.loc["F205", "examples"] == "03, 04"
    apart = other.assign(code=["0501", "0502", "0503"])
    assert "F206" in set(compare(one, apart, on="code", columns={"n": "m"})["code"])


def test_levels_of_a_published_table() -> None:
    table = pd.DataFrame(
        {
            "level": ["nation", "province", "province", "town", "town", "town"],
            "province": [None, "A", "B", "A", "A", "B"],
            "town": [None, None, None, "a", "b", "c"],
            "n": [100, 60, 40, 30, 31, 40],
        }
    )
    keys = {"province": ["province"], "town": ["province", "town"]}
    findings = level_sums(table, level="level", keys=keys, sizes=["n"])
    assert findings["code"].tolist() == ["F207"]
    assert findings["examples"].tolist() == ["A (+1)"]


def test_findings_speak_spanish(grid: Grid) -> None:
    findings = found(with_table(grid(), [0], "households", -3), language="es")
    assert findings.loc["F302", "message"] == "households es negativo en 1 áreas."
