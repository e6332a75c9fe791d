"""`nsm weight` and its parts, on the small country."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from nsm.cli import cli
from nsm.cli.app import call
from nsm.project import Project


@pytest.fixture(scope="module")
def folder(small_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small_project(tmp_path_factory.mktemp("project") / "small")
    Project(made).run(("weighting",))
    return made


def said(
    folder: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0
) -> tuple[str, str]:
    assert call(cli, ["weight", *words, "-C", str(folder)]) == code
    return capsys.readouterr()


def test_the_stage_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(folder, capsys, "--json")
    assert json.loads(out)["persons"]["weighted"] > 1000


def test_a_template_has_the_controls_of_the_recipe(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "controls.csv"
    said(folder, capsys, "template", "--to", str(file))
    made = pd.read_csv(file, dtype={"category": "str"})
    known = pd.read_csv(folder / "results" / "field" / "known_totals.csv")
    assert set(made["variable"]) == set(known["variable"])
    assert made["total"].isna().all()
    _, error = said(folder, capsys, "template", "--to", str(file), code=1)
    assert "is there already" in error


def test_a_check_finds_no_error_and_then_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = said(folder, capsys, "check", "--json")
    assert "error" not in {row["severity"] for row in json.loads(out)}
    file = folder / "results" / "field" / "known_totals.csv"
    text = file.read_text(encoding="utf-8")
    table = pd.read_csv(file)
    table.loc[0, "total"] += 500
    table.to_csv(file, index=False)
    try:
        out, _ = said(folder, capsys, "check", "--lang", "es", code=1)
        assert "W101 error persons" in out
        assert "no suman una misma población" in out
    finally:
        file.write_text(text, encoding="utf-8")


def test_a_report_names_steps_and_extremes(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, _ = said(folder, capsys, "report", "--lang", "es")
    assert "Pesos, paso a paso" in out
    assert "Pesos mayores (uso interno)" in out
    said(folder, capsys, "report", "--to", str(tmp_path / "weights"))
    names = {file.suffix for file in (tmp_path / "weights").iterdir()}
    assert names == {".csv", ".png"}
