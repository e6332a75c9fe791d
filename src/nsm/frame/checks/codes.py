"""Keys and hierarchical codes: repeated, missing, broken, or short of their zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nsm.frame.findings import Finding, finding

if TYPE_CHECKING:
    import pandas as pd

    from nsm.frame.frame import Frame


def check_codes(frame: Frame) -> list[Finding]:
    """Look at the key and at the codes of all levels: F101 to F107, and F113."""
    codes = frame.table[frame.key]
    if not len(codes):
        return finding("F113", "error", frame.key, [frame.key], "The frame holds no area.")
    blank = codes.isna() | (codes.str.strip() == "")
    repeated = codes[codes.duplicated() & ~blank].unique()
    found = [
        *finding(
            "F101",
            "error",
            frame.key,
            list(repeated),
            "{count} codes stand more than once. Keep one row for each area.",
        ),
        *finding(
            "F102",
            "error",
            frame.key,
            _rows(blank),
            "{count} rows have no code. Give each area its code.",
        ),
    ]
    digits = {d["key"]: d.get("digits") for d in frame.description.get("levels", [])}
    for level in frame.levels:
        found += _widths(frame.table[level], level, digits.get(level))
    for upper, lower in zip(frame.levels[:-1], frame.levels[1:], strict=True):
        found += _nesting(frame.table, upper, lower)
    return found


def _widths(codes: pd.Series, level: str, digits: int | None) -> list[Finding]:
    """Find codes of another length: short ones that zeros would mend, and the others."""
    known = codes.dropna().drop_duplicates()
    known = known[known.str.strip() != ""]
    if known.empty:
        return []
    lengths = known.str.len()
    width = int(digits or _usual_width(known, lengths))
    numeric = known.str.fullmatch(r"\d+")
    # A column of numbers of one digit less than said has lost the zeros of all its codes, or of
    # those that begin with one.
    short = numeric & (lengths < width) & known.str[0].ne("0")
    lost = short if digits or _beside_full(known, width, short) else short & False
    odd = (lengths != width) & ~lost
    return [
        *finding(
            "F103",
            "error",
            level,
            list(known[lost]),
            "{count} codes have fewer than {width} digits: their leading zeros are lost. Read the "
            "column as text, or fill them up again.",
            width=width,
        ),
        *finding(
            "F104",
            "error" if digits else "warning",
            level,
            list(known[odd]),
            "{count} codes do not have {width} characters as the others have.",
            width=width,
        ),
        *finding(
            "F105",
            "warning",
            level,
            list(known[~known.str.fullmatch(r"[0-9A-Za-z.\-]+")]),
            "{count} codes hold spaces or odd characters. Strip them.",
        ),
    ]


def _usual_width(known: pd.Series, lengths: pd.Series) -> int:
    """Return the usual length; the larger of two for numbers of which none begins with 0."""
    two = sorted(lengths.unique())
    bare = known.str.fullmatch(r"[1-9]\d*").all()
    if bare and len(two) == 2 and two[1] - two[0] == 1:
        return int(two[1])
    return int(lengths.mode().iloc[-1])


def _beside_full(known: pd.Series, width: int, short: pd.Series) -> bool:
    """Say whether short codes lack a zero: one digit less, and no full code begins with 0."""
    full = known[known.str.len() == width]
    one_less = (known[short].str.len() == width - 1).all()
    return bool(short.any() and one_less and len(full) and not full.str.startswith("0").any())


def _nesting(table: pd.DataFrame, upper: str, lower: str) -> list[Finding]:
    """Find units that do not begin with the code above, or that lie in two units."""
    pairs = table[[upper, lower]].dropna().drop_duplicates()
    parents = pairs.groupby(lower)[upper].nunique()
    begins = [b.startswith(a) for a, b in pairs.itertuples(index=False)]
    broken = pairs.loc[[not b for b in begins], lower]
    # Where codes are not cumulative at all, they need not begin alike.
    cumulative = sum(begins) >= len(pairs) / 2
    blank = table[upper].isna() | (table[upper].str.strip() == "")
    return [
        *finding(
            "F106",
            "error",
            lower,
            list(broken) if cumulative else [],
            "{count} codes do not begin with the code of their {upper}.",
            upper=upper,
        ),
        *finding(
            "F107",
            "error",
            lower,
            list(parents[parents > 1].index),
            "{count} units lie in more than one {upper}.",
            upper=upper,
        ),
        *finding(
            "F102",
            "error",
            upper,
            list(table.loc[blank, lower]),
            "{count} rows have no code. Give each area its code.",
        ),
    ]


def _rows(wrong: pd.Series) -> list[int]:
    return [int(i) + 1 for i in wrong.to_numpy().nonzero()[0]]
