"""The command line as its users type it: output, messages, exit codes, both languages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from nsm.cli import cli
from nsm.cli.app import EXAMPLE, call
from nsm.language import catalog
from nsm.project import STAGES

FINE, FAILED, USAGE = 0, 1, 2


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NSM_LANG", "en")


@pytest.fixture
def folder(small_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    return small_project(tmp_path / "small")


def commands() -> Iterator[tuple[str, click.Command]]:
    waiting: list[tuple[str, click.Command]] = [("nsm", cli)]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        if isinstance(command, click.Group):
            waiting += [(f"{name} {k}", c) for k, c in command.commands.items()]


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda v: v if type(v) is str else ""
)
def test_every_command_is_explained_in_both_languages(name: str, command: click.Command) -> None:
    import inspect

    words, mark, example = inspect.cleandoc(command.help or "").partition(EXAMPLE)
    assert mark, f"{name} shows no example"
    assert "nsm" in example
    texts = [words, *(p.help for p in command.params if isinstance(p, click.Option) and p.help)]
    assert [text for text in texts if text not in catalog("es")] == []


def test_help_needs_no_heavy_library() -> None:
    code = (
        "import sys; from nsm.cli import cli; from nsm.cli.app import call; call(cli, ['--help']);"
        "heavy = {'pandas', 'numpy', 'matplotlib', 'duckdb', 'scipy'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "nsm run" in done.stdout


def test_help_in_spanish(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(cli, ["run", "--help", "--lang", "es"]) == FINE
    assert "Ejecuta, en orden" in capsys.readouterr().out


def test_a_new_project_is_the_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "encuesta"
    assert call(cli, ["init", str(folder)]) == FINE
    assert {"survey.toml", "population.toml"} <= {p.name for p in folder.iterdir()}
    capsys.readouterr()
    assert call(cli, ["frame", "-C", str(folder), "--json"]) == FINE
    assert json.loads(capsys.readouterr().out)["areas"] == 37279
    assert call(cli, ["init", str(folder)]) == USAGE
    assert "nothing was written" in capsys.readouterr().err


def test_status_lists_all_stages(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(cli, ["status", "-C", str(folder)]) == FINE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(STAGES)
    assert call(cli, ["status", "-C", str(folder), "--lang", "es"]) == FINE
    assert "nunca ejecutada" in capsys.readouterr().out


def test_status_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(cli, ["--json", "status", "-C", str(folder)]) == FINE
    states = json.loads(capsys.readouterr().out)
    assert {s["stage"]: s["why"] for s in states} == dict.fromkeys(STAGES, "never run")


def test_run_ends_with_the_headline(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(cli, ["run", "estimation", "-C", str(folder), "--lang", "es"]) == FINE
    said = capsys.readouterr()
    assert "Datos sintéticos: no son resultados de la ENI." in said.err
    assert "personas representan a" in said.err
    first = said.out.splitlines()[0]
    assert first.startswith("Inmigrantes: ")
    assert "CV" in first
    assert "verdad sintética" in first
    assert call(cli, ["run", "estimation", "-C", str(folder)]) == FINE
    assert "Everything is fresh." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "weights"], "There is no stage 'weights'. Did you mean 'weighting'?"),
        (["rum"], "No such command 'rum'"),
        (["run", "--sede", "3"], "No such option"),
    ],
)
def test_a_wrong_word_is_usage(
    folder: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(cli, [*arguments, "-C", str(folder)]) == USAGE
    assert said in capsys.readouterr().err


def test_an_unknown_key_is_usage_and_json_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "survey.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("reserve =", "reserv ="), "utf-8")
    assert call(cli, ["status", "-C", str(folder), "--json"]) == USAGE
    said = capsys.readouterr()
    assert json.loads(said.out)["error"] == "ConfigError"
    assert "Did you mean 'reserve'?" in said.err
    assert call(cli, ["status", "-C", str(folder), "--lang", "es"]) == USAGE
    assert "¿Quiso decir 'reserve'?" in capsys.readouterr().err


def test_a_failed_stage_is_one_message(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "frame" / "areas.parquet").unlink()
    assert call(cli, ["run", "-C", str(folder)]) == USAGE
    said = capsys.readouterr()
    assert "areas.parquet" in said.err
    assert "Traceback" not in said.err
    assert not (folder / "results").exists()


def test_outside_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(cli, ["run", "-C", str(tmp_path)]) == USAGE
    assert "nsm init" in capsys.readouterr().err
