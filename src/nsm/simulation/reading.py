"""Reading a population: its description says how it is made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nsm.simulation.counted import count_population
from nsm.simulation.description import describe
from nsm.simulation.population import Population
from nsm.simulation.section import read_toml

if TYPE_CHECKING:
    import pandas as pd


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
    whole = read_toml(path)
    return count_population(describe(whole), frame, truth, seed=seed)
