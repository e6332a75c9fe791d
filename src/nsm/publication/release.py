"""A microdata file for release: fewer and coarser columns, and what is left of the risk.

Direct keys go; birthplaces, ages, earnings and areas become coarser; then the combinations of the
columns that an outsider may know are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from nsm.errors import OptionError
from nsm.files import require_columns
from nsm.publication.guard import PRECISE, check_legal

OTHER = "other"
KEYS = ("sex", "age", "birth_country", "region", "zone", "schooling")


@dataclass(frozen=True)
class Release:
    """How a file of persons is made coarser.

    Parameters
    ----------
    keys
        Columns that somebody outside may know of a person: k-anonymity is over them.
    k
        Least number of persons who share the same keys; the keys of others are blanked, the rarest
        combination's most telling column first.
    bands
        Number column -> lower limits of classes, the last one open.
    top
        Number column -> share of persons above which values become one value, their mean.
    kept
        Coded column -> codes that stay; all others become `other`. Or a number: codes with fewer
        persons become `other`.
    dropped
        Further columns that do not leave.
    """

    keys: tuple[str, ...] = KEYS
    k: int = 3
    bands: Mapping[str, Sequence[float]] = field(default_factory=dict)
    top: Mapping[str, float] = field(default_factory=dict)
    kept: Mapping[str, Sequence[str] | int] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse numbers out of their range."""
        if self.k < 2:
            raise OptionError("k={k}: at least 2 persons must share their keys.", k=self.k)
        for name, share in self.top.items():
            if not 0.5 < share < 1:
                raise OptionError(
                    "top: {name} = {share}; give the share of persons below, such as 0.99.",
                    name=name,
                    share=share,
                )


class Released(NamedTuple):
    """A file for release and the account of what was done to it.

    Parameters
    ----------
    table
        The persons, in a new order, numbered from 1.
    report
        Rows `what, column, count`: columns dropped, values recoded, blanked.
    risk
        Rows `k, persons, share`: persons whose keys fewer than k persons of the file have, before
        and after (`stage`).
    """

    table: pd.DataFrame
    report: pd.DataFrame
    risk: pd.DataFrame


def release(persons: pd.DataFrame, rule: Release | None = None, *, seed: int) -> Released:
    """Return a file of persons that may leave the office, with its k-anonymity report.

    Parameters
    ----------
    persons
        One row each; keys of areas, dwellings and persons, names, telephones and coordinates are
        dropped whatever the rule says.
    seed
        The order of the rows tells nothing: it is drawn.

    Raises
    ------
    ColumnError
        The rule names a column that there is not.
    PublicationError
        Legal status would leave beside a place below the region.
    """
    rule = rule or Release()
    keys = [c for c in rule.keys if c in persons.columns]
    for part in (rule.bands, rule.top, rule.kept):
        require_columns(persons, part, "The file of persons")
    out = [c for c in persons.columns if c in PRECISE or c in rule.dropped]
    table = persons.drop(columns=out).reset_index(drop=True)
    check_legal(list(table.columns), "The file for release")
    before = risk(table, keys).assign(stage="before")
    steps = [{"what": "dropped", "column": c, "count": len(table)} for c in out]
    table = _coarser(table, rule, steps)
    table = _blanked(table, keys, rule.k, steps)
    generator = np.random.Generator(np.random.PCG64(seed))
    table = table.iloc[generator.permutation(len(table))].reset_index(drop=True)
    table.insert(0, "number", np.arange(1, len(table) + 1))
    after = risk(table, keys).assign(stage="after")
    return Released(
        table,
        pd.DataFrame(steps, columns=["what", "column", "count"]),
        pd.concat([before, after], ignore_index=True)[["stage", "k", "persons", "share"]],
    )


def risk(
    table: pd.DataFrame, keys: Sequence[str], levels: Sequence[int] = (2, 3, 5, 10)
) -> pd.DataFrame:
    """Return how many persons share their keys with fewer than k persons of the file.

    A blank fits every value, so a person counts all whose observed keys agree; see `sharing`.

    Returns
    -------
    Columns `k, persons, share`.
    """
    count = sharing(table, keys)
    few = [int((count < k).sum()) for k in levels]
    shares = [n / len(table) if len(table) else 0.0 for n in few]
    return pd.DataFrame({"k": list(levels), "persons": few, "share": shares})


def sharing(table: pd.DataFrame, keys: Sequence[str]) -> np.ndarray:
    """Return with how many persons each one shares the keys that are not blank (persons,)."""
    if not keys:
        return np.full(len(table), len(table))
    values = table[list(keys)].astype("object").astype("str").where(table[list(keys)].notna())
    patterns = values.isna().to_numpy() @ (1 << np.arange(len(keys)))  # blanks, as bits
    count = np.zeros(len(table), int)
    for pattern in np.unique(patterns):
        known = [c for bit, c in enumerate(keys) if not int(pattern) >> bit & 1]
        mine = patterns == pattern
        if not known:
            count[mine] = len(table)
            continue
        # Who has a blank in one of these columns might have any value: not counted, to be safe.
        sizes = values.groupby(known, dropna=True).size()
        labels = values.loc[mine, known]
        index = pd.MultiIndex.from_frame(labels) if len(known) > 1 else pd.Index(labels[known[0]])
        count[mine] = sizes.reindex(index).to_numpy()
    return count


def _coarser(table: pd.DataFrame, rule: Release, steps: list[dict[str, object]]) -> pd.DataFrame:
    made = table.copy()
    for name, share in rule.top.items():
        values = made[name].astype(float)
        limit = float(values.quantile(share))
        above = values > limit
        made[name] = values.mask(above, float(values[above].mean()) if above.any() else limit)
        steps.append({"what": "top-coded", "column": name, "count": int(above.sum())})
    for name, limits in rule.bands.items():
        made[name] = banded(made[name], limits)
        steps.append({"what": "banded", "column": name, "count": int(made[name].notna().sum())})
    for name, kept in rule.kept.items():
        codes = made[name].astype("object")
        if isinstance(kept, int):
            frequent = codes.value_counts()
            kept = list(frequent.index[frequent >= kept])  # noqa: PLW2901 (a number says which)
        gone = codes.notna() & ~codes.isin(list(kept))
        made[name] = codes.mask(gone, OTHER)
        steps.append({"what": "recoded", "column": name, "count": int(gone.sum())})
    return made


def banded(values: pd.Series, limits: Sequence[float]) -> pd.Series:
    """Return classes of a number as text, the last one open: `0-14`, `15-29`, `30+`.

    >>> banded(pd.Series([3, 15, 40]), [0, 15, 30]).tolist()
    ['0-14', '15-29', '30+']
    """
    edges = [*limits, np.inf]
    names = [f"{low:g}-{high - 1:g}" for low, high in pairwise(limits)]
    cut = pd.cut(values.astype(float), edges, right=False, labels=[*names, f"{limits[-1]:g}+"])
    return cut.astype("object").where(cut.notna(), None)


def _blanked(
    table: pd.DataFrame, keys: Sequence[str], k: int, steps: list[dict[str, object]]
) -> pd.DataFrame:
    """Blank keys that fewer than `k` persons share, the column with most codes first."""
    made = table.copy()
    order = sorted(keys, key=lambda c: (-made[c].nunique(), c))
    blanked = dict.fromkeys(order, 0)
    while (sharing(made, keys) < k).any():  # each round blanks a value of every such person
        for name in order:
            rare = (sharing(made, keys) < k) & made[name].notna().to_numpy()
            made[name] = made[name].astype("object").mask(rare, None)
            blanked[name] += int(rare.sum())
    steps += [{"what": "blanked", "column": c, "count": n} for c, n in blanked.items() if n]
    return made
