"""Reading a population: its description says how it is made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nsm.simulation.counted import count_population
from nsm.simulation.description import describe
from nsm.simulation.handmade import hand_made
from nsm.simulation.population import Population
from nsm.simulation.resampled import resampled
from nsm.simulation.section import read_toml

if TYPE_CHECKING:
    import pandas as pd


def named_files(path: str | os.PathLike[str]) -> list[str]:
    """Return the files that a description names: tables made by hand, or a previous round."""
    whole = read_toml(path)
    parts = [whole.part(name) for name in ("tables", "microdata") if name in whole]
    return [part.text(key) for part in parts for key in ("persons", "dwellings") if key in part]


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
        A TOML description, such as `examples/eni-do/population.toml`. With a part `microdata` the
        population is drawn from a previous round, with a part `tables` it stands in files.
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
    whole = read_toml(path)
    if "tables" in whole:
        return hand_made(whole, frame, seed=seed)
    if "microdata" in whole:
        return resampled(whole, frame, seed=seed)
    return count_population(describe(whole), frame, truth, seed=seed)
