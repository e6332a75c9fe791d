"""Counting persons by columns of the frame and of their own, from counts or from tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from nsm.errors import OptionError
from nsm.files import require_columns
from nsm.simulation.description import Ages
from nsm.simulation.groups import PLACES, SEXES, STATUS, Groups, labeled

OWN = ("sex", "age", "status", "origin", "country", "dwelling_type")


class Cells(Protocol):
    """Groups of persons: the row of their area in the frame, how many, and what they are."""

    @property
    def area(self) -> np.ndarray:
        """Row of the area of each cell (cells,)."""

    @property
    def persons(self) -> np.ndarray:
        """Persons in each cell (cells,)."""

    def labels(self, name: str, ages: Sequence[int] | None) -> pd.Categorical[Any]:
        """Return one of `OWN` for each cell; `ages` are first ages of bands."""


@dataclass(frozen=True)
class CountedCells:
    """Cells of the area counts; see `counts.count_areas`."""

    counts: pd.DataFrame
    groups: Groups
    ages: Ages

    @property
    def area(self) -> np.ndarray:
        """Row of the area of each cell (cells,)."""
        return self.counts["area"].to_numpy()

    @property
    def persons(self) -> np.ndarray:
        """Persons in each cell (cells,)."""
        return self.counts["persons"].to_numpy()

    def labels(self, name: str, ages: Sequence[int] | None) -> pd.Categorical[Any]:
        """Return one of `OWN` for each cell."""
        if name == "age":
            code, names = _bands(self.ages.starts, ages, self.ages)
            return labeled(code[self.counts["band"].to_numpy()], names)
        group = self.counts["group"].to_numpy()
        codes, known = {
            "sex": (self.counts["sex"].to_numpy(), SEXES),
            "status": (np.minimum(self.groups.status[group], 2), STATUS),
            "origin": (self.groups.origin[group], self.groups.origins),
            "country": (self.groups.country[group], self.groups.countries),
            "dwelling_type": (self.counts["place"].to_numpy(), PLACES),
        }[name]
        return labeled(codes, [*known])


@dataclass(frozen=True)
class PersonCells:
    """Persons, one cell each, with their columns as text and their age in years."""

    area: np.ndarray
    columns: Mapping[str, pd.Series]
    ages: Ages

    @property
    def persons(self) -> np.ndarray:
        """Persons in each cell: one."""
        return np.ones(len(self.area), dtype=np.int64)

    def labels(self, name: str, ages: Sequence[int] | None) -> pd.Categorical[Any]:
        """Return one of `OWN` for each person."""
        if name == "age":
            code, names = _bands(np.arange(self.ages.oldest + 1), ages, self.ages)
            age = self.columns["age"].to_numpy(dtype=np.int64)
            return labeled(code[np.minimum(age, self.ages.oldest)], names)
        codes, known = pd.factorize(self.columns[name], sort=True)
        return labeled(codes, [str(k) for k in known])


def count(
    cells: Cells,
    frame: pd.DataFrame,
    by: Sequence[str],
    *,
    ages: Sequence[int] | None = None,
    values: Mapping[str, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Add up persons, or other `values` of the cells, by columns.

    Returns
    -------
    table of the columns `by` (as text) and the sums; combinations without cells are left out.

    Raises
    ------
    ColumnError, OptionError
        A column that neither the persons nor the frame have, or ages that are no bands.
    """
    values = {"persons": cells.persons} if values is None else values
    columns: dict[str, Any] = {}
    for name in by:
        if name in OWN:
            columns[name] = cells.labels(name, ages)
            continue
        require_columns(frame, [name], "The frame")
        codes, known = pd.factorize(frame[name], sort=True)
        columns[name] = labeled(codes[cells.area], [str(k) for k in known])
    table = pd.DataFrame(columns | dict(values))
    if not by:
        return table.sum().to_frame().T
    out = table.groupby([*by], observed=True, as_index=False)[[*values]].sum()
    return out.astype(dict.fromkeys(by, "str"))


def _bands(
    starts: np.ndarray, wanted: Sequence[int] | None, ages: Ages
) -> tuple[np.ndarray, list[str]]:
    """Return the band of each of the ages `starts`, and the names of the bands."""
    first = ages.starts if wanted is None else np.asarray(wanted, dtype=np.int64)
    known = set(starts.tolist())
    if not len(first) or first[0] != 0 or (np.diff(first) <= 0).any() or set(first) - known:
        raise OptionError(
            "Age bands must rise from 0 and begin at ages {known}, not {ages}.",
            known=[int(a) for a in starts],
            ages=[int(a) for a in first],
        )
    code = np.searchsorted(first, starts, side="right") - 1
    return code, Ages(first, ages.oldest).labels
