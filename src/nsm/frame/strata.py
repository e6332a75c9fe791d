"""Strata of concentration, from the prior prevalence of a rare population."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.errors import OptionError, ValueInColumnError
from nsm.frame.rollup import prior_column, weighted_mean, weights

if TYPE_CHECKING:
    from nsm.frame.frame import Frame


def concentration(
    frame: Frame,
    cuts: Sequence[float],
    *,
    within: Sequence[str] = (),
    column: str | None = None,
    minimum: int = 1,
) -> Frame:
    """Add the column `stratum`: classes of prior prevalence inside the units of `within`.

    Parameters
    ----------
    cuts
        Ascending prevalences, 0 to 1: class 0 holds what is at most the first, class k what is
        above the k-th and at most the next. A first cut of 0 sets apart the areas that nobody is
        known to live in.
    within
        Columns that strata do not cross (territory, zone); their codes begin the stratum's name.
    column
        The prior; the described one by default.
    minimum
        A class with fewer areas joins the next lower one, or the next higher where there is none.

    Returns
    -------
    The frame, with strata named like `border-rural-2`.

    Raises
    ------
    OptionError, ColumnError, ValueInColumnError
    """
    bounds = [float(c) for c in cuts]
    if (
        not bounds
        or not all(0 <= c < 1 for c in bounds)
        or any(a >= b for a, b in pairwise(bounds))
    ):
        raise OptionError(
            "Cuts of prevalence must rise and lie from 0 to below 1, not {cuts}.", cuts=bounds
        )
    name = column or prior_column(frame) or "prior"
    frame.require_columns([name, *within])
    prior = frame.table[name].to_numpy(float)
    wrong = ~((prior >= 0) & (prior <= 1))
    if wrong.any():
        raise ValueInColumnError(
            "Column {column!r} is missing or not between 0 and 1 for {count} areas: {areas}.",
            column=name,
            count=int(wrong.sum()),
            areas=list(frame.table.loc[wrong, frame.key]),
        )
    units = [frame.table[c].astype("str") for c in within]
    prefix = pd.Series([""] * len(frame), frame.table.index)
    for unit in units:
        prefix = prefix + unit + "-"
    kind = _joined(prefix, np.searchsorted(bounds, prior, side="left"), minimum)
    return frame.replaced(table=frame.table.assign(stratum=prefix + kind.astype("str")))


def _joined(prefix: pd.Series, kind: np.ndarray, minimum: int) -> pd.Series:
    """Join classes with too few areas to their neighbors, unit by unit."""
    kinds = pd.Series(kind, prefix.index)
    for _, unit in kinds.groupby(prefix):
        mine = unit
        count = mine.value_counts().sort_index()
        while len(count) > 1 and count.min() < minimum:
            position = int(np.argmin(count.to_numpy()))
            small = count.index[position]
            target = count.index[position - 1] if position else count.index[1]
            mine = mine.replace(small, target)
            count = mine.value_counts().sort_index()
        kinds[mine.index] = mine
    return kinds


def strata_table(frame: Frame, column: str | None = None) -> pd.DataFrame:
    """Describe the strata: one row each.

    Returns
    -------
    `stratum`, `areas`, the sums of the sizes, `prevalence` (prior, weighted by population), and
    its least and largest value.
    """
    frame.require_columns(["stratum"])
    name = column or prior_column(frame) or "prior"
    frame.require_columns([name])
    group, codes = pd.factorize(frame.table["stratum"], sort=True)
    prior = frame.table[name]
    by = prior.groupby(group)
    out = pd.DataFrame({"stratum": codes, "areas": np.bincount(group, minlength=len(codes))})
    for size in frame.sizes:
        out[size] = np.asarray(frame.table[size].groupby(group).sum())
    out["prevalence"] = weighted_mean(prior.to_numpy(float), weights(frame), group, len(codes))
    out["least"], out["largest"] = np.asarray(by.min()), np.asarray(by.max())
    return out
