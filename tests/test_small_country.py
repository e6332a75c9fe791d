"""The small country of the tests adds up to the official tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from nsm.project import Project

OFFICIAL = Path(__file__).parents[1] / "frames" / "do" / "official"


def test_the_small_project_is_a_project(
    small_project: Callable[[Path], Path], tmp_path: Path
) -> None:
    project = Project(small_project(tmp_path / "small"))
    assert [state.why for state in project.states()] == ["never run"] * 9
    assert project.source("frame").is_dir()


def test_it_holds_all_territories_and_whole_districts(small_areas: pd.DataFrame) -> None:
    assert set(small_areas["territory"]) == {"border", "sugar", "concentration", "crops", "rest"}
    whole = pd.read_parquet(OFFICIAL.parent / "areas.parquet")
    whole = whole[whole["district"].isin(small_areas["district"])]
    assert len(whole) == len(small_areas) == 2346
