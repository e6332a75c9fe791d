"""Targets: which CV is wanted of which variable in which domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from nsm.allocation.problem import Problem
from nsm.errors import AllocationError, OptionError, nearest
from nsm.files import require_columns

ALL = "all"
Moments = Callable[[pd.DataFrame, str], tuple[np.ndarray, np.ndarray, np.ndarray]]


def target_table(precision: Any, table: pd.DataFrame, domains: list[str]) -> pd.DataFrame:
    """Return one row per target: `domain, value, variable, target`.

    Parameters
    ----------
    precision
        `{domain column or "all": {variable: cv}}`, where a cv may be a mapping from the values of
        the domain; or a table with `domain, variable, cv` and perhaps `value`.
    table
        The checked strata.
    domains
        Columns that may be domains.

    Raises
    ------
    OptionError, AllocationError
        An unknown domain or value, or a CV that is not above 0.
    """
    rows: list[tuple[str, str, str, float]] = []
    for domain, variable, value, cv in _spelled_out(precision):
        if domain != ALL and domain not in domains:
            raise OptionError(
                "{domain!r} is no domain of the strata. {hint}",
                domain=domain,
                hint=nearest(domain, [ALL, *domains]),
            )
        values = [ALL] if domain == ALL else sorted(table[domain].astype("str").unique())
        wanted = values if value is None else [value]
        unknown = sorted(set(wanted) - set(values))
        if unknown:
            raise OptionError(
                "{domain!r} has no value {value!r}. {hint}",
                domain=domain,
                value=unknown[0],
                hint=nearest(unknown[0], values),
            )
        if not np.isfinite(cv) or cv <= 0:
            raise AllocationError(
                "The target CV of {variable!r} in {domain!r} is {cv}. It must be above 0, such as "
                "0.05.",
                variable=variable,
                domain=domain,
                cv=cv,
            )
        rows += [(domain, each, variable, float(cv)) for each in wanted]
    targets = pd.DataFrame(rows, columns=["domain", "value", "variable", "target"])
    return targets.drop_duplicates(["domain", "value", "variable"], keep="last", ignore_index=True)


def _spelled_out(precision: Any) -> list[tuple[str, str, str | None, float]]:
    """Return (domain, variable, value or None, cv) for each target given."""
    if isinstance(precision, pd.DataFrame):
        require_columns(precision, ["domain", "variable", "cv"], "The table of targets")
        values = precision["value"] if "value" in precision.columns else [None] * len(precision)
        columns = (precision["domain"], precision["variable"], values, precision["cv"])
        return [
            (str(d), str(y), None if pd.isna(v) else str(v), float(cv))
            for d, y, v, cv in zip(*columns, strict=True)
        ]
    if not isinstance(precision, Mapping) or not all(
        isinstance(inner, Mapping) for inner in precision.values()
    ):
        raise OptionError(
            "precision is {kind}, not a mapping such as {example}.",
            kind=type(precision).__name__,
            example="{'all': {'immigrants': 0.05}}",
        )
    found: list[tuple[str, str, str | None, float]] = []
    for domain, inner in precision.items():
        for variable, cv in inner.items():
            by_value = cv.items() if isinstance(cv, Mapping) else [(None, cv)]
            found += [
                (str(domain), str(variable), None if v is None else str(v), float(c))
                for v, c in by_value
            ]
    return found


def every_domain(table: pd.DataFrame, names: list[str], domains: list[str]) -> pd.DataFrame:
    """Return a row without target for each variable in the whole and in each domain."""
    pairs = [(ALL, ALL)]
    pairs += [(d, v) for d in domains for v in sorted(table[d].astype("str").unique())]
    rows = [(domain, value, y, np.inf) for domain, value in pairs for y in names]
    return pd.DataFrame(rows, columns=["domain", "value", "variable", "target"])


def problem_of(table: pd.DataFrame, targets: pd.DataFrame, moments: Moments) -> Problem:
    """Return the problem of the strata and targets as arrays.

    Raises
    ------
    AllocationError
        A targeted total is 0, so it has no CV.
    """
    known = {str(y): moments(table, str(y)) for y in targets["variable"].unique()}
    member = _members(table, targets)
    a = np.zeros((len(targets), len(table)))
    credit, total = np.zeros(len(targets)), np.zeros(len(targets))
    for k, y in enumerate(targets["variable"]):
        sums, variance, back = known[y]
        a[k] = np.where(member[k], variance, 0.0)
        credit[k], total[k] = back[member[k]].sum(), sums[member[k]].sum()
    goal = targets["target"].to_numpy(dtype=float)
    empty = targets[np.isfinite(goal) & (total == 0)]
    if len(empty):
        raise AllocationError(
            "{count} targets are of totals expected to be 0, which have no CV: {targets}. Leave "
            "them out.",
            count=len(empty),
            targets=[_name(row) for row in empty.itertuples()],
        )
    bounds = (table[c].to_numpy(dtype=float) for c in ("minimum", "maximum"))
    low, high = (np.maximum(b, 1.0) for b in bounds)
    cost, base = table["cost"].to_numpy(dtype=float), float(table["base_cost"].sum())
    return Problem(cost, base, low, high, csr_array(a), credit, total, goal)


def _members(table: pd.DataFrame, targets: pd.DataFrame) -> np.ndarray:
    texts = {d: table[d].astype("str").to_numpy() for d in targets["domain"].unique() if d != ALL}
    member = np.ones((len(targets), len(table)), dtype=bool)
    for k, (domain, value) in enumerate(zip(targets["domain"], targets["value"], strict=True)):
        if domain != ALL:
            member[k] = texts[domain] == value
    return member


def _name(row: Any) -> str:
    return row.variable if row.domain == ALL else f"{row.variable} ({row.domain} {row.value})"


def refuse_out_of_reach(problem: Problem, targets: pd.DataFrame) -> None:
    """Raise AllocationError if a target is missed even where every stratum is at its maximum."""
    ratio = problem.ratios(np.floor(problem.high))
    worst = np.flatnonzero(ratio > 1 + 1e-9)
    if not len(worst):
        return
    best = problem.cv(np.floor(problem.high))
    names = [
        f"{_name(row)}: {row.target:.4g} -> {best[k]:.4g}"
        for k, row in zip(worst, targets.iloc[worst].itertuples(), strict=True)
    ]
    raise AllocationError(
        "{count} target CVs are out of reach even with the maximum in every stratum (asked -> best "
        "to be had): {targets}. Raise these targets, the maxima or the response.",
        count=len(names),
        targets=names,
    )
