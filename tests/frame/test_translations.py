"""Every text of the room has its Spanish, with the same values."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from nsm.language import catalog

SOURCE = Path(__file__).parents[2] / "src" / "nsm"
FILES = [*(SOURCE / "frame").rglob("*.py"), SOURCE / "simulation" / "concentration.py"]


def texts() -> list[str]:
    found = []
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            position = {"finding": 4, "translate": 0}.get(
                name, 0 if name.endswith("Error") else None
            )
            if position is None or name == "ValueError" or len(node.args) <= position:
                continue
            said = node.args[position]
            if isinstance(said, ast.Constant):
                found.append(said.value)
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("text", texts())
def test_a_text_has_its_spanish(text: str) -> None:
    spanish = catalog("es")[text]
    assert sorted(re.findall(r"{(\w+)", spanish)) == sorted(re.findall(r"{(\w+)", text))


def test_there_are_texts() -> None:
    assert len(texts()) > 60
