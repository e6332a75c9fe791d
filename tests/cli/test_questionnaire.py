"""`nsm questionnaire` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.questionnaire.forms import write

from nsm.cli import cli
from nsm.cli.app import call

SHORT = str(Path(__file__).parents[2] / "questionnaires" / "eni-short")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = call(cli, ["questionnaire", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_sound_form_passes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "check", SHORT, "--lang", "es")
    assert (code, out.strip()) == (0, "")
    assert "31 preguntas, nada que corregir." in err


def test_a_wrong_form_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = str(write(tmp_path, list=("list: sex", "list: sexo")))
    code, out, _ = run(capsys, "check", folder)
    assert code == 1
    assert "Q205 error  person.sex: There is no code list 'sexo'" in out
    code, out, _ = run(capsys, "check", folder, "--json")
    assert code == 1
    assert json.loads(out)["findings"][0]["code"] == "Q205"


def test_a_folder_that_is_none_is_a_mistake_of_use(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "check", "nowhere")
    assert code == 2
    assert "nowhere does not exist" in err
    assert "Traceback" not in err


def test_outputs_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(capsys, "build", SHORT, "--to", str(tmp_path), "--only", "cspro")
    assert code == 0
    assert out.strip() == (tmp_path / "eni_short.dcf").as_posix()


def test_forms_are_compared(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    one = str(write(tmp_path / "a"))
    other = str(write(tmp_path / "b", ask=("ask: age >= 15", "ask: age >= 12")))
    code, out, _ = run(capsys, "diff", one, other)
    assert code == 0
    assert " ".join(out.split()) == "re-routed person.employed: age >= 15 → age >= 12"
    file = str(tmp_path / "crosswalk.csv")
    assert run(capsys, "diff", one, other, "--crosswalk", file)[0] == 0
    code, _, err = run(capsys, "diff", one, other, "--crosswalk", file)
    assert (code, err.strip()) == (0, "The crosswalk is complete.")
    Path(file).write_text("target,source,rule,status,note\nsex,sex,copy,full,\n", encoding="utf-8")
    assert run(capsys, "diff", one, other, "--crosswalk", file)[0] == 1


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("command", ["", "check", "build", "diff"])
def test_help_shows_an_example(
    command: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, *command.split(), "--help", "--lang", language)
    assert code == 0
    heading = "Ejemplo:" if language == "es" else "Example:"
    assert f"  {heading}\n      nsm questionnaire {command}".rstrip() in out
