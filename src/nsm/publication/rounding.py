"""Rounding of counts: random, cell by cell, or controlled, so that the margins still add up."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from nsm.errors import OptionError, PublicationError
from nsm.estimation.estimates import Estimates
from nsm.publication.relations import cells

E = TypeVar("E", bound=Estimates)

METHODS = ("random", "controlled")
_COUNTS = ("total", "count")
_FURTHER = 3  # multiples of the base that a controlled cell may lie away from its value


def round_counts(
    estimates: E,
    base: int = 5,
    *,
    method: str = "controlled",
    seed: int,
) -> E:
    """Return estimates whose totals and counts are multiples of `base`.

    `random` rounds each cell up with probability remainder / base, so that it is right on average;
    margins then add up no more. `controlled` looks for the table nearest to a random rounding in
    which they all do. An interval keeps its distance from its estimate.

    Raises
    ------
    OptionError
        The base or the method is unknown.
    PublicationError
        No table of multiples adds up.

    References
    ----------
    Cox (1987), A constructive procedure for unbiased controlled rounding, JASA 82, p. 520-524.
    """
    if base < 2 or method not in METHODS:
        raise OptionError(
            "Rounding to base {base} by {method!r} is not known. Give a base of 2 or more, and "
            "one of {methods}.",
            base=base,
            method=method,
            methods=list(METHODS),
        )
    table = estimates.table.reset_index(drop=True)
    counted = table["statistic"].isin(_COUNTS).to_numpy() & table["estimate"].notna().to_numpy()
    values = table["estimate"].to_numpy(float)[counted]
    generator = np.random.Generator(np.random.PCG64(seed))
    units = _randomly(values / base, generator)
    sums = cells(replace(estimates, table=table[counted].reset_index(drop=True))).sums
    if method == "controlled" and len(sums):
        units = _adding_up(values / base, units, sums)
    made = table["estimate"].to_numpy(float).copy()
    made[counted] = units * base
    moved = made - table["estimate"].to_numpy(float)
    return replace(
        estimates,
        table=table.assign(
            estimate=made, lower=table["lower"] + moved, upper=table["upper"] + moved
        ),
    )


def _randomly(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    down = np.floor(values)
    return down + (generator.random(len(values)) < values - down)


def _adding_up(values: np.ndarray, wished: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Return whole numbers that fulfil the sums, as near to the wished ones as possible (cells,).

    Variables are the distances above and below the wished number, each counted in the objective.
    """
    count = len(values)
    eye = sparse.eye_array(count)
    equal = sparse.hstack([sparse.csr_array(sums), -sparse.csr_array(sums)])
    short = -(sums @ wished)
    inside = LinearConstraint(
        sparse.hstack([eye, -eye]),
        np.maximum(np.floor(values) - _FURTHER, 0) - wished,
        np.ceil(values) + _FURTHER - wished,
    )
    found = milp(
        np.ones(2 * count),
        integrality=np.ones(2 * count),
        bounds=Bounds(0, np.inf),
        constraints=[LinearConstraint(equal, short, short), inside],
        options={"time_limit": 10.0, "mip_rel_gap": 0.01},
    )
    if found.x is None:
        raise PublicationError(
            "No table of rounded numbers adds up. Take a smaller base, or round at random."
        )
    change = np.round(found.x)
    return wished + change[:count] - change[count:]
