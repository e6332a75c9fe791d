"""Speed and cost of Bethel allocations beside a convex solver, in one run.

`python tests/benchmarks/allocation.py`. 6 proportions, national CV 3 %, domain CV 15 %, unequal
costs.
"""

from __future__ import annotations

import time

import cvxpy
import numpy as np
import pandas as pd

import nsm
from nsm.allocation.strata import checked_strata, moments
from nsm.allocation.targets import problem_of, target_table

NAMES = [f"y{k}" for k in range(6)]
TARGETS = {"all": dict.fromkeys(NAMES, 0.03), "region": dict.fromkeys(NAMES, 0.15)}


def strata(count: int, domains: int, seed: int = 2026) -> pd.DataFrame:
    g = np.random.default_rng(seed)
    population = np.round(g.lognormal(7, 1, count)) + 50
    table = pd.DataFrame(
        {
            "stratum": [f"{h:04d}" for h in range(count)],
            "population": population,
            "cost": g.uniform(1, 3, count),
            "region": [f"r{h % domains:02d}" for h in range(count)],
        }
    )
    for y in NAMES:
        p = np.clip(g.beta(0.8, 6, count), 0.002, 0.9)
        sd = np.sqrt(p * (1 - p) * population / (population - 1))
        table = table.assign(**{f"mean_{y}": p, f"sd_{y}": sd})
    return table


def convex(table: pd.DataFrame) -> tuple[float, float]:
    """Return seconds and cost of the continuous optimum by Clarabel."""
    checked = checked_strata(table)
    case = problem_of(checked, target_table(TARGETS, checked, ["region"]), moments)
    start = time.perf_counter()
    n = cvxpy.Variable(len(table))
    share = np.asarray(case.unit.todense()) / case.limits()[:, None]
    rules = [share @ cvxpy.inv_pos(n) <= 1, n >= case.low, n <= case.high]
    cost = cvxpy.Problem(cvxpy.Minimize(case.cost @ n), rules).solve("CLARABEL")
    return time.perf_counter() - start, float(cost)


if __name__ == "__main__":
    nsm.allocate(strata(20, 2), precision=TARGETS)  # imports are not timed
    for count, domains in ((200, 40), (2000, 50)):
        table = strata(count, domains)
        begin = time.perf_counter()
        plan = nsm.allocate(table, precision=TARGETS)
        elapsed = time.perf_counter() - begin
        met = bool((plan.precision["cv"] <= plan.precision["target"]).all())
        seconds, best = convex(table)
        print(f"{count} strata x {len(plan.precision)} targets")  # noqa: T201
        print(  # noqa: T201
            f"  nsm, whole numbers     {elapsed:7.3f} s  cost {plan.cost:11,.1f}  "
            f"n {plan.n:,}  {plan.cost / best - 1:+.3%} over the optimum, every CV met: {met}"
        )
        print(f"  Clarabel, continuous   {seconds:7.3f} s  cost {best:11,.1f}")  # noqa: T201
