"""The guide of the design desk runs as it stands: its commands, its settings and its Python."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from nsm.cli import cli
from nsm.cli.app import call

if TYPE_CHECKING:
    import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "design-desk.md"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def sections(text: str) -> dict[str, str]:
    """Return the tables of a TOML text by name."""
    parts = re.split(r"(?m)^(?=\[)", text)
    return {part.split("\n")[0].strip("[]"): part for part in parts if part.startswith("[")}


def edited(text: str, changes: str) -> str:
    """Return settings in which sections are replaced, with all that stands below them."""
    new = sections(changes)
    kept = {
        name: part
        for name, part in sections(text).items()
        if not any(name == n or name.startswith(f"{n}.") for n in new)
    }
    return "\n".join([*kept.values(), *new.values()])


def commands(block: str) -> list[tuple[str, str]]:
    """Return each command of a console block and what it shows."""
    parts = re.split(r"(?m)^\$ ", block)[1:]
    return [(part.split("\n", 1)[0], part.partition("\n")[2]) for part in parts]


def test_the_guide_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NSM_LANG", "en")
    blocks = re.findall(r"```(\w+)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {"__name__": "guide"}
    checker, shown = doctest.OutputChecker(), 0
    for kind, block in blocks:
        if kind == "python":
            exec(compile(block, GUIDE.name, "exec"), names)  # noqa: S102 (our own page)
            capsys.readouterr()
        elif kind == "toml":
            file = tmp_path / "desk" / "survey.toml"
            file.write_text(edited(file.read_text(encoding="utf-8"), block), encoding="utf-8")
        else:
            for command, wanted in commands(block):
                code = call(cli, shlex.split(command)[1:])
                got = capsys.readouterr().out
                assert code in {0, 1}, command
                assert checker.check_output(wanted, got, FLAGS), f"{command}\n{got}"
                shown += 1
    assert shown == 12
