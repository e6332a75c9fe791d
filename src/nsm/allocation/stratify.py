"""Cut a population into strata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nsm.allocation.boundaries import cum_root_f, geometric
from nsm.allocation.clusters import multivariate
from nsm.allocation.optimum_strata import Cumulated, Goal, best_cuts, improved_cuts
from nsm.errors import AllocationError, OptionError, nearest

RULES = ("cum-root-f", "geometric", "lavallee-hidiroglou", "optimum", "multivariate")


@dataclass(frozen=True)
class Stratification:
    """Strata of a population.

    Attributes
    ----------
    boundaries
        Upper ends of all strata but the last (strata - 1,): a unit belongs to the first stratum
        whose upper end is not below its value. For `multivariate`, the means of the strata (strata,
        variables).
    labels
        Stratum of each unit, 1 ... (units,).
    table
        `stratum, take` (some, all or none), `population, lower, upper, total, share` (of the
        total), `mean, sd` and, if a size was asked for, `n`. Strata with take `none` are excluded
        coverage: estimates are of the rest.
    """

    boundaries: np.ndarray
    labels: np.ndarray
    table: pd.DataFrame

    @property
    def n(self) -> int:
        """Units to draw in all."""
        return int(self.table["n"].sum())

    def strata(self, y: str = "x") -> pd.DataFrame:
        """Return the table that `nsm.allocate` takes, the stratifying variable named `y`.

        Take-all strata have all their units for minimum; take-none strata are left out.
        """
        table = self.table[["stratum", "population"]].copy()
        if "mean" not in self.table.columns:
            moments = [c for c in self.table.columns if c.startswith(("mean_", "sd_"))]
            return table.join(self.table[moments])
        table[f"mean_{y}"], table[f"sd_{y}"] = self.table["mean"], self.table["sd"]
        small = np.minimum(2, table["population"])
        table["minimum"] = np.where(self.table["take"] == "all", table["population"], small)
        return table.assign(take_none=(self.table["take"] == "none").to_numpy())

    @property
    def excluded(self) -> float:
        """Share of the total that no sample can see (take-none strata)."""
        return float(self.table.loc[self.table["take"] == "none", "share"].sum())


def stratify(
    x: Sequence[float] | np.ndarray | pd.Series | pd.DataFrame,
    *,
    rule: str = "cum-root-f",
    strata: int = 5,
    cv: float | Sequence[float] | None = None,
    n: int | None = None,
    classes: int | None = None,
    take_all: int = 0,
    take_none: float = 0.0,
    seed: int = 0,
) -> Stratification:
    """Cut units into strata by a size or prevalence, so that a Neyman sample is small.

    Parameters
    ----------
    x
        Values (units,), 0 or more; for `multivariate` a table or array (units, variables).
    rule
        `cum-root-f` (Dalenius-Hodges), `geometric` (Gunning-Horgan), `lavallee-hidiroglou` (local
        search from cum-root-f), `optimum` (dynamic programming over classes, then the same search),
        `multivariate` (clusters in the metric of the binding targets).
    strata
        Number of strata that are sampled, a take-all stratum among them.
    cv, n
        The precision or the size to be had; the last three rules need one. `multivariate` needs a
        cv for each variable.
    classes
        Number of classes; for `cum-root-f` equal ones (default 15 times the strata, at least 50),
        for `optimum` at most 1,000.
    take_all
        1 if the largest units make a take-all stratum (`lavallee-hidiroglou, optimum`).
    take_none
        Share of the total that may be left out: the smallest units become a stratum without sample.
    seed
        Of the starts of `multivariate`.

    Raises
    ------
    OptionError, AllocationError

    References
    ----------
    Dalenius & Hodges (1959), Journal of the American Statistical Association 54, 88-101; Cochran
    (1977), sec. 5A.7; Gunning & Horgan (2004), Survey Methodology 30, 159-166; Lavallée &
    Hidiroglou (1988), Survey Methodology 14, 33-43.

    Examples
    --------
    >>> stratify([1, 1, 2, 2, 3, 20, 21, 22], rule="optimum", strata=2, n=4).boundaries.tolist()
    [3.0]
    """
    _check(rule, strata, (cv, n), (take_all, take_none))
    if rule == "multivariate":
        return _many(x, strata, cv, seed)
    values = _values(x)
    kept = values > _left_out(values, take_none)
    cuts, goal = _cuts(values[kept], rule, strata, (cv, n, classes, take_all))
    labels = np.searchsorted(cuts, values, side="left") + 1
    if not kept.all():
        labels = np.where(kept, labels + 1, 1)
        cuts = np.concatenate([[values[~kept].max()], cuts])
    take = ["some"] * (labels.max())
    if take_all:
        take[-1] = "all"
    if not kept.all():
        take[0] = "none"
    table = _table(values, labels, take)
    return Stratification(cuts, labels, table if goal is None else _with_sizes(table, goal))


def _check(rule: str, strata: int, size: tuple[Any, Any], takes: tuple[int, float]) -> None:
    if rule not in RULES:
        raise OptionError(
            "There is no rule {rule!r} for strata. {hint}", rule=rule, hint=nearest(rule, RULES)
        )
    if strata < 2:
        raise OptionError("{strata} strata cannot be made. Ask for at least 2.", strata=strata)
    cv, n = size
    if cv is not None and n is not None:
        raise OptionError("Give cv or n, not both.")
    if cv is None and n is None and rule not in {"cum-root-f", "geometric"}:
        raise OptionError("Rule {rule!r} needs the precision (cv=) or the size (n=).", rule=rule)
    if cv is not None and np.min(cv) <= 0:
        raise OptionError("cv is {cv}; it must be above 0.", cv=str(cv))
    take_all, take_none = takes
    if take_all not in {0, 1} or (take_all and rule not in {"lavallee-hidiroglou", "optimum"}):
        raise OptionError(
            "take_all is 0, or 1 with rule 'lavallee-hidiroglou' or 'optimum'; it was {take_all} "
            "with {rule!r}.",
            take_all=take_all,
            rule=rule,
        )
    if not 0 <= take_none < 1:
        raise OptionError(
            "take_none is {take_none}; it is a share of the total, from 0 to below 1.",
            take_none=take_none,
        )


def _values(x: Any) -> np.ndarray:
    values = np.asarray(x, dtype=float)
    if values.ndim != 1:
        raise OptionError(
            "x has {dimensions} dimensions; only rule 'multivariate' takes a table.",
            dimensions=values.ndim,
        )
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        raise AllocationError(
            "{count} values to stratify by are missing or negative, at positions {rows}.",
            count=len(bad),
            rows=[int(b) for b in bad[:6]],
        )
    return values


def _left_out(values: np.ndarray, share: float) -> float:
    """Return the largest value such that all units up to it hold at most `share` of the total."""
    if share == 0:
        return -1.0
    unique, inverse = np.unique(values, return_inverse=True)
    held = np.cumsum(np.bincount(inverse, values)) / values.sum()
    below = np.flatnonzero(held <= share)
    return float(unique[below[-1]]) if len(below) else -1.0


def _cuts(
    values: np.ndarray, rule: str, strata: int, options: tuple[Any, Any, Any, int]
) -> tuple[np.ndarray, Goal | None]:
    cv, n, classes, take_all = options
    if len(np.unique(values)) < strata:
        raise AllocationError(
            "{strata} strata cannot be made from {values} different values. Ask for fewer.",
            strata=strata,
            values=len(np.unique(values)),
        )
    goal = None if cv is None and n is None else Goal(cv, n, bool(take_all), values.sum())
    if n is not None and n > len(values):
        raise AllocationError("n is {n}, but there are {units} units.", n=n, units=len(values))
    if rule == "geometric":
        return geometric(values, strata), goal
    if rule == "cum-root-f" or goal is None:
        return cum_root_f(values, strata, classes or max(15 * strata, 50)), goal
    cumulated = Cumulated(values)
    if rule == "optimum":
        start = best_cuts(cumulated, strata, goal, classes or 1000)
    else:
        first = cum_root_f(values, strata, classes or max(15 * strata, 50))
        start = np.searchsorted(cumulated.values, first, side="right")
    return cumulated.values[improved_cuts(cumulated, start, goal) - 1], goal


def _table(values: np.ndarray, labels: np.ndarray, take: list[str]) -> pd.DataFrame:
    groups = pd.Series(values).groupby(labels)
    table = pd.DataFrame(
        {
            "stratum": [str(k) for k in range(1, len(take) + 1)],
            "take": take,
            "population": groups.size().to_numpy(),
            "lower": groups.min().to_numpy(),
            "upper": groups.max().to_numpy(),
            "total": groups.sum().to_numpy(),
        }
    )
    total = table["total"].sum()
    table["share"] = table["total"] / (total if total > 0 else 1)
    table["mean"] = groups.mean().to_numpy()
    return table.assign(sd=groups.std(ddof=1).fillna(0.0).to_numpy())


def _with_sizes(table: pd.DataFrame, goal: Goal) -> pd.DataFrame:
    """Add whole-number sizes of the sampled strata."""
    from nsm.allocation.allocate import allocate

    covered = table[table["take"] != "none"]
    strata = covered[["stratum", "population"]].assign(mean_x=covered["mean"], sd_x=covered["sd"])
    small = np.minimum(2, covered["population"])
    strata["minimum"] = np.where(covered["take"] == "all", covered["population"], small)
    if goal.cv is None:
        plan = allocate(strata, "neyman", n=goal.n)
    else:
        plan = allocate(strata, precision={"all": {"x": goal.cv}})
    sizes = plan.table.set_index("stratum")["n"]
    return table.assign(n=table["stratum"].map(sizes).fillna(0).astype("int64"))


def _many(x: Any, strata: int, cv: Any, seed: int) -> Stratification:
    values = np.asarray(x, dtype=float)
    goals = np.atleast_1d(np.asarray(cv, dtype=float))
    if values.ndim != 2 or goals.shape != (values.shape[1],):
        raise OptionError(
            "Rule 'multivariate' needs a table (units, variables) and a cv for each of its "
            "{variables} variables.",
            variables=values.shape[1] if values.ndim == 2 else 0,
        )
    if not np.all(np.isfinite(values)) or np.any(values.sum(axis=0) == 0):
        raise AllocationError("A variable to stratify by is missing somewhere, or adds up to 0.")
    labels, sizes = multivariate(values, strata, goals, seed)
    names = (
        [str(c) for c in x.columns]
        if isinstance(x, pd.DataFrame)
        else [f"x{k + 1}" for k in range(len(goals))]
    )
    groups = pd.DataFrame(values, columns=names).groupby(labels)
    table = pd.DataFrame({"stratum": [str(k) for k in range(1, strata + 1)], "take": "some"})
    table["population"] = groups.size().to_numpy()
    for name in names:
        table[f"mean_{name}"] = groups[name].mean().to_numpy()
        table[f"sd_{name}"] = groups[name].std(ddof=1).fillna(0.0).to_numpy()
    table["n"] = sizes
    return Stratification(groups.mean().to_numpy(), labels, table)
