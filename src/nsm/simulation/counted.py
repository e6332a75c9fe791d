"""A population made from a description: exact counts of all areas, persons on demand."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from nsm.errors import FrameError, KeyColumnError
from nsm.files import require_columns
from nsm.simulation.cells import Cells, CountedCells
from nsm.simulation.counts import count_areas
from nsm.simulation.description import Description, Published
from nsm.simulation.draws import generator
from nsm.simulation.field_rules import FieldRules
from nsm.simulation.placement import Placement, place
from nsm.simulation.population import Population, Tables, sorted_frame
from nsm.simulation.tables import Maker

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Counted(Population):
    """A population whose persons realize exact counts of every area.

    Parameters
    ----------
    counts
        Persons by area, place, group, sex and age band: see `counts.count_areas`.
    placed
        Persons of foreign origin by area, origin and place, in the order of the frame: what the
        counts add up to.
    description
        What it was made from.
    """

    counts: pd.DataFrame = dataclasses.field(repr=False)
    placed: pd.DataFrame = dataclasses.field(repr=False)
    description: Description = dataclasses.field(repr=False)
    maker: Maker = dataclasses.field(repr=False)

    @property
    def published(self) -> tuple[Published, ...]:
        """Figures that the persons should reproduce."""
        return self.description.published

    @property
    def invented(self) -> tuple[Mapping[str, str], ...]:
        """Language -> what has no figure behind it."""
        return self.description.invented

    def only(self, areas: Collection[str]) -> Self:
        """Return the population of some areas, person by person as it is here."""
        rows = np.sort(self._rows([*areas]))
        return dataclasses.replace(
            self,
            frame=self.frame.iloc[rows].reset_index(drop=True),
            counts=self._counts_of(rows),
            placed=self.placed.iloc[rows].reset_index(drop=True),
        )

    def _tables(self, rows: np.ndarray) -> Tables:
        return self.maker.tables(self.frame.iloc[rows], self._counts_of(rows))

    def _cells(self) -> Cells:
        return CountedCells(self.counts, self.description.groups, self.description.ages)

    def _counts_of(self, rows: np.ndarray) -> pd.DataFrame:
        """Return the counts of rows of the frame, numbered in their order."""
        area = self.counts["area"].to_numpy()
        starts = np.searchsorted(area, rows)
        sizes = np.searchsorted(area, rows, side="right") - starts
        take = np.repeat(starts - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        number = np.repeat(np.arange(len(rows)), sizes)
        return self.counts.iloc[take].assign(area=number).reset_index(drop=True)


def count_population(
    description: Description,
    frame: pd.DataFrame,
    truth: pd.DataFrame | None = None,
    *,
    seed: int,
) -> Counted:
    """Make a population from its description; see `read_population`."""
    frame = _verified(frame, description)
    part = description.sections["placement"]
    if truth is None or part.values:
        rules = Placement.of(part, tuple(o.key for o in description.origins))
    if truth is None:
        placed = place(frame, description, rules, generator(seed, "placement"))
    else:
        placed = _aligned(frame, truth, description.setting.key)
    counts = count_areas(frame, placed, description, generator(seed, "counts"))
    field = FieldRules.of(description.sections["field"])
    maker = Maker.of(description, seed)
    return Counted(frame, description.setting, field, seed, counts, placed, description, maker)


def _verified(frame: pd.DataFrame, description: Description) -> pd.DataFrame:
    """Return the frame sorted, with persons, households and dwellings that fit each other."""
    names = description.setting.columns
    needed = ("area", "population", "men", "collective", "dwellings", "occupied")
    needed_columns = [names[c] for c in needed]
    require_columns(frame, [*needed_columns, *description.setting.sizes], "The frame")
    frame = sorted_frame(frame, description.setting.key)
    sizes = frame[list(description.setting.sizes)].to_numpy(np.int64)
    private = (frame[names["population"]] - frame[names["collective"]]).to_numpy()
    beyond = private - sizes @ np.arange(1, sizes.shape[1] + 1)
    occupied = frame[names["occupied"]].to_numpy()
    wrong = (beyond < 0) | ((beyond > 0) & (sizes[:, -1] == 0)) | (sizes.sum(axis=1) < occupied)
    wrong |= occupied > frame[names["dwellings"]].to_numpy()
    if wrong.any():
        raise FrameError(
            "{count} areas have persons, households and dwellings that do not fit each other: "
            "{areas}. Persons in households must fill the households by size, and occupied "
            "dwellings be no more than households and dwellings.",
            count=int(wrong.sum()),
            areas=frame[description.setting.key][wrong].tolist(),
        )
    return frame


def _aligned(frame: pd.DataFrame, truth: pd.DataFrame, key: str) -> pd.DataFrame:
    require_columns(truth, [key], "The truth table")
    indexed = truth.set_index(key)
    lost = sorted(set(frame[key]) - set(indexed.index))
    if lost or indexed.index.has_duplicates:
        raise KeyColumnError(
            "The truth table must have every area of the frame once; it lacks {areas} ({count}).",
            areas=lost,
            count=len(lost),
        )
    return indexed.loc[frame[key]].reset_index()
