"""The questionnaires that come with nsm are sound in every language, and become forms."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import pyxform

import nsm
from nsm.errors import QuestionnaireError
from nsm.questionnaire.xlsform import compile_form

ROOT = Path(__file__).parents[2] / "questionnaires"
SURVEYS = sorted(path.parent.name for path in ROOT.glob("*/survey.yaml"))
VALIDATOR = Path(pyxform.__file__).parent / "validators/odk_validate/bin/ODK_Validate.jar"


@pytest.mark.parametrize("survey", SURVEYS)
def test_is_sound(survey: str) -> None:
    found = nsm.Questionnaire.read(ROOT / survey).check()
    assert found[found["severity"] != "info"].empty, found[["code", "where", "message"]]


@pytest.mark.parametrize("survey", SURVEYS)
def test_compiles_without_warning(survey: str, tmp_path: Path) -> None:
    form = nsm.Questionnaire.read(ROOT / survey)
    xform, warnings = compile_form(form)
    assert warnings == []
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine: ODK Validate was not run")
    file = tmp_path / "form.xml"
    file.write_text(xform, encoding="utf-8")
    run = subprocess.run(
        ["java", "-jar", str(VALIDATOR), str(file)],  # noqa: S607  # whichever Java is there
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr + run.stdout


def test_the_same_form_makes_the_same_file(tmp_path: Path) -> None:
    form = nsm.Questionnaire.read(ROOT / "eni-short")
    one, other = form.to_xlsform(tmp_path / "a.xlsx"), form.to_xlsform(tmp_path / "b.xlsx")
    assert one.read_bytes() == other.read_bytes()


def test_a_survey_takes_some_questions_of_a_module() -> None:
    core, whole = (nsm.Questionnaire.read(ROOT / name) for name in ("eni-core", "eni"))
    assert {"water", "tenure"} <= set(core.questions)
    assert "walls" not in core.questions
    assert set(core.questions) < set(whole.questions)
    assert core.questions["informal"].value == whole.questions["informal"].value


def test_a_question_that_a_module_lacks_is_refused(tmp_path: Path) -> None:
    for part in ("modules", "codes", "standards", "i18n"):
        (tmp_path / part).symlink_to(ROOT / part)
    shutil.copytree(ROOT / "eni-core", tmp_path / "eni-core")
    file = tmp_path / "eni-core" / "survey.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("water, toilet", "watr, toilet"), encoding="utf-8")
    with pytest.raises(QuestionnaireError, match=r"'housing' has no question 'watr'.*'water'"):
        nsm.Questionnaire.read(tmp_path / "eni-core")
