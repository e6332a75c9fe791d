"""Local files: read safely, write whole.

Only existing local files are read. A table is written beside its place and renamed into it, so that
a file is there complete or not at all.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zipfile import BadZipFile

from nsm.errors import ColumnError, FileError, nearest

if TYPE_CHECKING:
    import pandas as pd

_REMOTE = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://|^/vsi|^\\\\")
_GLOB = re.compile(r"[*?\[]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
READABLE = (".csv", ".csv.gz", ".parquet", ".xlsx")


def local_path(path: str | os.PathLike[str], *, exists: bool = True) -> Path:
    """Return `path` as a local path.

    Raises
    ------
    FileError
        It is a URL, a virtual file system, a pattern of names, or (with `exists`) not there.
    """
    text = os.fspath(path)
    if _REMOTE.match(text):
        raise FileError("{file} is not a local file. Copy it here and give its path.", file=text)
    found = Path(text)
    if _GLOB.search(text) and not found.exists():
        raise FileError("{file} is a pattern of names. Give one file.", file=text)
    if exists and not found.exists():
        beside = [p.name for p in found.parent.iterdir()] if found.parent.is_dir() else []
        hint = nearest(found.name, beside) if beside else f"There is no folder {found.parent}."
        raise FileError("{file} does not exist. {hint}", file=text, hint=hint)
    return found


def library(name: str) -> Path:
    """Return the path of the data that comes with nsm: `frames/do`, `questionnaires/eni` ...

    Raises
    ------
    FileError
        There is no such data.
    """
    here = Path(__file__).resolve().parent
    for root in (here / "library", here.parents[1]):
        if (root / name).exists():
            return root / name
    raise FileError("nsm brings no {file}. Give the path of your own.", file=name)


def read_table(
    path: str | os.PathLike[str],
    columns: Collection[str] | None = None,
    text: Collection[str] | Literal["all"] = (),
) -> pd.DataFrame:
    """Read a CSV, Parquet or Excel table.

    Parameters
    ----------
    columns
        The columns to read; all if None.
    text
        Columns kept as text, so that codes keep their leading zeros; or all of them.

    Raises
    ------
    FileError, ColumnError
    """
    import pandas as pd

    file = local_path(path)
    kept: Any = "str" if text == "all" else dict.fromkeys(text, "str")
    try:
        match _suffix(file):
            case ".csv" | ".csv.gz":
                table = pd.read_csv(file, dtype=kept, encoding="utf-8-sig", low_memory=False)
            case ".parquet":
                table = pd.read_parquet(file)
            case ".xlsx":
                table = pd.read_excel(file, dtype=kept)
            case other:
                raise FileError(
                    "{file} ends in {suffix!r}; tables are read from {known}.",
                    file=str(file),
                    suffix=other,
                    known=READABLE,
                )
    except (ValueError, OSError, ImportError, BadZipFile) as error:
        raise FileError(
            "{file} cannot be read as {kind}: {reason}",
            file=str(file),
            kind=file.suffix.lstrip(".").upper(),
            reason=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
    if columns is None:
        return table
    require_columns(table, columns, str(file))
    return table[list(columns)]


def _suffix(file: Path) -> str:
    """Return how a file's name ends, with what is below a compression."""
    endings = file.suffixes[-2:] if file.suffix.lower() == ".gz" else file.suffixes[-1:]
    return "".join(endings).lower()


def require_columns(table: pd.DataFrame, columns: Collection[str], where: str) -> None:
    """Raise ColumnError if any of `columns` is not in `table`, named `where` in the message."""
    for name in columns:
        if name not in table.columns:
            raise ColumnError(
                "{where} has no column {column!r}. {hint}",
                where=where,
                column=name,
                hint=nearest(name, list(table.columns)),
            )


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path that becomes `path` if the block ends well, and vanishes if not."""
    final = local_path(path, exists=False)
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=f".part{final.suffix}", dir=final.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o644)
        partial.replace(final)
    finally:
        partial.unlink(missing_ok=True)


def write_text(text: str, path: str | os.PathLike[str]) -> Path:
    """Write UTF-8 text, whole or not at all."""
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)


def write_table(table: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a table as CSV or Parquet, whole or not at all.

    In CSV, text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    final = Path(path)
    with atomic(final) as partial:
        if final.suffix.lower() == ".parquet":
            table.to_parquet(partial, index=False, compression="zstd")
        elif final.suffix.lower() == ".csv":
            harmless(table).to_csv(partial, index=False, lineterminator="\n")
        else:
            raise FileError(
                "Tables are written as .csv or .parquet, not {suffix!r} ({file}).",
                suffix=final.suffix,
                file=str(final),
            )
    return final


def harmless(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before each text that starts like a formula."""
    import pandas as pd

    texts = [c for c in table.columns if pd.api.types.is_string_dtype(table[c].dtype)]
    changed = {}
    for name in texts:
        risky = table[name].astype("str").str.startswith(_FORMULA).fillna(value=False)
        if risky.any():
            changed[name] = table[name].mask(risky, "'" + table[name].astype("str"))
    return table.assign(**changed) if changed else table


def content_hash(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file, or of all files under a folder with their names."""
    root = Path(path)
    if root.is_dir():
        digest = hashlib.sha256()
        for file in sorted(
            p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts
        ):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0")
            digest.update(content_hash(file).encode())
        return digest.hexdigest()
    with root.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
