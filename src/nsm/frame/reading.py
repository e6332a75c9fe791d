"""Read areas and boundaries from local files of any usual kind."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from nsm.errors import ColumnError, FileError, FrameError, nearest
from nsm.files import READABLE, local_path, read_table

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

# The first bytes of each kind. They are looked at before a file is opened: the reader of
# geographic files goes by content, and some content points to other places.
_SIGNATURES = {
    ".gpkg": (b"SQLite format 3\x00",),
    ".shp": (b"\x00\x00\x27\x0a",),
    ".geojson": (b"{",),
    ".json": (b"{",),
}
GEOGRAPHIC = tuple(_SIGNATURES)


def read_areas(
    path: str | os.PathLike[str], text: Collection[str] = ()
) -> tuple[pd.DataFrame, gpd.GeoDataFrame | None]:
    """Read a table of areas, and its polygons where the file has them.

    Columns of `text`, and columns whose values begin with a zero, stay text.

    Raises
    ------
    FileError
        The file is remote, missing, of an unknown kind, or not what its name says.
    """
    file = local_path(path)
    suffix = file.suffix.lower()
    if suffix in GEOGRAPHIC or (suffix == ".parquet" and is_geoparquet(file)):
        shapes = read_shapes(file)
        return shapes.drop(columns=shapes.geometry.name), shapes
    if suffix == ".parquet":
        return read_table(file), None
    if suffix not in READABLE:
        raise FileError(
            "{file} ends in {suffix!r}; frames are read from {known}.",
            file=str(file),
            suffix=suffix,
            known=", ".join((*READABLE, *GEOGRAPHIC)),
        )
    return numbers(read_table(file, text="all"), text), None


def numbers(table: pd.DataFrame, text: Collection[str] = ()) -> pd.DataFrame:
    """Turn columns of text into numbers, but for codes: `text` and what begins with a zero."""
    import pandas as pd

    changed = {}
    for name in table.columns:
        values = table[name].astype("str").str.strip()
        found = values[table[name].notna() & (values != "")]
        if name in text or found.empty or found.str.match(r"0\d").any():
            continue
        parsed = pd.to_numeric(found, errors="coerce")
        if parsed.notna().all():
            changed[name] = parsed.reindex(table.index)
    return table.assign(**changed)


def as_text(values: pd.Series) -> pd.Series:
    """Return codes as text; whole numbers lose their `.0`, missing stays missing."""
    import pandas as pd

    if pd.api.types.is_float_dtype(values):
        whole = values.dropna()
        if (whole == whole.round()).all():
            values = values.astype("Int64")
    return values.astype("str").where(values.notna())


def is_geoparquet(file: Path) -> bool:
    """Say whether a Parquet file holds geometry."""
    import pyarrow.lib
    import pyarrow.parquet as pq

    try:
        return b"geo" in (pq.read_schema(file).metadata or {})
    except (pyarrow.lib.ArrowInvalid, OSError):
        return False


def read_shapes(path: str | os.PathLike[str]) -> gpd.GeoDataFrame:
    """Read a geographic file: GeoPackage, GeoJSON, shapefile or GeoParquet.

    Raises
    ------
    FileError
    """
    import geopandas as gpd

    file = local_path(path)
    suffix = file.suffix.lower()
    if suffix != ".parquet" and suffix not in GEOGRAPHIC:
        raise FileError(
            "{file} ends in {suffix!r}; boundaries are read from {known}.",
            file=str(file),
            suffix=suffix,
            known=", ".join((*GEOGRAPHIC, ".parquet")),
        )
    if suffix in GEOGRAPHIC:
        _require_signature(file)
    try:
        shapes = gpd.read_parquet(file) if suffix == ".parquet" else gpd.read_file(file)
    except Exception as error:
        raise FileError(
            "{file} cannot be read as {kind}: {reason}",
            file=str(file),
            kind=suffix.lstrip(".").upper(),
            reason=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
    if not isinstance(shapes, gpd.GeoDataFrame):
        raise FileError("{file} holds no geometry.", file=str(file))
    return shapes


def _require_signature(file: Path) -> None:
    with file.open("rb") as stream:
        start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    wanted = _SIGNATURES[file.suffix.lower()]
    if not start.startswith(wanted):
        raise FileError(
            "{file} is not what its name says: it does not begin like a {suffix} file. "
            "Export it again, or give it its true ending.",
            file=str(file),
            suffix=file.suffix.lower(),
        )


def align(
    shapes: gpd.GeoDataFrame, key: str, where: str, crs: str | None = None
) -> gpd.GeoDataFrame:
    """Return the shapes as two columns, the key as text and `geometry`.

    Raises
    ------
    ColumnError
        The key is not among their columns.
    FrameError
        Neither the file nor the description says in which coordinates they are.
    """
    if key not in shapes.columns:
        raise ColumnError(
            "{where} has no column {column!r}. {hint}",
            where=where,
            column=key,
            hint=nearest(key, [c for c in shapes.columns if c != shapes.geometry.name]),
        )
    out = shapes[[key, shapes.geometry.name]].assign(**{key: as_text(shapes[key])})
    if out.geometry.name != "geometry":
        out = out.rename_geometry("geometry")
    if out.crs is None:
        if crs is None:
            raise FrameError(
                "{where} does not say its coordinate system. Write crs under [geometry] of "
                'frame.toml, for instance "EPSG:4326" for longitude and latitude.',
                where=where,
            )
        out = out.set_crs(crs)
    return out.reset_index(drop=True)
