"""The guide of weighting runs as it is written."""

from __future__ import annotations

import doctest
from pathlib import Path

GUIDE = Path(__file__).parents[1] / "docs" / "guides" / "weighting.md"


def test_the_guide_runs() -> None:
    flags = doctest.NORMALIZE_WHITESPACE
    result = doctest.testfile(str(GUIDE), module_relative=False, optionflags=flags)
    assert result.attempted > 10
    assert result.failed == 0
