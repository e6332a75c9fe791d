"""Random numbers that belong to an area: the same whichever other areas are made with it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from hashlib import blake2b

import numpy as np
from scipy.special import ndtri


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return a generator that is a function of the seed and of names (an area, a purpose)."""
    digests = [int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) for name in names]
    return np.random.Generator(np.random.PCG64([seed, *digests]))


class Draws:
    """Uniform numbers for the rows of several areas, one column for each purpose.

    Parameters
    ----------
    seed
        Of the population.
    areas
        Codes of the areas, in the order of the rows.
    rows
        Number of rows of each area (areas,).
    table
        What the rows are: another name gives other numbers.
    purposes
        Names of the columns. Another column at the end leaves those before it as they were.
    """

    def __init__(
        self,
        seed: int,
        areas: Sequence[str],
        rows: np.ndarray,
        *,
        table: str,
        purposes: Sequence[str],
    ) -> None:
        self._column = {name: k for k, name in enumerate(purposes)}
        self._numbers = np.empty((len(purposes), int(rows.sum())))
        ends = np.cumsum(rows)
        for area, start, end in zip(areas, ends - rows, ends, strict=True):
            rng = generator(seed, table, area)
            self._numbers[:, start:end] = rng.random((len(purposes), end - start))

    def __getitem__(self, purpose: str) -> np.ndarray:
        """Return uniform numbers (rows,)."""
        return self._numbers[self._column[purpose]]

    def take(self, rows: np.ndarray) -> Draws:
        """Return the numbers of some rows."""
        out = copy(self)
        vars(out)["_numbers"] = self._numbers[:, rows]
        return out

    def normal(self, purpose: str) -> np.ndarray:
        """Return standard normal numbers (rows,)."""
        return ndtri(np.clip(self[purpose], 1e-12, 1 - 1e-12))
