"""A population made by hand: the dwellings and persons that a file holds, as they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from nsm.errors import KeyColumnError
from nsm.files import require_columns
from nsm.simulation.description import Published, read_figures
from nsm.simulation.field_rules import FieldRules
from nsm.simulation.given import Given, listed, read_given
from nsm.simulation.population import Population, Tables, sorted_frame
from nsm.simulation.section import Section
from nsm.simulation.setting import Setting

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class HandMade(Population):
    """A population whose dwellings and persons stand in files.

    Parameters
    ----------
    given
        The tables.
    figures, made_up
        Published figures, and what is said to be invented.
    """

    given: Given = dataclasses.field(repr=False)
    figures: tuple[Published, ...] = ()
    made_up: tuple[dict[str, str], ...] = ()

    @property
    def published(self) -> tuple[Published, ...]:
        """Figures that the persons should reproduce."""
        return self.figures

    @property
    def invented(self) -> tuple[dict[str, str], ...]:
        """Language -> what has no figure behind it."""
        return self.made_up

    def only(self, areas: Collection[str]) -> Self:
        """Return the population of some areas."""
        rows = np.sort(self._rows([*areas]))
        frame = self.frame.iloc[rows].reset_index(drop=True)
        return dataclasses.replace(self, frame=frame, given=self._some(rows))

    def _tables(self, rows: np.ndarray) -> Tables:
        some = self._some(rows)
        return listed(some.dwellings, some.persons, some.truth)

    def _some(self, rows: np.ndarray) -> Given:
        codes = set(self.frame[self.setting.key].iloc[rows])
        houses, persons = self.given.dwellings, self.given.persons
        mine = persons["area"].isin(codes).to_numpy()
        return Given(
            houses[houses["area"].isin(codes)].reset_index(drop=True),
            persons[mine].reset_index(drop=True),
            self.given.truth[mine].reset_index(drop=True),
        )


def hand_made(whole: Section, frame: pd.DataFrame, *, seed: int) -> HandMade:
    """Return the population that the part `tables` of a description names.

    Raises
    ------
    FileError, ConfigError, ColumnError, KeyColumnError
    """
    setting = Setting.of(whole)
    columns = setting.columns
    require_columns(frame, [columns["area"], columns["prior"]], "The frame")
    frame = sorted_frame(frame, columns["area"])
    part = whole.part("tables")
    given = read_given(part, setting)
    part.close()
    lost = sorted(set(given.dwellings["area"]) - set(frame[columns["area"]]))
    if lost:
        raise KeyColumnError(
            "{file}: {count} areas of the dwellings are not in the frame: {areas}.",
            file=whole.file,
            count=len(lost),
            areas=lost,
        )
    field = FieldRules.of(whole.part("field"))
    figures, made_up = read_figures(whole)
    whole.close()
    return HandMade(frame, setting, field, seed, given, figures, made_up)
