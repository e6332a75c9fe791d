"""Two stages: how many areas, and how many dwellings in each, so that the targets cost least.

With M areas of K dwellings (N = M K), m of them drawn and b dwellings in each,

    V = N^2 [ (1/m - 1/M) S1^2 + (1/m) (1/b - 1/K) S2^2 ],

S2^2 = (1 - icc) S^2 the variance within areas and S1^2 that between area means, which S^2 and icc
determine. So V = alpha / m + beta / (m b) - credit: in m and n = m b the problem is that of one
stage with two strata for each stratum, and its optimum is found at once. Strata whose take b
leaves its bounds get the bound and the problem is solved again, until no bound wants to be left.

References
----------
Särndal, Swensson & Wretman (1992), sec. 4.3.2 and 12.8; Valliant, Dever & Kreuter (2018), sec. 9.3;
Cochran (1977), sec. 10.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack

from nsm.allocation.bethel import Optimum, optimum
from nsm.allocation.plan import Plan
from nsm.allocation.problem import Problem
from nsm.allocation.strata import checked_strata, domain_columns, variables
from nsm.allocation.targets import every_domain, problem_of, refuse_out_of_reach, target_table
from nsm.allocation.whole import whole_numbers
from nsm.errors import AllocationError, OptionError, ValueInColumnError
from nsm.files import require_columns

if TYPE_CHECKING:
    from nsm.allocation.allocate import Wish

_ROUNDS = 200
_INSIDE = 1e-9


class _Stages(NamedTuple):
    """The problem by stage: of areas (alpha) and of dwellings (beta)."""

    areas: Problem  # cost of an area, unit alpha, bounds of m
    beta: csr_array  # (targets, strata)
    cost: np.ndarray  # of a dwelling (strata,)
    least: np.ndarray  # take (strata,)
    most: np.ndarray

    def with_take(self, take: np.ndarray) -> Problem:
        """Return the problem in m for fixed takes."""
        unit = csr_array(self.areas.unit + self.beta.multiply(1 / take[None, :]))
        return self.areas._replace(cost=self.areas.cost + self.cost * take, unit=unit)


class _Found(NamedTuple):
    m: np.ndarray
    take: np.ndarray
    best: Optimum


def allocate_two_stage(strata: pd.DataFrame, wish: Wish) -> Plan:
    """Return the plan of rule `two-stage`.

    The table of strata also holds `psus` (areas), `psu_cost`, `icc_<y>` and, if wanted, `take`
    (fixed; infinite for all), `minimum_take, maximum_take, minimum_psu, maximum_psu`. `population`
    and `cost` are of dwellings (second-stage units).
    """
    if wish.n is not None:
        raise OptionError(
            "Rule 'two-stage' takes budget= or precision=, not n=: the number of dwellings follows."
        )
    table = _checked(strata, wish.minimum)
    domains = [d for d in domain_columns(table) if d not in _OWN]
    precision = wish.precision
    if precision is None:
        precision = {"all": {_only_variable(table, wish): 0.01}}
    wanted = target_table(precision, table, domains)
    rest = every_domain(table, _named(table), domains)
    targets = pd.concat([wanted, rest], ignore_index=True)
    targets = targets.drop_duplicates(["domain", "value", "variable"], ignore_index=True)
    stages = _stages(table, targets)
    kept = np.flatnonzero(np.isfinite(stages.areas.goal))
    active = stages._replace(areas=stages.areas.only(kept), beta=stages.beta[kept])
    if wish.budget is None:
        refuse_out_of_reach(active.with_take(active.most), targets.iloc[kept])
        found, scale = _solve(active), 1.0
    else:
        found, scale = _within(active, wish.budget)
    take, m, scale = _whole(active, found, scale, wish.budget)
    plan = _plan(table, targets, (stages, domains), (m, take))
    multiplier = np.full(len(targets), np.nan)
    multiplier[kept] = found.best.multiplier
    return _with_prices(plan, stages.with_take(take), (multiplier, scale, found.best.bound), wish)


_OWN = {
    "psus",
    "psu_cost",
    "take",
    "minimum_take",
    "maximum_take",
    "minimum_psu",
    "maximum_psu",
}


def _only_variable(table: pd.DataFrame, wish: Wish) -> str:
    names = [wish.y] if wish.y else _named(table)
    if len(names) != 1:
        raise OptionError(
            "A budget without targets makes one variable as precise as it can, but the strata have "
            "{known}. Name it (y='...') or give precision=.",
            known=names,
        )
    return str(names[0])


def _named(table: pd.DataFrame) -> list[str]:
    return [y for y in variables(table) if f"icc_{y}" in table.columns]


def _checked(strata: pd.DataFrame, minimum: int) -> pd.DataFrame:
    table = checked_strata(strata, minimum)
    require_columns(table, ["psus", "psu_cost"], "The table of strata")
    size = table["population"] / table["psus"]
    for column, value in (
        ("minimum_take", np.minimum(1.0, size)),
        ("maximum_take", size),
        ("minimum_psu", np.minimum(minimum, table["psus"])),
        ("maximum_psu", table["psus"]),
    ):
        if column not in table.columns:
            table[column] = value
    if "take" in table.columns:
        fixed = table["take"].notna()
        for column in ("minimum_take", "maximum_take"):
            table[column] = table[column].where(~fixed, np.minimum(table["take"], size))
    table["maximum_take"] = np.minimum(table["maximum_take"], size)
    bad = table[
        (table["psus"] < 1)
        | (table["psus"] > table["population"])
        | (table["psu_cost"] <= 0)
        | (table["minimum_take"] <= 0)
        | (table["minimum_take"] > table["maximum_take"] + _INSIDE)
        | (table["minimum_psu"] > table["maximum_psu"])
        | (table["maximum_psu"] > table["psus"])
    ]
    if len(bad):
        raise AllocationError(
            "{count} strata have impossible stages (areas from 1 to the dwellings, costs above 0, "
            "least take and areas not above the most): {strata}.",
            count=len(bad),
            strata=list(bad["stratum"]),
        )
    for y in _named(table):
        _check_icc(table, y, size)
    return table


def _check_icc(table: pd.DataFrame, y: str, size: pd.Series) -> None:
    icc = table[f"icc_{y}"]
    bad = table[(icc > 1) | (icc < -1 / np.maximum(size - 1, 1))]
    if len(bad):
        raise ValueInColumnError(
            "{column!r} is not between -1 / (dwellings in an area - 1) and 1 in {count} strata: "
            "{strata}.",
            column=f"icc_{y}",
            count=len(bad),
            strata=list(bad["stratum"]),
        )


def components(table: pd.DataFrame, y: str) -> tuple[np.ndarray, np.ndarray]:
    """Return S1^2 (between area means) and S2^2 (within areas) by stratum."""
    require_columns(table, [f"icc_{y}", f"sd_{y}", f"mean_{y}"], "The table of strata")
    population, psus = table["population"].to_numpy(), table["psus"].to_numpy()
    square, icc = table[f"sd_{y}"].to_numpy() ** 2, table[f"icc_{y}"].to_numpy()
    within = (1 - icc) * square
    left = (population - 1) * square - (population - psus) * within
    between = left * psus / (np.maximum(psus - 1, 1) * population)
    return np.maximum(np.where(psus > 1, between, 0.0), 0.0), within


def _stages(table: pd.DataFrame, targets: pd.DataFrame) -> _Stages:
    population, psus = table["population"].to_numpy(), table["psus"].to_numpy()
    size = population / psus

    def first(strata: pd.DataFrame, y: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        between, within = components(strata, y)
        alpha = np.maximum(between - within / size, 0.0)
        total = population * strata[f"mean_{y}"].to_numpy()
        return total, population**2 * alpha, population**2 * (alpha + within / size) / psus

    def second(strata: pd.DataFrame, y: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        within = components(strata, y)[1]
        total = population * strata[f"mean_{y}"].to_numpy()
        return total, population**2 * within / strata["response"].to_numpy(), 0 * within

    bounds = table.assign(
        cost=table["psu_cost"], minimum=table["minimum_psu"], maximum=table["maximum_psu"]
    )
    return _Stages(
        areas=problem_of(bounds, targets, first),
        beta=problem_of(bounds, targets, second).unit,
        cost=table["cost"].to_numpy(),
        least=table["minimum_take"].to_numpy(),
        most=table["maximum_take"].to_numpy(),
    )


def _solve(stages: _Stages, scale: float = 1.0) -> _Found:
    """Find the joint optimum of areas and takes."""
    take = np.where(stages.most - stages.least < _INSIDE, stages.most, np.nan)
    for _ in range(_ROUNDS):
        found = _solve_with(stages, take, scale)
        wanted = _best_take(stages, found.best.multiplier, scale)
        free = np.isnan(take)
        low = free & (found.take < stages.least - _INSIDE)
        high = free & (found.take > stages.most + _INSIDE)
        released = ~free & (wanted > stages.least + _INSIDE) & (wanted < stages.most - _INSIDE)
        released &= (found.m > stages.areas.low + _INSIDE) & (found.m < stages.areas.high - _INSIDE)
        if not (low | high | released).any():
            return found
        take = np.where(low, stages.least, np.where(high, stages.most, take))
        take = np.where(released & ~(low | high), np.nan, take)
    raise AllocationError(
        "The takes of the second stage do not settle in {rounds} rounds. Fix them with a column "
        "'take'.",
        rounds=_ROUNDS,
    )


def _best_take(stages: _Stages, multiplier: np.ndarray, scale: float) -> np.ndarray:
    """Return sqrt(c1 beta / (c2 alpha)), weighted by the multipliers, within the bounds."""
    limits = stages.areas.limits(scale)
    weight = multiplier / np.where(limits > 0, limits, 1)
    alpha, beta = stages.areas.unit.T @ weight, stages.beta.T @ weight
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.sqrt(stages.areas.cost * beta / (stages.cost * alpha))
    return np.clip(np.where(np.isnan(best), stages.most, best), stages.least, stages.most)


def _solve_with(stages: _Stages, take: np.ndarray, scale: float) -> _Found:
    """Solve with some takes fixed, the others free: each free stratum is two strata, m and n."""
    free = np.flatnonzero(np.isnan(take))
    fixed = np.where(np.isnan(take), 1.0, take)
    one = stages.with_take(fixed)
    cost, unit = one.cost.copy(), one.unit.tolil()
    cost[free] = stages.areas.cost[free]
    unit[:, free] = stages.areas.unit[:, free].tolil()
    both = one._replace(
        cost=np.concatenate([cost, stages.cost[free]]),
        unit=csr_array(hstack([unit.tocsr(), stages.beta[:, free]])),
        low=np.concatenate([one.low, (one.low * stages.least)[free]]),
        high=np.concatenate([one.high, (one.high * stages.most)[free]]),
    )
    best = optimum(both, scale)
    m = best.n[: len(take)]
    fixed[free] = best.n[len(take) :] / m[free]
    return _Found(m, fixed, best)


def _price(stages: _Stages, found: _Found) -> float:
    return stages.with_take(found.take).price(found.m)


def _within(stages: _Stages, budget: float) -> tuple[_Found, float]:
    """Return the optimum that costs the budget, and the factor on all target CVs."""
    least = stages.with_take(stages.least).price(stages.areas.low)
    if least > budget:
        raise AllocationError(
            "The budget of {budget} does not pay for the minima of the strata, which cost {least}. "
            "Raise it, or lower the minima.",
            budget=budget,
            least=least,
        )
    full = stages.with_take(stages.most)
    tightest = float(np.nanmax(full.cv(full.high) / full.goal)) * (1 + 1e-6) + 1e-6
    below, above = tightest, max(2 * tightest, 1.0)
    while _price(stages, _solve(stages, above)) > budget and above < 1e6:
        below, above = above, 2 * above
    for _ in range(60):
        middle = float(np.sqrt(below * above))
        if _price(stages, _solve(stages, middle)) > budget:
            below = middle
        else:
            above = middle
        if above / below < 1 + 1e-8:
            break
    return _solve(stages, above), above


def _whole(
    stages: _Stages, found: _Found, scale: float, budget: float | None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return whole takes (but where all are taken), whole numbers of areas and the final factor."""
    limits = stages.areas.limits(scale)
    weight = found.best.multiplier / np.where(limits > 0, limits, 1)
    alpha, beta = stages.areas.unit.T @ weight, stages.beta.T @ weight
    down = np.maximum(
        np.floor(found.take + _INSIDE), np.ceil(np.minimum(stages.least, stages.most))
    )
    up = np.minimum(down + 1, stages.most)
    down = np.minimum(down, stages.most)

    def lagrangian(b: np.ndarray) -> np.ndarray:
        return (stages.areas.cost + stages.cost * b) * (alpha + beta / b)

    whole = np.isclose(found.take, stages.most) | (np.abs(found.take - down) < _INSIDE)
    take = np.where(whole, found.take, np.where(lagrangian(up) < lagrangian(down), up, down))
    problem = stages.with_take(take)
    for _ in range(200):
        best = optimum(problem, scale)
        m = whole_numbers(problem, best, scale)
        if budget is None or problem.price(m) <= budget + 1e-9:
            return take, m, scale
        scale *= 1 + max((problem.price(m) - budget) / budget, 1e-4) / 2
    return take, m, scale


def _plan(
    table: pd.DataFrame,
    targets: pd.DataFrame,
    context: tuple[_Stages, list[str]],
    found: tuple[np.ndarray, np.ndarray],
) -> Plan:
    """Return the plan without prices."""
    stages, domains = context
    m, take = found
    dwellings = m * take
    result = table[["stratum", *domains]].copy()
    for column in ("population", "psus"):
        result[column] = table[column]
    result["n_psu"] = m.astype(np.int64)
    result["take"] = take
    result["n"] = np.round(dwellings).astype(np.int64)
    result["probability"] = dwellings / table["population"]
    for y in _named(table):
        result[f"expected_{y}"] = dwellings * table[f"mean_{y}"] * table["response"]
        icc = table[f"icc_{y}"]
        result[f"deff_{y}"] = 1 + icc * (take - 1)
    result["cost"] = m * (stages.areas.cost + stages.cost * take)
    return Plan(result, targets, "two-stage", float(result["cost"].sum()))


def _with_prices(
    plan: Plan, problem: Problem, found: tuple[np.ndarray, float, float], wish: Wish
) -> Plan:
    from nsm.allocation.allocate import precision_table

    multiplier, scale, bound = found
    m = plan.table["n_psu"].to_numpy(dtype=float)
    return Plan(
        table=plan.table,
        precision=precision_table(plan.precision, problem, m, (multiplier, scale)),
        rule=plan.rule,
        cost=problem.price(m),
        bound=bound if wish.budget is None else None,
        scale=scale,
        problem=problem,
        settings=wish._asdict(),
    )
