"""A survey as Parquet files that know how it was made.

The rows, with their final `weight`, are a table for any program. Beside them stand the tables above
(dwellings above persons), and in the file's metadata the design and the weighting steps, which are
taken again when the survey is opened: nothing of its variance is lost.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nsm.errors import FileError
from nsm.files import atomic, local_path
from nsm.totals import Memory

if TYPE_CHECKING:
    from nsm.estimation.survey import Level, Survey

KEY = b"nsm"
VERSION = 1
WEIGHT = "weight"


def save(survey: Survey, path: str | os.PathLike[str]) -> Path:
    """Write a survey.

    Parameters
    ----------
    path
        A `.parquet` file; tables above are written beside it, as `<their name>.parquet`.

    Raises
    ------
    FileError
        The path does not end in .parquet, or the survey has replicates or phases that no file
        keeps.
    """
    final = local_path(path, exists=False)
    if final.suffix != ".parquet":
        raise FileError("A survey is saved as .parquet, not {file}.", file=str(final))
    if survey.replication is not None or survey.design.form is not None:
        raise FileError(
            "{file}: a survey with replicates or two phases is not saved. Save the one it was "
            "made from.",
            file=str(final),
        )
    above = [_name_above(level, k) for k, level in enumerate(survey.levels[:-1])]
    about = {
        "version": VERSION,
        "design": asdict(survey.design.declaration),
        "above": above,
        "name": survey.table.name,
        "history": [_written(part) for part in survey.history],
    }
    for level, name in zip(survey.levels[:-1], above, strict=True):
        _write(_rows(level), final.parent / name, None)
    if len(survey.levels) == 1 and survey.adjustments:
        rows = _rows(survey.levels[-1]).rename(columns={WEIGHT: "weight before"})
    else:
        rows = _rows(survey.levels[-1])
    _write(rows.assign(**{WEIGHT: survey.weights}), final, about)
    return final


def restore(path: Path) -> Survey | None:
    """Return the survey that a file was saved from; None if it is a plain table.

    Raises
    ------
    FileError
        The file was written by a later nsm, or a table above is missing.
    """
    about = _about(path)
    if about is None:
        return None
    if about["version"] > VERSION:
        raise FileError(
            "{file} was written by a later version of nsm. Update nsm to open it.", file=str(path)
        )
    return _again(path, about)


def _again(path: Path, about: Mapping[str, Any]) -> Survey:
    """Take the design and the steps again."""
    from nsm.estimation.survey import Survey
    from nsm.weighting import read_step

    files = [local_path(path.parent / name) for name in about["above"]] + [path]
    tables = [Memory(_read(file), file.stem) for file in files]
    tables[-1] = replace(tables[-1], name=about["name"])
    options = {k: v for k, v in about["design"].items() if v not in (None, [], ())}
    if len(files) == 1 and options.get("weight") == WEIGHT and about["history"]:
        options["weight"] = "weight before"
    survey = Survey(tables.pop(0), **options)
    for part in about["history"]:
        if "expand" in part:
            survey = survey.expand(tables.pop(0), on=part["expand"])
        else:
            survey = read_step(part, path.name).apply(survey)
    return survey


def _name_above(level: Level, k: int) -> str:
    name = level.table.name
    plain = name if name.isidentifier() else f"level{k + 1}"
    return f"{plain}.parquet"


def _rows(level: Level) -> pd.DataFrame:
    """Return the table of a level, with columns that were made on the way."""
    table = level.held
    return pd.DataFrame({name: table.series(name) for name in table.columns})


def _written(part: Any) -> dict[str, Any]:
    """Return a part of the history as plain data."""
    if isinstance(part, str):
        return {"expand": part}
    data = part.written()
    return {name: _plain(value) for name, value in data.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return value.to_dict("records")
    if isinstance(value, Mapping):
        return {
            "*".join(map(str, k)) if isinstance(k, tuple) else str(k): _plain(v)
            for k, v in value.items()
        }
    if isinstance(value, pd.Series):
        return _plain(value.to_dict())
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, tuple) else value


def _write(rows: pd.DataFrame, path: Path, about: Mapping[str, Any] | None) -> None:
    table = pa.Table.from_pandas(rows, preserve_index=False)
    if about is not None:
        text = json.dumps(about, ensure_ascii=False).encode()
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: text})
    with atomic(path) as partial:
        pq.write_table(table, partial, compression="zstd")


def _read(path: Path) -> pd.DataFrame:
    return pq.read_table(path).to_pandas()


def _about(path: Path) -> dict[str, Any] | None:
    """Return what a file says of its survey; None if it says nothing."""
    if path.suffix != ".parquet" or path.is_dir():
        return None
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowInvalid, OSError):
        return None  # the reader of tables says what is wrong with it
    return json.loads(metadata[KEY]) if KEY in metadata else None
