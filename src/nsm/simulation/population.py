"""A synthetic population: exact counts of all areas, and the persons of any area on demand."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nsm.errors import FrameError, KeyColumnError, OptionError, nearest
from nsm.files import require_columns
from nsm.simulation.counts import count_areas
from nsm.simulation.description import Ages, Description, read_description
from nsm.simulation.draws import generator
from nsm.simulation.field_rules import FieldRules
from nsm.simulation.groups import HABITACULO, IMMIGRANT, NATIVE, PLACES, SEXES, STATUS, labeled
from nsm.simulation.placement import place
from nsm.simulation.tables import Maker

_OWN = ("sex", "age", "status", "origin", "country", "dwelling_type")


@dataclass(frozen=True)
class Population:
    """A synthetic population. Invented persons: for rehearsal, never for publication.

    Parameters
    ----------
    frame
        One row per area, sorted by its code.
    counts
        Persons by area, place, group, sex and age band: see `counts.count_areas`.
    placed
        Persons of foreign origin by area, origin and place, in the order of the frame: what the
        counts must add up to.
    field
        How dwellings and persons answer.
    description, seed
        What it was made from. The persons of an area are a function of the seed, the area and
        its counts.
    """

    frame: pd.DataFrame
    counts: pd.DataFrame
    placed: pd.DataFrame
    description: Description
    seed: int
    field: FieldRules = dataclasses.field(repr=False)
    _maker: Maker = dataclasses.field(repr=False)

    @property
    def areas(self) -> list[str]:
        """Codes of all areas."""
        return self.frame[self.description.columns["area"]].tolist()

    def count(self, by: Sequence[str], *, ages: Sequence[int] | None = None) -> pd.DataFrame:
        """Count all persons, in dwellings and outside, exactly.

        Parameters
        ----------
        by
            Columns of the frame, and `sex`, `age`, `status`, `origin`, `country` and
            `dwelling_type`.
        ages
            First ages of wider bands, such as [0, 15, 30, 65]; those of the description if None.

        Returns
        -------
        table of the columns `by` and `persons`; combinations without anybody are left out.

        Raises
        ------
        ColumnError, OptionError
        """
        return self._count(self.counts, by, ages)

    def margins(self, by: Sequence[str], *, ages: Sequence[int] | None = None) -> pd.DataFrame:
        """Count the persons in dwellings, private and collective: the figures of the census.

        Columns and parameters as in `count`.
        """
        inside = self.counts[self.counts["place"] != HABITACULO]
        return self._count(inside, by, ages)

    def truth(self, by: Sequence[str] = (), *, ages: Sequence[int] | None = None) -> pd.DataFrame:
        """Count what a survey would estimate: everybody, immigrants, descendants, both.

        Columns and parameters as in `count`, with columns `persons, immigrants, descendants,
        foreign`. Synthetic, and never to be used in design.
        """
        cells = self.counts
        status = self.description.groups.status[cells["group"].to_numpy()]
        persons = cells["persons"].to_numpy()
        kinds = {
            "immigrants": persons * (status == IMMIGRANT),
            "descendants": persons * (status > IMMIGRANT),
            "foreign": persons * (status != NATIVE),
        }
        return self._count(cells.assign(**kinds), by, ages, ("persons", *kinds))

    def area_tables(self, areas: Sequence[str]) -> dict[str, pd.DataFrame]:
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
        rows = self._rows(areas)
        starts = np.searchsorted(self.counts["area"], rows)
        ends = np.searchsorted(self.counts["area"], rows, side="right")
        sizes = ends - starts
        take = np.repeat(starts - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        cells = self.counts.iloc[take].assign(area=np.repeat(np.arange(len(rows)), sizes))
        return self._maker.tables(self.frame.iloc[rows], cells)

    def _rows(self, areas: Sequence[str]) -> np.ndarray:
        index = pd.Index(self.areas, dtype="str")
        rows = index.get_indexer(pd.Index([*areas], dtype="str"))
        wrong = [area for area, row in zip(areas, rows, strict=True) if row < 0]
        if wrong:
            raise KeyColumnError(
                "The population has no areas {areas} ({count}). {hint}",
                areas=wrong,
                count=len(wrong),
                hint=nearest(wrong[0], self.areas),
            )
        if len(set(rows)) < len(rows):
            raise KeyColumnError(
                "Areas are named twice: {areas}.",
                areas=sorted({area for area in areas if [*areas].count(area) > 1}),
            )
        return rows

    def _count(
        self,
        cells: pd.DataFrame,
        by: Sequence[str],
        ages: Sequence[int] | None,
        values: Sequence[str] = ("persons",),
    ) -> pd.DataFrame:
        columns = {name: self._labels(cells, name, ages) for name in by}
        table = pd.DataFrame(columns | {name: cells[name].to_numpy() for name in values})
        if not by:
            return table.sum().to_frame().T
        out = table.groupby([*by], observed=True, as_index=False)[[*values]].sum()
        return out.astype({name: "str" for name in by if out[name].dtype == "category"})

    def _labels(
        self, cells: pd.DataFrame, name: str, ages: Sequence[int] | None
    ) -> pd.Categorical[Any]:
        groups = self.description.groups
        group = cells["group"].to_numpy()
        if name == "age":
            return self._age_labels(cells["band"].to_numpy(), ages)
        if name in _OWN:
            codes, names = {
                "sex": (cells["sex"], SEXES),
                "status": (np.minimum(groups.status[group], 2), STATUS),
                "origin": (groups.origin[group], groups.origins),
                "country": (groups.country[group], groups.countries),
                "dwelling_type": (cells["place"], PLACES),
            }[name]
            return labeled(np.asarray(codes), [*names])
        require_columns(self.frame, [name], "The frame")
        codes, names = pd.factorize(self.frame[name], sort=True)
        return labeled(codes[cells["area"].to_numpy()], [str(n) for n in names])

    def _age_labels(self, band: np.ndarray, ages: Sequence[int] | None) -> pd.Categorical[Any]:
        starts = self.description.ages.starts
        wanted = starts if ages is None else np.asarray(ages)
        unknown = sorted(set(wanted.tolist()) - set(starts.tolist()))
        if unknown or wanted[0] != 0 or (np.diff(wanted) <= 0).any():
            raise OptionError(
                "Age bands must rise from 0 and begin at ages {known}, not {ages}.",
                known=[int(a) for a in starts],
                ages=[int(a) for a in wanted],
            )
        labels = Ages(wanted, self.description.ages.oldest).labels
        code = np.searchsorted(wanted, starts, side="right") - 1
        return labeled(code[band], labels)


def read_population(
    path: str | os.PathLike[str],
    frame: pd.DataFrame,
    truth: pd.DataFrame | None = None,
    *,
    seed: int,
) -> Population:
    """Make a synthetic population from its description.

    Parameters
    ----------
    path
        A TOML description, such as `examples/eni-do/population.toml`.
    frame
        The areas, in any order, with the columns that the description names.
    truth
        Persons of foreign origin by area, in columns `immigrants_<origin>`,
        `descendants_<origin>`, `habitaculo_<origin>` and `habitaculo_descendants_<origin>`; None:
        the part `placement` of the description places them.
    seed
        Whole number that decides every random choice.

    Raises
    ------
    FileError, ConfigError, ColumnError, KeyColumnError, FrameError
    """
    description = read_description(path)
    return make_population(description, frame, truth, seed=seed)


def make_population(
    description: Description,
    frame: pd.DataFrame,
    truth: pd.DataFrame | None = None,
    *,
    seed: int,
) -> Population:
    """Make a synthetic population; see `read_population`."""
    frame = _sorted(frame, description)
    key = description.columns["area"]
    if truth is None:
        aligned = place(frame, description, generator(seed, "placement"))
    else:
        aligned = _aligned(frame, truth, key)
    counts = count_areas(frame, aligned, description, generator(seed, "counts"))
    rules = FieldRules.of(description.sections["field"])
    return Population(frame, counts, aligned, description, seed, rules, Maker.of(description, seed))


def _sorted(frame: pd.DataFrame, description: Description) -> pd.DataFrame:
    names = description.columns
    needed = [names[c] for c in names if c != "prior"]
    require_columns(frame, [*needed, *description.sizes], "The frame")
    key = names["area"]
    frame = frame.sort_values(key, ignore_index=True)
    twice = frame[key][frame[key].duplicated()]
    if len(twice):
        raise KeyColumnError("Areas stand twice in the frame: {areas}.", areas=twice.tolist())
    sizes = frame[list(description.sizes)].to_numpy(np.int64)
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
            areas=frame[key][wrong].tolist(),
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
