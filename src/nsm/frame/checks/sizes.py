"""Sizes, classes and the prior: missing, negative, zero, or far from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.frame.findings import Finding, finding

if TYPE_CHECKING:
    from nsm.frame.frame import Frame

# Robust z-score of a logarithm beyond which a ratio is an outlier (Iglewicz & Hoaglin, 1993, use
# 3.5 for values; ratios of small areas have longer tails).
_FAR = 6.0


def check_sizes(frame: Frame) -> list[Finding]:
    """Look at all sizes, classes and the prior: F301 to F309."""
    found: list[Finding] = []
    numeric = [c for c in frame.sizes if pd.api.types.is_numeric_dtype(frame.table[c])]
    for size in frame.sizes:
        found += _values(frame, size) if size in numeric else _no_numbers(frame, size)
    for size, bounds in frame.description.get("bounds", {}).items():
        if not pd.api.types.is_numeric_dtype(frame.table[size]):
            continue  # F305 says so.
        found += _outside(frame, size, float(bounds[0]), float(bounds[1]))
    if {"population", "households"} <= set(numeric):
        found += _ratio(frame, "population", "households")
    for column, classes in frame.description.get("classes", {}).items():
        found += _classes(frame, column, set(classes))
    return found + _prior(frame)


def _values(frame: Frame, size: str) -> list[Finding]:
    values, codes = frame.table[size], frame.table[frame.key]
    part = size in {c for p in frame.description.get("parts", {}).values() for c in p}
    return [
        *finding("F301", "error", size, list(codes[values.isna()]),
                 "{size} is missing for {count} areas.", size=size),
        *finding("F302", "error", size, list(codes[values < 0]),
                 "{size} is negative for {count} areas.", size=size),
        *finding("F303", "warning", size, [] if part or _often_zero(values) else
                 list(codes[values == 0]),
                 "{size} is zero for {count} areas, which no sample by this size can reach.",
                 size=size),
        *finding("F304", "warning", size,
                 list(codes[values.notna() & (values != values.round())]),
                 "{size} is no whole number for {count} areas.", size=size),
    ]  # fmt: skip


def _often_zero(values: pd.Series) -> bool:
    """Say whether zero is an ordinary value of this size (persons in collective dwellings)."""
    return bool((values == 0).mean() > 0.25)


def _no_numbers(frame: Frame, size: str) -> list[Finding]:
    parsed = pd.to_numeric(frame.table[size], errors="coerce")
    wrong = parsed.isna() & frame.table[size].notna()
    return finding(
        "F305", "error", size, list(frame.table.loc[wrong, frame.key]),
        "{size} does not hold numbers: {count} areas have text.", size=size,
    )  # fmt: skip


def _outside(frame: Frame, size: str, low: float, high: float) -> list[Finding]:
    values = frame.table[size]
    wrong = (values < low) | (values > high)
    cases = frame.table.loc[wrong, [frame.key, size]].to_numpy()
    return finding(
        "F306", "warning", size, [f"{code} ({value})" for code, value in cases],
        "{size} of {count} areas lies outside {low} to {high}. Merge the small and split the large "
        "ones.",
        size=size, low=f"{low:.0f}", high=f"{high:.0f}",
    )  # fmt: skip


def _ratio(frame: Frame, top: str, bottom: str) -> list[Finding]:
    """Find areas whose ratio of two sizes is far from all others."""
    usable = (frame.table[top] > 0) & (frame.table[bottom] > 0)
    logs = pd.Series(np.log(frame.table.loc[usable, top] / frame.table.loc[usable, bottom]))
    spread = float((logs - logs.median()).abs().median())
    if not spread:
        return []
    far = logs[(0.6745 * (logs - logs.median()) / spread).abs() > _FAR]
    cases = frame.table.loc[far.index, frame.key]
    shown = [f"{c} ({np.exp(v):.1f})" for c, v in zip(cases, far, strict=True)]
    return finding(
        "F307", "warning", f"{top}/{bottom}", shown,
        "{top} per {bottom} of {count} areas is far from the others (median {median}).",
        top=top, bottom=bottom, median=f"{np.exp(logs.median()):.2f}",
    )  # fmt: skip


def _classes(frame: Frame, column: str, known: set[str]) -> list[Finding]:
    values = frame.table[column]
    return finding(
        "F308", "error", column, list(frame.table.loc[~values.isin(known), frame.key]),
        "{count} areas have a {column} that is not described: {values}.",
        column=column,
        values=", ".join(sorted({str(v) for v in values[~values.isin(known)]})[:5]),
    )  # fmt: skip


def _prior(frame: Frame) -> list[Finding]:
    column = frame.description.get("prior", {}).get("column")
    if column is None:
        return []
    values = frame.table[column]
    wrong = values.isna() | (values < 0) | (values > 1)
    return finding(
        "F309", "error", column, list(frame.table.loc[wrong, frame.key]),
        "The prior prevalence of {count} areas is missing or not between 0 and 1.",
    )  # fmt: skip
