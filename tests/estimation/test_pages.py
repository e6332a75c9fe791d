"""Pages on estimation run: what their code prints is what they show, and R agrees."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("coming-from-r-stata-spss.md", "studies/nhanes.md", "variance.md")
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def shown(text: str) -> list[tuple[str, str]]:
    """Code of each block, and what the page says that it prints."""
    return [(code, output or "") for code, output in BLOCK.findall(text)]


def printed(text: str) -> tuple[list[str], dict[str, object]]:
    """What each block prints, run in one namespace, and that namespace."""
    names: dict[str, object] = {}
    outputs = []
    for code, _ in shown(text):
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            exec(compile(code, "page", "exec"), names)  # noqa: S102 (the page's own code)
        outputs.append(stream.getvalue())
    return outputs, names


@pytest.mark.parametrize("page", PAGES)
def test_pages_print_what_they_show(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    outputs, _ = printed(text)
    for (code, said), output in zip(shown(text), outputs, strict=True):
        assert output.split() == said.split(), code


def test_the_numbers_are_those_of_r(monkeypatch: pytest.MonkeyPatch, reference: Path) -> None:
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "coming-from-r-stata-spss.md").read_text(encoding="utf-8")
    _, names = printed(page)
    wanted = pd.read_csv(reference / "estimation" / "nhanes.csv", keep_default_na=False)
    for analysis, rows in wanted.groupby("analysis"):
        found = names["results"][analysis]  # type: ignore[index]  # the page's dictionary
        for column in ("estimate", "se", "lower", "upper"):
            expected = rows[column].replace("NA", "nan").astype(float).to_numpy()
            known = ~np.isnan(expected)
            if known.any():
                got = np.ravel(found[column] if isinstance(found, pd.DataFrame) else found)
                np.testing.assert_allclose(got, expected[known], rtol=1e-7, err_msg=str(analysis))


def test_the_study_runs_as_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "nhanes" / "insurance.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert re.search(r"published: 19.7 %\)\n.*\n +0\.1971 ", said)
    assert "Interaction: F = " in said
