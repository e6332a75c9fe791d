"""The guides of questionnaires and fieldwork run as they are written."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from nsm.files import library

GUIDES = Path(__file__).parents[1] / "docs" / "guides"


@pytest.mark.parametrize("name", ["questionnaire", "fieldwork"])
def test_the_guide_runs(name: str, tmp_path: Path) -> None:
    names = {"library": library("questionnaires").parent, "folder": tmp_path}
    result = doctest.testfile(
        str(GUIDES / f"{name}.md"),
        module_relative=False,
        globs=names,
        optionflags=doctest.NORMALIZE_WHITESPACE,
    )
    assert result.attempted > 5
    assert result.failed == 0
