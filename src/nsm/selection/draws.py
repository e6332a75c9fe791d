"""Draw a sample from a frame, stratum by stratum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nsm.errors import OptionError, SelectionError, ValueInColumnError
from nsm.files import require_columns
from nsm.selection.methods import Cell, Method, method_of
from nsm.selection.probabilities import checked_size, inclusion_probabilities
from nsm.selection.reserve import OWN, RESERVE, assign_roles, reserve_counts, share_in_use, weigh
from nsm.selection.sample import Sample, versions
from nsm.selection.source import ALL, Source, checked_seed, source, wanted


def draw(
    frame: Any,
    plan: Any,
    *,
    seed: int,
    method: str = "systematic",
    size: str | None = None,
    stratum: str | None = None,
    key: str | None = None,
    sort: Sequence[str] = (),
    spread: Sequence[str] = (),
    balance: Sequence[str] = (),
    reserve: float | Mapping[str, int] = 0,
    prn: str | None = None,
    start: float = 0.0,
) -> Sample:
    """Draw areas (or other units) from a frame, and keep how it was done.

    Parameters
    ----------
    frame
        A `Frame`, or a table with its `key`.
    plan
        How many: a `Plan`, a table with `stratum` and `n`, a mapping {stratum: n}, or one number
        (of the whole frame, or of each stratum if `stratum` is named).
    seed
        A whole number from 0 on. Units are put in the order of the key first, so the order of rows
        does not matter.
    method
        `srs, bernoulli, poisson, systematic, sampford, brewer, tille, pareto, pivotal,
        conditional-poisson, local-pivotal, cube, local-cube`.
    size
        Column of the measure of size; equal probabilities if None. Units with a share above 1 are
        certain.
    stratum
        Column of the strata; `stratum` if the plan has strata.
    sort
        Columns that order the list within strata (implicit stratification of `systematic`); ties
        are in the order of the key.
    spread
        Coordinates in which `local-pivotal` and `local-cube` spread the sample, in comparable
        units.
    balance
        Variables whose totals `cube` and `local-cube` reproduce.
    reserve
        Areas drawn beside the planned ones, to be released when fieldwork needs them: a share of n
        (below 1), a number in each stratum, or a mapping {stratum: number}.
    prn
        Column of permanent random numbers in [0, 1) (`srs, bernoulli, poisson, pareto`).
    start
        Where on the circle of permanent random numbers to begin: the same start in two surveys
        makes their samples overlap, a shifted one keeps them apart.

    Returns
    -------
    Sample

    Raises
    ------
    SelectionError, OptionError, KeyColumnError, ColumnError, ValueInColumnError

    Examples
    --------
    >>> import pandas as pd
    >>> areas = pd.DataFrame({"area": ["01", "02", "03", "04"], "dwellings": [50, 60, 200, 90]})
    >>> sample = draw(areas, 2, size="dwellings", seed=7)
    >>> sample.table[["area", "probability"]].round(2).values.tolist()
    [['03', 1.0], ['04', 0.45]]
    """
    chosen = method_of(method)
    rng = np.random.Generator(np.random.PCG64(checked_seed(seed)))
    given = source(frame, key)
    options: dict[str, Any] = {
        "method": method,
        "seed": int(seed),
        "size": size,
        "stratum": stratum or (None if isinstance(plan, int | np.integer) else "stratum"),
        "sort": list(sort),
        "spread": list(spread),
        "balance": list(balance),
        "prn": prn,
        "start": float(start),
    }
    _check_options(method, chosen, options, reserve=reserve)
    codes, strata = _strata(given, options["stratum"])
    counts = wanted(plan, strata if options["stratum"] else None)
    population = dict(zip(strata, np.bincount(codes).tolist(), strict=True))
    reserves = reserve_counts(counts, population, reserve)
    units = _Units(given, codes, options)
    drawn = _draw_strata(units, (strata, counts, reserves), (chosen, rng))
    table = _strata_table(drawn, counts, population)
    return _sample(given, drawn, table, options)


def _check_options(
    name: str, method: Method, options: dict[str, Any], *, reserve: float | Mapping[str, int]
) -> None:
    """Refuse options that the method would ignore, and ask for those it needs."""
    if method.needs and not options[method.needs]:
        raise OptionError(
            "Method {method!r} needs {option}=[...], the columns to use.",
            method=name,
            option=method.needs,
        )
    if name == "local-cube" and not options["spread"]:
        raise OptionError("Method 'local-cube' needs spread=[...], the coordinates.")
    unused = {
        "size": method.equal,
        "spread": name not in {"local-pivotal", "local-cube"},
        "balance": name not in {"cube", "local-cube"},
        "prn": not method.permanent,
        "sort": name != "systematic",
    }
    for option, useless in unused.items():
        if useless and options[option]:
            raise OptionError(
                "Method {method!r} does not use {option}. Leave it out, or take a method that "
                "does.",
                method=name,
                option=option,
            )
    if reserve and (not method.fixed or options["prn"]):
        raise OptionError(
            "Reserve areas need a sample of fixed size without permanent random numbers; method "
            "{method!r} here has none. Draw a second sample with another start instead.",
            method=name,
        )


def _strata(given: Source, column: str | None) -> tuple[np.ndarray, list[str]]:
    """Return the stratum number of each row, and the names of the strata in order."""
    if column is None:
        return np.zeros(len(given.table), dtype=np.int64), [ALL]
    require_columns(given.table, [column], "The frame")
    values = given.table[column]
    lost = given.table.loc[values.isna(), given.key]
    if len(lost):
        raise ValueInColumnError(
            "{count} units of the frame have no {column!r}: {units}.",
            count=len(lost),
            column=column,
            units=[str(v) for v in lost.iloc[:6]],
        )
    codes, found = pd.factorize(values)
    names = [str(f) for f in found]
    order = sorted(range(len(names)), key=names.__getitem__)
    return np.argsort(order)[codes], [names[k] for k in order]


class _Units:
    """The columns that a draw uses, as arrays in the order of the key."""

    def __init__(self, given: Source, strata: np.ndarray, options: dict[str, Any]) -> None:
        table = given.table
        self.strata = strata
        used = [*options["sort"], *options["spread"], *options["balance"]]
        used += [c for c in (options["size"], options["prn"]) if c]
        require_columns(table, used, "The frame")
        self.keys = table[given.key].to_numpy()
        self.size = (
            checked_size(table[options["size"]].to_numpy(), self.keys)
            if options["size"]
            else np.ones(len(table))
        )
        self.spread = _numbers(table, options["spread"], self.keys)
        self.balance = _numbers(table, options["balance"], self.keys)
        self.u = None
        if options["prn"]:
            u = _numbers(table, [options["prn"]], self.keys)[:, 0]
            if np.any((u < 0) | (u >= 1)):
                raise ValueInColumnError(
                    "Permanent random numbers lie from 0 to below 1, but {column!r} goes from "
                    "{low} to {high}. Make them with nsm.selection.permanent_numbers(keys, seed).",
                    column=options["prn"],
                    low=float(u.min()),
                    high=float(u.max()),
                )
            self.u = (u - options["start"]) % 1.0
        self.ranks = np.arange(len(table))
        if options["sort"]:
            order = table.sort_values(list(options["sort"]), kind="stable").index.to_numpy()
            self.ranks[order] = np.arange(len(table))

    def cell(self, rows: np.ndarray, p: np.ndarray) -> Cell:
        u = None if self.u is None else self.u[rows]
        return Cell(p, self.strata[rows], self.spread[rows], self.balance[rows], u)


def _numbers(table: pd.DataFrame, columns: Sequence[str], keys: np.ndarray) -> np.ndarray:
    """Return numeric columns (units, columns), all observed."""
    for column in columns:
        values = pd.to_numeric(table[column], errors="coerce").to_numpy(
            dtype=float, na_value=np.nan
        )
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise ValueInColumnError(
                "{column!r} is missing or no number in {count} units: {units}.",
                column=column,
                count=len(bad),
                units=[str(k) for k in keys[bad[:6]]],
            )
    return table[list(columns)].to_numpy(dtype=float).reshape(len(table), len(columns))


def _draw_strata(
    units: _Units,
    sizes: tuple[list[str], dict[str, int], dict[str, int]],
    how: tuple[Method, np.random.Generator],
) -> pd.DataFrame:
    """Return row, stratum, probability of the whole draw, certainty and place in the list."""
    strata, counts, reserves = sizes
    parts, later = [], []
    order = np.lexsort((units.ranks, units.strata))
    bounds = np.cumsum(np.bincount(units.strata))[:-1]
    for label, rows in zip(strata, np.split(order, bounds), strict=True):
        n = counts[label]
        if n > len(rows):
            raise SelectionError(
                "{n} units cannot be drawn from the {units} of stratum {stratum!r}. Plan at most "
                "{units}, or merge strata.",
                n=n,
                units=len(rows),
                stratum=label,
            )
        if n == 0:
            continue
        p = inclusion_probabilities(units.size[rows], n)
        sure, free = rows[p == 1], rows[p < 1]
        parts.append(_rows(sure, label, np.ones(len(sure)), certainty=True))
        if len(free):
            q = inclusion_probabilities(units.size[free], n - len(sure) + reserves[label])
            later.append((free, label, q))
    if how[0].strata and later:
        parts.extend(_draw_together(units, later, how))
    else:
        parts.extend(_draw_one(units, part, how) for part in later)
    if not parts:
        raise SelectionError("The plan draws nothing: n is 0 in every stratum.")
    drawn = pd.concat(parts, ignore_index=True)
    drawn["place"] = units.ranks[drawn["row"]]
    return assign_roles(drawn, reserves, how[1])


def _draw_one(
    units: _Units, part: tuple[np.ndarray, str, np.ndarray], how: tuple[Method, np.random.Generator]
) -> pd.DataFrame:
    rows, label, q = part
    taken = q == 1  # certain only once the reserve is added
    chosen = np.flatnonzero(taken)
    if not taken.all():
        inner = how[0].draw(units.cell(rows[~taken], q[~taken]), how[1])
        chosen = np.concatenate([chosen, np.flatnonzero(~taken)[inner]])
    return _rows(rows[chosen], label, q[chosen], certainty=False)


def _draw_together(
    units: _Units,
    parts: list[tuple[np.ndarray, str, np.ndarray]],
    how: tuple[Method, np.random.Generator],
) -> list[pd.DataFrame]:
    """Draw all strata at once, for methods that balance over all of them."""
    rows = np.concatenate([p[0] for p in parts])
    q = np.concatenate([p[2] for p in parts])
    drawn = q == 1
    free = np.flatnonzero(~drawn)
    if len(free):
        drawn[free[how[0].draw(units.cell(rows[free], q[free]), how[1])]] = True
    names = {units.strata[p[0][0]]: p[1] for p in parts}
    return [
        _rows(rows[drawn & inside], name, q[drawn & inside], certainty=False)
        for code, name in names.items()
        for inside in [units.strata[rows] == code]
    ]


def _rows(rows: np.ndarray, label: str, p: np.ndarray, *, certainty: bool) -> pd.DataFrame:
    return pd.DataFrame({"row": rows, "stratum": label, "probability": p, "certainty": certainty})


def _sample(
    given: Source, drawn: pd.DataFrame, strata: pd.DataFrame, options: dict[str, Any]
) -> Sample:
    drawn = drawn.sort_values("row", kind="stable")
    table = given.table.iloc[drawn["row"].to_numpy()].reset_index(drop=True)
    if "stratum" in table.columns and options["stratum"] != "stratum":
        table = table.rename(columns={"stratum": "frame_stratum"})
    taken = [c for c in OWN[1:] if c in table]
    if taken:
        raise SelectionError(
            "The frame already has the columns {columns} of a sample. Rename or drop them.",
            columns=taken,
        )
    for column in ("stratum", "probability", "certainty", "order", "role"):
        table[column] = drawn[column].to_numpy()
    receipt = options | {"key": given.key, "frame_hash": given.hash, "versions": versions()}
    return Sample(weigh(table, share_in_use(strata)), strata, receipt)


def _strata_table(
    drawn: pd.DataFrame, counts: dict[str, int], population: dict[str, int]
) -> pd.DataFrame:
    reserves = drawn.loc[drawn["role"] == RESERVE, "stratum"].value_counts()
    certain = drawn.loc[drawn["certainty"], "stratum"].value_counts()
    return pd.DataFrame(
        {
            "stratum": list(counts),
            "population": [population[s] for s in counts],
            "n": list(counts.values()),
            "certain": [int(certain.get(s, 0)) for s in counts],
            "reserve": [int(reserves.get(s, 0)) for s in counts],
            "released": 0,
        }
    )
