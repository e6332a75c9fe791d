"""From a frame of areas to strata: compact clusters drawn with probability proportional to size.

An area i of a stratum is drawn with probability p_i(n) and taken whole, and sum(y_i / p_i)
estimates the total. Given its prior, y_i is mu_i plus an error of variance v_i, so that the
variance to expect is

    V(n) = V_pps(mu; n) + sum_i v_i (1 / p_i - 1) + sum_i w_i / p_i

with w_i the variance inside the area (a subsample of dwellings, or dwellings that do not answer).
V_pps is that of one draw from each n-th part of the ordered list (systematic selection), or of a
design of large entropy (Hájek 1964). In an ordered list the errors of neighbors may be alike; what
they share does not vary either, and v_i counts as v_i (1 - alike). Areas whose share of n is above
1 are certain and add w_i alone.

V(n) is no multiple of 1 / n, but near any n it is a / n - b with the same value and slope. The
table made here holds a and b; `nsm.allocate` asks for it again at its own answer until they agree.

References
----------
Särndal, Swensson & Wretman (1992), sec. 3.6, 4.3 and 12.2 (anticipated variance); Hájek (1964),
Annals of Mathematical Statistics 35, 1491-1523.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nsm.allocation.pps import hajek_variance, pps_probabilities, zone_variance
from nsm.allocation.prior import PriorError, Response, check_model
from nsm.errors import AllocationError, OptionError, ValueInColumnError
from nsm.files import require_columns


class _Stratum(NamedTuple):
    """Areas of one stratum, in the order of the list."""

    size: np.ndarray  # (areas,)
    mu: np.ndarray  # expected y (areas, variables)
    error: np.ndarray  # v (areas, variables)
    inside: np.ndarray  # w (areas, variables)
    cost: np.ndarray  # (areas,)
    alike: np.ndarray  # (variables,)


def area_strata(
    frame: Any,
    *,
    size: str,
    y: Sequence[str] | Mapping[str, str],
    stratum: str = "stratum",
    domains: Sequence[str] = (),
    order: Sequence[str] | None = None,
    area_cost: float = 1.0,
    screening_cost: float = 0.0,
    interview_cost: float = 0.0,
    error: PriorError
    | str
    | Mapping[str, PriorError | str | Mapping[str, PriorError]]
    | None = None,
    response: Response | Mapping[str, Response] | None = None,
    key: str | None = None,
    n: np.ndarray | None = None,
) -> pd.DataFrame:
    """Turn a frame of areas into the table of strata that `nsm.allocate` takes.

    Parameters
    ----------
    frame
        A `Frame`, or a table with `key`; one row per area.
    size
        Measure of size and number of dwellings to screen.
    y
        Columns of the expected count in each area, or `{variable: column}`.
    domains
        Columns that are constant within strata (such as territory), for targets by domain.
    order
        The columns that order the list of a systematic selection (`[]`: the key alone). None: a
        design without order.
    area_cost, screening_cost, interview_cost
        Cost of an area, of each of its dwellings, and of each expected person of all `y`.
    error
        How y varies given its expected value, for all or by variable: a `PriorError`, or a column
        of variances by area; Poisson if None. `prior_error` estimates it from two rounds. Of a
        variable it may also be a mapping, stratum -> `PriorError`.
    response
        Share of dwellings that answer, for all or by variable.
    n
        The allocation near which the table holds, in the order of the strata; None for a first one.

    Returns
    -------
    DataFrame, one row per stratum in sorted order: `stratum, population` (areas), domains, `cost`
    (of one more area), `base_cost`, and by variable `mean_<y>, sd_<y>, credit_<y>, drawn_<y>`
    (expected in a drawn area), with `drawn_dwellings`.

    Raises
    ------
    AllocationError
        A domain varies inside a stratum.
    ValueInColumnError
        A size is not above 0, or an expected count is negative or missing.
    """
    options: dict[str, Any] = {"stratum": stratum, "domains": domains, "order": order, "key": key}
    costs = (area_cost, screening_cost, interview_cost)
    return _prepared(frame, size, y, (costs, error, response), **options)(n)


def _prepared(
    frame: Any,
    size: str,
    y: Sequence[str] | Mapping[str, str],
    model: tuple[Any, Any, Any],
    *,
    stratum: str,
    domains: Sequence[str],
    order: Sequence[str] | None,
    key: str | None,
) -> Callable[[np.ndarray | None], pd.DataFrame]:
    """Return the table of strata as a function of n, the frame read once."""
    table = _sorted(frame, key, order)
    names = dict(y) if isinstance(y, Mapping) else {name: name for name in y}
    check_model(*model)
    if not names:
        raise OptionError("Name at least one expected count: y=['immigrants'].")
    require_columns(table, [stratum, size, *names.values(), *domains], "The frame")
    _check(table, size, list(names.values()))
    for column in (stratum, *domains):
        if table[column].isna().any():
            raise ValueInColumnError(
                "{column!r} is missing in {count} areas, at rows {rows}. Give every area its "
                "stratum and domains.",
                column=column,
                count=int(table[column].isna().sum()),
                rows=[str(r) for r in table.index[table[column].isna()][:6]],
            )
    cells = []
    for label, areas in table.groupby(table[stratum].astype("str"), sort=True):
        row = {"stratum": label, "population": len(areas)}
        row |= {d: _constant(areas, d, str(label)) for d in domains}
        cells.append((row, _cell(areas, str(label), (size, names), model)))

    def at(n: np.ndarray | None) -> pd.DataFrame:
        now = [None] * len(cells) if n is None else [float(k) for k in n]
        rows = [
            row | _row(cell, list(names), k, ordered=order is not None)
            for (row, cell), k in zip(cells, now, strict=True)
        ]
        return pd.DataFrame(rows)

    return at


def areas_at(frame: Any, **options: Any) -> Callable[[np.ndarray | None], pd.DataFrame]:
    """Return the function of n that `nsm.allocate` needs to settle on areas drawn PPS.

    The options are those of `area_strata`.

    Examples
    --------
    >>> areas = pd.DataFrame({"area": ["1", "2", "3", "4"], "stratum": "a",
    ...     "dwellings": [60, 80, 100, 90], "immigrants": [3.0, 8.0, 2.0, 6.0]})
    >>> from nsm.allocation import allocate
    >>> at = areas_at(areas, size="dwellings", y=["immigrants"])
    >>> allocate(at, precision={"all": {"immigrants": 0.4}}).n
    2
    """
    defaults: dict[str, Any] = {"stratum": "stratum", "domains": (), "order": None, "key": None}
    costs = tuple(
        options.pop(name, default)
        for name, default in (("area_cost", 1.0), ("screening_cost", 0.0), ("interview_cost", 0.0))
    )
    model = (costs, options.pop("error", None), options.pop("response", None))
    return _prepared(frame, options.pop("size"), options.pop("y"), model, **(defaults | options))


def _sorted(frame: Any, key: str | None, order: Sequence[str] | None) -> pd.DataFrame:
    table = frame if isinstance(frame, pd.DataFrame) else frame.table
    key = key or getattr(frame, "key", None) or ("area" if "area" in table.columns else None)
    columns = [*(order or []), *([key] if isinstance(key, str) else [])]
    require_columns(table, columns, "The frame")
    return table.sort_values(columns, kind="stable") if columns else table


def _check(table: pd.DataFrame, size: str, counts: list[str]) -> None:
    for column, least in ((size, "> 0"), *((c, ">= 0") for c in counts)):
        values = pd.to_numeric(table[column], errors="coerce").to_numpy(
            dtype=float, na_value=np.nan
        )
        good = values > 0 if least == "> 0" else values >= 0
        bad = table.index[~(good & np.isfinite(values))]
        if len(bad):
            raise ValueInColumnError(
                "{column!r} must be {rule}, but is not in {count} areas, at rows {rows}. Correct "
                "it, or merge these areas with others.",
                column=column,
                rule=least,
                count=len(bad),
                rows=[str(b) for b in bad[:6]],
            )


def _constant(areas: pd.DataFrame, domain: str, label: str) -> Any:
    values = areas[domain].unique()
    if len(values) > 1:
        raise AllocationError(
            "Stratum {stratum!r} lies in {count} values of {domain!r}: {values}. Divide it, or "
            "count y by {domain!r} in columns of their own and set targets for these.",
            stratum=label,
            count=len(values),
            domain=domain,
            values=[str(v) for v in values],
        )
    return values[0]


def _cell(
    areas: pd.DataFrame,
    label: str,
    columns: tuple[str, dict[str, str]],
    model: tuple[Any, Any, Any],
) -> _Stratum:
    size, names = columns
    (area_cost, screening_cost, interview_cost), error, response = model
    sizes = areas[size].to_numpy(dtype=float)
    mu = areas[list(names.values())].to_numpy(dtype=float).copy()
    errors, inside, alike = np.empty_like(mu), np.empty_like(mu), np.zeros(mu.shape[1])
    for k, name in enumerate(names):
        e = _of(_of(error, name, PriorError()), label, PriorError())
        if isinstance(e, str):
            errors[:, k] = areas[e]
        else:
            errors[:, k] = e.variance(mu[:, k], sizes)
            mu[:, k] = e.mean(mu[:, k], sizes)
            alike[k] = e.alike
        r = _of(response, name, Response())
        # A share r of the dwellings answers and stands for all: SRS within the area.
        spread = np.maximum(r.together * mu[:, k] - mu[:, k] ** 2 / sizes, 0.0)
        inside[:, k] = spread * (1 - r.share) / r.share
    cost = area_cost + screening_cost * sizes + interview_cost * mu.sum(axis=1)
    return _Stratum(sizes, mu, errors, inside, cost, alike)


def _of(given: Any, name: str, default: Any) -> Any:
    if given is None:
        return default
    return given.get(name, default) if isinstance(given, Mapping) else given


def _row(cell: _Stratum, names: list[str], n: float | None, *, ordered: bool) -> dict[str, float]:
    """Return one row of the table: moments, costs and expected counts near `n`."""
    population = len(cell.size)
    now = min(max(1.0, 0.02 * population) if n is None else n, float(population))
    more = min(now * _NEAR, float(population))
    less = max(more / _NEAR**2, min(1.0, now))
    gain = _gain(cell, now) if ordered else np.ones(len(names))
    unlike = 1 - cell.alike if ordered else np.ones(len(names))
    value, above, below = (_variance(cell, m, gain, unlike) for m in (now, more, less))
    # a / m - b with the slope of V between both neighbors, and with the value of V at n itself.
    width = 1 / less - 1 / more
    a = (below - above) / width if width > 1e-12 else value * now
    a = np.maximum(a, value * now)  # no variance is left at certainty but that inside areas
    p, p_more, p_less = (pps_probabilities(cell.size, m) for m in (now, more, less))
    cost = float(cell.cost.mean())
    if more > less:
        cost = max(float((p_more - p_less) @ cell.cost) / (more - less), 1e-9)
    row = {
        "cost": cost,
        "base_cost": float(p @ cell.cost) - now * cost,
        "drawn_dwellings": float(p @ cell.size) / now,
    }
    for k, name in enumerate(names):
        row[f"mean_{name}"] = cell.mu[:, k].sum() / population
        row[f"sd_{name}"] = np.sqrt(a[k]) / population
        row[f"credit_{name}"] = a[k] / now - value[k]
        row[f"drawn_{name}"] = float(p @ cell.mu[:, k]) / now
    return row


_NEAR = 1.02
_GRID = 1.15


def _gain(cell: _Stratum, n: float) -> np.ndarray:
    """Return by variable what the order of the list leaves of the variance without one.

    It is taken at the steps of a grid next to n, since it wavers with n.
    """
    step = np.log(n) / np.log(_GRID)
    lower = np.floor(step)
    low, high = (min(_GRID ** (lower + k), float(len(cell.size))) for k in (0, 1))
    part = (step - lower) if high > low else 0.0
    return (1 - part) * _gain_at(cell, low) + part * _gain_at(cell, high)


def _gain_at(cell: _Stratum, n: float) -> np.ndarray:
    p = pps_probabilities(cell.size, n)
    free = p < 1
    if not free.any():
        return np.ones(cell.mu.shape[1])
    plain = hajek_variance(p[free], cell.mu[free])
    zones = zone_variance(p[free], cell.mu[free])
    return np.divide(zones, plain, out=np.ones_like(plain), where=plain > 0)


def _variance(cell: _Stratum, n: float, gain: np.ndarray, unlike: np.ndarray) -> np.ndarray:
    """Return V(n) by variable: `gain` and `unlike` are what the order leaves of both parts."""
    p = pps_probabilities(cell.size, n)
    free = p < 1
    inside = (cell.inside / p[:, None]).sum(axis=0)
    if not free.any():
        return inside
    q, mu = p[free], cell.mu[free]
    surprise = (cell.error[free] * (1 / q - 1)[:, None]).sum(axis=0)
    return gain * hajek_variance(q, mu) + unlike * surprise + inside
