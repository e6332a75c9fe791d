"""The noun: reading, columns, levels, hash."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import polars as pl
import pytest

import nsm
from nsm.errors import (
    ColumnError,
    ConfigError,
    FileError,
    FrameError,
    KeyColumnError,
    ValueInColumnError,
)
from nsm.frame import Frame

TABLE = pd.DataFrame({"area": ["0101", "0102", "0203"], "households": [80, 120, 45]})


def test_the_name_is_public() -> None:
    assert nsm.Frame is Frame


def test_a_table_is_a_frame() -> None:
    frame = Frame(TABLE)
    assert (frame.key, frame.levels, frame.sizes, len(frame)) == (
        "area",
        ("area",),
        ("households",),
        3,
    )
    assert frame.boundaries is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        frame.key = "other"  # type: ignore[misc]  # that is what is tested


def test_polars_and_geopandas_tables_are_frames(grid: Callable[..., Frame]) -> None:
    assert Frame(pl.from_pandas(TABLE)).table.equals(Frame(TABLE).table)
    whole = grid().boundaries.merge(grid().table, on="area")
    frame = Frame(gpd.GeoDataFrame(whole, geometry="geometry"))
    assert "geometry" not in frame.table
    assert len(frame.boundaries) == len(frame)


def test_the_example_frame_is_read_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = Frame.read("frames/do")
    assert frame.levels == ("region", "province", "municipality", "district", "area")
    assert frame.total("population") == 10_773_983
    assert frame.label("sizes", "dwellings", "es") == "viviendas"
    assert len(frame.boundaries) == len(frame)


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx", "gpkg", "geojson", "shp"])
def test_every_kind_of_file_gives_the_same_frame(
    ending: str, tmp_path: Path, grid: Callable[..., Frame]
) -> None:
    frame, file = grid(), tmp_path / f"areas.{ending}"
    # Shapefiles cut names to ten characters.
    table = frame.table.rename(columns={"municipality": "town", "households": "homes"})
    shapes = frame.boundaries.merge(table, on="area")
    match ending:
        case "csv":
            table.to_csv(file, index=False)
        case "parquet":
            table.to_parquet(file)
        case "xlsx":
            table.to_excel(file, index=False)
        case _:
            shapes.to_file(file)
    found = Frame.read(file)
    assert found.table["area"].tolist() == table["area"].tolist()
    assert found.table["homes"].tolist() == table["homes"].tolist()
    assert found.levels == ("province", "town", "area")
    if ending in {"gpkg", "geojson", "shp"}:
        assert found.boundaries.geometry.geom_equals(shapes.geometry).all()
    else:
        assert Frame(table).hash == found.hash


def test_geoparquet_brings_its_polygons(tmp_path: Path, grid: Callable[..., Frame]) -> None:
    shapes = grid().boundaries.merge(grid().table, on="area")
    shapes.to_parquet(tmp_path / "areas.parquet")
    found = Frame.read(tmp_path)
    assert len(found.boundaries) == 24
    assert found.check().query("severity == 'error'").empty


def test_a_folder_with_a_description(tmp_path: Path, grid: Callable[..., Frame]) -> None:
    frame = grid()
    frame.table.to_csv(tmp_path / "areas.csv", index=False)
    frame.boundaries.to_file(tmp_path / "shapes.gpkg")
    (tmp_path / "frame.toml").write_text(
        '[frame]\nkey = "area"\n[files]\nareas = "areas.csv"\nboundaries = "shapes.gpkg"\n'
        '[[levels]]\nkey = "municipality"\n[sizes]\nhouseholds = "homes"\n'
    )
    for path in (tmp_path, tmp_path / "frame.toml", tmp_path / "areas.csv"):
        found = Frame.read(path)
        assert found.levels == ("municipality", "area")
        assert found.sizes == ("households",)
        assert len(found.boundaries) == 24
    assert found.label("sizes", "households") == "homes"


def test_the_hash_knows_content_not_order() -> None:
    frame = Frame(TABLE)
    assert Frame(TABLE.iloc[::-1, ::-1], key="area").hash == frame.hash
    assert Frame(TABLE.assign(households=[80, 120, 46])).hash != frame.hash


def test_whole_numbers_as_codes_become_text_without_a_point() -> None:
    assert Frame(TABLE.assign(area=[1.0, 2.0, 3.0])).table["area"].tolist() == ["1", "2", "3"]


def refusals() -> list[tuple[str, Callable[[], object], type[Exception], str]]:
    twice = Frame(TABLE.assign(area=["0101", "0101", "0203"]))
    return [
        (
            "missing column",
            lambda: Frame(TABLE, description={"sizes": {"dwelings": "x"}}),
            ColumnError,
            "The frame has no column 'dwelings'. Known: 'area', 'households'.",
        ),
        (
            "missing key",
            lambda: Frame(TABLE, key="aera"),
            ColumnError,
            "The frame has no column 'aera'. Did you mean 'area'?",
        ),
        (
            "repeated code",
            twice.require_sound,
            KeyColumnError,
            "Areas (1) stand more than once in column 'area': '0101'. Keep one row for each.",
        ),
        (
            "missing code",
            lambda: Frame(TABLE.assign(area=["0101", None, "02"])).require_sound(),
            KeyColumnError,
            "Rows (1) have no code in column 'area': 2. Give each its code.",
        ),
        (
            "negative size",
            lambda: Frame(TABLE.assign(households=[80, -1, 45])).require_sound("households"),
            ValueInColumnError,
            "Column 'households' is negative for 1 areas: '0102'. Mend it.",
        ),
        (
            "missing size",
            lambda: Frame(TABLE.assign(households=[80, np.nan, 45])).require_sound("households"),
            ValueInColumnError,
            "Column 'households' is missing for 1 areas: '0102'. Fill it.",
        ),
        (
            "text as size",
            lambda: Frame(TABLE.assign(households=["a", "b", "c"])).require_sound("households"),
            ValueInColumnError,
            "Column 'households' does not hold numbers.",
        ),
        (
            "no boundaries",
            lambda: Frame(TABLE).require_boundaries(),
            FrameError,
            (
                "The frame has no boundaries. Name their file under [files] of frame.toml, or give "
                "them as `shapes`."
            ),
        ),
        (
            "unknown part",
            lambda: Frame(TABLE, description={"size": {}}),
            ConfigError,
            "The description has an unknown part 'size'. Did you mean 'sizes'?",
        ),
        (
            "unknown key",
            lambda: Frame(TABLE, description={"frame": {"kye": "area"}}),
            ConfigError,
            "The description has an unknown key 'kye' in 'frame'. Did you mean 'key'?",
        ),
        (
            "level without key",
            lambda: Frame(TABLE, description={"levels": [{"digits": 2}]}),
            ConfigError,
            "The description: a level has no 'key'.",
        ),
        (
            "no table of keys",
            lambda: Frame(TABLE, description={"sizes": "households"}),
            ConfigError,
            "The description: 'sizes' must be a table of keys and values.",
        ),
        (
            "URL",
            lambda: Frame.read("https://example.org/areas.csv"),
            FileError,
            "https://example.org/areas.csv is not a local file. Copy it here and give its path.",
        ),
    ]


@pytest.mark.parametrize(
    ("act", "kind", "message"), [r[1:] for r in refusals()], ids=[r[0] for r in refusals()]
)
def test_refusals(act: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        act()
    assert str(caught.value) == message


def test_areas_without_polygon_are_named_when_polygons_are_needed(
    grid: Callable[..., Frame],
) -> None:
    frame = grid()
    short = frame.replaced(shapes=frame.boundaries.iloc[2:])
    with pytest.raises(FrameError) as caught:
        short.require_boundaries()
    assert str(caught.value) == (
        "Areas (2) have no polygon: '0101001', '0101002'. `check(detail=True)` lists them all."
    )
