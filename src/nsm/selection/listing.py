"""The second stage: dwellings drawn from the listing that fieldwork made in the sampled areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nsm.errors import KeyColumnError, OptionError, SelectionError
from nsm.files import require_columns
from nsm.selection.equal import srs
from nsm.selection.source import checked_seed
from nsm.selection.systematic import systematic


def draw_listing(
    areas: pd.DataFrame,
    listing: pd.DataFrame,
    *,
    seed: int,
    take: int | None = None,
    fraction: float | None = None,
    overall: float | None = None,
    area: str = "area",
    key: str = "dwelling",
    method: str = "systematic",
    sort: Sequence[str] = (),
) -> pd.DataFrame:
    """Draw dwellings in each sampled area, from what was found there.

    Parameters
    ----------
    areas
        The main areas: `area` (or the column named so) and `probability`.
    listing
        One row per dwelling found: its area and its key.
    take
        The same number in each area (all, where fewer were found).
    fraction
        The same fraction in each area: 0.125 is one in eight, 1 the compact cluster.
    overall
        The same probability for every dwelling of the country: the fraction in an area is `overall`
        over the probability of the area, so that growth since the census does not change weights.
    method
        `systematic` in the order of `sort` and the key, or `srs`.

    Returns
    -------
    DataFrame: drawn rows of the listing with `area_probability, conditional_probability,
    probability, base_weight, order` (place in the area).

    Raises
    ------
    SelectionError
        Areas without listing or listing without area, or `overall` above the probability of an
        area.
    KeyColumnError
        A dwelling is listed twice.
    OptionError
        Not exactly one of `take`, `fraction` and `overall` is given, or it is out of range.
    """
    _check_rule(take=take, fraction=fraction, overall=overall, method=method)
    require_columns(areas, [area, "probability"], "The table of areas")
    require_columns(listing, [area, key, *sort], "The listing")
    _check_areas(areas, listing, area, key)
    rng = np.random.Generator(np.random.PCG64(checked_seed(seed)))
    probability = pd.Series(areas["probability"].to_numpy(), index=areas[area].astype("str"))
    rate = _rates(probability, fraction=fraction, overall=overall)
    ordered = listing.sort_values([area, *sort, key], kind="stable").reset_index(drop=True)
    parts = []
    for name, group in ordered.groupby(ordered[area].astype("str"), sort=True):
        found = len(group)
        p = min(take / found, 1.0) if take is not None else float(rate[str(name)])
        chosen = group.iloc[_draw_some(found, p, method, rng)]
        parts.append(_weighed(chosen, float(probability[str(name)]), p))
    return pd.concat(parts, ignore_index=True)


def _check_rule(**given: Any) -> None:
    method = given.pop("method")
    if method not in {"systematic", "srs"}:
        raise OptionError(
            "Dwellings are drawn from a listing by 'systematic' or 'srs', not {method!r}.",
            method=method,
        )
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise OptionError(
            "Give exactly one of take, fraction and overall; {count} were given.", count=len(named)
        )
    value = given[named[0]]
    if value <= 0 or (named[0] != "take" and value > 1):
        raise OptionError(
            "{rule} is {value}; it must be {range}.",
            rule=named[0],
            value=value,
            range="> 0" if named[0] == "take" else "> 0, <= 1",
        )


def _check_areas(areas: pd.DataFrame, listing: pd.DataFrame, area: str, key: str) -> None:
    known = pd.to_numeric(areas["probability"], errors="coerce")
    odd = areas.loc[~((known > 0) & (known <= 1)), area]
    if len(odd):
        raise SelectionError(
            "The probability of {count} areas is missing or not above 0 and at most 1: {areas}. "
            "Take it from the sample.",
            count=len(odd),
            areas=[str(a) for a in odd.iloc[:6]],
        )
    twice = listing.loc[listing.duplicated([area, key]), key]
    if len(twice):
        raise KeyColumnError(
            "{count} rows of the listing repeat a {key!r} of their area: {units}.",
            count=len(twice),
            key=key,
            units=[str(v) for v in twice.iloc[:6]],
        )
    sampled, listed = set(areas[area].astype("str")), set(listing[area].astype("str"))
    strange = sorted(listed - sampled)
    if strange:
        raise SelectionError(
            "{count} areas of the listing are not in the sample: {areas}.",
            count=len(strange),
            areas=strange,
        )
    empty = sorted(sampled - listed)
    if empty:
        raise SelectionError(
            "{count} sampled areas have no listing: {areas}. List them, or take those where no "
            "dwelling was found out of the table of areas and record them as empty.",
            count=len(empty),
            areas=empty,
        )


def _rates(probability: pd.Series, *, fraction: float | None, overall: float | None) -> pd.Series:
    if overall is None:
        return pd.Series(1.0 if fraction is None else fraction, index=probability.index)
    rate = overall / probability
    above = rate[rate > 1 + 1e-12]
    if len(above):
        raise SelectionError(
            "An overall probability of {overall} is above that of {count} areas: {areas}. Ask for "
            "at most {most}.",
            overall=overall,
            count=len(above),
            areas=list(above.index),
            most=float(probability.min()),
        )
    return rate.clip(upper=1)


def _draw_some(found: int, p: float, method: str, rng: np.random.Generator) -> np.ndarray:
    """Draw from a list with probability `p` each: `found` times `p` of them, or next to it."""
    if p >= 1:
        return np.arange(found)
    expected = found * p
    n = int(expected + rng.random()) if abs(expected - round(expected)) > 1e-9 else round(expected)
    if n == 0:
        return np.arange(0)
    chances = np.full(found, n / found)
    return srs(chances, rng) if method == "srs" else systematic(chances, rng)


def _weighed(drawn: pd.DataFrame, first: float, second: float) -> pd.DataFrame:
    return drawn.assign(
        area_probability=first,
        conditional_probability=second,
        probability=first * second,
        base_weight=1 / (first * second),
        order=np.arange(1, len(drawn) + 1),
    )
