"""The guides of this room run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"


@pytest.mark.parametrize("name", ["simulate.md", "planning.md", "populations.md"])
def test_a_guide_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (GUIDES / name).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))
    assert code
    exec(compile(code, name, "exec"), {"__name__": name})  # noqa: S102 (our own pages)
