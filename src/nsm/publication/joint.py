"""Several tables as one system of sums, in which each cell stands once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nsm.estimation.estimates import Estimates
from nsm.publication.kin import COUNTS, Kin, Name, names_of
from nsm.publication.relations import Cells, cells
from nsm.publication.suppression import Demand, in_parts

Domain = frozenset[tuple[str, str]]
_ADDITIVE = (*COUNTS, "mean")


class Joint:
    """The cells of several tables; the same domain and name is the same cell."""

    def __init__(self, kin: Kin) -> None:
        self.kin = kin
        self.numbers: dict[object, int] = {}
        self.places: list[np.ndarray] = []
        self.demands: list[Demand] = []
        self.values: list[np.ndarray] = []
        self.sums: list[np.ndarray] = []

    def add(
        self, estimates: Estimates, demand: Demand, sums: Mapping[str, Sequence[str]] | None
    ) -> None:
        """Add a table with what it must keep secret."""
        keys = self._keys(estimates)
        self.places.append(
            np.array([self.numbers.setdefault(k, len(self.numbers)) for k in keys], int)
        )
        system = cells(estimates, sums, self.kin)
        self.demands.append(demand)
        self.values.append(system.values)
        self.sums.append(system.sums)

    def pattern(self, *, sums: bool = True) -> list[np.ndarray]:
        """Return what is hidden in each table (rows,); without `sums` only the primary cells."""
        size = len(self.numbers)
        primary, alone = np.zeros(size, bool), np.zeros(size, bool)
        width, values = np.zeros(size), np.zeros(size)
        for place, demand, value in zip(self.places, self.demands, self.values, strict=True):
            np.logical_or.at(primary, place, demand.primary)
            np.logical_or.at(alone, place, demand.alone)
            np.maximum.at(width, place, demand.width)
            values[place] = value
        hidden = primary
        if sums and primary.any():
            demand = Demand(primary, width, alone)
            hidden = in_parts(Cells(values, self._rows(size)), demand, self._ties())
        return [hidden[place] for place in self.places]

    def _rows(self, size: int) -> np.ndarray:
        """Return the sums of all tables, each once (sums, cells)."""
        rows = []
        for place, sums in zip(self.places, self.sums, strict=True):
            wide = np.zeros((len(sums), size))
            for k, column in enumerate(place):
                wide[:, column] += sums[:, k]
            rows.append(wide)
        return np.unique(np.vstack(rows), axis=0) if rows else np.zeros((0, size))

    def _ties(self) -> np.ndarray:
        """Return pairs of cells of the same persons (pairs, 2)."""
        found = []
        for one, other in self.kin.ties:
            for key, number in self.numbers.items():
                if isinstance(key, tuple) and key[1] == one:
                    pair = self.numbers.get((key[0], other))
                    found += [] if pair is None else [(number, pair)]
        return np.array(found, int).reshape(-1, 2)

    def _keys(self, estimates: Estimates) -> list[object]:
        """Return domain and name of each row; an object of its own if it adds up to nothing."""
        table = estimates.table
        labels = table[list(estimates.by)].astype(object)
        known = labels.notna().to_numpy()
        rows = labels.astype(str).to_numpy()
        additive = table["statistic"].isin(_ADDITIVE).to_numpy()
        keys: list[object] = []
        seen: set[object] = set()
        names: list[Name] = names_of(table)
        for k, name in enumerate(names):
            domain = frozenset(
                (c, v) for c, v, there in zip(estimates.by, rows[k], known[k], strict=True) if there
            )
            once = additive[k] and (domain, name) not in seen
            seen.add((domain, name))
            keys.append((domain, self.kin.name(name)) if once else object())
        return keys
