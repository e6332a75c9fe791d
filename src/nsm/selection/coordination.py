"""Permanent random numbers, and the overlap of samples drawn with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

from nsm.errors import SelectionError
from nsm.selection.sample import Sample


def permanent_numbers(keys: Iterable[object], seed: int) -> np.ndarray:
    """Give each unit a random number in [0, 1) that depends on its key and the seed alone.

    A unit keeps its number when others enter or leave the frame, in every survey.

    References
    ----------
    Ohlsson (1995), Coordination of samples using permanent random numbers, in Business Survey
    Methods, ch. 9.

    Examples
    --------
    >>> permanent_numbers(["1001", "1002"], seed=7).round(3).tolist()
    [0.371, 0.071]
    """
    prefix = f"{seed}\0".encode()
    digests = (hashlib.sha256(prefix + str(key).encode()).digest()[:8] for key in keys)
    numbers = np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)
    return (numbers >> np.uint64(11)) * 2.0**-53


def overlap(one: Sample, other: Sample) -> pd.DataFrame:
    """Count the main areas that two samples share.

    Returns
    -------
    DataFrame with one row: `first, second, common, share` (of the smaller sample).

    Raises
    ------
    SelectionError
        The samples are of frames with other keys.
    """
    if one.key != other.key:
        raise SelectionError(
            "The samples have other keys ({first!r} and {second!r}), so they cannot be compared.",
            first=one.key,
            second=other.key,
        )
    first, second = (set(sample.main[sample.key].astype("str")) for sample in (one, other))
    common = len(first & second)
    return pd.DataFrame(
        {
            "first": [len(first)],
            "second": [len(second)],
            "common": [common],
            "share": [common / max(min(len(first), len(second)), 1)],
        }
    )
