"""Bring areas together: sizes add up, prevalences are averaged, polygons are dissolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.errors import ColumnError, nearest

if TYPE_CHECKING:
    import geopandas as gpd

    from nsm.frame.frame import Frame


def roll_up(frame: Frame, level: str) -> Frame:
    """Return the frame of larger units; see `Frame.roll_up`.

    Columns of text stay where they are the same in all areas of a unit. `areas` counts them.

    Raises
    ------
    ColumnError, ValueInColumnError
    """
    if level not in frame.table.columns:
        raise ColumnError(
            "The frame has no column {column!r}. {hint}",
            column=level,
            hint=nearest(level, list(frame.table.columns)),
        )
    frame.require_sound(*frame.sizes)
    group, codes = pd.factorize(frame.table[level], sort=True)
    table = collapse(frame, group, len(codes))
    table[level] = codes
    table["areas"] = np.bincount(group, minlength=len(codes))
    keep = [c for c in frame.levels if c in table.columns]
    rest = [c for c in table.columns if c not in {*keep, level}]
    columns = [*dict.fromkeys([level, *keep]), *rest]
    shapes = None if frame.shapes is None else lambda: _dissolved(frame, group, codes, level)
    return frame.replaced(
        table=table[columns],
        key=level,
        description=_description(frame, level, columns),
        shapes=shapes,
        log=None,
    )


def collapse(frame: Frame, group: np.ndarray, count: int) -> pd.DataFrame:
    """Return one row for each group (count,) of rows: the columns that have a meaning there."""
    table, out = frame.table, {}
    lead = lead_rows(frame, group, count)
    order = pd.Series(group)
    for column in table.columns:
        values = table[column]
        if column in frame.sizes:
            out[column] = np.asarray(values.groupby(order.to_numpy()).sum())
        elif column == prior_column(frame) or column in _point_columns(frame):
            out[column] = weighted_mean(values.to_numpy(float), weights(frame), group, count)
        elif values.groupby(order.to_numpy()).nunique(dropna=False).max() <= 1:
            out[column] = values.to_numpy()[lead]
    return pd.DataFrame(out)


def lead_rows(frame: Frame, group: np.ndarray, count: int) -> np.ndarray:
    """Return the position of the largest area of each group; the first by code among equals."""
    order = np.lexsort((frame.table[frame.key].to_numpy(str), -weights(frame), group))
    starts = np.searchsorted(group[order], np.arange(count))
    return order[starts]


def prior_column(frame: Frame) -> str | None:
    """Return the column of prior prevalence: described, or `prior` if there is one."""
    column = frame.description.get("prior", {}).get("column", "prior")
    return column if column in frame.table.columns else None


def weights(frame: Frame) -> np.ndarray:
    """Return what areas count in a mean: the prior's size, the first size, or one each."""
    column = frame.description.get("prior", {}).get("size")
    if column is None and "population" in frame.table.columns:
        column = "population"
    if column is None and frame.sizes:
        column = frame.sizes[0]
    return np.ones(len(frame)) if column is None else frame.table[column].to_numpy(float)


def weighted_mean(
    values: np.ndarray, weight: np.ndarray, group: np.ndarray, count: int
) -> np.ndarray:
    """Return weighted means by group (count,); plain means where all weights are zero."""
    known = ~np.isnan(values)
    total = np.bincount(group[known], (values * weight)[known], count)
    mass = np.bincount(group[known], weight[known], count)
    plain = np.bincount(group[known], values[known], count)
    number = np.bincount(group[known], minlength=count)
    with np.errstate(invalid="ignore"):
        return np.where(mass > 0, total / np.where(mass > 0, mass, 1), plain / number)


def _point_columns(frame: Frame) -> set[str]:
    held = frame.description.get("geometry", {})
    return {held.get("lon", "lon"), held.get("lat", "lat")}


def _description(frame: Frame, level: str, columns: list[str]) -> dict[str, Any]:
    """Keep of the description what still holds for the larger units."""
    about = {k: v for k, v in frame.description.items() if k not in {"files", "bounds"}}
    about["frame"] = {**about.get("frame", {}), "key": level}
    if "levels" in about:
        about["levels"] = [row for row in about["levels"] if row["key"] in columns]
    for part in ("sizes", "classes"):
        if part in about:
            about[part] = {k: v for k, v in about[part].items() if k in columns}
    return about


def _dissolved(frame: Frame, group: np.ndarray, codes: pd.Index, level: str) -> gpd.GeoDataFrame:
    import geopandas as gpd

    from nsm.frame.contiguity import geometry_of

    shapes = unions(geometry_of(frame), group, len(codes))
    crs = frame.require_boundaries().crs
    return gpd.GeoDataFrame({level: codes.astype("str")}, geometry=shapes, crs=crs)


def unions(geometry: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """Return the union of each group's polygons (count,); lone polygons stay as they are."""
    import shapely

    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(count + 1))
    out = np.empty(count, dtype=object)
    for k in range(count):
        mine = geometry[order[starts[k] : starts[k + 1]]]
        out[k] = mine[0] if len(mine) == 1 else shapely.union_all(mine)
    return out
