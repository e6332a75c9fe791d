"""Roll a census file of persons up to areas, whatever its size."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nsm.condition import parse
from nsm.errors import FrameError
from nsm.files import local_path, require_columns
from nsm.frame.frame import Frame
from nsm.frame.reading import as_text
from nsm.totals.duck import Database

if TYPE_CHECKING:
    import pandas as pd

SCRATCH = ".nsm"


def from_persons(
    persons: Any,
    key: str = "area",
    *,
    counts: Mapping[str, str],
    carry: Sequence[str] = (),
    description: Mapping[str, Any] | None = None,
    memory: str = "3GB",
    scratch: str | os.PathLike[str] = SCRATCH,
) -> Frame:
    """Make a frame from a table of persons, households or dwellings.

    Parameters
    ----------
    persons
        A local Parquet or CSV file, read by DuckDB; or a table: pandas, Polars, DuckDB, Spark ...
    key
        The column with the code of the area.
    counts
        New column -> condition that says which rows it counts; `""` counts all.
    carry
        Columns that are the same in all rows of an area (zone, codes of larger units).
    description
        Of the frame; see `Frame`.
    memory
        What DuckDB may use before it spills to `scratch`, a folder that only its owner can read.

    Raises
    ------
    FileError, ColumnError, ConditionError
    FrameError
        A row has no area, or an area has two values of a column that is carried.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"area": ["01", "01", "02"], "born": ["HTI", "DOM", "DOM"]})
    >>> frame = from_persons(people, counts={"population": "", "haiti": 'born == "HTI"'})
    >>> frame.table.to_numpy().tolist()
    [['01', 2, 1], ['02', 1, 0]]
    """
    if isinstance(persons, str | os.PathLike):
        file = local_path(persons)
        with Database(file, [key, *carry], memory=memory, scratch=scratch) as database:
            table = _grouped(database.relation, key, counts, carry)
    else:
        table = _grouped(persons, key, counts, carry)
    return Frame(_verified(table, key, carry), key, description=description or {})


def _grouped(
    persons: Any, key: str, counts: Mapping[str, str], carry: Sequence[str]
) -> pd.DataFrame:
    import narwhals as nw

    table = nw.from_native(persons)
    lazy = table.lazy() if isinstance(table, nw.DataFrame) else table
    names = lazy.collect_schema().names()
    require_columns(_Names(names), [key, *carry], "The table of persons")  # type: ignore[arg-type]  # it needs only the names
    tests = {name: parse(text).where(lazy) for name, text in counts.items() if text}
    marked = lazy.select(
        nw.col(key),
        *(nw.col(c) for c in carry),
        *(t.cast(nw.Int64).alias(n) for n, t in tests.items()),
    )
    sums = [nw.col(name).sum() if text else nw.len().alias(name) for name, text in counts.items()]
    ends = [
        end for c in carry for end in (nw.col(c).min().alias(f"{c} least"),
                                       nw.col(c).max().alias(f"{c} most"))
    ]  # fmt: skip
    found = marked.group_by(key).agg(*sums, *ends).collect("pandas")
    return found.to_pandas()


class _Names:
    """Stands for a table of which only the names of the columns are known."""

    def __init__(self, names: list[str]) -> None:
        self.columns = names


def _verified(table: pd.DataFrame, key: str, carry: Sequence[str]) -> pd.DataFrame:
    code = as_text(table[key])
    blank = code.isna() | (code.str.strip() == "")
    if blank.any():
        sizes = table.loc[blank].select_dtypes("number")
        raise FrameError(
            "Rows ({count}) have no code in column {column!r}. Give each its area.",
            count=int(sizes.max(axis=1).sum()) if sizes.shape[1] else int(blank.sum()),
            column=key,
        )
    out = table.assign(**{key: code})
    for column in carry:
        least, most = out[f"{column} least"], out[f"{column} most"]
        mixed = (least != most) & ~(least.isna() & most.isna())
        if mixed.any():
            raise FrameError(
                "Column {column!r} is not the same in all rows of {count} areas: {areas}. Do not "
                "carry it, or mend it.",
                column=column,
                count=int(mixed.sum()),
                areas=list(out.loc[mixed, key]),
            )
        out = out.rename(columns={f"{column} least": column}).drop(columns=f"{column} most")
    rest = [c for c in out.columns if c not in {key, *carry}]
    return (
        out[[key, *carry, *rest]]
        .sort_values(key, ignore_index=True)
        .astype(dict.fromkeys(rest, "int64"))
    )
