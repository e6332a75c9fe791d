"""`allocate`: from strata and targets to a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nsm.allocation import coverage
from nsm.allocation.bethel import Optimum, optimum
from nsm.allocation.plan import Plan
from nsm.allocation.problem import Problem
from nsm.allocation.sizes import by_formula, scaled_to, whole_within
from nsm.allocation.strata import (
    checked_strata,
    domain_columns,
    moments,
    rare_moments,
    variables,
)
from nsm.allocation.targets import (
    Moments,
    every_domain,
    problem_of,
    refuse_out_of_reach,
    target_table,
)
from nsm.allocation.whole import mended, whole_numbers
from nsm.errors import AllocationError, OptionError, nearest
from nsm.files import require_columns

RULES = (
    "equal",
    "proportional",
    "neyman",
    "optimal",
    "power",
    "kish",
    "bethel",
    "screening",
    "two-stage",
)
StrataAt = Callable[[np.ndarray | None], pd.DataFrame]

_ROUNDS = 100
_PATIENCE = 20
_SETTLED = 1e-7


class Wish(NamedTuple):
    """What is asked of an allocation."""

    rule: str
    n: int | None
    budget: float | None
    precision: Any
    y: str | None
    power: float
    importance: float
    minimum: int


def allocate(
    strata: pd.DataFrame | StrataAt,
    rule: str = "bethel",
    *,
    n: int | None = None,
    budget: float | None = None,
    precision: Any = None,
    y: str | None = None,
    power: float = 0.5,
    importance: float = 1.0,
    minimum: int = 2,
) -> Plan:
    """Divide a sample among strata, in whole numbers.

    Parameters
    ----------
    strata
        One row per stratum: `stratum, population` and, as the rule needs, `cost, minimum, maximum,
        response, mean_<y>, sd_<y>, prevalence, screening_cost, interview_cost` and domain columns
        (`nsm.allocation.strata` lists them). Where `take_none` is true nothing is drawn, and totals
        are of the other strata. Or a function of n (None at first) that gives this
        table as it holds near that n: the allocation is then repeated until it agrees with itself.
    rule
        `equal, proportional, neyman, optimal` (cost), `power` (Bankier), `kish` (compromise),
        `bethel` (cheapest for several targets), `screening` (rare population: Kalton & Anderson
        for n or budget, the cheapest for precision), `two-stage` (areas and dwellings).
    n, budget, precision
        The size: units in all, money, or target CVs `{domain column or "all": {y: cv}}`. Bethel
        needs precision; n or budget beside it multiplies all target CVs by one factor
        (`Plan.scale`). With a formula, precision beside n or budget is only reported.
    y
        The variable of `neyman, optimal, power, screening`, where there are several.
    power
        Exponent of `power`, from 0 (equal CVs) to 1 (Neyman).
    importance
        Weight of the whole against strata in `kish`: 0 equal, large proportional.
    minimum
        Least n of a stratum without its own minimum (all of it where the stratum is smaller).

    Returns
    -------
    Plan

    Raises
    ------
    AllocationError
        A target is out of reach (the best CV that can be had is named), n is above N or below the
        minima, or the budget does not pay for the minima.
    OptionError, ColumnError, ValueInColumnError

    References
    ----------
    Cochran (1977), ch. 5; Bethel (1989), Survey Methodology 15, 47-57; Kalton & Anderson (1986),
    Journal of the Royal Statistical Society A 149, 65-82.

    Examples
    --------
    Cochran (1977), sec. 5.6: 64 cities, the largest 16 apart.

    >>> cities = pd.DataFrame({"stratum": ["large", "other"], "population": [16, 48],
    ...     "mean_people": [629.375, 197.875], "sd_people": [53843**0.5, 5581**0.5]})
    >>> allocate(cities, "neyman", n=24).table["n"].tolist()
    [12, 12]
    """
    wish = Wish(rule, n, budget, precision, y, power, importance, minimum)
    _check_wish(wish)
    sampled, excluded = coverage.covered(strata)
    if rule == "two-stage":
        from nsm.allocation.two_stage import allocate_two_stage

        plan = allocate_two_stage(_only_table(sampled), wish)
    else:
        plan = _settled(sampled, wish)

    def again(**changes: Any) -> Plan:
        return allocate(strata, **(wish._asdict() | changes))

    if excluded is not None:
        precision = coverage.labelled(plan.precision, excluded)
        plan = replace(plan, precision=precision, excluded=excluded)
    return replace(plan, replan=again)


def _only_table(strata: pd.DataFrame | StrataAt) -> pd.DataFrame:
    if callable(strata):
        raise OptionError(
            "Rule 'two-stage' takes a table of strata, with psus, psu_cost and icc, not areas. "
            "Name it in survey.toml: [allocation] strata."
        )
    return strata


def _check_wish(wish: Wish) -> None:
    if wish.rule not in RULES:
        raise OptionError(
            "There is no allocation rule {rule!r}. {hint}",
            rule=wish.rule,
            hint=nearest(wish.rule, RULES),
        )
    if wish.n is not None and wish.budget is not None:
        raise OptionError("Give n or budget, not both.")
    if wish.precision is None and wish.n is None and wish.budget is None:
        raise OptionError("Give the size of the sample: n=, budget= or precision=.")
    if wish.precision is None and wish.rule == "bethel":
        raise OptionError("Rule 'bethel' needs precision=, the target CVs by domain and variable.")
    for name, value in (("n", wish.n), ("budget", wish.budget)):
        if value is not None and value <= 0:
            raise OptionError("{name} is {value}; it must be above 0.", name=name, value=value)


class _Case(NamedTuple):
    """Strata and targets made ready."""

    table: pd.DataFrame
    targets: pd.DataFrame
    problem: Problem
    moments: Moments


def _case(strata: pd.DataFrame, wish: Wish) -> _Case:
    table = checked_strata(strata, wish.minimum)
    known: Moments = moments
    if wish.rule == "screening":
        require_columns(
            table, ["prevalence", "screening_cost", "interview_cost"], "The table of strata"
        )
        found = table["prevalence"] * table["response"]
        table["cost"] = table["screening_cost"] + found * table["interview_cost"]
        known = rare_moments
    domains = domain_columns(table)
    targets = every_domain(table, variables(table), domains)
    if wish.precision is not None:
        wanted = target_table(wish.precision, table, domains)
        targets = pd.concat([wanted, targets], ignore_index=True)
        targets = targets.drop_duplicates(["domain", "value", "variable"], ignore_index=True)
    return _Case(table, targets, problem_of(table, targets, known), known)


def _settled(strata: pd.DataFrame | StrataAt, wish: Wish) -> Plan:
    """Allocate; where strata depend on n, again at that n until nothing changes."""
    if not callable(strata):
        case = _case(strata, wish)
        _check_amount(_active(case, wish), wish)
        best, scale = _continuous(case, wish)
        return _plan(case, wish, _whole(case, wish, best, scale), (best, scale), moving=False)
    case, best, scale = _fixed_point(strata, wish)
    n = _whole(case, wish, best, scale)
    for _ in range(_ROUNDS):
        case = _case(strata(n), wish)
        more = mended(_active(case, wish), n, scale) if _targeted(wish) else n
        if np.array_equal(more, n):
            break
        n = more
    return _plan(case, wish, n, (best, scale), moving=True)


def _fixed_point(strata: StrataAt, wish: Wish) -> tuple[_Case, Optimum, float]:
    case = _case(strata(None), wish)
    if wish.budget is not None:  # what the minima cost holds near them only
        case = _case(strata(case.problem.low), wish)
    _check_amount(_active(case, wish), wish)
    best, scale = _continuous(case, wish)
    for round_ in range(_ROUNDS):
        case = _case(strata(best.n), wish)
        last = best.n
        best, scale = _continuous(case, wish)
        change = np.abs(best.n - last) / np.maximum(last, 1)
        if np.max(change) < _SETTLED:
            return case, best, scale
        if round_ > _PATIENCE:  # an oscillation dies out when steps are halved
            best = best._replace(n=(best.n + last) / 2)
    raise AllocationError(
        "The allocation does not settle in {rounds} rounds: {count} strata still change "
        "({strata}). Merge them with others, or give them a minimum.",
        rounds=_ROUNDS,
        count=int(np.sum(change >= _SETTLED)),
        strata=list(case.table.loc[change >= _SETTLED, "stratum"]),
    )


def _targeted(wish: Wish) -> bool:
    return wish.precision is not None and wish.n is None and wish.budget is None


def _optimizes(wish: Wish) -> bool:
    return wish.rule == "bethel" or (wish.rule == "screening" and wish.precision is not None)


def _active(case: _Case, wish: Wish) -> Problem:
    """Return the problem with its targets alone, counting units as cost where n is given."""
    problem = case.problem.only(np.flatnonzero(np.isfinite(case.problem.goal)))
    return (
        problem if wish.n is None else problem._replace(cost=np.ones_like(problem.cost), base=0.0)
    )


def _amount(wish: Wish) -> float | None:
    return wish.budget if wish.n is None else float(wish.n)


def _continuous(case: _Case, wish: Wish) -> tuple[Optimum, float]:
    """Return the allocation in fractions, and the factor on target CVs."""
    problem = _active(case, wish)
    if not _optimizes(wish):
        n = by_formula(case.table, problem, wish, _own_moments(case, wish))[0]
        return Optimum(n, np.zeros(len(problem.goal)), np.nan), 1.0
    amount = _amount(wish)
    if amount is None:
        refuse_out_of_reach(problem, case.targets[np.isfinite(case.problem.goal)])
        return optimum(problem), 1.0
    return scaled_to(problem, amount)


def _whole(case: _Case, wish: Wish, best: Optimum, scale: float) -> np.ndarray:
    problem = _active(case, wish)
    if not _optimizes(wish):
        return by_formula(case.table, problem, wish, _own_moments(case, wish))[1]
    amount = _amount(wish)
    if amount is None:
        return whole_numbers(problem, best, scale)
    return whole_within(problem, amount, best, scale)


def _own_moments(case: _Case, wish: Wish) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return the moments of the variable that a formula uses; None where it needs none."""
    if wish.rule in {"equal", "proportional", "kish"}:
        return None
    known = [v for v in variables(case.table) if v != "prevalence"]
    if wish.rule == "screening":
        return case.moments(case.table, wish.y or (known[0] if len(known) == 1 else "members"))
    if wish.y is None and len(known) > 1:
        raise OptionError(
            "Rule {rule!r} uses one variable, but the strata have {known}. Name it: y='...'.",
            rule=wish.rule,
            known=known,
        )
    names = [wish.y] if wish.y else known or variables(case.table)
    return case.moments(case.table, names[0]) if names else None


def _check_amount(problem: Problem, wish: Wish) -> None:
    low, high = np.ceil(problem.low), np.floor(problem.high)
    if wish.n is not None and wish.n > high.sum():
        raise AllocationError(
            "n is {n}, but the strata hold at most {most} units (population or maximum). Ask for "
            "at most {most}.",
            n=wish.n,
            most=int(high.sum()),
        )
    if wish.n is not None and wish.n < low.sum():
        raise AllocationError(
            "n is {n}, but the minima of the strata add up to {least}. Ask for at least {least}, "
            "or lower minimum=.",
            n=wish.n,
            least=int(low.sum()),
        )
    if wish.budget is not None and problem.price(low) > wish.budget:
        raise AllocationError(
            "The budget of {budget} does not pay for the minima of the strata, which cost {least}. "
            "Raise it, or lower the minima.",
            budget=wish.budget,
            least=problem.price(low),
        )


def _plan(
    case: _Case, wish: Wish, n: np.ndarray, found: tuple[Optimum, float], *, moving: bool
) -> Plan:
    best, scale = found
    if _optimizes(wish) and not _targeted(wish):
        scale = float(np.nanmax(case.problem.cv(n) / case.problem.goal))
    kept = np.flatnonzero(np.isfinite(case.problem.goal))
    multiplier = np.full(len(case.targets), np.nan)
    if _optimizes(wish):
        multiplier[kept] = best.multiplier
    return Plan(
        table=stratum_table(case.table, n, case.moments),
        precision=precision_table(case.targets, case.problem, n, (multiplier, scale)),
        rule=wish.rule,
        cost=case.problem.price(n),
        bound=float(best.bound) if _optimizes(wish) and _targeted(wish) else None,
        scale=scale,
        problem=None if moving else case.problem,
        settings=wish._asdict(),
    )


def stratum_table(table: pd.DataFrame, n: np.ndarray, known: Moments) -> pd.DataFrame:
    """Return the table of a plan: n, mean probability, expected counts, CVs and cost by stratum."""
    population = table["population"].to_numpy()
    result = table[["stratum", *domain_columns(table)]].copy()
    whole = np.all(population == np.round(population))
    result["population"] = population.astype(np.int64) if whole else population
    result["n"] = n.astype(np.int64)
    result["probability"] = n / population
    for y in variables(table):
        drawn = f"drawn_{y}" if f"drawn_{y}" in table.columns else f"mean_{y}"
        per_unit = table["prevalence" if y == "prevalence" else drawn].to_numpy()
        result[f"expected_{y}"] = n * per_unit * table["response"].to_numpy()
    for column in (c for c in table.columns if str(c).startswith("drawn_")):
        if f"expected_{column[6:]}" not in result:
            result[f"expected_{column[6:]}"] = n * table[column].to_numpy()
    for y in variables(table):
        total, a, credit = known(table, y)
        with np.errstate(divide="ignore", invalid="ignore"):
            result[f"cv_{y}"] = np.sqrt(np.maximum(a / n - credit, 0)) / np.where(
                total > 0, total, np.nan
            )
    result["cost"] = table["base_cost"].to_numpy() + n * table["cost"].to_numpy()
    return result


def precision_table(
    targets: pd.DataFrame, problem: Problem, n: np.ndarray, found: tuple[np.ndarray, float]
) -> pd.DataFrame:
    """Return the expected CV of every target, and what each binding one costs."""
    multiplier, scale = found
    goal = np.where(np.isfinite(problem.goal), problem.goal, np.nan)
    limits = problem.limits(scale)
    largest = np.nanmax(multiplier, initial=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = 2 * scale**2 * goal * problem.total**2 / limits
    return targets.drop(columns="target").assign(
        total=problem.total,
        cv=problem.cv(n),
        target=goal,
        binding=np.nan_to_num(multiplier) > 1e-6 * max(largest, 1e-300),
        multiplier=multiplier,
        point_cost=0.01 * multiplier * slope,
    )
