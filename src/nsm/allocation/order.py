"""What the order of the list gives to a systematic sample, beside the strata.

An allocation does not lean on it: targets are met without. But samples then come out more precise
than expected, and this says by how much.

References
----------
Cochran (1977), sec. 8.3-8.6 and 8.11 (a systematic sample as one unit from each zone of the list);
Wolter (2007), Introduction to Variance Estimation, ch. 8 (differences of neighbors in the list).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nsm.allocation.coverage import covered
from nsm.allocation.pps import hajek_variance, pps_probabilities, zone_variance
from nsm.allocation.strata import checked_strata, moments
from nsm.allocation.targets import problem_of
from nsm.errors import OptionError
from nsm.files import require_columns

if TYPE_CHECKING:
    import pandas as pd

    from nsm.allocation.allocate import StrataAt
    from nsm.allocation.plan import Plan

_KEY = ["domain", "value", "variable"]


def credit_order(plan: Plan, strata: StrataAt) -> Plan:
    """Return the plan with `cv_ordered` beside `cv`: what to expect of a list in order.

    Parameters
    ----------
    plan
        Made without an order.
    strata
        The same strata as a function of n, now with the order: `areas_at(..., order=[...])`.
    """
    sampled = covered(strata)[0]
    table = checked_strata(sampled(plan.table["n"].to_numpy(dtype=float)), 1)
    targets = plan.precision[_KEY].assign(target=plan.precision["target"].fillna(np.inf))
    problem = problem_of(table, targets, moments)
    precision = plan.precision.copy()
    place = list(precision.columns).index("cv") + 1
    precision.insert(place, "cv_ordered", problem.cv(plan.table["n"].to_numpy(dtype=float)))
    return replace(plan, precision=precision)


def alike(
    table: pd.DataFrame,
    n: Mapping[str, int],
    *,
    error: str,
    size: str,
    order: Sequence[str],
    stratum: str = "stratum",
) -> float:
    """Estimate the share of the prior's errors that neighbors in the list have in common.

    It is what drawing one area from each zone of the ordered list takes off the variance of the
    errors, of a design of large entropy in the same strata.

    Parameters
    ----------
    table
        Areas for which prior and count are both known, from a census or a former round.
    n
        Areas to draw by stratum: with more, zones are shorter and their areas more alike.
    error
        Column of count minus expected count.
    size, stratum
        Columns of the measure of size and of the stratum.
    order
        Columns that order the list, the key last.

    Returns
    -------
    float from 0 to 1, for `PriorError(alike=)`.

    Raises
    ------
    ColumnError
    OptionError
        No area is left to chance.
    """
    require_columns(table, [stratum, size, error, *order], "The table of areas")
    zones = chance = 0.0
    for name, areas in table.sort_values(list(order), kind="stable").groupby(stratum):
        if not n.get(str(name)):
            continue
        p = pps_probabilities(areas[size].to_numpy(dtype=float), float(n[str(name)]))
        free = p < 1
        if free.any():
            e = areas[[error]].to_numpy(dtype=float)[free]
            zones += float(zone_variance(p[free], e)[0])
            chance += float(hajek_variance(p[free], e)[0])
    if chance <= 0:
        raise OptionError(
            "No area of these strata is left to chance, or none has an error, so nothing can be "
            "said of neighbors. Give n smaller than the number of areas."
        )
    return float(np.clip(1 - zones / chance, 0, 1))
