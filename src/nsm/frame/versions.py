"""Changes between two versions of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nsm.frame.findings import Finding, finding, findings_table

if TYPE_CHECKING:
    from nsm.frame.frame import Frame

CHANGES = ("removed", "added", "recoded", "moved", "changed")
_LARGE = 0.25


def diff(frame: Frame, other: Frame, language: str = "en") -> pd.DataFrame:
    """List what changed from `frame` to `other`, as findings: F601 to F605.

    `changes` has the same in detail. An area is recoded if it left under one code and came back
    under another with the same sizes, which no other area has.
    """
    detail = changes(frame, other)
    found: list[Finding] = []
    for code, severity, change, template in (
        ("F601", "warning", "removed", "{count} areas are no longer in the frame."),
        ("F602", "warning", "added", "{count} areas are new in the frame."),
        ("F603", "info", "recoded", "{count} areas have a new code and the same sizes."),
        ("F604", "warning", "moved", "{count} areas lie in another unit above."),
    ):
        rows = detail[detail["change"] == change].drop_duplicates("area")
        shown = [
            f"{r.area} ({r.before} -> {r.after})" if change in {"recoded", "moved"} else r.area
            for r in rows.itertuples()
        ]
        found += finding(code, severity, frame.key, shown, template)
    sized = detail[(detail["change"] == "changed") & detail["column"].isin(frame.sizes)]
    for column, rows in sized.groupby("column"):
        shift = rows["after"].astype(float) - rows["before"].astype(float)
        large = (shift.abs() > _LARGE * rows["before"].astype(float).abs()).sum()
        found += finding(
            "F605",
            "info",
            str(column),
            [f"{r.area} ({r.before} -> {r.after})" for r in rows.itertuples()],
            "{column} changed in {count} areas, in {large} of them by more than a quarter; in all "
            "by {shift}.",
            column=column,
            large=int(large),
            shift=f"{shift.sum():+.0f}",
        )
    return findings_table(found, language)


def changes(frame: Frame, other: Frame) -> pd.DataFrame:
    """Return every change from `frame` to `other`.

    Returns
    -------
    `change` (removed, added, recoded, moved, changed), `area` (the code in `other`, or the old one
    if it was removed), `column`, `before`, `after` (as text). One row for each changed value.
    """
    frame.require_sound()
    other.require_sound()
    old = frame.table.set_index(frame.key)
    new = other.table.set_index(other.key)
    recoded = _recoded(frame, other, old, new)
    gone = old.index.difference(new.index).difference(pd.Index(recoded))
    come = new.index.difference(old.index).difference(pd.Index(recoded.values()))
    rows = [("removed", area, "", area, "") for area in gone]
    rows += [("added", area, "", "", area) for area in come]
    rows += [("recoded", b, frame.key, a, b) for a, b in recoded.items()]
    common = old.index.intersection(new.index)
    for column in [c for c in old.columns if c in new.columns]:
        before, after = old.loc[common, column], new.loc[common, column]
        differs = (before != after) & ~(before.isna() & after.isna())
        change = "moved" if column in frame.levels else "changed"
        rows += [
            (change, area, column, str(a), str(b))
            for area, a, b in zip(common[differs], before[differs], after[differs], strict=True)
        ]
    table = pd.DataFrame(rows, columns=["change", "area", "column", "before", "after"])
    order = table["change"].map({c: k for k, c in enumerate(CHANGES)})
    ordered = table.assign(order=order).sort_values(["order", "area", "column"], kind="stable")
    return ordered.drop(columns="order").reset_index(drop=True)


def _recoded(frame: Frame, other: Frame, old: pd.DataFrame, new: pd.DataFrame) -> dict[str, str]:
    """Return old code -> new code of the areas that only changed their code."""
    sizes = [c for c in frame.sizes if c in other.sizes]
    gone, come = old.index.difference(new.index), new.index.difference(old.index)
    if len(sizes) < 2 or not len(gone) or not len(come):
        return {}
    left = old.loc[gone, sizes].drop_duplicates(keep=False)
    right = new.loc[come, sizes].drop_duplicates(keep=False)
    by_size = {tuple(row): code for code, row in zip(right.index, right.to_numpy(), strict=True)}
    pairs = zip(left.index, left.to_numpy(), strict=True)
    return {code: by_size[tuple(row)] for code, row in pairs if tuple(row) in by_size}
