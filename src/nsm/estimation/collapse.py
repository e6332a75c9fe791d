"""Collapsing strata with one PSU: which with which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nsm.errors import ColumnError, DesignError, ValueInColumnError, nearest


def collapse(
    table: pd.DataFrame,
    *,
    stratum: str,
    psu: str,
    near: str | Sequence[str] = (),
    within: str | Sequence[str] = (),
    minimum: int = 2,
) -> pd.DataFrame:
    """Propose with which stratum each stratum of too few PSUs is collapsed.

    The smallest stratum joins the nearest one, until none is too small. The variance of collapsed
    strata is too high by the differences between their totals, so near strata are alike in what was
    known before the survey (size, prevalence); choosing by its answers makes the variance too low
    (Wolter 2007, sec. 2.5).

    Parameters
    ----------
    table
        Sampled units, with their stratum and PSU.
    near
        Numeric columns that were known before the survey; strata are near where their means over
        PSUs are, in standard deviations. Without them, nearness is the order of the labels.
    within
        Columns inside whose labels strata stay, such as the region.
    minimum
        PSUs that a stratum must have.

    Returns
    -------
    One row per stratum: `stratum, psus, collapsed` (the new label, its own for a stratum that stays
    alone), `partner` (the stratum that it was nearest to) and `distance`.

    Raises
    ------
    ColumnError, ValueInColumnError
        A column is missing, or has missing values.
    DesignError
        A class of `within` has too few PSUs in all its strata.

    Examples
    --------
    >>> t = pd.DataFrame({"st": ["a", "b", "b", "c", "c"], "psu": range(5), "x": [1, 9, 9, 2, 2]})
    >>> collapse(t, stratum="st", psu="psu", near="x")["collapsed"].tolist()
    ['a + c', 'b', 'a + c']
    """
    near, within = ((x,) if isinstance(x, str) else tuple(x) for x in (near, within))
    strata = _strata(table, stratum, psu, near=near, within=within)
    members = [[k] for k in range(len(strata))]
    partner, distance = np.full(len(strata), -1), np.full(len(strata), np.nan)
    psus = strata["psus"].to_numpy()
    place = _places(strata, near)
    classes = strata[list(within)].apply(tuple, axis=1).tolist() if within else [()] * len(strata)
    while True:
        sizes = np.array([psus[m].sum() for m in members])
        small = int(np.argmin(sizes))
        if sizes[small] >= minimum:
            break
        home = classes[members[small][0]]
        others = [g for g, m in enumerate(members) if g != small and classes[m[0]] == home]
        if not others:
            raise DesignError(
                "{stratum!r} has {psus} PSUs and no other stratum in {home} to join. Leave within= "
                "out, or widen it.",
                stratum=strata["stratum"].iloc[members[small][0]],
                psus=int(sizes[small]),
                home=home or "the table",
            )
        centers = [np.average(place[m], axis=0, weights=psus[m]) for m in members]
        gaps = [float(np.linalg.norm(centers[small] - centers[g])) for g in others]
        chosen = others[int(np.argmin(gaps))]
        alone = [k for k in members[small] if partner[k] < 0]
        partner[alone] = min(
            members[chosen], key=lambda k: np.linalg.norm(place[k] - centers[small])
        )
        distance[alone] = min(gaps)
        members[chosen] = sorted(members[chosen] + members[small])
        del members[small]
    return _proposal(strata, members, partner, distance)


def _proposal(
    strata: pd.DataFrame,
    members: Sequence[Sequence[int]],
    partner: np.ndarray,
    distance: np.ndarray,
) -> pd.DataFrame:
    names = strata["stratum"].tolist()
    label = {k: " + ".join(str(names[j]) for j in group) for group in members for k in group}
    single = {k for group in members if len(group) == 1 for k in group}
    return pd.DataFrame(
        {
            "stratum": names,
            "psus": strata["psus"].to_numpy(),
            "collapsed": [names[k] if k in single else label[k] for k in range(len(names))],
            "partner": pd.Series([names[k] if k >= 0 else None for k in partner], dtype=object),
            "distance": distance,
        }
    )


def _strata(
    table: pd.DataFrame, stratum: str, psu: str, *, near: Sequence[str], within: Sequence[str]
) -> pd.DataFrame:
    """Return one row per stratum: `stratum, psus`, the classes, and means over PSUs."""
    for name in (stratum, psu, *near, *within):
        if name not in table.columns:
            raise ColumnError(
                "{where} has no column {column!r}. {hint}",
                where="the table",
                column=name,
                hint=nearest(name, list(table.columns)),
            )
        missing = np.flatnonzero(table[name].isna())
        if len(missing):
            raise ValueInColumnError(
                "{column!r} is missing in {count} rows (rows {rows}): every sampled unit needs it.",
                column=name,
                count=len(missing),
                rows=[int(i) + 1 for i in missing[:6]],
            )
    wanted = {**dict.fromkeys(near, "mean"), **dict.fromkeys(within, "first")}
    units = table.drop_duplicates([stratum, psu]).set_index([stratum, psu]).sort_index()[[]]
    if wanted:
        units = table.groupby([stratum, psu], observed=True).agg(wanted)
    by_stratum = units.groupby(level=0, observed=True)
    psus = by_stratum.size()
    made = by_stratum.agg(wanted) if wanted else pd.DataFrame(index=psus.index)
    return made.assign(psus=psus).rename_axis("stratum").reset_index()


def _places(strata: pd.DataFrame, near: Sequence[str]) -> np.ndarray:
    """Return where strata stand, in standard deviations between strata (strata, columns)."""
    if not near:
        return np.arange(len(strata), dtype=float)[:, None]
    values = strata[list(near)].to_numpy(float)
    spread = values.std(axis=0)
    return values / np.where(spread > 0, spread, 1.0)
