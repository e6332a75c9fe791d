"""Response classes, joined until each has respondents enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def response_classes(
    codes: Sequence[np.ndarray], respondent: np.ndarray, eligible: np.ndarray, minimum: int = 1
) -> np.ndarray:
    """Return the class of each row.

    Classes are the crossed codes. One with fewer than `minimum` respondents among its eligible
    units is joined to its neighbor with the fewest, under the same codes of the columns before;
    where those together are too few, they go up a column and are joined there.

    Parameters
    ----------
    codes
        Codes of the class columns, each (rows,); none is one class.
    respondent, eligible
        Masks (rows,).

    Returns
    -------
    ndarray (rows,) of classes from 0.
    """
    rows = len(respondent)
    if not codes:
        return np.zeros(rows, np.int64)
    keys = pd.DataFrame({f"c{i}": c for i, c in enumerate(codes)})
    groups = keys.groupby(list(keys.columns), sort=True)
    cell = groups.ngroup().to_numpy()
    labels = list(keys.drop_duplicates().sort_values(list(keys.columns)).itertuples(index=False))
    answered = np.bincount(cell[respondent & eligible], minlength=len(labels)).astype(int)
    wanted = np.bincount(cell[eligible], minlength=len(labels))
    # Bins of cells in order: (prefix, cells, respondents).
    bins = [
        (tuple(label)[:-1], [i], int(answered[i]))
        for i, label in enumerate(labels)
        if wanted[i] > 0
    ]
    for depth in range(len(codes) - 1, -1, -1):
        joined: list[tuple[tuple[int, ...], list[int], int]] = []
        for prefix in dict.fromkeys(b[0][:depth] for b in bins):
            inside = [b for b in bins if b[0][:depth] == prefix]
            joined += [(prefix, b[1], b[2]) for b in _joined(inside, minimum)]
        bins = joined
    result = np.zeros(len(labels), np.int64)
    for number, (_, cells, _) in enumerate(bins):
        result[cells] = number
    return result[cell]


def _joined(
    bins: list[tuple[tuple[int, ...], list[int], int]], minimum: int
) -> list[tuple[tuple[int, ...], list[int], int]]:
    """Join small neighbors until all have the minimum or one is left."""
    bins = list(bins)
    while len(bins) > 1:
        smallest = min(range(len(bins)), key=lambda i: bins[i][2])
        if bins[smallest][2] >= minimum:
            break
        beside = [i for i in (smallest - 1, smallest + 1) if 0 <= i < len(bins)]
        other = min(beside, key=lambda i: bins[i][2])
        first, second = sorted((smallest, other))
        merged = (
            bins[first][0],
            bins[first][1] + bins[second][1],
            bins[first][2] + bins[second][2],
        )
        bins[first : second + 1] = [merged]
    return bins
