"""Every text that a user reads is kept in Spanish, with the same placeholders."""

from __future__ import annotations

import ast
import doctest
import string
from importlib import import_module
from pathlib import Path

import pytest
import yaml

SOURCE = Path(__file__).parents[2] / "src" / "nsm"
ROOMS = [room for room in ("condition", "questionnaire", "fieldwork") if (SOURCE / room).exists()]
# Calls whose literal texts a user reads.
KEPT = {"message", "_COMPUTED"}
SAID = {"refuse", "note", "translate", "Finding", "finding", "Check", "_simple"}


def texts(room: str) -> set[str]:
    """The literal texts of errors and findings in a room."""
    found = set()
    for path in (SOURCE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in KEPT:
                found |= {node.value.value} if isinstance(node.value, ast.Constant) else set()
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name.endswith("Error") or name in SAID:
                    found |= {
                        a.value
                        for a in (*node.args, *(k.value for k in node.keywords))
                        if isinstance(a, ast.Constant)
                        and isinstance(a.value, str)
                        and " " in a.value
                    }
    return found


def placeholders(text: str) -> list[str]:
    return sorted(str(name) for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_is_kept_in_spanish(room: str) -> None:
    file = SOURCE / "locale" / "es" / f"{room}.yaml"
    spanish = yaml.safe_load(file.read_text(encoding="utf-8"))
    shared = yaml.safe_load((file.parent / "errors.yaml").read_text(encoding="utf-8"))
    assert texts(room) <= {*spanish, *shared}
    for english, text in spanish.items():
        assert placeholders(english) == placeholders(text), english


@pytest.mark.parametrize("room", ROOMS)
def test_examples_in_docstrings_run(room: str) -> None:
    for path in sorted((SOURCE / room).rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        module = import_module(".".join(p for p in parts if p != "__init__"))
        assert doctest.testmod(module).failed == 0, path
