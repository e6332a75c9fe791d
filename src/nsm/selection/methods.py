"""The methods of selection by name, and what each needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nsm.errors import OptionError, nearest


class Cell(NamedTuple):
    """Units among which a sample is drawn, none of them certain."""

    p: np.ndarray  # inclusion probabilities (units,)
    stratum: np.ndarray  # stratum numbers (units,)
    spread: np.ndarray  # coordinates (units, dimensions)
    balance: np.ndarray  # balancing variables (units, variables)
    u: np.ndarray | None  # permanent random numbers (units,)


class Method(NamedTuple):
    """A way to draw, and what holds of it."""

    draw: Callable[[Cell, np.random.Generator], np.ndarray]
    fixed: bool = True  # the size of the sample is fixed
    equal: bool = False  # takes no measure of size
    needs: str | None = None  # an argument it cannot do without: spread or balance
    permanent: bool = False  # can use permanent random numbers
    strata: bool = False  # handles all strata at once


def _srs(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.equal import lowest, srs

    return srs(cell.p, rng) if cell.u is None else lowest(cell.u, round(cell.p.sum()))


def _poisson(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.equal import poisson

    return poisson(cell.p, rng) if cell.u is None else np.flatnonzero(cell.u < cell.p)


def _pareto(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.equal import lowest, pareto, pareto_rank

    if cell.u is None:
        return pareto(cell.p, rng)
    return lowest(pareto_rank(cell.u, cell.p), round(cell.p.sum()))


def _systematic(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.systematic import systematic

    return systematic(cell.p, rng)


def _sampford(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.conditional_poisson import sampford

    return sampford(cell.p, rng)


def _conditional_poisson(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.conditional_poisson import conditional_poisson

    return conditional_poisson(cell.p, rng)


def _brewer(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.drawing import brewer

    return brewer(cell.p, rng)


def _tille(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.drawing import tille

    return tille(cell.p, rng)


def _pivotal(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.drawing import pivotal

    return pivotal(cell.p, rng)


def _local_pivotal(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.local_pivotal import local_pivotal

    return local_pivotal(cell.p, rng, cell.spread)


def _cube(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.cube import cube

    return cube(cell.p, rng, cell.balance, cell.stratum)


def _local_cube(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    from nsm.selection.cube import local_cube

    return local_cube(cell.p, rng, cell.balance, cell.spread, stratum=cell.stratum)


METHODS = {
    "srs": Method(_srs, equal=True, permanent=True),
    "bernoulli": Method(_poisson, fixed=False, equal=True, permanent=True),
    "poisson": Method(_poisson, fixed=False, permanent=True),
    "systematic": Method(_systematic),
    "sampford": Method(_sampford),
    "brewer": Method(_brewer),
    "tille": Method(_tille),
    "pareto": Method(_pareto, permanent=True),
    "pivotal": Method(_pivotal),
    "conditional-poisson": Method(_conditional_poisson),
    "local-pivotal": Method(_local_pivotal, needs="spread"),
    "cube": Method(_cube, needs="balance", strata=True),
    "local-cube": Method(_local_cube, needs="balance", strata=True),
}


def method_of(name: str) -> Method:
    """Return the method called `name`.

    Raises
    ------
    OptionError
        There is none.
    """
    if name not in METHODS:
        raise OptionError(
            "There is no selection method {method!r}. {hint}",
            method=name,
            hint=nearest(name, METHODS),
        )
    return METHODS[name]
