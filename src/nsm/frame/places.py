"""Further frames: sleeping places that are no dwellings, and lists of employers or camps.

A person may be reached through several frames: the farm where she sleeps is on a list, and lies in
an area. `overlap` counts through how many, which is what weights are divided by; `locate` says in
which areas the places of a list lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.errors import FrameError, OptionError
from nsm.files import require_columns
from nsm.frame.contiguity import geometry_of
from nsm.frame.reading import as_text

if TYPE_CHECKING:
    from nsm.frame.frame import Frame


def overlap(frames: Mapping[str, pd.DataFrame], on: str) -> pd.DataFrame:
    """Say in which frames each unit stands.

    Parameters
    ----------
    frames
        Name of a frame -> its table, one row for each link of a unit to the frame: a worker who is
        on the lists of two employers has two rows in the list of workers.
    on
        The column that names a unit, in all tables.

    Returns
    -------
    `on`, a count of links for each frame, `domain` (the names of the frames that hold the unit,
    joined by `+`), `multiplicity` (all its links), and `share` = 1 / multiplicity: what each link
    carries of the unit, so that a unit counts once over all frames.

    References
    ----------
    Lavallée (2007), Indirect Sampling, sec. 2.2; Mecatti (2007), Survey Methodology 33, eq. 3.

    Examples
    --------
    >>> areas = pd.DataFrame({"person": ["a", "b"]})
    >>> camps = pd.DataFrame({"person": ["b", "c", "c"]})
    >>> overlap({"areas": areas, "camps": camps}, on="person").to_numpy().tolist()
    [['a', 1, 0, 'areas', 1, 1.0], ['b', 1, 1, 'areas+camps', 2, 0.5], ['c', 0, 2, 'camps', 2, 0.5]]
    """
    if not frames:
        raise OptionError("No frame is given. Give at least one.")
    counts = {}
    for name, table in frames.items():
        require_columns(table, [on], name)
        counts[name] = as_text(table[on]).value_counts()
    links = pd.DataFrame(counts).fillna(0).astype("int64").sort_index()
    held = links.to_numpy() > 0
    names = np.array(list(frames), dtype=object)
    out = links.rename_axis(on).reset_index()
    out["domain"] = ["+".join(names[row]) for row in held]
    out["multiplicity"] = links.sum(axis=1).to_numpy()
    out["share"] = 1 / out["multiplicity"]
    return out


def locate(frame: Frame, places: pd.DataFrame, *, lon: str = "lon", lat: str = "lat") -> pd.Series:
    """Return the area of each place by its point; missing where it lies in none.

    A point on a border belongs to the area that comes first.
    """
    import shapely

    require_columns(places, [lon, lat], "The table of places")
    points = shapely.points(places[lon].to_numpy(float), places[lat].to_numpy(float))
    known = ~np.isnan(shapely.get_x(points)) & ~np.isnan(shapely.get_y(points))
    tree = shapely.STRtree(geometry_of(frame))
    point, area = tree.query(points[known], predicate="intersects")
    first = pd.Series(area).groupby(point).min()
    out = pd.Series(None, index=places.index, dtype="str")
    rows = np.flatnonzero(known)[first.index]
    out.iloc[rows] = frame.table[frame.key].iloc[first.to_numpy()].to_numpy()
    return out.rename(frame.key)


def with_places(frame: Frame, places: pd.DataFrame, name: str, *, size: str | None = None) -> Frame:
    """Add to each area how many places of a list lie in it, and their size.

    Parameters
    ----------
    places
        With the frame's key; `locate` finds it from points.
    name
        Of the new column; `<name>_<size>` holds the sum of `size`.

    Raises
    ------
    ColumnError
    FrameError
        A place lies in an area that the frame does not have, or in none.
    """
    require_columns(places, [frame.key, *([size] if size else [])], name)
    codes = as_text(places[frame.key])
    lost = ~codes.isin(frame.table[frame.key])
    if lost.any():
        raise FrameError(
            "Places of {name!r} ({count}) lie in no area of the frame; rows {rows}. They are a "
            "frame of their own: keep them apart.",
            name=name,
            count=int(lost.sum()),
            rows=[int(i) + 1 for i in np.flatnonzero(lost)],
        )
    keys = frame.table[frame.key]
    added = {name: codes.value_counts().reindex(keys).fillna(0).astype("int64").to_numpy()}
    if size is not None:
        sums = places.groupby(codes)[size].sum().reindex(keys).fillna(0)
        added[f"{name}_{size}"] = sums.to_numpy()
    return frame.replaced(table=frame.table.assign(**added))
