"""`nsm indicators` as its users type it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from nsm.cli import cli
from nsm.cli.app import call


@pytest.fixture
def data(tmp_path: Path) -> str:
    file = tmp_path / "persons.csv"
    pd.DataFrame({"age": [20, 30], "employed": [1, 0]}).to_csv(file, index=False)
    return str(file)


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(cli, ["indicators", "list", "--family", "sdg", "--lang", "es"]) == 0
    out = capsys.readouterr().out
    assert "8.6.1 " in out
    assert "(aproximación, no es el indicador oficial)" in out
    assert call(cli, ["indicators", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) >= 40
    assert call(cli, ["indicators", "list", "--family", "sgd", "--lang", "en"]) == 2
    assert "'sdg'" in capsys.readouterr().err


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(cli, ["indicators", "show", "8.5.2", "--lang", "es"]) == 0
    assert "definición: Personas desocupadas" in capsys.readouterr().out
    assert call(cli, ["indicators", "show", "8.5.3", "--lang", "es"]) == 2
    assert "No existe el indicador '8.5.3'" in capsys.readouterr().err


def test_coverage(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["indicators", "coverage", "--data", data, "--lang", "en"]
    assert call(cli, [*arguments, "employment_rate"]) == 0
    assert call(cli, [*arguments, "employment_rate", "8.3.1", "--json"]) == 1
    out = capsys.readouterr().out
    found = json.loads(out[out.index("[") :])
    assert [row["data"] for row in found] == [True, False]
    assert found[1]["missing"] == "informal"
    form = ["indicators", "coverage", "--form", "questionnaires/eni-short", "--lang", "es"]
    assert call(cli, [*form, "8.6.1"]) == 1
    assert "attends" in capsys.readouterr().out
