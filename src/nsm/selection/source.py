"""What is drawn from: the rows of a frame in the order of their key, and how many a stratum."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nsm.errors import KeyColumnError, OptionError, SelectionError
from nsm.files import require_columns

ALL = "all"
_TABLE = "table:"


class Source(NamedTuple):
    """A frame as selection sees it."""

    table: pd.DataFrame
    key: str
    hash: str


def source(frame: Any, key: str | None = None) -> Source:
    """Read a `Frame`, or a table with the name of its key, sorted by key.

    Raises
    ------
    KeyColumnError
        The key is not given, missing in rows, or repeated.
    ColumnError
        The table has no such column.
    """
    plain = isinstance(frame, pd.DataFrame)
    table = pd.DataFrame(frame if plain else frame.table).drop(columns="geometry", errors="ignore")
    key = key or (None if plain else frame.key) or ("area" if "area" in table.columns else None)
    if key is None:
        raise KeyColumnError("Name the column that tells the units apart: key='...'.")
    require_columns(table, [key], "The frame")
    lost = int(table[key].isna().sum())
    if lost:
        raise KeyColumnError("{count} rows of the frame have no {key!r}.", count=lost, key=key)
    if not table[key].is_monotonic_increasing:
        table = table.sort_values(key, kind="stable")
    table = table.reset_index(drop=True)
    twice = table.loc[(table[key] == table[key].shift()).to_numpy(), key]
    if len(twice):
        raise KeyColumnError(
            "{count} rows of the frame repeat a {key!r}: {units}. Give each unit one row.",
            count=len(twice),
            key=key,
            units=[str(v) for v in twice.iloc[:6]],
        )
    return Source(table, key, _TABLE + table_hash(table) if plain else frame.hash)


def checked_seed(seed: int) -> int:
    """Return a seed that is one.

    Raises
    ------
    OptionError
        It is not a whole number from 0 on.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise OptionError(
            "The seed {seed!r} is not a whole number from 0 on. Give one, and write it down.",
            seed=seed,
        )
    return int(seed)


def hash_like(frame: Any, given: Source, recorded: str) -> str:
    """Return the hash of a frame, of the kind recorded: that of a `Frame` or of a table."""
    if recorded.startswith(_TABLE):
        return _TABLE + table_hash(given.table)
    if isinstance(frame, pd.DataFrame):
        from nsm.frame import Frame

        return Frame(given.table, given.key).hash
    return given.hash


def table_hash(table: pd.DataFrame) -> str:
    """Return a hash of the content that depends neither on the order of rows nor of columns."""
    ordered = table[sorted(table.columns, key=str)]
    digest = hashlib.sha256("\0".join(map(str, ordered.columns)).encode())
    digest.update(np.sort(pd.util.hash_pandas_object(ordered, index=False).to_numpy()).tobytes())
    return digest.hexdigest()


def wanted(plan: Any, strata: Sequence[str] | None) -> dict[str, int]:
    """Return the number to draw by stratum.

    Parameters
    ----------
    plan
        A `Plan`, a table with `stratum` and `n`, a mapping, or one number.
    strata
        The strata of the frame; None if it is drawn as a whole.

    Raises
    ------
    SelectionError
        A stratum is missing from one of the two, or a number is not whole.
    """
    if isinstance(plan, int | np.integer):
        return dict.fromkeys(strata or [ALL], int(plan))
    if isinstance(plan, Mapping):
        sizes = pd.Series(dict(plan))
    else:
        table = plan if isinstance(plan, pd.DataFrame) else getattr(plan, "whole", None)
        if table is None:
            raise OptionError(
                "A plan of type {kind} is not understood. Give the result of nsm.allocate, a table "
                "with 'stratum' and 'n', a mapping from stratum to n, or a whole number.",
                kind=type(plan).__name__,
            )
        require_columns(table, ["stratum", "n"], "The plan")
        size = "n_psu" if "n_psu" in table.columns else "n"  # of two stages, the first is drawn
        sizes = pd.Series(table[size].to_numpy(), index=table["stratum"])
    if strata is None:
        raise SelectionError(
            "The plan has strata, but no column of strata was named for the frame."
        )
    sizes.index = sizes.index.map(str)
    _same_strata(sizes.index, strata)
    odd = sizes[(sizes != np.round(sizes)) | (sizes < 0) | sizes.isna()]
    if len(odd):
        raise SelectionError(
            "n is not a whole number from 0 on in {count} strata: {strata}.",
            count=len(odd),
            strata=list(odd.index),
        )
    return {str(label): int(sizes.loc[label]) for label in strata}


def _same_strata(planned: pd.Index, strata: Sequence[str]) -> None:
    twice = planned[planned.duplicated()].unique()
    if len(twice):
        raise SelectionError(
            "The plan names {count} strata more than once: {strata}.",
            count=len(twice),
            strata=list(twice),
        )
    unplanned = sorted(set(strata) - set(planned))
    if unplanned:
        raise SelectionError(
            "{count} strata of the frame are not in the plan: {strata}. Give each its n; 0 leaves "
            "it out on purpose.",
            count=len(unplanned),
            strata=unplanned,
        )
    unknown = sorted(set(planned) - set(strata))
    if unknown:
        raise SelectionError(
            "{count} strata of the plan have no unit in the frame: {strata}. Make the plan from "
            "the strata of this frame.",
            count=len(unknown),
            strata=unknown,
        )
