"""Fieldwork on the map: which team visits which areas, in which order, and how long it takes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nsm.simulation.proposal.prices import Team

EARTH = 6371.0  # km
_ROUNDS = 50
_GAIN = 1e-9  # km


def distances(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Return great-circle distances between points in degrees, in km (points, points)."""
    x, y = np.radians(lon), np.radians(lat)
    half = (
        np.sin((y[:, None] - y) / 2) ** 2
        + np.cos(y)[:, None] * np.cos(y) * np.sin((x[:, None] - x) / 2) ** 2
    )
    return 2 * EARTH * np.arcsin(np.sqrt(np.minimum(half, 1.0)))


def nearest_neighbor(km: np.ndarray, start: int) -> np.ndarray:
    """Return the points in the order of a walk to the nearest that is left."""
    order, left = [start], np.ones(len(km), bool)
    left[start] = False
    while left.any():
        order.append(int(np.argmin(np.where(left, km[order[-1]], np.inf))))
        left[order[-1]] = False
    return np.array(order)


def two_opt(km: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return an open path that no reversal of a piece makes shorter (2-opt).

    Parameters
    ----------
    km
        Distances (points, points).
    order
        The path to begin with; its first point stays first.

    References
    ----------
    Croes (1958), Operations Research 6, 791-812.
    """
    path = np.array(order)
    n = len(path)
    for _ in range(_ROUNDS):
        better = False
        for i in range(n - 2):
            ends = np.arange(i + 2, n)
            a, b = path[i], path[i + 1]
            after = np.append(path[i + 3 :], -1)
            old = km[a, b] + np.where(after >= 0, km[path[ends], after], 0.0)
            new = km[a, path[ends]] + np.where(after >= 0, km[b, after], 0.0)
            best = int(np.argmax(old - new))
            if old[best] - new[best] > _GAIN:
                stop = int(ends[best]) + 1
                path[i + 1 : stop] = path[i + 1 : stop][::-1]
                better = True
        if not better:
            break
    return path


def teams_by_region(work: pd.Series, teams: int) -> pd.Series:
    """Divide teams among regions, one at least, so that the busiest has as little as can be.

    Parameters
    ----------
    work
        Days of one team, by region.
    teams
        To be had; more if there are more regions.
    """
    days, count = work.to_numpy(dtype=float), np.ones(len(work), dtype=int)
    while count.sum() < teams:
        count[np.argmax(days / count)] += 1
    return pd.Series(count, index=work.index)


def routes(areas: pd.DataFrame, team: Team, *, region: str) -> pd.DataFrame:
    """Plan the visits of the drawn areas.

    In each region a path through all areas begins in the west, goes to the nearest area that is
    left, and is made shorter by 2-opt. It is cut into as many pieces as the region has teams, with
    about the same work in each. Distances are between the centers of areas, times the detour.

    Parameters
    ----------
    areas
        `area, lon, lat, households` (to screen), `interviews` (expected), and the region.

    Returns
    -------
    One row per area: `region, team, order, area, km` (from the area before), `days` (of the team,
    with travel), `households, interviews`.
    """
    work = areas["households"] / team.households + areas["interviews"] / team.interviews
    areas = areas.assign(days=work / team.interviewers)
    count = teams_by_region(areas.groupby(region)["days"].sum(), team.teams)
    parts, first = [], 1
    for name, part in areas.sort_values("area").groupby(region, sort=True):
        km = distances(part["lon"].to_numpy(), part["lat"].to_numpy())
        west = int(np.argmin(part["lon"].to_numpy()))
        chained = part.iloc[two_opt(km, nearest_neighbor(km, west))]
        middle = (chained["days"].cumsum() - chained["days"] / 2) / chained["days"].sum()
        number = np.minimum((middle * count[name]).astype(int), count[name] - 1)
        made = chained.assign(team=first + number.to_numpy())
        parts.append(_with_travel(made.rename(columns={region: "region"}), team))
        first += int(count[name])
    columns = ["region", "team", "order", "area", "km", "days", "households", "interviews"]
    return pd.concat(parts, ignore_index=True)[columns]


def _with_travel(areas: pd.DataFrame, team: Team) -> pd.DataFrame:
    km = team.detour * distances(areas["lon"].to_numpy(), areas["lat"].to_numpy())
    step = np.append(0.0, np.diagonal(km, 1))
    step = np.where(areas["team"] == areas["team"].shift(), step, 0.0)
    days = areas["days"] + step / team.speed / team.hours
    return areas.assign(km=step, days=days, order=areas.groupby("team").cumcount() + 1)


def workload(planned: pd.DataFrame) -> pd.DataFrame:
    """Return the work of each region.

    Returns
    -------
    `region, areas, households, interviews, teams, days` (of the team that has most), `team_days,
    km`.
    """
    teams = planned.groupby(["region", "team"])["days"].sum().groupby("region")
    sums = planned.groupby("region").agg(
        areas=("area", "size"),
        households=("households", "sum"),
        interviews=("interviews", "sum"),
        teams=("team", "nunique"),
        km=("km", "sum"),
    )
    made = sums.assign(days=teams.max(), team_days=teams.sum()).reset_index()
    columns = ["region", "areas", "households", "interviews", "teams", "days", "team_days", "km"]
    return made[columns]
