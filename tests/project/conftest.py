"""A small project that has been run, for tests that only look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nsm.project import Project


@pytest.fixture(scope="session")
def finished(
    small_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The small country's project after `nsm run`; not to be changed."""
    project = Project(small_project(tmp_path_factory.mktemp("finished") / "small"))
    done = project.run()
    assert len(done) == 9
    return project
