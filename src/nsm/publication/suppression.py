"""Secondary suppression: which further cells must go, so that no sum gives a hidden one away.

The problem of the fewest such cells is solved exactly, as an integer programme, by cuts: the best
pattern so far is attacked by linear programmes that play the reader, and each successful attack
becomes a constraint.

References
----------
Fischetti & Salazar-González (2001), Solving the cell suppression problem on tabular data with
linear constraints, Management Science 47(7), p. 1008-1027.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csgraph

from nsm.errors import PublicationError
from nsm.publication.relations import Cells

LARGEST = 2_000  # cells
SECONDS = 5.0  # for the fewest cells; after it, few cells
GAP = 0.005  # of the number of cells: exact below 200 hidden cells
ENOUGH = 40  # cuts of one round; the next pattern makes most others needless
_TOLERANCE = 1e-7


class Range(NamedTuple):
    """The least and the most that a reader can deduce of each cell, each (cells,)."""

    low: np.ndarray
    high: np.ndarray


class Demand(NamedTuple):
    """What a pattern must keep secret.

    Parameters
    ----------
    primary
        Cells that may not be shown (cells,).
    width
        By how much each must stay uncertain, below and above (cells,).
    alone
        Cells with one contributor, who knows what they hold and can use it on the others (cells,).
    """

    primary: np.ndarray
    width: np.ndarray
    alone: np.ndarray


def secondary(
    given: Cells,
    demand: Demand,
    cost: np.ndarray | None = None,
    seconds: float = SECONDS,
    *,
    ties: np.ndarray | None = None,
) -> np.ndarray:
    """Return the cells to suppress, the primary ones among them (cells,).

    Parameters
    ----------
    cost
        What the loss of each cell costs (cells,); one and a little of its value by default, so
        that few and small cells go.
    seconds
        Time for the fewest cells. What is found until then is repaired cheaply, and stands the
        same attacks: it only hides some cells more.
    ties
        Pairs of cells that are hidden together (pairs, 2).

    Raises
    ------
    PublicationError
        The table is too large.
    """
    if len(given.values) > LARGEST:
        raise PublicationError(
            "Secondary suppression works up to {most} cells; this table has {cells}. Publish "
            "fewer margins, or round it.",
            most=LARGEST,
            cells=len(given.values),
        )
    involved = np.abs(given.sums).sum(axis=0) > 0
    bound = np.zeros((0, 2), int) if ties is None else ties
    if not (demand.primary & involved).any() and not len(bound):
        return demand.primary.copy()
    price = 1 + given.values / max(float(given.values.max()), 1.0)
    problem = _Problem(price if cost is None else np.asarray(cost, float), demand.primary)
    problem.add([*_never_alone(given.sums), *_together(bound, len(given.values))])
    reader = Reader(given, demand)
    end = time.monotonic() + seconds
    pattern = demand.primary.copy()
    while True:
        left = end - time.monotonic()
        # What the reader already beat stays hidden once the time is over: each round hides more.
        pattern = problem.cheapest(left) if left > 0 else problem.repaired(pattern)
        new = reader.cuts(pattern)
        if not new:
            return pattern
        problem.add(new)


class Cut(NamedTuple):
    """Weights (cells,) whose sum over the suppressed cells must reach `least`."""

    weights: np.ndarray
    least: float


def in_parts(given: Cells, demand: Demand, ties: np.ndarray) -> np.ndarray:
    """Return what `secondary` does, for each part of the table by itself (cells,).

    Cells that no chain of sums connects tell nothing of each other, so that the fewest cells of all
    parts are the fewest of the table: a table of many variables is many small tables. Cells that
    are tied, in pairs (pairs, 2), are hidden together.
    """
    pattern = demand.primary.copy()
    size = len(given.values)
    links = sparse.csr_array(given.sums != 0).astype(float)
    one, other = ties.T
    bound = sparse.csr_array((np.ones(len(ties)), (one, other)), shape=(size, size))
    _, part = csgraph.connected_components(links.T @ links + bound, directed=False)
    place = np.zeros(size, int)
    for number in np.unique(part[demand.primary]):
        cells = np.flatnonzero(part == number)
        place[cells] = np.arange(len(cells))
        sums = given.sums[:, cells]
        mine = Demand(demand.primary[cells], demand.width[cells], demand.alone[cells])
        system = Cells(given.values[cells], sums[(sums != 0).any(axis=1)])
        pattern[cells] = secondary(system, mine, ties=place[ties[part[one] == number]])
    return pattern


def _never_alone(sums: np.ndarray) -> list[Cut]:
    """No sum may have exactly one suppressed cell."""
    cuts = []
    for row in sums:
        members = np.flatnonzero(row)
        for one in members:
            weights = np.zeros(len(row))
            weights[members] = 1
            weights[one] = -1
            cuts.append(Cut(weights, 0.0))
    return cuts


def _together(ties: np.ndarray, size: int) -> list[Cut]:
    """Each pair is hidden or shown as one."""
    cuts = []
    for one, other in [*ties, *ties[:, ::-1]]:
        weights = np.zeros(size)
        weights[one], weights[other] = 1.0, -1.0
        cuts.append(Cut(weights, 0.0))
    return cuts


class _Problem:
    """The integer programme: the cheapest pattern that fulfils all cuts."""

    def __init__(self, price: np.ndarray, primary: np.ndarray) -> None:
        self.price, self.primary = price, primary
        self.matrix = sparse.csr_array((0, len(price)))
        self.least = np.zeros(0)

    def add(self, cuts: list[Cut]) -> None:
        """Add cuts."""
        rows = sparse.csr_array(np.array([cut.weights for cut in cuts]).reshape(len(cuts), -1))
        if len(cuts):
            self.matrix = sparse.vstack([self.matrix, rows], format="csr")
            self.least = np.concatenate([self.least, [cut.least for cut in cuts]])

    def cheapest(self, seconds: float) -> np.ndarray:
        """Return the cheapest pattern, or a repaired one where the time is too short."""
        found = milp(
            self.price,
            integrality=np.ones(len(self.price)),
            bounds=Bounds(self.primary.astype(float), np.ones(len(self.price))),
            constraints=LinearConstraint(self.matrix, self.least, np.inf),
            options={"time_limit": seconds, "mip_rel_gap": GAP},
        )
        return self.repaired(self.primary) if found.x is None else found.x > 0.5

    def repaired(self, pattern: np.ndarray) -> np.ndarray:
        """Return a pattern with cells added, one cut after the other, until all are fulfilled."""
        hidden = pattern.copy()
        while True:
            short = self.least - self.matrix @ hidden
            failed = np.flatnonzero(short > _TOLERANCE)
            if not len(failed):
                return hidden
            for k in failed:
                row = self.matrix[[k]].toarray()[0]
                self._fulfil(hidden, row, float(self.least[k]))

    def _fulfil(self, hidden: np.ndarray, weights: np.ndarray, least: float) -> None:
        short = least - float(weights @ hidden)
        able = np.flatnonzero((weights > 0) & ~hidden)
        gain = np.minimum(weights[able], max(short, 0.0))
        for one in able[np.argsort(self.price[able] / np.maximum(gain, _TOLERANCE))]:
            if short <= _TOLERANCE:
                return
            hidden[one] = True
            short -= float(weights[one])


class _Attack(NamedTuple):
    """Somebody, perhaps the only one in other cells, bounds a target from above or below."""

    target: int
    insiders: tuple[int, ...]
    sign: float


class Reader:
    """Who tries to learn the hidden cells of a pattern.

    Each linear programme gives a table that the reader cannot tell from the true one. These
    alternatives are kept: most attacks fail because of one that is already known.
    """

    def __init__(self, given: Cells, demand: Demand) -> None:
        self.given, self.demand = given, demand
        self.sums = sparse.csr_array(given.sums)
        self.up, self.down = _room(given.values)
        involved = np.abs(given.sums).sum(axis=0) > 0
        self.targets = np.flatnonzero(demand.primary & involved)
        self.alone = np.flatnonzero(demand.alone & demand.primary & involved)
        self.known = np.zeros((0, len(given.values)))
        self.limits: dict[_Attack, float] = {}

    def cuts(self, pattern: np.ndarray) -> list[Cut]:
        """Return a cut for each attack on a pattern that learns too much."""
        possible = self.known[~(self.known[:, ~pattern] != 0).any(axis=1)]
        found: list[Cut] = []
        # Who could not learn anything with all contributors that stand alone, cannot with one.
        for insiders in (np.zeros(0, int), self.alone, *self.alone[:, None]):
            hidden = pattern.copy()
            hidden[insiders] = False
            attacks = self._open(self._attacks(insiders), possible)
            new = self._together(attacks, hidden)
            if len(insiders) < 2:
                for attack in self._open(attacks, np.vstack([possible, new])):
                    cut, alternatives = self._attempt(attack, hidden)
                    found += [cut] if cut is not None else []
                    new = np.vstack([new, alternatives])
            else:
                new = np.vstack([new, *self._each_alone(hidden, possible)])
            possible = np.vstack([possible, new])
            self.known = np.vstack([self.known, new])
            if len(found) >= ENOUGH:
                return found
        return found

    def _attacks(self, insiders: np.ndarray) -> list[_Attack]:
        targets = np.setdiff1d(self.targets, insiders)
        known = tuple(int(i) for i in insiders)
        return [_Attack(int(t), known, sign) for sign in (1.0, -1.0) for t in targets]

    def _each_alone(self, hidden: np.ndarray, possible: np.ndarray) -> Iterator[np.ndarray]:
        """Yield alternatives that move a contributor who stands alone, and no other of them."""
        for one in self.alone:
            others = tuple(int(i) for i in self.alone if i != one)
            seen = hidden.copy()
            seen[one] = True
            attacks = [_Attack(int(one), others, sign) for sign in (1.0, -1.0)]
            for attack in self._open(attacks, possible):
                yield self._reach(seen, attack)[2][None, :]

    def _wanted(self, attack: _Attack) -> float:
        width = float(self.demand.width[attack.target])
        value = float(self.given.values[attack.target])
        return width if attack.sign > 0 else min(width, value)

    def _open(self, attacks: list[_Attack], possible: np.ndarray) -> list[_Attack]:
        """Return the attacks that no known alternative ends; they know the same cells."""
        if not attacks or not len(possible):
            return attacks
        same = possible[(possible[:, list(attacks[0].insiders)] == 0).all(axis=1)]
        most, least = same.max(axis=0, initial=0.0), same.min(axis=0, initial=0.0)
        return [
            a
            for a in attacks
            if (most[a.target] if a.sign > 0 else -least[a.target])
            < self._wanted(a) * (1 - _TOLERANCE)
        ]

    def _together(self, attacks: list[_Attack], hidden: np.ndarray) -> np.ndarray:
        """Return alternatives, each of which ends as many attacks as it can (alternatives, cells).

        One linear programme has a variable for each target: how far it moves, up to what is
        wanted. The attacks that it leaves go into the next, until none is ended.
        """
        found = [np.zeros((0, len(hidden)))]
        while len(attacks) > 2:
            moved = self._moved_together(attacks, hidden)
            left = self._open(attacks, moved[None, :])
            if len(left) == len(attacks):
                break
            attacks = left
            found.append(moved[None, :])
        return np.vstack(found)

    def _moved_together(self, attacks: list[_Attack], hidden: np.ndarray) -> np.ndarray:
        free = np.flatnonzero(hidden)
        place = {int(cell): k for k, cell in enumerate(free)}
        count, sums = len(attacks), self.sums[:, free]
        wanted = np.array([self._wanted(attack) for attack in attacks])
        rows = sparse.csr_array(
            (
                [-attack.sign for attack in attacks],
                (range(count), [place[attack.target] for attack in attacks]),
            ),
            shape=(count, len(free)),
        )
        solved = linprog(
            np.concatenate([np.zeros(len(free)), -1 / np.maximum(wanted, _TOLERANCE)]),
            A_eq=sparse.hstack([sums, sparse.csr_array((sums.shape[0], count))]),
            b_eq=np.zeros(sums.shape[0]),
            A_ub=sparse.hstack([rows, sparse.eye_array(count)]),
            b_ub=np.zeros(count),
            bounds=np.vstack(
                [
                    np.column_stack([-self.down[free], self.up[free]]),
                    np.column_stack([np.full(count, -np.inf), wanted]),
                ]
            ),
            method="highs",
        )
        moved = np.zeros(len(hidden))
        step = solved.x[: len(free)]
        moved[free] = np.where(np.abs(step) > _TOLERANCE, step, 0.0)
        return moved

    def _attempt(self, attack: _Attack, hidden: np.ndarray) -> tuple[Cut | None, np.ndarray]:
        """Return the cut that ends an attack, if one is needed, and the alternatives found."""
        wanted = self._wanted(attack)
        reach, weights, moved = self._reach(hidden, attack)
        alternatives = np.vstack([moved, -moved * _shrink(moved, self.given.values)])
        if reach >= wanted * (1 - _TOLERANCE):
            return None, alternatives
        wanted = min(wanted, self._most(attack))
        if reach >= wanted * (1 - _TOLERANCE):  # nothing could stop this one
            return None, alternatives
        weights = np.minimum(weights, wanted) / wanted
        weights[list(attack.insiders)] = 0.0
        return Cut(weights, 1.0 - _TOLERANCE), alternatives

    def _most(self, attack: _Attack) -> float:
        """Return how far the target could move if every cell were hidden."""
        if attack not in self.limits:
            hidden = np.ones(len(self.given.values), bool)
            hidden[list(attack.insiders)] = False
            self.limits[attack] = self._reach(hidden, attack)[0]
        return self.limits[attack]

    def _reach(self, hidden: np.ndarray, attack: _Attack) -> tuple[float, np.ndarray, np.ndarray]:
        """Return how far the target can move for a reader, the dual's weights, and how all moved.

        The reader knows every shown cell, the sums, and that no cell is negative or larger than
        three times the largest. The last two are (cells,).
        """
        objective = np.zeros(len(hidden))
        objective[attack.target] = -attack.sign
        free = np.flatnonzero(hidden)
        sums = self.sums[:, free]
        found = linprog(
            objective[free],
            A_eq=sums,
            b_eq=np.zeros(sums.shape[0]),
            bounds=np.column_stack([-self.down[free], self.up[free]]),
            method="highs",
        )
        slope = objective - self.sums.T @ found.eqlin.marginals
        weights = np.maximum(-slope, 0.0) * self.up + np.maximum(slope, 0.0) * self.down
        moved = np.zeros(len(hidden))
        moved[free] = np.where(np.abs(found.x) > _TOLERANCE, found.x, 0.0)
        return float(-found.fun), weights, moved


def _shrink(moved: np.ndarray, values: np.ndarray) -> float:
    """Return the largest share of a movement whose opposite leaves no cell negative."""
    rising = moved > 0
    return float(min(1.0, (values[rising] / moved[rising]).min(initial=1.0)))


def _room(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far above and below its value a reader thinks each cell may lie (cells,)."""
    return np.full(len(values), max(2 * float(values.max()), 1.0)), values.astype(float)


def deduced(given: Cells, suppressed: np.ndarray) -> Range:
    """Return what a reader can deduce of each cell from the shown ones, the sums and signs.

    This is the attack that every pattern must stand: shown cells have equal limits.

    Parameters
    ----------
    suppressed
        Cells that are not shown (cells,).
    """
    values, sums = given.values, sparse.csr_matrix(given.sums)
    right = np.asarray(sums @ values).ravel()
    low, high = values.astype(float).copy(), values.astype(float).copy()
    bounds = [(0.0, None) if s else (v, v) for s, v in zip(suppressed, values, strict=True)]
    for one in np.flatnonzero(suppressed):
        objective = np.zeros(len(values))
        objective[one] = 1.0
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(sign * objective, A_eq=sums, b_eq=right, bounds=bounds, method="highs")
            ends.append(sign * found.fun if found.success else -sign * np.inf)
        low[one], high[one] = ends
    return Range(low, high)
