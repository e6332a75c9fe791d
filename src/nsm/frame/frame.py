"""`Frame`: the areas of a country, what is known of them, and where they lie."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from nsm.errors import ColumnError, FrameError, KeyColumnError, ValueInColumnError, nearest
from nsm.frame import description as described

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    Shapes: TypeAlias = (
        gpd.GeoDataFrame | str | os.PathLike[str] | Callable[[], gpd.GeoDataFrame] | None
    )


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """A sampling frame: one row for each area, with codes, sizes and what is known beforehand.

    Parameters
    ----------
    table
        pandas, or another table of the machine's memory (Polars, Arrow). A GeoDataFrame brings
        its polygons.
    key
        The column that names an area. Found in the description, or `area`, if empty.
    description
        What the columns mean: the content of a `frame.toml`.
    shapes
        Polygons, the local file that holds them, or a function that makes them; read or made when
        they are first used.
    names
        `level, code, name` of the units above the areas.
    log
        What `merge` and `split` did: old areas to new ones.

    Raises
    ------
    ColumnError
        The key, or a column of the description, is not in the table.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = Frame(pd.DataFrame({"area": ["0101", "0102"], "households": [80, 120]}))
    >>> frame
    <Frame of 2 areas: area>
    >>> int(frame.total("households"))
    200
    """

    table: pd.DataFrame
    key: str = ""
    description: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    shapes: Shapes = field(default=None, kw_only=True, repr=False)
    names: pd.DataFrame | None = field(default=None, kw_only=True, repr=False)
    log: pd.DataFrame | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        """Bring the table to pandas and the codes to text, and look for the columns."""
        from nsm.frame import tables

        about = described.verified(self.description)
        table, shapes = tables.to_pandas(self.table)
        key = self.key or about.get("frame", {}).get("key") or "area"
        for column in dict.fromkeys([key, *described.columns_named(about)]):
            if column not in table.columns:
                raise ColumnError(
                    "The frame has no column {column!r}. {hint}",
                    column=column,
                    hint=nearest(column, list(table.columns)),
                )
        codes = [key, *(level["key"] for level in about.get("levels", []))]
        object.__setattr__(self, "table", tables.with_text(table, codes))
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "description", about)
        if self.shapes is None and shapes is not None:
            object.__setattr__(self, "shapes", shapes)

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str],
        key: str = "",
        *,
        boundaries: str | os.PathLike[str] | None = None,
    ) -> Frame:
        """Read a frame from its folder, its `frame.toml`, or one table of areas.

        CSV, Parquet, Excel, GeoPackage, GeoJSON and shapefile are read. `frames/do` stands for the
        frame that comes with nsm where there is no such folder here.

        Raises
        ------
        FileError, ConfigError, ColumnError
        """
        from nsm.frame import tables

        return tables.read(cls, path, key, boundaries)

    def __repr__(self) -> str:
        """Say what the frame is in one line."""
        name = self.description.get("frame", {}).get("name", "")
        return f"<Frame {name} of {len(self):,} areas: {', '.join(self.levels)}>".replace("  ", " ")

    def __len__(self) -> int:
        """Return the number of areas."""
        return len(self.table)

    @property
    def levels(self) -> tuple[str, ...]:
        """The columns of nested codes, from the largest unit to the area."""
        from nsm.frame import tables

        return tables.levels(self)

    @property
    def sizes(self) -> tuple[str, ...]:
        """The columns that add up over areas: described, or else those of whole numbers."""
        from nsm.frame import tables

        return tables.sizes(self)

    @cached_property
    def boundaries(self) -> gpd.GeoDataFrame | None:
        """The polygons: the key and `geometry`; None if the frame has none."""
        from nsm.frame import reading

        if self.shapes is None:
            return None
        crs = self.description.get("geometry", {}).get("crs")
        if isinstance(self.shapes, str | os.PathLike):
            found = reading.read_shapes(self.shapes)
            return reading.align(found, self.key, Path(self.shapes).name, crs)
        found = self.shapes() if callable(self.shapes) else self.shapes
        return reading.align(found, self.key, "The table of shapes", crs)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the key and of the table, whatever the order of rows and columns."""
        columns = [self.key, *sorted(c for c in self.table.columns if c != self.key)]
        ordered = self.table[columns].sort_values(columns[:1], kind="stable")
        text = ordered.to_csv(index=False, lineterminator="\n")
        return hashlib.sha256(text.encode()).hexdigest()

    def label(self, part: str, code: str, language: str = "en") -> str:
        """Return the name of a size, level or title in `language`; its code if it has none."""
        held = self.description.get(part, {})
        if part == "levels":
            held = {level["key"]: level.get("name") for level in held}
        return described.label(held.get(code), language, code)

    def total(self, column: str) -> float:
        """Return the sum of a column."""
        self.require_columns([column])
        return float(self.table[column].sum())

    def require_columns(self, columns: Sequence[str]) -> None:
        """Raise ColumnError for the first of `columns` that the frame does not have."""
        for column in columns:
            if column not in self.table.columns:
                raise ColumnError(
                    "The frame has no column {column!r}. {hint}",
                    column=column,
                    hint=nearest(column, list(self.table.columns)),
                )

    def require_sound(self, *sizes: str) -> None:
        """Refuse what no sample can be drawn from: repeated or missing keys, impossible sizes.

        Raises
        ------
        ColumnError, KeyColumnError, ValueInColumnError
        """
        self.require_columns(sizes)
        codes = self.table[self.key]
        repeated = codes[codes.duplicated()].unique()
        if len(repeated):
            raise KeyColumnError(
                "Areas ({count}) stand more than once in column {column!r}: {areas}. "
                "Keep one row for each.",
                count=len(repeated),
                column=self.key,
                areas=list(repeated),
            )
        blank = codes.isna() | (codes.str.strip() == "")
        if blank.any():
            raise KeyColumnError(
                "Rows ({count}) have no code in column {column!r}: {rows}. Give each its code.",
                count=int(blank.sum()),
                column=self.key,
                rows=[int(i) + 1 for i in blank.to_numpy().nonzero()[0]],
            )
        for size in sizes:
            self._require_size(size)

    def _require_size(self, size: str) -> None:
        import pandas as pd

        values = self.table[size]
        if not pd.api.types.is_numeric_dtype(values):
            raise ValueInColumnError("Column {column!r} does not hold numbers.", column=size)
        for wrong, template in (
            (values.isna(), "Column {column!r} is missing for {count} areas: {areas}. Fill it."),
            (values < 0, "Column {column!r} is negative for {count} areas: {areas}. Mend it."),
        ):
            if wrong.any():
                areas = self.table.loc[wrong.fillna(value=False), self.key]
                raise ValueInColumnError(template, column=size, count=len(areas), areas=list(areas))

    def require_boundaries(self) -> gpd.GeoDataFrame:
        """Return the polygons.

        Raises
        ------
        FrameError
            The frame has none, or an area has none.
        """
        shapes = self.boundaries
        if shapes is None:
            raise FrameError(
                "The frame has no boundaries. Name their file under [files] of frame.toml, or give "
                "them as `shapes`."
            )
        lacking = self.table.loc[~self.table[self.key].isin(shapes[self.key]), self.key]
        if len(lacking):
            raise FrameError(
                "Areas ({count}) have no polygon: {areas}. `check(detail=True)` lists them all.",
                count=len(lacking),
                areas=list(lacking),
            )
        return shapes

    def replaced(self, **changes: Any) -> Frame:
        """Return a copy with some parts changed."""
        return replace(self, **changes)

    def check(
        self,
        *,
        against: pd.DataFrame | None = None,
        totals: Mapping[str, float] | None = None,
        detail: bool = False,
        language: str = "en",
    ) -> pd.DataFrame:
        """Look for what is wrong with the frame; see `nsm.frame.checks`.

        Parameters
        ----------
        against
            A table of the same units or of larger ones (a census), whose sizes the frame's must
            reach: it shares a level's column and at least one size with the frame.
        totals
            Known totals of columns.
        detail
            List every case, not the first five of each finding.
        language
            Language of the messages.

        Returns
        -------
        Findings: `code, severity, where, count, message, examples`; in detail one row for each
        case: `code, severity, where, case, message`.
        """
        from nsm.frame.checks import all_findings
        from nsm.frame.findings import cases_table, findings_table

        found = all_findings(self, against=against, totals=totals)
        return (cases_table if detail else findings_table)(found, language)

    def roll_up(self, level: str) -> Frame:
        """Return the frame of larger units: sizes added up, prevalences averaged, areas counted.

        Parameters
        ----------
        level
            A level, or any column of classes.
        """
        from nsm.frame.rollup import roll_up

        return roll_up(self, level)

    def merge(self, minimum: int, **options: Any) -> Frame:
        """Merge areas below `minimum` with contiguous ones; see `nsm.frame.merging.merge`."""
        from nsm.frame.merging import merge

        return merge(self, minimum, **options)

    def split(self, maximum: int, **options: Any) -> Frame:
        """Split areas above `maximum`; see `nsm.frame.splitting.split`."""
        from nsm.frame.splitting import split

        return split(self, maximum, **options)

    def write(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write the frame to a new folder, as `read` takes it; see `nsm.frame.writing.write`."""
        from nsm.frame.writing import write

        return write(self, folder)

    def diff(self, other: Frame, language: str = "en") -> pd.DataFrame:
        """List what changed from this version to `other`; see `nsm.frame.versions.diff`."""
        from nsm.frame.versions import diff

        return diff(self, other, language)

    def concentration(self, cuts: Sequence[float], **options: Any) -> Frame:
        """Add strata of prior prevalence; see `nsm.frame.strata.concentration`."""
        from nsm.frame.strata import concentration

        return concentration(self, cuts, **options)

    def shrink(self, age: float, persistence: float, **options: Any) -> Frame:
        """Draw an old prior toward its municipality's mean; see `nsm.frame.aging.shrink`."""
        from nsm.frame.aging import shrink

        return shrink(self, age, persistence, **options)
