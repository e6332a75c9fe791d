"""Files that are not what their names say, and codes that stay text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from nsm.errors import ColumnError, ConfigError, FileError, FrameError
from nsm.frame import Frame
from nsm.frame.reading import numbers, read_areas, read_shapes


def test_codes_keep_their_zeros_and_numbers_become_numbers() -> None:
    text = pd.DataFrame(
        {"code": ["01", "02"], "plain": ["1", "2"], "id": ["7", "8"], "x": ["a", ""]}
    )
    found = numbers(text, text=["id"])
    assert found["code"].tolist() == ["01", "02"]
    assert found["plain"].tolist() == [1, 2]
    assert found["id"].tolist() == ["7", "8"]
    assert found["x"].tolist() == ["a", ""]


def write(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


VRT = b'<OGRVRTDataSource><OGRVRTLayer name="x"></OGRVRTLayer></OGRVRTDataSource>'


NOT_SO = (
    "{file} is not what its name says: it does not begin like a {suffix} file. Export it again, or "
    "give it its true ending."
)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("areas.gpkg", b"area,households\n1,2\n", NOT_SO),
        ("areas.geojson", VRT, NOT_SO),
        ("areas.shp", b"PK\x03\x04", NOT_SO),
        ("areas.geojson", b'{"type": "nonsense"', "{file} cannot be read as GEOJSON: "),
        ("areas.parquet", b"area,households\n1,2\n", "{file} cannot be read as PARQUET: "),
        ("areas.xlsx", b"area,households\n1,2\n", "{file} cannot be read as XLSX: "),
        ("areas.csv", b"PAR1\xff\xfe\x00\x01", "{file} cannot be read as CSV: "),
        ("areas.dbf", b"x", "{file} ends in '.dbf'; frames are read from "),
    ],
)
def test_a_file_that_is_not_what_its_name_says(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    file = write(tmp_path / name, content)
    with pytest.raises(FileError) as caught:
        read_areas(file)
    assert str(caught.value).startswith(message.format(file=file, suffix=file.suffix))


@pytest.mark.parametrize(
    "path", ["https://example.org/a.gpkg", "/vsicurl/https://example.org/a.shp"]
)
def test_boundaries_are_never_read_from_elsewhere(path: str) -> None:
    with pytest.raises(FileError, match="is not a local file"):
        read_shapes(path)


def test_boundaries_of_an_unknown_kind(tmp_path: Path) -> None:
    file = write(tmp_path / "areas.kml", b"<kml/>")
    with pytest.raises(FileError, match="boundaries are read from"):
        read_shapes(file)


def test_a_folder_without_description_needs_one_table(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", b"area\n1\n")
    write(tmp_path / "b.csv", b"area\n1\n")
    with pytest.raises(FileError) as caught:
        Frame.read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} has no frame.toml, and 2 tables where one was expected. Write a frame.toml, "
        "or give the path of the table."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[frame\n", "is not valid TOML"),
        ('[frame]\nkey = "area"\n', "does not name the table of areas"),
        ('[files]\nareas = "nothing.csv"\n', "does not exist"),
    ],
)
def test_descriptions_that_lead_nowhere(text: str, message: str, tmp_path: Path) -> None:
    file = write(tmp_path / "frame.toml", text.encode())
    with pytest.raises((FileError, ConfigError), match=message):
        Frame.read(file)


def test_a_description_does_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    write(tmp_path / "secret.csv", b"area\n1\n")
    inner = tmp_path / "frame"
    inner.mkdir()
    write(inner / "frame.toml", b'[files]\nareas = "../secret.csv"\n')
    with pytest.raises(FileError) as caught:
        Frame.read(inner)
    assert str(caught.value) == "../secret.csv lies outside the frame's folder. Copy it there."


def test_shapes_need_the_key_and_a_coordinate_system(grid: Callable[..., Frame]) -> None:
    frame = grid()
    other = gpd.GeoDataFrame(frame.boundaries.rename(columns={"area": "zona"}))
    with pytest.raises(ColumnError, match="The table of shapes has no column 'area'"):
        _ = frame.replaced(shapes=other).boundaries
    lost = frame.boundaries.set_crs(None, allow_override=True)
    with pytest.raises(FrameError, match="does not say its coordinate system"):
        _ = frame.replaced(shapes=lost).boundaries
    about = {**frame.description, "geometry": {"crs": "EPSG:4326"}}
    assert frame.replaced(shapes=lost, description=about).boundaries.crs == "EPSG:4326"


def test_a_parquet_table_is_no_boundary(tmp_path: Path) -> None:
    pd.DataFrame({"area": ["1"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(FileError, match="cannot be read as PARQUET"):
        read_shapes(tmp_path / "a.parquet")
