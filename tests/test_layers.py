"""Imports point one way, and the lazy ones are listed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "nsm"

# A room may import from the rooms above it.
ORDER = [
    "errors",
    "files",
    "language",
    "condition",
    "totals",
    "frame",
    "allocation",
    "selection",
    "questionnaire",
    "fieldwork",
    "estimation",
    "weighting",
    "indicators",
    "publication",
    "simulation",
    "project",
    "cli",
]

# Delegates of a noun that a lower room serves: (module, room), imported inside a function.
DELEGATES = {
    ("estimation/estimates.py", "publication"),
    ("estimation/saved.py", "weighting"),
    ("estimation/survey.py", "weighting"),
}


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        relative = path.relative_to(SOURCE).with_suffix("")
        if relative.parts[0] not in {"__init__", "__main__", "library"}:
            found.append((relative.parts[0], path))
    return found


def imported_rooms(tree: ast.AST) -> list[tuple[str, int, bool]]:
    """Rooms imported below `tree`, with their line and whether it is inside a function."""
    rooms = []

    def visit(node: ast.AST, *, inside: bool) -> None:
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module]
            if node.module == "nsm":
                names = [f"nsm.{a.name}" for a in node.names if a.name != "__version__"]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        rooms.extend(
            (parts[1], node.lineno, inside)
            for parts in (name.split(".") for name in names)
            if parts[0] == "nsm" and len(parts) > 1
        )
        deeper = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.iter_child_nodes(node):
            visit(child, inside=deeper)

    visit(tree, inside=False)
    return rooms


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


@pytest.mark.parametrize(("room", "path"), modules(), ids=lambda v: getattr(v, "stem", v))
def test_imports_point_upward(room: str, path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not is_type_checking(node)]
    module = path.relative_to(SOURCE).as_posix()
    for other, line, inside in imported_rooms(tree):
        if other == room or ORDER.index(other) < ORDER.index(room):
            continue
        assert inside, f"{module}:{line} imports {other}, a lower room, at module level"
        assert (module, other) in DELEGATES, f"{module}:{line}: undeclared delegate to {other}"


def test_every_room_has_its_place() -> None:
    assert {room for room, _ in modules()} <= set(ORDER)


def test_importing_nsm_is_light() -> None:
    heavy = ("pandas", "geopandas", "matplotlib", "scipy", "duckdb", "pyarrow", "narwhals")
    code = f"import sys, nsm; print([m for m in {heavy!r} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
