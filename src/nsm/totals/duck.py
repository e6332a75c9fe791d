"""DuckDB over one local file: locked, and spilling into a private folder only."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from nsm.errors import FileError

if TYPE_CHECKING:
    import duckdb

SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


class Database:
    """An open file.

    Parameters
    ----------
    file
        A Parquet or CSV file.
    text
        Columns of a CSV kept as text; codes with leading zeros are kept so in any case.
    memory
        Memory limit, such as `4GB`.
    scratch
        Folder for what does not fit in memory; its own part is removed at the end.

    Raises
    ------
    FileError
        The file cannot be read, or is of another kind.
    """

    def __init__(
        self,
        file: Path,
        text: Collection[str] = (),
        *,
        memory: str = "4GB",
        scratch: str | os.PathLike[str] = ".nsm",
    ) -> None:
        import duckdb

        Path(scratch).mkdir(mode=0o700, parents=True, exist_ok=True)
        spill = tempfile.mkdtemp(prefix="spill-", dir=scratch)
        self.connection = duckdb.connect(config=dict(SETTINGS))
        self._close = weakref.finalize(self, _closed, self.connection, spill)
        self.connection.execute("SET memory_limit = ?", [memory])
        self.connection.execute("SET temp_directory = ?", [spill])
        self.connection.execute("SET preserve_insertion_order = false")
        self.connection.execute("SET allowed_paths = ?", [[str(file)]])
        self.connection.execute("SET allowed_directories = ?", [[spill]])
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")
        try:
            self.relation = self._opened(file, text)
        except duckdb.Error as error:
            self.close()
            raise FileError(
                "{file} cannot be read as {kind}: {reason}",
                file=str(file),
                kind=file.suffix.lstrip(".").upper(),
                reason=str(error).splitlines()[0],
            ) from error

    def _opened(self, file: Path, text: Collection[str]) -> Any:
        match file.suffix.lower():
            case ".parquet":
                return self.connection.read_parquet(str(file))
            case ".csv":
                plain = self.connection.read_csv(str(file), header=True, all_varchar=True)
                kept = [c for c in plain.columns if c in text or _zeros(plain, c)]
                types = dict.fromkeys(kept, "VARCHAR")
                return self.connection.read_csv(str(file), header=True, dtype=types)
        raise FileError(
            "{file} ends in {suffix!r}; tables are read from {known}.",
            file=str(file),
            suffix=file.suffix,
            known=(".csv", ".parquet"),
        )

    def close(self) -> None:
        """Close the file and remove what was spilled."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _closed(connection: duckdb.DuckDBPyConnection, spill: str) -> None:
    connection.close()
    shutil.rmtree(spill, ignore_errors=True)


def _zeros(relation: Any, column: str) -> bool:
    """Say whether any of the first values is a number with a leading zero: a code."""
    import duckdb

    quoted = '"' + column.replace('"', '""') + '"'
    first = relation.select(duckdb.SQLExpression(quoted)).limit(20_000)
    test = duckdb.SQLExpression(f"regexp_matches({quoted}, '^0[0-9]+$')")
    return len(first.filter(test).limit(1).fetchall()) > 0
