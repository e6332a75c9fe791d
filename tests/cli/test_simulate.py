"""`nsm simulate` on the small country."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from nsm.cli import cli
from nsm.cli.app import call


@pytest.fixture(scope="module")
def folder(tiny_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_project(tmp_path_factory.mktemp("cli") / "tiny")


def test_it_says_how_well_the_survey_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["-C", str(folder), "simulate", "--count", "2", "--workers", "1"]
    assert call(cli, ["--lang", "es", *given]) == 0
    said = capsys.readouterr()
    assert "Cobertura" in said.out
    assert "Población sintética: para planificar" in said.out
    assert "población: 703 / 703" in said.err
    table = pd.read_csv(folder / "simulation" / "characteristics.csv")
    assert {"all", "territory=sugar", "sex=F, age_band=0-4"} <= set(table["domain"])

    assert call(cli, [*given, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["characteristics"][0]["runs"] == 2
    assert call(cli, ["--lang", "en", *given, "--seed", "2"]) == 1
    assert "'seed' changed" in capsys.readouterr().err


def test_a_wrong_word_is_a_usage_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--lang", "en", "-C", str(folder), "simulate", "--what-if", "respose"]
    assert call(cli, given) == 2
    assert "Did you mean 'response'?" in capsys.readouterr().err
