"""Coverage: whether the frame holds as much as the census, domain by domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nsm.errors import FrameError
from nsm.frame.findings import Finding, finding
from nsm.frame.reading import as_text

if TYPE_CHECKING:
    import pandas as pd

    from nsm.frame.frame import Frame

# A domain whose frame and census differ by more than this share is named.
_TOLERANCE = 0.005
_TEMPLATE = {
    "F501": (
        "In {count} domains the frame holds fewer {size} than the census; the least share is "
        "{worst}."
    ),
    "F502": (
        "In {count} domains the frame holds more {size} than the census; the largest share is "
        "{worst}."
    ),
}


def check_coverage(frame: Frame, census: pd.DataFrame) -> list[Finding]:
    """Compare sizes by domain with a census: F501 (too few), F502 (too many), F503 (unknown).

    Raises
    ------
    FrameError
        The census shares no domain column, or no size, with the frame.
    """
    domains = [c for c in census.columns if c in frame.table.columns and _classifies(frame, c)]
    sizes = [c for c in frame.sizes if c in census.columns]
    if not domains:
        raise FrameError(
            "The census table has no domain column of the frame; it has {columns}. Rename one to "
            "the frame's.",
            columns=list(census.columns),
        )
    if not sizes:
        raise FrameError(
            "The census table has no size of the frame; it has {columns}. Rename one to the "
            "frame's.",
            columns=list(census.columns),
        )
    text = {d: as_text(census[d]) for d in domains}
    wanted = census.assign(**text).groupby(domains)[sizes].sum()
    held = frame.table.groupby(domains)[sizes].sum()
    where = "/".join(domains)
    found = finding(
        "F503", "warning", where, [_name(u) for u in wanted.index.symmetric_difference(held.index)],
        "{count} domains stand in the frame or in the census only.",
    )  # fmt: skip
    common = wanted.index.intersection(held.index)
    for size in sizes:
        ratio = held.loc[common, size] / wanted.loc[common, size].where(
            wanted.loc[common, size] > 0
        )
        for code, wrong in (("F501", ratio < 1 - _TOLERANCE), ("F502", ratio > 1 + _TOLERANCE)):
            off = ratio[wrong]
            shown = [f"{_name(unit)} ({share:.3f})" for unit, share in off.items()]
            worst = off.min() if code == "F501" else off.max()
            found += finding(
                code, "warning", where, shown, _TEMPLATE[code], size=size, worst=f"{worst:.3f}"
            )
    return found


def _classifies(frame: Frame, column: str) -> bool:
    """Return whether a column holds codes or classes, not sizes, shares or coordinates."""
    from pandas.api.types import is_float_dtype

    return column not in frame.sizes and not is_float_dtype(frame.table[column])


def _name(unit: object) -> str:
    return " / ".join(str(u) for u in unit) if isinstance(unit, tuple) else str(unit)
