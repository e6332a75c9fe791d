"""Adaptive cluster sampling in simulated surveys: a drawn hot spot leads to its whole network.

A drawn area of a network stands for the mean of the network (modified Hansen-Hurwitz): each area of
the network takes an equal part of its weight, and the first draw is the design.

References
----------
Thompson (1990), Journal of the American Statistical Association 85, 1050-1059, eq. 8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import OptionError
from nsm.selection.adaptive import networks, to_visit

if TYPE_CHECKING:
    import pandas as pd

    from nsm.simulation.stock import Stock


@dataclass(frozen=True)
class Adaptive:
    """When neighbors are visited too.

    Parameters
    ----------
    threshold
        Share of immigrants and descendants from which an area is a hit, above 0.
    neighbors
        Pairs of areas that touch, columns `area` and `neighbor`: see `nsm.frame.neighbor_pairs`.
    """

    threshold: float
    neighbors: pd.DataFrame = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a threshold that every area passes, or none can."""
        if not 0 < self.threshold <= 1:
            raise OptionError(
                "adaptive: the threshold {threshold} must lie above 0 and be 1 at most.",
                threshold=self.threshold,
            )


class Leads:
    """Which areas each area of a population leads to.

    Parameters
    ----------
    stock
        The population, whose prevalence by area decides what is a hit.
    adaptive
        The rule.
    """

    def __init__(self, stock: Stock, adaptive: Adaptive) -> None:
        share = stock.prevalence
        hits = share.index[(share >= adaptive.threshold).to_numpy()].tolist()
        place = {area: k for k, area in enumerate(share.index)}
        found = networks(hits, adaptive.neighbors)
        self._network = np.full(len(share), -1)
        self._network[[place[area] for area in found.index]] = found.to_numpy()
        self._members = [
            np.array([place[area] for area in part.index]) for _, part in found.groupby(found)
        ]
        self._edges = [
            np.array([place[a] for a in to_visit(part.index, hits, adaptive.neighbors)], np.int64)
            for _, part in found.groupby(found)
        ]

    def of(self, area: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the areas that drawn areas (rows) lead to, from which, and with which share."""
        reached = [self._reached(a) for a in area]
        size = np.array([len(r) for r in reached], np.int64)
        return (
            np.concatenate(reached),
            np.repeat(np.arange(len(area)), size),
            1 / np.repeat(size, size),
        )

    def seen(self, area: np.ndarray) -> np.ndarray:
        """Return all areas that must be visited (rows), edges of networks among them."""
        met = np.unique(self._network[area])
        edges = [self._edges[n] for n in met if n >= 0]
        return np.unique(np.concatenate([area, *(self._reached(a) for a in area), *edges]))

    def _reached(self, area: int) -> np.ndarray:
        network = self._network[area]
        return np.array([area]) if network < 0 else self._members[network]
