"""Synthetic populations: what all of them can be asked, however they were made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd

from nsm.errors import KeyColumnError, nearest
from nsm.simulation.cells import Cells, PersonCells, count
from nsm.simulation.description import Ages, Published
from nsm.simulation.field_rules import FieldRules
from nsm.simulation.setting import Setting

_BATCH = 500
USUAL_AGES = Ages(np.arange(0, 81, 5), 110)
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Population:
    """A synthetic population. Invented persons: for rehearsal, never for publication.

    `read_population` makes one from area counts (`Counted`), from a previous round (`Resampled`) or
    from tables made by hand (`HandMade`).

    Parameters
    ----------
    frame
        One row per area, sorted by its code.
    setting
        Country, year, columns.
    field
        How dwellings and persons answer.
    seed
        Decides every random choice. The persons of an area are a function of the seed and the
        area.
    """

    frame: pd.DataFrame = field(repr=False)
    setting: Setting = field(repr=False)
    field: FieldRules = field(repr=False)
    seed: int

    @property
    def published(self) -> tuple[Published, ...]:
        """Figures that the persons should reproduce."""
        return ()

    @property
    def invented(self) -> Sequence[Mapping[str, str]]:
        """Language -> what has no figure behind it."""
        return ()

    @property
    def areas(self) -> list[str]:
        """Codes of all areas."""
        return self.frame[self.setting.key].tolist()

    def count(self, by: Sequence[str], *, ages: Sequence[int] | None = None) -> pd.DataFrame:
        """Count all persons, in dwellings and outside, exactly.

        Parameters
        ----------
        by
            Columns of the frame, and `sex`, `age`, `status`, `origin`, `country` and
            `dwelling_type`.
        ages
            First ages of wider bands, such as [0, 15, 30, 65]; the usual ones if None.

        Returns
        -------
        table of the columns `by` and `persons`; combinations without anybody are left out.

        Raises
        ------
        ColumnError, OptionError
        """
        return count(self._cells(), self.frame, by, ages=ages)

    def margins(self, by: Sequence[str], *, ages: Sequence[int] | None = None) -> pd.DataFrame:
        """Count the persons in dwellings, private and collective: the figures of the census.

        Columns and parameters as in `count`.
        """
        cells = self._cells()
        inside = np.asarray(cells.labels("dwelling_type", None) != "habitaculo")
        values = {"persons": cells.persons * inside}
        out = count(cells, self.frame, by, ages=ages, values=values)
        return out[out["persons"] > 0].reset_index(drop=True)

    def truth(self, by: Sequence[str] = (), *, ages: Sequence[int] | None = None) -> pd.DataFrame:
        """Count what a survey would estimate: everybody, immigrants, descendants, both.

        Columns and parameters as in `count`, with columns `persons, immigrants, descendants,
        foreign`. Synthetic, and never to be used in design.
        """
        cells = self._cells()
        status = cells.labels("status", None)
        kinds = {
            "immigrants": np.asarray(status == "immigrant"),
            "descendants": np.asarray(status == "descendant"),
            "foreign": np.asarray(status != "native"),
        }
        values = {name: cells.persons * mine for name, mine in kinds.items()}
        return count(cells, self.frame, by, ages=ages, values={"persons": cells.persons} | values)

    def area_tables(self, areas: Sequence[str]) -> Tables:
        """Make the tables of some areas.

        Parameters
        ----------
        areas
            Codes of areas. Which others are asked for, and their order, does not matter.

        Returns
        -------
        `dwellings` (vacant ones, collective ones and habitaculos too), `households`, `persons`,
        and `truth` with the status of every person. Synthetic.

        Raises
        ------
        KeyColumnError
            An area is unknown or named twice.
        """
        tables = self._tables(self._rows(areas))
        for table in tables.values():
            table.attrs["notice"] = self.setting.notice["en"]
        return tables

    def only(self, areas: Collection[str]) -> Self:
        """Return the population of some areas, person by person as it is here.

        Raises
        ------
        KeyColumnError
        """
        rows = np.sort(self._rows([*areas]))
        return replace(self, frame=self.frame.iloc[rows].reset_index(drop=True))

    def _tables(self, rows: np.ndarray) -> Tables:
        """Make the tables of rows of the frame."""
        raise NotImplementedError

    def _cells(self) -> Cells:
        """Return what is counted: here, from the tables of all areas."""
        parts = []
        for start in range(0, len(self.frame), _BATCH):
            rows = np.arange(start, min(start + _BATCH, len(self.frame)))
            tables = self._tables(rows)
            persons = tables["persons"][["person", "dwelling", "area", "sex", "age"]]
            kinds = tables["dwellings"][["dwelling", "dwelling_type"]]
            parts.append(persons.merge(tables["truth"], on="person").merge(kinds, on="dwelling"))
        people = pd.concat(parts, ignore_index=True)
        columns = {name: people[name] for name in ("sex", "age", "dwelling_type")}
        columns |= {name: people[f"truth_{name}"] for name in ("status", "origin", "country")}
        area = pd.Index(self.frame[self.setting.key]).get_indexer(people["area"])
        return PersonCells(area, columns, USUAL_AGES)

    def _rows(self, areas: Sequence[str]) -> np.ndarray:
        known = {area: row for row, area in enumerate(self.areas)}
        wrong = [area for area in areas if area not in known]
        if wrong:
            raise KeyColumnError(
                "The population has no areas {areas} ({count}). {hint}",
                areas=wrong,
                count=len(wrong),
                hint=nearest(wrong[0], known),
            )
        if len(set(areas)) < len(areas):
            twice = pd.Series([*areas])
            raise KeyColumnError(
                "Areas are named twice: {areas}.",
                areas=twice[twice.duplicated()].unique().tolist(),
            )
        return np.array([known[area] for area in areas], dtype=np.int64)


def sorted_frame(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return a frame sorted by its key, which must be unique.

    Raises
    ------
    KeyColumnError
    """
    frame = frame.sort_values(key, ignore_index=True)
    twice = frame[key][frame[key].duplicated()]
    if len(twice):
        raise KeyColumnError("Areas stand twice in the frame: {areas}.", areas=twice.tolist())
    return frame
