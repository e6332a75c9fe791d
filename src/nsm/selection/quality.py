"""How well a sample mirrors its frame: balance of totals and spread in space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.files import require_columns
from nsm.selection.probabilities import inclusion_probabilities
from nsm.selection.source import ALL

if TYPE_CHECKING:
    from nsm.selection.sample import Sample


def balance_table(drawn: pd.DataFrame, frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return totals of the frame, their estimates, and relative deviations."""
    require_columns(frame, columns, "The frame")
    totals = frame[list(columns)].sum().to_numpy(dtype=float)
    estimates = drawn["base_weight"].to_numpy() @ drawn[list(columns)].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.where(totals != 0, estimates / totals - 1, np.nan)
    return pd.DataFrame(
        {"variable": columns, "total": totals, "estimate": estimates, "deviation": deviation}
    )


def spatial_balance(p: np.ndarray, points: np.ndarray, drawn: np.ndarray) -> float:
    """Return the mean squared deviation from 1 of the probabilities nearest to each drawn unit.

    Every unit of the frame is given to the nearest drawn unit; in a well spread sample each drawn
    unit stands for probabilities that add up to 1.

    Parameters
    ----------
    p
        Inclusion probabilities (units,).
    points
        Coordinates (units, dimensions).
    drawn
        Positions of the sample.

    References
    ----------
    Stevens & Olsen (2004), Journal of the American Statistical Association 99, 262-278.
    """
    from scipy.spatial import cKDTree

    owner = cKDTree(points[drawn]).query(points)[1]
    return float(np.mean((np.bincount(owner, weights=p, minlength=len(drawn)) - 1) ** 2))


def spread_of_sample(sample: Sample, frame: pd.DataFrame, columns: Sequence[str]) -> float:
    """Return the spatial balance of the main areas of a sample."""
    require_columns(frame, columns, "The frame")
    points = frame[list(columns)].to_numpy(dtype=float)
    drawn = np.flatnonzero(frame[sample.key].isin(sample.main[sample.key]).to_numpy())
    return spatial_balance(frame_probabilities(sample, frame), points, drawn)


def frame_probabilities(sample: Sample, frame: pd.DataFrame) -> np.ndarray:
    """Return the inclusion probability of every unit of the frame, without regard to reserves."""
    receipt = sample.receipt
    size = frame[receipt["size"]].to_numpy(dtype=float) if receipt["size"] else np.ones(len(frame))
    column = receipt["stratum"]
    labels = pd.Series(ALL, index=frame.index) if column is None else frame[column].astype("str")
    sizes = sample.strata.set_index("stratum")
    drawn = (sizes["n"] + sizes["released"]).to_dict()
    p = np.zeros(len(frame))
    for label, rows in labels.groupby(labels).indices.items():
        n = int(drawn[str(label)])
        if n:
            p[rows] = inclusion_probabilities(size[rows], n)
    return p
