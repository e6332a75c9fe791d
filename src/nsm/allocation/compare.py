"""A plan beside the proportional one, and precision against cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.allocation.rules import bounded
from nsm.errors import AllocationError, OptionError

if TYPE_CHECKING:
    from nsm.allocation.plan import Plan

_ROW = ["domain", "value", "variable"]


def precision_compared(plan: Plan) -> pd.DataFrame:
    """Return expected CVs of the plan and of proportional allocation at the same cost."""
    other = _proportional_cv(plan)
    table = plan.precision[[*_ROW, "target", "cv"]].merge(other, on=_ROW, how="left")
    return table.assign(ratio=table["cv_proportional"] / table["cv"])


def _proportional_cv(plan: Plan) -> pd.DataFrame:
    rows = plan.precision[_ROW].copy()
    if plan.problem is None:  # strata that depend on n: allocate again
        again = replanned(plan, rule="proportional", n=None, budget=plan.cost * (1 + 1e-9))
        return again.precision[_ROW].assign(cv_proportional=again.precision["cv"])
    problem = plan.problem
    share = plan.table["psus" if "psus" in plan.table.columns else "population"].to_numpy(
        dtype=float
    )
    money = plan.cost - problem.base
    n = bounded(share, problem.low, problem.high, money, problem.cost)
    return rows.assign(cv_proportional=problem.cv(n))


def comparison(plan: Plan) -> pd.DataFrame:
    """Return size, cost and worst CV over target of the plan and of proportional allocation.

    Returns
    -------
    DataFrame with rows `plan`, `proportional, same cost` and `proportional, same targets` (null
    where it cannot meet them): `allocation, n, cost, worst`.

    Raises
    ------
    OptionError
        The plan has no targets.
    """
    goal = plan.precision["target"].to_numpy()
    if not np.isfinite(goal).any():
        raise OptionError("The plan has no targets to compare by. Give precision= to nsm.allocate.")
    compared = plan.compare()
    worst = (
        float(np.nanmax(compared["cv"] / goal)),
        float(np.nanmax(compared["cv_proportional"] / goal)),
    )
    rows: list[tuple[str, float, float, float]] = [
        ("plan", plan.n, plan.cost, worst[0]),
        ("proportional, same cost", np.nan, plan.cost, worst[1]),
    ]
    if plan.rule != "two-stage":
        try:
            met = replanned(plan, rule="proportional", n=None, budget=None, precision=goals(plan))
            least = float(np.nanmax(met.precision["cv"] / met.precision["target"]))
            rows.append(("proportional, same targets", met.n, met.cost, least))
        except AllocationError:
            rows.append(("proportional, same targets", np.nan, np.nan, np.nan))
    return pd.DataFrame(rows, columns=["allocation", "n", "cost", "worst"])


def replanned(plan: Plan, **changes: Any) -> Plan:
    """Return the plan made again with some of what was asked changed."""
    if plan.replan is None:
        raise OptionError("This plan was not made by nsm.allocate, so it cannot be made again.")
    return plan.replan(**changes)


def goals(plan: Plan, factor: float = 1.0) -> pd.DataFrame:
    """Return the targets of a plan as a table that `allocate` takes."""
    wanted = plan.precision[plan.precision["target"].notna()]
    value = wanted["value"].where(wanted["domain"] != "all", None)
    return wanted[["domain", "variable"]].assign(value=value, cv=wanted["target"] * factor)


def precision_curve(plan: Plan, factors: Sequence[float]) -> pd.DataFrame:
    """Return cost, n and CVs of the plan made again with CVs (or its size) times each factor."""
    targeted = plan.precision["target"].notna().any()
    parts = []
    for factor in factors:
        if targeted:
            changes: dict[str, Any] = {"precision": goals(plan, factor), "n": None, "budget": None}
        elif plan.settings.get("n") is not None:
            changes = {"n": max(round(plan.settings["n"] * factor), 1)}
        else:
            changes = {"budget": plan.cost * factor}
        try:
            made = replanned(plan, **changes)
        except AllocationError:  # out of reach at this end of the curve
            continue
        kept = made.precision["target"].notna() if targeted else made.precision["domain"] == "all"
        rows = made.precision.loc[kept, [*_ROW, "cv"]]
        parts.append(rows.assign(factor=factor, cost=made.cost, n=made.n))
    if not parts:
        raise AllocationError("No point of the curve can be had. Give factors nearer to 1.")
    table = pd.concat(parts, ignore_index=True)
    return table[["factor", "cost", "n", *_ROW, "cv"]].sort_values(
        ["cost", *_ROW], ignore_index=True
    )
