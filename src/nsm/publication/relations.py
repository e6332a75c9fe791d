"""Which cells of a table add up to which: what a reader can compute from what is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nsm.estimation.estimates import Estimates
from nsm.publication.kin import COUNTS, Kin, Name, names_of

if TYPE_CHECKING:
    import pandas as pd

_TOTALS = ("total", "count")
_AVERAGES = ("proportion", "mean")
_CLOSE = 1e-6


class Cells(NamedTuple):
    """A table as a system of sums.

    Parameters
    ----------
    values
        What adds up, never negative (cells,).
    sums
        One row for each sum: 1 at the parts, -1 at the whole (sums, cells).
    """

    values: np.ndarray
    sums: np.ndarray


def cells(
    estimates: Estimates,
    sums: Mapping[str, Sequence[str]] | None = None,
    kin: Kin | None = None,
) -> Cells:
    """Return the additive structure of a table of estimates.

    A domain whose label is null in a column is the margin over it. Totals and counts add up as they
    are. Proportions and means add up once multiplied by the size of their domain, which is mostly
    printed too; the categories of a proportion add up to one.

    Parameters
    ----------
    sums
        Variable -> the variables that add up to it, where there are such.
    kin
        What else adds up; found in the table if not given.

    Returns
    -------
    Cells, in the order of the table.
    """
    table = estimates.table.reset_index(drop=True)
    values = masses(table)
    rows = [
        *_over_domains(table, estimates.by),
        *_over_categories(table, estimates.by),
        *_over_variables(table, estimates.by, sums or {}),
        *_over_kin(table, estimates.by, kin or Kin.of([estimates])),
    ]
    return Cells(values, np.array(rows, float).reshape(len(rows), len(table)))


def masses(table: pd.DataFrame) -> np.ndarray:
    """Return what adds up in each row: the total, or the average times its units (cells,)."""
    estimate, n = table["estimate"].fillna(0).to_numpy(float), table["n"].to_numpy(float)
    average = table["statistic"].isin(_AVERAGES).to_numpy()
    return np.abs(np.where(average, estimate * n, estimate))


def _additive(table: pd.DataFrame) -> np.ndarray:
    return table["statistic"].isin((*_TOTALS, *_AVERAGES)).to_numpy()


def _over_domains(table: pd.DataFrame, by: Sequence[str]) -> list[np.ndarray]:
    """Return a sum over each set of columns, where its margin is in the table."""
    found = []
    additive = _additive(table)
    missing = {name: table[name].isna().to_numpy() for name in by}
    for size in range(1, len(by) + 1):
        for over in combinations(by, size):
            rest = [c for c in (*by, "variable", "statistic", "category") if c not in over]
            inside = additive & ~np.any([missing[c] for c in over], axis=0)
            whole = additive & np.all([missing[c] for c in over], axis=0)
            found += _sums(_keys(table, rest), inside, whole)
    return found


def _over_categories(table: pd.DataFrame, by: Sequence[str]) -> list[np.ndarray]:
    """Return the sums of the categories of a proportion, whose whole is known to be one."""
    proportion = (table["statistic"] == "proportion").to_numpy()
    keys = _keys(table, [*by, "variable"])
    found = []
    for key in np.unique(keys[proportion]):
        parts = proportion & (keys == key)
        complete = abs(table.loc[parts, "estimate"].sum() - 1) < 1e-6
        if complete and parts.sum() > 1:
            found.append(parts.astype(float))
    return found


def _over_variables(
    table: pd.DataFrame, by: Sequence[str], sums: Mapping[str, Sequence[str]]
) -> list[np.ndarray]:
    keys = _keys(table, [*by, "statistic", "category"])
    additive = _additive(table)
    found = []
    for whole, parts in sums.items():
        inside = additive & table["variable"].isin(list(parts)).to_numpy()
        found += _sums(keys, inside, additive & (table["variable"] == whole).to_numpy())
    return found


def _over_kin(table: pd.DataFrame, by: Sequence[str], kin: Kin) -> list[np.ndarray]:
    """Return the sums that hold in each domain, where the numbers bear them out."""
    mass = masses(table)
    n = table["n"].to_numpy(float)
    places: dict[int, dict[Name, int]] = {}
    counted = table["statistic"].isin(COUNTS).to_numpy()
    for k, (domain, name) in enumerate(zip(_keys(table, by), names_of(table), strict=True)):
        if counted[k]:
            places.setdefault(int(domain), {}).setdefault(kin.name(name), k)
    found = []
    for here in places.values():
        for one in kin.sums:
            if not {*one.parts, *one.whole} <= set(here):
                continue
            parts, whole = ([here[name] for name in side] for side in one)
            size = mass[whole[0]] if whole else n[parts[0]]
            if abs(mass[parts].sum() - size) <= _CLOSE * max(size, 1.0):
                row = np.zeros(len(table))
                row[parts] = 1.0
                row[whole] = -1.0
                found.append(row)
    return found


def _sums(keys: np.ndarray, inside: np.ndarray, whole: np.ndarray) -> list[np.ndarray]:
    """Return the rows of sums: in each key, the cells inside add up to the whole."""
    found = []
    for place in np.flatnonzero(whole):
        parts = inside & (keys == keys[place])
        if parts.any():
            row = parts.astype(float)
            row[place] -= 1
            found.append(row)
    return found


def _keys(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return a number for each combination of labels, missing being a label too (rows,)."""
    if not names:
        return np.zeros(len(table), int)
    return table.groupby(list(names), dropna=False, sort=False).ngroup().to_numpy()
