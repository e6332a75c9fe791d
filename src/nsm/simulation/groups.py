"""The kinds of people a population is counted by: migrant status, origin and country."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

NATIVE, IMMIGRANT, ONE_PARENT, TWO_PARENTS = 0, 1, 2, 3
STATUS = np.array(["native", "immigrant", "descendant"])
PARENTS = np.array([0, 0, 1, 2])
DWELLING, COLLECTIVE, HABITACULO = 0, 1, 2
PLACES = np.array(["private", "collective", "habitaculo"])
SEXES = np.array(["M", "F"])
MEN, WOMEN = 0, 1


@dataclass(frozen=True)
class Groups:
    """Groups of people, numbered: natives first, then immigrants and descendants by country.

    Parameters
    ----------
    status, origin, country
        Of each group (groups,): one of the four codes above; number of the origin (0 for
        natives, then 1, 2 ... in the order of the description); number of the country.
    origins
        Names of the origins, with `native` before them.
    countries
        Codes of the countries, ISO 3166-1 alpha-3; the first is the country of the survey.
    """

    status: np.ndarray
    origin: np.ndarray
    country: np.ndarray
    origins: tuple[str, ...]
    countries: tuple[str, ...]

    @classmethod
    def of(cls, home: str, origins: dict[str, tuple[str, ...]]) -> Groups:
        """Return the groups of a country and its origins, numbered.

        Parameters
        ----------
        home
            Country of the survey.
        origins
            Name -> its countries of birth.

        Examples
        --------
        >>> Groups.of("DOM", {"hti": ("HTI",)}).status.tolist()
        [0, 1, 2, 3]
        """
        countries = tuple(dict.fromkeys([home, *(c for many in origins.values() for c in many)]))
        rows = [(NATIVE, 0, 0)]
        for number, many in enumerate(origins.values(), start=1):
            rows += [
                (status, number, countries.index(country))
                for status in (IMMIGRANT, ONE_PARENT, TWO_PARENTS)
                for country in many
            ]
        table = np.array(rows, dtype=np.int64)
        return cls(table[:, 0], table[:, 1], table[:, 2], ("native", *origins), countries)

    def find(self, status: np.ndarray, origin: np.ndarray, country: np.ndarray) -> np.ndarray:
        """Return the number of the group of each person."""
        size = len(self.countries)
        key = (self.status * len(self.origins) + self.origin) * size + self.country
        order = np.argsort(key)
        wanted = (status * len(self.origins) + origin) * size + country
        return order[np.searchsorted(key[order], wanted)]

    def __len__(self) -> int:
        return len(self.status)


def labeled(codes: np.ndarray, names: Sequence[str]) -> pd.Categorical[Any]:
    """Return numbered labels as a column; negative numbers are null."""
    return pd.Categorical.from_codes(codes.astype(np.int64), dtype=pd.CategoricalDtype([*names]))
