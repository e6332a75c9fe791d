"""Routes: short, whole, and shared out evenly."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from nsm.simulation.proposal import Team, routes, workload
from nsm.simulation.proposal.routes import distances, nearest_neighbor, two_opt

TEAM = Team(5, 4, 20.0, 8.0, 40.0, 8.0, 5.0, 1.3)


def points(count: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.Generator(np.random.PCG64(seed))
    return rng.uniform(-72, -69, count), rng.uniform(18, 20, count)


def length(km: np.ndarray, path: np.ndarray) -> float:
    return float(km[path[:-1], path[1:]].sum())


def areas(count: int = 60) -> pd.DataFrame:
    lon, lat = points(count)
    return pd.DataFrame(
        {
            "area": [f"{i:04d}" for i in range(count)],
            "region": np.where(lon < -71, "west", "east"),
            "lon": lon,
            "lat": lat,
            "households": 100.0,
            "interviews": np.arange(count, dtype=float),
        }
    )


def test_a_degree_of_latitude_has_111_km() -> None:
    km = distances(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 60.0]))
    assert km[0, 1] == pytest.approx(111.19, abs=0.01)
    assert np.allclose(km, km.T)


@pytest.mark.parametrize("seed", range(5))
def test_two_opt_is_near_the_best_path(seed: int) -> None:
    km = distances(*points(8, seed))
    first = nearest_neighbor(km, 0)
    better = two_opt(km, first)
    assert sorted(better) == list(range(8))
    assert better[0] == 0
    best = min(length(km, np.array((0, *rest))) for rest in permutations(range(1, 8)))
    assert best - 1e-9 <= length(km, better) <= length(km, first) + 1e-9
    assert length(km, better) <= 1.25 * best


def test_no_reversal_makes_the_path_shorter() -> None:
    km = distances(*points(40))
    path = two_opt(km, nearest_neighbor(km, 0))
    for i in range(1, 39):
        for j in range(i + 1, 41):
            other = np.concatenate([path[:i], path[i:j][::-1], path[j:]])
            assert length(km, other) >= length(km, path) - 1e-6


def test_every_area_is_visited_once_by_a_team_of_its_region() -> None:
    table = areas()
    planned = routes(table, TEAM, region="region")
    assert sorted(planned["area"]) == sorted(table["area"])
    assert planned["team"].nunique() == TEAM.teams
    assert len(planned[["team", "region"]].drop_duplicates()) == TEAM.teams
    days = planned.groupby("team")["days"].sum()
    assert days.max() < 1.4 * days.mean()
    again = routes(table.sample(frac=1, random_state=1), TEAM, region="region")
    pd.testing.assert_frame_equal(planned, again)


def test_the_work_of_regions_adds_up() -> None:
    planned = routes(areas(), TEAM, region="region")
    work = workload(planned)
    assert work["areas"].sum() == 60
    assert work["team_days"].sum() == pytest.approx(planned["days"].sum())
    travel = planned["km"].sum() / TEAM.speed / TEAM.hours
    effort = (planned["households"] / 20 + planned["interviews"] / 8).sum() / 4
    assert planned["days"].sum() == pytest.approx(travel + effort)
