"""Take-none strata: left out of the sample on purpose, and named beside every total.

A stratum is left out where `take_none` is true in the table of strata. Nothing is drawn there, so
no estimate speaks of it: the plan holds it apart, and says by target which share of the expected
total the sample can see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nsm.allocation.strata import domain_columns
from nsm.errors import AllocationError, ValueInColumnError

if TYPE_CHECKING:
    import pandas as pd

    from nsm.allocation.allocate import StrataAt

COLUMN = "take_none"
_KEY = ["domain", "value", "variable"]


def left_out(strata: pd.DataFrame) -> np.ndarray:
    """Return which strata are left out (strata,).

    Raises
    ------
    ValueInColumnError
        `take_none` holds other values than true and false.
    AllocationError
        No stratum is left to be sampled.
    """
    if COLUMN not in strata.columns:
        return np.zeros(len(strata), dtype=bool)
    values = strata[COLUMN]
    wrong = ~values.isin([True, False])
    if wrong.any():
        raise ValueInColumnError(
            "{column!r} is neither true nor false in {count} strata: {strata}.",
            column=COLUMN,
            count=int(wrong.sum()),
            strata=[str(s) for s in strata.loc[wrong, "stratum"]],
        )
    out = values.to_numpy(dtype=bool)
    if len(out) and out.all():
        raise AllocationError("Every stratum is left out (take_none). Leave one to be sampled.")
    return out


def covered(strata: pd.DataFrame | StrataAt) -> tuple[Any, pd.DataFrame | None]:
    """Return the strata to be sampled, and those left out (None if there are none).

    Parameters
    ----------
    strata
        A table, or a function of n (of the sampled strata alone) that gives it.
    """
    table = strata(None) if callable(strata) else strata
    out = left_out(table)
    if not out.any():
        return strata, None
    if not callable(strata):
        return _without(table, out), _named(table, out)
    at = strata

    def sampled_at(n: np.ndarray | None) -> pd.DataFrame:
        if n is None:
            return _without(at(None), out)
        every = np.ones(len(out))
        every[~out] = n
        return _without(at(every), out)

    return sampled_at, _named(table, out)


def _without(table: pd.DataFrame, out: np.ndarray) -> pd.DataFrame:
    return table[~out].drop(columns=COLUMN).reset_index(drop=True)


def _named(table: pd.DataFrame, out: np.ndarray) -> pd.DataFrame:
    """Return the strata left out: `stratum`, domains, `population` and `total_<y>`."""
    kept = table[out].reset_index(drop=True)
    domains = [d for d in domain_columns(kept) if d != COLUMN]
    named = kept[["stratum", *domains, "population"]].copy()
    for column in kept.columns:
        if str(column).startswith("mean_"):
            named[f"total_{str(column)[5:]}"] = kept[column] * kept["population"]
    if "prevalence" in kept.columns:
        named["total_prevalence"] = kept["prevalence"] * kept["population"]
    return named.astype({"stratum": "str"})


def labelled(precision: pd.DataFrame, excluded: pd.DataFrame) -> pd.DataFrame:
    """Return the table of precision with `covered`: the share of the total that can be seen.

    Raises
    ------
    AllocationError
        A domain with a target lies in strata that are left out, and so has no estimate at all.
    """
    targeted = set(precision.loc[precision["target"].notna(), "domain"]) - {"all"}
    for domain in sorted(targeted):
        lost = set(excluded[domain].astype("str"))
        lost -= set(precision.loc[precision["domain"] == domain, "value"])
        if lost:
            raise AllocationError(
                "All strata of {domain!r} {values} are left out (take_none), so its targets cannot "
                "be met. Sample one of them, or set targets for other values.",
                domain=domain,
                values=sorted(lost),
            )
    shares = [_share(row, excluded) for row in precision.to_dict("records")]
    place = list(precision.columns).index("total") + 1
    table = precision.copy()
    table.insert(place, "covered", shares)
    return table


def _share(row: dict[Any, Any], excluded: pd.DataFrame) -> float:
    column = f"total_{row['variable']}"
    if column not in excluded.columns:
        return float("nan")
    inside = excluded
    if row["domain"] != "all":
        inside = excluded[excluded[row["domain"]].astype("str") == str(row["value"])]
    whole = row["total"] + inside[column].sum()
    return float(row["total"] / whole) if whole > 0 else 1.0
