"""The guide runs as it is written."""

from __future__ import annotations

import doctest
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "indicators.md"


def test_the_guide_runs() -> None:
    found = doctest.testfile(
        str(GUIDE), module_relative=False, optionflags=doctest.ELLIPSIS, verbose=False
    )
    assert found.attempted > 15
    assert found.failed == 0
