"""Reserve areas: drawn with the sample, released in random order, weighted by what was released.

The draw takes n + r areas. Every k-th of the drawn list (random start) becomes a reserve, and the
reserves get a random order. If k of r reserves are released, an area that is not certain has the
probability of the whole draw times (m + k) / (m + r), with m = n less the certain areas.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import OptionError, SelectionError

if TYPE_CHECKING:
    import pandas as pd

MAIN, RESERVE = "main", "reserve"


def reserve_counts(
    counts: Mapping[str, int], population: Mapping[str, int], reserve: float | Mapping[str, int]
) -> dict[str, int]:
    """Return the number of reserve areas by stratum, as many as the stratum still has.

    Raises
    ------
    OptionError
        A number is negative or not whole, or a stratum is unknown.
    """
    if isinstance(reserve, Mapping):
        asked: dict[str, float] = {str(label): number for label, number in reserve.items()}
        unknown = sorted(set(asked) - set(counts))
        if unknown:
            raise OptionError("Reserve strata {strata} are not in the plan.", strata=unknown)
    else:
        share = 0 < reserve < 1
        asked = {label: ceil(reserve * n) if share else reserve for label, n in counts.items()}
    odd = [label for label, number in asked.items() if number < 0 or number != int(number)]
    if odd:
        raise OptionError(
            "The reserve is not a share below 1 or a whole number from 0 on in strata {strata}.",
            strata=odd,
        )
    left = {label: population[label] - n for label, n in counts.items()}
    return {
        label: min(int(asked.get(label, 0)), max(left[label], 0)) if n else 0
        for label, n in counts.items()
    }


def assign_roles(
    drawn: pd.DataFrame, reserves: Mapping[str, int], rng: np.random.Generator
) -> pd.DataFrame:
    """Add `role` and `order`: main areas as they stand in the list, then reserves at random."""
    drawn = drawn.sort_values(["stratum", "place"], kind="stable").reset_index(drop=True)
    role = np.full(len(drawn), MAIN, dtype=object)
    order = np.zeros(len(drawn), dtype=np.int64)
    for label, group in drawn.groupby("stratum", sort=True):
        places = group.index.to_numpy()
        free = places[~group["certainty"].to_numpy()]
        more = min(reserves[str(label)], len(free))
        step = len(free) / more if more else 1.0
        chosen = free[((rng.random() + np.arange(more)) * step).astype(int)]
        role[chosen] = RESERVE
        main = np.setdiff1d(places, chosen)
        order[main] = np.arange(1, len(main) + 1)
        order[rng.permutation(chosen)] = len(main) + 1 + np.arange(more)
    return drawn.assign(role=role, order=order)


def share_in_use(strata: pd.DataFrame) -> pd.Series:
    """Return by stratum the share of the drawn areas (certain ones apart) that are main ones."""
    free = strata["n"] - strata["certain"]
    listed = free + strata["reserve"]
    share = (free + strata["released"]) / listed.where(listed > 0, 1)
    return share.where(listed > 0, 1.0).set_axis(strata["stratum"])


def weigh(table: pd.DataFrame, factor: pd.Series) -> pd.DataFrame:
    """Multiply probabilities by the factor of their stratum; give main areas their base weight."""
    p = table["probability"].to_numpy() * factor.loc[table["stratum"]].to_numpy()
    p = np.where(table["certainty"], 1.0, p)
    weight = np.where(table["role"] == MAIN, 1 / p, np.nan)
    front = [c for c in table.columns if c not in OWN]
    return table.assign(probability=p, base_weight=weight)[[*front, *OWN]]


OWN = ("stratum", "probability", "base_weight", "certainty", "order", "role")


def release(
    table: pd.DataFrame, strata: pd.DataFrame, counts: Mapping[str, int]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the next reserve areas of each stratum main ones; return the new table and strata.

    Raises
    ------
    SelectionError
        A stratum is unknown or has fewer reserves left.
    """
    before = share_in_use(strata)
    strata, table = strata.copy(), table.copy()
    for label, count in counts.items():
        if label not in before.index:
            raise SelectionError("Stratum {stratum!r} is not in the sample.", stratum=label)
        waiting = table[(table["stratum"] == label) & (table["role"] == RESERVE)]
        if not 0 <= count <= len(waiting):
            raise SelectionError(
                "{count} reserves cannot be released in stratum {stratum!r}, which has {left} "
                "left.",
                count=count,
                stratum=label,
                left=len(waiting),
            )
        table.loc[waiting.sort_values("order").index[:count], "role"] = MAIN
        strata.loc[strata["stratum"] == label, "released"] += count
    return weigh(table, share_in_use(strata) / before), strata
