"""What the pass is asked for, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Term:
    """A total: the weighted sum of a product of columns over the units that have it.

    Parameters
    ----------
    factors
        Numeric columns that are multiplied; none gives 1. A missing factor counts as 0.
    observed
        Columns that must be observed for a unit to count.
    levels
        Categories that a unit must be in to count, as (column, value).
    """

    factors: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    levels: tuple[tuple[str, object], ...] = ()

    def __mul__(self, other: Term) -> Term | None:
        """Return the product of two terms, or None where it is zero for every unit."""
        levels = dict(self.levels)
        for column, value in other.levels:
            if levels.setdefault(column, value) != value:
                return None
        return Term(
            tuple(sorted(self.factors + other.factors)),
            tuple(sorted({*self.observed, *other.observed})),
            tuple(sorted(levels.items(), key=str)),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        names = (*self.factors, *self.observed, *(column for column, _ in self.levels))
        return tuple(dict.fromkeys(names))


class Measure(NamedTuple):
    """A sum to make in the pass.

    `sum` adds weight times term; `count` counts units of positive weight whose term is not zero.
    `fine` keeps it by sampling unit too, otherwise only by domain.
    """

    term: Term
    kind: Literal["sum", "count"] = "sum"
    fine: bool = False


@dataclass(frozen=True)
class Totals:
    """Sums by domain, and by the pairs of domain and sampling unit that occur.

    Parameters
    ----------
    labels
        One row per domain (domains, by-columns).
    domain, unit
        Index of the domain and of the sampling unit of each pair (pairs,).
    coarse
        Sums by domain, each (domains,).
    fine
        Sums by pair, each (pairs,).
    unknown
        Sum of weights of the units that `where` admits or leaves open, whose domain is not known,
        as a fraction of all such weights.
    """

    labels: pd.DataFrame
    domain: np.ndarray
    unit: np.ndarray
    coarse: Mapping[Measure, np.ndarray]
    fine: Mapping[Measure, np.ndarray]
    unknown: float = 0.0

    def __len__(self) -> int:
        return len(self.labels)
