"""Estimates of statistics by domain: values, standard errors, intervals, design effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from nsm.errors import OptionError, nearest
from nsm.estimation.estimates import COLUMNS, Estimates, tidy
from nsm.estimation.expression import parse_statistic
from nsm.estimation.intervals import FOR_OTHERS, FOR_PROPORTIONS, Estimated, limits
from nsm.estimation.point import (
    PRESENT,
    Point,
    cases_of,
    count_distinct,
    degrees_of_freedom,
    evaluate,
    everyone,
    phase_stage,
    phases,
    products,
)
from nsm.estimation.repeated import column_degrees
from nsm.estimation.statistic import Proportions, Statistic
from nsm.estimation.variance import covariance
from nsm.totals import Measure, Totals

if TYPE_CHECKING:
    from nsm.condition import Condition
    from nsm.estimation.survey import Survey

NOT_DRAWN = "non-probability sample: no standard error knows its bias"


One = Statistic | Proportions | str
Wanted = One | Sequence[One] | Mapping[str, One]


def estimate(
    survey: Survey,
    statistics: Wanted,
    *,
    by: tuple[str, ...] = (),
    where: Condition | None = None,
    margins: bool = False,
    interval: str | None = None,
    level: float = 0.95,
    df: str | float = "domain",
    deff: str | None = "with",
) -> Estimates:
    """Estimate statistics by domain; see `Survey.estimate`."""
    items = named(survey, statistics)
    refuse_names(by)
    if deff not in {None, "with", "without"}:
        raise OptionError("deff={deff!r} is not 'with', 'without' or None.", deff=deff)
    sets = _domain_sets(by) if margins else [by]
    rule = _degrees(survey, df, where)
    tables, points = [], []
    for names in sets:
        point = evaluate(
            survey,
            items,
            by=names,
            where=where,
            level=level,
            df=rule,
            counted=True,
            squared=deff is not None,
        )
        made = _table(point, rule(point.totals), Precision(interval, level, deff))
        tables.append(made.assign(**{name: None for name in by if name not in names}))
        points.append(point)
    table = pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]
    return Estimates(
        tidy(table, by),
        by,
        level,
        points[0].totals.unknown,
        lambda rows: _covariance(points, rows),
    )


def refuse_names(by: tuple[str, ...]) -> None:
    """Refuse domain columns that a table of estimates could not tell apart.

    Raises
    ------
    OptionError
        A column is named twice, or as a column of estimates is.
    """
    for position, name in enumerate(by):
        if name in by[:position]:
            raise OptionError("by names the column {name!r} twice.", name=name)
        if name in COLUMNS:
            raise OptionError(
                "The domain column {name!r} has the name of a column of estimates. Rename it.",
                name=name,
            )


def named(survey: Survey, statistics: Wanted) -> list[Statistic]:
    """Return the statistics that are wanted, each with its name."""
    if isinstance(statistics, Mapping):
        made = []
        for name, item in statistics.items():
            parts = _read(survey, item)
            own = [replace(p, label=p.name._replace(variable=name)) for p in parts]
            made += own
    elif isinstance(statistics, Sequence) and not isinstance(statistics, str):
        made = [part for item in statistics for part in _read(survey, item)]
    else:
        made = _read(survey, statistics)
    if not made:
        raise OptionError("There is no statistic to estimate: the list is empty.")
    return made


def _read(survey: Survey, item: One) -> list[Statistic]:
    found = parse_statistic(item) if isinstance(item, str) else item
    if isinstance(found, Proportions):
        return found.of(survey.table.codes(found.column).labels)
    if not isinstance(found, Statistic):
        raise OptionError(
            "{given} is not a statistic. Give nsm.total(...), nsm.mean(...) or an expression of "
            "them.",
            given=repr(item),
        )
    return [found]


def _domain_sets(by: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [names for size in range(len(by), -1, -1) for names in combinations(by, size)]


class Precision(NamedTuple):
    """Which intervals and design effects are wanted."""

    interval: str | None
    level: float
    deff: str | None


def _table(point: Point, degrees: np.ndarray, precision: Precision) -> pd.DataFrame:
    values, variance = point.values, point.variances()
    columns = [
        _one(point, s, values[:, s], variance[:, s], degrees=degrees, precision=precision)
        for s in range(len(point.statistics))
    ]
    stacked = {
        name: np.stack([column[name] for column in columns], axis=1).ravel() for name in columns[0]
    }
    labels = point.totals.labels.loc[
        point.totals.labels.index.repeat(len(point.statistics))
    ].reset_index(drop=True)
    return labels.assign(**stacked)


def _one(
    point: Point,
    s: int,
    value: np.ndarray,
    variance: np.ndarray,
    *,
    degrees: np.ndarray,
    precision: Precision,
) -> dict[str, np.ndarray]:
    """Return the columns of one statistic, each (domains,)."""
    item, label = point.statistics[s], point.statistics[s].name
    coarse = point.totals.coarse
    n = coarse[Measure(item.counted, "count")]
    empty = coarse[PRESENT] == 0
    value = np.where(empty & (label.statistic not in {"total", "count"}), np.nan, value)
    undefined = ~np.isfinite(value) | empty
    value = np.where(np.isfinite(value), value, np.nan)
    effect = np.full(len(value), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.where(undefined, np.nan, np.sqrt(np.maximum(variance, 0.0)))
        cv = np.where(value != 0, se / np.abs(value), np.nan)
        if precision.deff is not None:
            effect = np.where(undefined, np.nan, variance / _srs_variance(point, s, precision.deff))
    kind = _interval(item, precision.interval)
    low, high = point.limits[s] or limits(Estimated(value, se, degrees, n), kind, precision.level)
    edge = (label.statistic == "proportion") & ((value == 0) | (value == 1)) & ~undefined
    note = np.full(len(value), None, object)
    note[edge & (kind == "logit")] = "interval: Korn-Graubard"
    note[~empty & undefined] = "no unit in the denominator"
    note[~undefined & (degrees <= 0)] = "no degrees of freedom"
    note[empty] = "no unit in the domain"
    if any(step.assumed for step in point.survey.adjustments):
        note = np.where([given is None for given in note], NOT_DRAWN, note)
    return {
        "variable": np.full(len(value), label.variable, object),
        "statistic": np.full(len(value), label.statistic, object),
        "category": np.full(len(value), label.category, object),
        "order": np.full(len(value), np.nan if label.order is None else label.order),
        "estimate": value,
        "se": se,
        "cv": cv,
        "lower": low,
        "upper": high,
        "df": np.where(empty, np.nan, degrees),
        "deff": np.where(np.isfinite(effect), effect, np.nan),
        "n": n,
        "cases": coarse[cases_of(item)],
        "psus": _psus(point, cases_of(item)),
        "note": note,
    }


def _interval(item: Statistic, interval: str | None) -> str:
    proportion = item.name.statistic == "proportion"
    allowed = FOR_PROPORTIONS if proportion else FOR_OTHERS
    kind = interval or ("logit" if proportion else "t")
    if kind not in allowed:
        raise OptionError(
            "interval={kind!r} does not serve a {statistic}. {hint}",
            kind=kind,
            statistic=item.name.statistic,
            hint=nearest(kind, allowed),
        )
    return kind


def _degrees(
    survey: Survey, df: str | float, where: Condition | None
) -> Callable[[Totals], np.ndarray]:
    """Return the rule that gives degrees of freedom by domain."""
    design = survey.design
    columns = survey.replication is not None and survey.replication.factors is None
    if not isinstance(df, str):
        return lambda totals: np.full(len(totals), float(df))
    if df not in {"domain", "design"}:
        raise OptionError(
            "df={df!r} is not known. {hint}", df=df, hint=nearest(df, ("domain", "design"))
        )
    if df == "domain":
        if columns:
            return lambda totals: column_degrees(survey, tuple(totals.labels.columns), where)
        return lambda totals: degrees_of_freedom(totals, design)
    if columns:
        whole = float(column_degrees(survey, (), None)[0])
    else:
        whole = float(design.psus - len(np.unique(design.stratum)))
    return lambda totals: np.full(len(totals), whole)


def _psus(point: Point, measure: Measure) -> np.ndarray:
    """Return the number of PSUs with cases (domains,)."""
    totals, design = point.totals, point.survey.design
    psu, cases = design.psu[totals.unit], totals.fine[measure] > 0
    return count_distinct(totals.domain, psu, cases, point.domains, design.psus)[0]


def _srs_variance(point: Point, s: int, deff: str) -> np.ndarray:
    """Return the variance under simple random sampling of the same size (domains,).

    That of a domain's count, or of the total of what all of the domain have alike, is against a
    sample of everyone.
    """
    item, coarse, slopes = point.statistics[s], point.totals.coarse, point.linear[s].slopes
    observed = everyone(item)
    size, population = coarse[Measure(observed, "count")], coarse[Measure(observed)]
    squares, terms = np.zeros(point.domains), np.zeros(point.domains)
    for first, second, product in products(list(slopes)):
        twice = 1.0 if first == second else 2.0
        part = twice * slopes[first] * slopes[second] * coarse[Measure(product)]
        squares += part
        terms += np.abs(part)
    level = sum(slopes[term] * coarse[Measure(term, fine=True)] for term in slopes)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = population * squares - level**2
        rounding = population * np.maximum(1e-12 * squares, 1e-14 * terms)
        constant = spread <= rounding
        if constant.any() and item.name.statistic in {"count", "total"}:
            whole, units = point.survey.table.size(point.survey.weight)
            size = np.where(constant, units, size)
            population = np.where(constant, whole, population)
            spread = population * squares - level**2
            rounding = population * np.maximum(1e-12 * squares, 1e-14 * terms)
        spread = np.where(spread > rounding, spread, np.nan)
        variance = spread / (size - 1)
        if deff == "without":
            correction = (population - size) / population
            variance = np.where(correction > 0, variance * correction, np.nan)
    return variance


def _covariance(points: Sequence[Point], rows: np.ndarray) -> np.ndarray:
    """Return the covariance of rows of the table, numbered through all sets of domains."""
    survey, design = points[0].survey, points[0].survey.design
    if survey.replication is not None:
        columns = _gathered(points, rows, _replicate_deviations)
        return columns.T @ columns
    columns = _gathered(points, rows, _dense_scores)
    if design.form is not None:
        return design.form.covariance(columns)
    matrix = covariance(columns, design.stages, design.declaration.single_psu)
    for m in phases(survey):
        columns = _gathered(points, rows, partial(_phase_scores, m))
        matrix += covariance(columns, [phase_stage(survey, m)], "certainty")
    columns = _gathered(points, rows, _control_scores)
    return matrix + columns.T @ columns


def _gathered(
    points: Sequence[Point],
    rows: np.ndarray,
    pick: Callable[[Point, np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return what `pick` gives for chosen rows of the table, in their order (units, rows)."""
    parts, start = [], 0
    for point in points:
        width = len(point.statistics)
        end = start + point.domains * width
        mine = rows[(rows >= start) & (rows < end)] - start
        parts.append(pick(point, mine // width, mine % width))
        start = end
    order = np.argsort(np.argsort(rows, kind="stable"), kind="stable")
    return np.concatenate(parts, axis=1)[:, order]


def _dense_scores(point: Point, domains: np.ndarray, statistics: np.ndarray) -> np.ndarray:
    """Return the scores of chosen estimates (finest units, estimates)."""
    scores = point.scores()
    dense = np.zeros((point.survey.design.units, len(domains)))
    for k, (d, s) in enumerate(zip(domains, statistics, strict=True)):
        mine = scores.domain == d
        np.add.at(dense[:, k], scores.unit[mine], scores.value[mine, s])
    return dense


def scores_of(point: Point) -> np.ndarray:
    """Return the scores of all estimates, in the order of their table (finest units, estimates)."""
    width = len(point.statistics)
    rows = np.arange(point.domains * width)
    return _dense_scores(point, rows // width, rows % width)


def _phase_scores(m: int, point: Point, domains: np.ndarray, statistics: np.ndarray) -> np.ndarray:
    """Return the scores of chosen estimates in a phase inside the sample (rows, estimates)."""
    return point.phase_scores(m)[domains, :, statistics].T


def _control_scores(point: Point, domains: np.ndarray, statistics: np.ndarray) -> np.ndarray:
    """Return the scores of estimated controls for chosen estimates (components, estimates)."""
    return point.control_scores()[domains, :, statistics].T


def _replicate_deviations(point: Point, domains: np.ndarray, statistics: np.ndarray) -> np.ndarray:
    """Return the scaled deviations of chosen estimates (replicates, estimates)."""
    replication = point.survey.replication
    assert replication is not None  # noqa: S101 (the caller has looked)
    deviations = replication.deviations(point.replicates(), point.values)
    return deviations[domains, statistics].T
