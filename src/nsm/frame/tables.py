"""What a `Frame` needs of its table: reading, codes as text, levels and sizes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nsm.errors import FileError
from nsm.files import READABLE, library, local_path
from nsm.frame import description as described
from nsm.frame.reading import GEOGRAPHIC, as_text, read_areas

if TYPE_CHECKING:
    import geopandas as gpd

    from nsm.frame.frame import Frame


def read(
    kind: type[Frame],
    path: str | os.PathLike[str],
    key: str,
    boundaries: str | os.PathLike[str] | None,
) -> Frame:
    """Read a frame from a folder, a description or a table; see `Frame.read`."""
    place = _place(path)
    if place.is_dir():
        toml = place / described.FILE
        place = toml if toml.exists() else _only_table(place)
    if place.suffix.lower() == ".toml":
        return _described(kind, place, key, boundaries)
    beside = place.parent / described.FILE
    if beside.exists():
        about = described.read_description(beside)
        if about.get("files", {}).get("areas") == place.name:
            return _described(kind, beside, key, boundaries)
    table, shapes = read_areas(place, text=[key or "area"])
    found = local_path(boundaries) if boundaries is not None else shapes
    return kind(table, key, shapes=found)


def _place(path: str | os.PathLike[str]) -> Path:
    """Return the local path, or that of the frame which comes with nsm under this name."""
    text = os.fspath(path)
    place = local_path(path, exists=False)
    if place.exists() or not text.startswith("frames/"):
        return local_path(path)
    return library(text)


def _only_table(folder: Path) -> Path:
    known = (*READABLE, *GEOGRAPHIC)
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in known)
    if len(found) != 1:
        raise FileError(
            "{folder} has no frame.toml, and {count} tables where one was expected. "
            "Write a frame.toml, or give the path of the table.",
            folder=str(folder),
            count=len(found),
        )
    return found[0]


def _described(
    kind: type[Frame], toml: Path, key: str, boundaries: str | os.PathLike[str] | None
) -> Frame:
    about = described.read_description(toml)
    files = about.get("files", {})
    if "areas" not in files:
        raise FileError(
            '{file} does not name the table of areas. Write areas = "..." under [files].',
            file=str(toml),
        )
    codes = [level["key"] for level in about.get("levels", [])]
    codes += [c for c in (key, about.get("frame", {}).get("key")) if c]
    table, shapes = read_areas(_inside(toml, files["areas"]), text=codes)
    if boundaries is None and "boundaries" in files:
        boundaries = _inside(toml, files["boundaries"])
    names = None
    if "names" in files:
        names = read_areas(_inside(toml, files["names"]), text=["level", "code", "name"])[0]
    return kind(
        table, key, description=about, shapes=shapes if boundaries is None else boundaries,
        names=names,
    )  # fmt: skip


def _inside(toml: Path, name: str) -> Path:
    """Return the path of a file of the frame's folder.

    Raises
    ------
    FileError
        The name leads out of the folder, or there is no such file.
    """
    file = local_path(toml.parent / name)
    if not file.resolve().is_relative_to(toml.parent.resolve()):
        raise FileError("{file} lies outside the frame's folder. Copy it there.", file=name)
    return file


def to_pandas(table: Any) -> tuple[pd.DataFrame, gpd.GeoDataFrame | None]:
    """Return any table of the machine's memory as pandas, with its shapes apart."""
    if isinstance(table, pd.DataFrame):
        geometry = getattr(table, "_geometry_column_name", None)
        if geometry is None or geometry not in table.columns:
            return table.reset_index(drop=True), None
        shapes: Any = table.reset_index(drop=True)
        return pd.DataFrame(shapes.drop(columns=geometry)), shapes
    import narwhals as nw

    return nw.from_native(table, eager_only=True).to_pandas().reset_index(drop=True), None


def with_text(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the table with these columns as text; whole numbers lose their `.0`."""
    changed = {c: as_text(table[c]) for c in dict.fromkeys(columns)}
    return table.assign(**changed)


def levels(frame: Frame) -> tuple[str, ...]:
    """Return the described levels; else the columns with which each key begins, by length."""
    known = [level["key"] for level in frame.description.get("levels", [])]
    if known:
        return (*(k for k in known if k != frame.key), frame.key)
    codes = frame.table[frame.key].fillna("")
    width = {}
    for name in frame.table.columns:
        values = frame.table[name]
        if name == frame.key or not pd.api.types.is_string_dtype(values) or values.isna().any():
            continue
        pairs = zip(codes, values, strict=True)
        if len(values) and (values != "").all() and all(c.startswith(v) for c, v in pairs):
            width[name] = int(values.str.len().max())
    return (*sorted(width, key=lambda n: width[n]), frame.key)


def sizes(frame: Frame) -> tuple[str, ...]:
    """Return the described sizes; else the columns of whole numbers."""
    known = tuple(frame.description.get("sizes", {}))
    if known:
        return known
    return tuple(c for c in frame.table.columns if pd.api.types.is_integer_dtype(frame.table[c]))
