"""Files that come back from the field, read as they are: every cell as text.

| from | files |
|---|---|
| ODK Central, Aggregate | .csv of submissions and one per repeat, or a .zip of them |
| KoboToolbox | .xlsx with a sheet per repeat, or a flat .csv |
| SurveyCTO | wide .csv (`age_1`, `age_2`) |
| Survey Solutions | .tab files, or a .zip of them |
| CSPro | exported .csv or .tab, one per record |
| SPSS, Stata | .sav, .dta, with their labels |
| others | .xlsx, .parquet |
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pandas as pd

from nsm.errors import FieldworkError, FileError
from nsm.files import local_path

LARGEST_ARCHIVE = 20_000_000_000  # bytes, unpacked
MOST_MEMBERS = 1_000
TEXTS = (".csv", ".tab", ".tsv", ".txt")
LABELLED = (".sav", ".zsav", ".dta")
KNOWN = (*TEXTS, *LABELLED, ".xlsx", ".parquet", ".zip")
# Sheets and files beside the data, by the programs that write them.
_BESIDE = ("assignment__actions", "interview__actions", "interview__comments", "interview__errors")


@dataclass(frozen=True)
class Raw:
    """One table as it came.

    Parameters
    ----------
    labels
        Column -> code -> label, as SPSS and Stata files carry them.
    """

    name: str
    table: pd.DataFrame
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_raw(source: Any, encoding: str = "utf-8") -> list[Raw]:
    """Read a file, a folder, an archive, or a mapping of names to files or tables.

    Raises
    ------
    FileError
        A file is missing, in another encoding, or not what its name says.
    FieldworkError
        There is nothing to read.
    """
    if isinstance(source, Mapping):
        found = [_named(str(name), each, encoding) for name, each in source.items()]
    elif isinstance(source, pd.DataFrame):
        found = [Raw("data", source)]
    else:
        found = list(_from_path(local_path(source), encoding))
    if not found:
        raise FieldworkError(
            "{file} holds no table that can be read. Tables end in {known}.",
            file=str(source),
            known=KNOWN,
        )
    return found


def _named(name: str, source: Any, encoding: str) -> Raw:
    if isinstance(source, pd.DataFrame):
        return Raw(name, source)
    if not isinstance(source, str | os.PathLike):
        import narwhals as nw

        return Raw(name, nw.from_native(source).lazy().collect().to_pandas())
    first = next(iter(_from_path(local_path(source), encoding)))
    return Raw(name, first.table, first.labels)


def _from_path(path: Path, encoding: str) -> Iterator[Raw]:
    if path.is_dir():
        for file in sorted(path.iterdir()):
            if file.suffix.lower() in KNOWN and file.stem not in _BESIDE:
                yield from _from_path(file, encoding)
        return
    match path.suffix.lower():
        case suffix if suffix in TEXTS:
            yield Raw(path.stem, _text(path, path.name, encoding))
        case suffix if suffix in LABELLED:
            yield _labelled(path)
        case ".xlsx":
            yield from _workbook(path)
        case ".parquet":
            yield Raw(path.stem, _parquet(path))
        case ".zip":
            yield from _archive(path, encoding)
        case other:
            raise FileError(
                "{file} ends in {suffix!r}; deliveries are read from {known}.",
                file=str(path),
                suffix=other,
                known=KNOWN,
            )


def _unreadable(file: str, kind: str, error: Exception) -> FileError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return FileError(
        "{file} cannot be read as {kind}: {reason}", file=file, kind=kind, reason=reason
    )


def _text(source: Path | IO[bytes], name: str, encoding: str) -> pd.DataFrame:
    """Read delimited text; the mark between columns is the commonest in the first line."""
    raw = source.read_bytes() if isinstance(source, Path) else source.read()
    try:
        text = raw.decode("utf-8-sig" if encoding.lower() in {"utf-8", "utf8"} else encoding)
    except (UnicodeDecodeError, LookupError) as error:
        place = getattr(error, "start", 0)
        raise FileError(
            "{file}, line {line}: this is not {encoding}. Save it as UTF-8, or name its encoding "
            "(Excel and CSPro often write cp1252).",
            file=name,
            line=raw[:place].count(b"\n") + 1,
            encoding=encoding,
        ) from error
    head = text.split("\n", 1)[0]
    mark = max((",", ";", "\t"), key=head.count)
    try:
        return pd.read_csv(
            io.StringIO(text), sep=mark, dtype="str", keep_default_na=False, na_values=[""]
        )
    except (ValueError, OverflowError) as error:
        raise _unreadable(name, "CSV", error) from error


def _workbook(path: Path) -> Iterator[Raw]:
    try:
        sheets = pd.read_excel(
            path, sheet_name=None, dtype="str", keep_default_na=False, na_values=[""]
        )
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, SyntaxError) as error:
        raise _unreadable(str(path), "XLSX", error) from error
    for name, table in sheets.items():
        if len(table.columns):
            yield Raw(str(name), table)


def _parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise _unreadable(str(path), "PARQUET", error) from error


def _labelled(path: Path) -> Raw:
    import pyreadstat

    stata = path.suffix.lower() == ".dta"
    read = pyreadstat.read_dta if stata else pyreadstat.read_sav
    try:
        table, meta = read(str(path), user_missing=True)
    except (pyreadstat.ReadstatError, ValueError, OSError) as error:
        raise _unreadable(str(path), "Stata" if stata else "SPSS", error) from error
    labels = {
        column: {_code(code): str(label) for code, label in codes.items()}
        for column, codes in meta.variable_value_labels.items()
    }
    return Raw(path.stem, table, labels)


def _code(value: Any) -> str:
    """Return a code as text: 1.0 is 1."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _archive(path: Path, encoding: str) -> Iterator[Raw]:
    """Read the text tables of an archive, in memory: nothing is unpacked to disk."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise _unreadable(str(path), "ZIP", error) from error
    with archive:
        members = [m for m in archive.infolist() if Path(m.filename).suffix.lower() in TEXTS]
        size = sum(member.file_size for member in members)
        if size > LARGEST_ARCHIVE or len(members) > MOST_MEMBERS:
            raise FileError(
                "{file} unpacks to {size} bytes in {count} tables, which is too large. Unpack it "
                "and give the folder.",
                file=str(path),
                size=size,
                count=len(members),
            )
        for member in sorted(members, key=lambda m: m.filename):
            name = Path(member.filename).stem
            if name not in _BESIDE:
                with archive.open(member) as stream:
                    yield Raw(name, _text(stream, f"{path.name}/{member.filename}", encoding))
