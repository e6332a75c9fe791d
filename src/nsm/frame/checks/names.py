"""Names: stray characters, codes without a name, and names that are nearly the same."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pandas as pd

from nsm.frame.findings import Finding, finding

if TYPE_CHECKING:
    from nsm.frame.frame import Frame


def plain(name: object) -> str:
    """Return a name without accents, case, brackets and punctuation.

    >>> plain("San José  de Ocoa (D.M.)")
    'san jose de ocoa'
    """
    folded = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"\(.*?\)", " ", folded)).strip()


def check_names(frame: Frame) -> list[Finding]:
    """Look at all text, and at the names of units: F108 to F112."""
    found: list[Finding] = []
    for column in frame.table.columns:
        values = frame.table[column]
        if pd.api.types.is_string_dtype(values) and column not in frame.levels:
            found += _stray(values, column)
    if frame.names is None:
        return found
    listed = frame.names
    found += _stray(listed["name"], "names")
    for level in frame.levels[:-1]:
        codes = set(frame.table[level].dropna())
        known = listed.loc[listed["level"] == level, "code"]
        repeated = known[known.duplicated()].unique()
        found += [
            *finding("F109", "warning", level, sorted(codes - set(known)),
                     "{count} codes have no name."),
            *finding("F110", "info", level, sorted(set(known) - codes),
                     "{count} units with a name have no area."),
            *finding("F111", "warning", level, list(repeated),
                     "{count} codes have more than one name."),
        ]  # fmt: skip
    return found + _near(listed)


def _stray(values: pd.Series, where: str) -> list[Finding]:
    known = values.dropna().drop_duplicates()
    odd = known[known.str.contains(r"^\s|\s$|[\x00-\x1f\x7f\u200b\ufeff]|  ", regex=True)]
    return finding(
        "F108",
        "warning",
        where,
        [repr(v) for v in odd],
        "{count} texts hold stray spaces or line ends, and will not join. Strip them.",
    )


def _near(listed: pd.DataFrame) -> list[Finding]:
    """Find units of one level, and of the same unit above, whose names are the same when plain."""
    table = listed.drop_duplicates(["level", "code"])
    table = table.assign(plain=table["name"].map(plain))
    widths = sorted(table["code"].str.len().unique())
    shorter = {w: widths[max(k - 1, 0)] for k, w in enumerate(widths)}
    above = [c[: shorter[len(c)]] if shorter[len(c)] < len(c) else "" for c in table["code"]]
    table = table.assign(above=above)
    same = table[table.duplicated(["level", "above", "plain"], keep=False)]
    return finding(
        "F112",
        "warning",
        "names",
        [f"{c} {n}" for c, n in same.loc[same["plain"] != "", ["code", "name"]].to_numpy()],
        "{count} units have the same name as another one of the same unit above.",
    )
