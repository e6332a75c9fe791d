"""`nsm field` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from tests.fieldwork.exports import tables
from tests.questionnaire.walk import interviews

from nsm.cli import cli
from nsm.cli.app import call
from nsm.questionnaire import Questionnaire

SHORT = Path(__file__).parents[2] / "questionnaires" / "eni-short"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = call(cli, ["field", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    form = Questionnaire.read(SHORT)
    folder = tmp_path / "delivery"
    folder.mkdir()
    for name, table in tables(form, interviews(form, 6, seed=4), tmp_path).items():
        table.to_parquet(folder / f"{name}.parquet")
    return folder


def test_a_sound_delivery_passes(delivery: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", str(delivery), "--form", str(SHORT), "--lang", "es")
    assert code == 0
    assert " error " not in out  # chance brings doubtful answers: advertencia


def test_a_wrong_delivery_fails_without_showing_answers(
    delivery: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    persons = pd.read_parquet(delivery / "persons.parquet")
    persons.loc[0, "age"] = 117
    persons.to_parquet(delivery / "persons.parquet")
    code, out, _ = run(capsys, "check", str(delivery), "--form", str(SHORT), "--json")
    assert code == 1
    found = json.loads(out)["findings"]
    assert "V101" in {each["code"] for each in found}
    assert "117" not in out


def test_a_delivery_becomes_tables(
    delivery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "tables"
    code, out, _ = run(
        capsys, "import", str(delivery), "--form", str(SHORT), "--to", str(target), "--json"
    )
    assert code == 0
    rows = json.loads(out)["rows"]
    for name, count in rows.items():
        assert len(pd.read_parquet(target / f"{name}.parquet")) == count
    assert (target / "findings.csv").exists()


def test_a_file_that_is_not_what_its_name_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "answers.xlsx"
    file.write_text("no workbook", encoding="utf-8")
    code, _, err = run(capsys, "check", str(file), "--form", str(SHORT))
    assert code == 2
    assert "cannot be read as XLSX" in err
    assert "Traceback" not in err


def test_the_page_says_where_the_fieldwork_stands(
    small_project: Callable[[Path], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small_project(tmp_path / "project")
    page = tmp_path / "page.html"
    code, out, err = run(
        capsys, "status", "-C", str(folder), "--page", str(page), "--lang", "es", "--json"
    )
    assert code == 0, err
    said = json.loads(out)
    assert [row["phase"] for row in said["phases"]] == ["areas", "dwellings", "interviews"]
    assert set(said["areas"]) <= {"not started", "working", "behind", "done"}
    text = page.read_text(encoding="utf-8")
    assert "Trabajo de campo: cómo va" in text
    assert "no son resultados de la ENI" in text
    assert "http://" not in text.replace("http://www.w3.org", "")


@pytest.mark.parametrize("command", ["", "check", "import", "status"])
def test_help_is_spanish_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *command.split(), "--help", "--lang", "es")
    assert code == 0
    assert f"  Ejemplo:\n      nsm field {command}".rstrip() in out
