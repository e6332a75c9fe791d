"""The proposal of the small country."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import docx
import pandas as pd
import pytest
from lxml import etree

from nsm.cli import cli
from nsm.cli.app import call
from nsm.errors import FileError
from nsm.project import Project
from nsm.project.proposal import Proposed, propose
from nsm.selection import Sample

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished project, with prices."""
    made = tmp_path_factory.mktemp("proposal") / "small"
    shutil.copytree(finished.folder, made)
    shutil.copy(ROOT / "examples" / "eni-do" / "prices.toml", made / "prices.toml")
    return made


@pytest.fixture(scope="module")
def proposed(folder: Path) -> Proposed:
    return propose(Project(folder))


def test_the_command_writes_all_files(
    folder: Path, proposed: Proposed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(cli, ["--lang", "es", "-C", str(folder), "propose", "--json"]) == 0
    said = capsys.readouterr()
    shown = json.loads(said.out)
    assert "Sin evidencia simulada" in said.err
    assert shown["totals"] == pytest.approx(dict(proposed.totals))
    assert {Path(f).name for f in shown["files"]} == {f.name for f in proposed.files}
    assert all(Path(f).exists() for f in shown["files"])


def html(proposed: Proposed, language: str) -> str:
    file = next(f for f in proposed.files if f.name == f"proposal-{language}.html")
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["es", "en"])
def test_its_numbers_are_those_of_the_run(folder: Path, proposed: Proposed, language: str) -> None:
    text = html(proposed, language)
    plan = json.loads((folder / "results" / "allocation" / "plan.json").read_text())
    assert f"{plan['areas']:,}" in text
    assert f"{plan['cost']:,.0f}" in text
    assert f"{proposed.totals['whole']:,.0f}" in text
    for value in proposed.hashes.values():
        assert value in text
    assert "://" not in re.sub(r"base64,[^\"]+", "", text)


def test_it_names_no_sampled_area(folder: Path, proposed: Proposed) -> None:
    drawn = Sample.load(folder / "results" / "selection").table["area"]
    for file in proposed.files:
        if file.suffix == ".html":
            assert not any(area in file.read_text(encoding="utf-8") for area in drawn)
    routes = pd.read_csv(proposed.files[0], dtype={"area": str})
    assert set(routes["area"]) <= set(drawn)


def test_the_spanish_one_has_no_english(proposed: Proposed) -> None:
    text = html(proposed, "es")
    body = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)
    words = re.sub(r"<[^>]+>", " ", body)
    for english in (" the ", " areas ", " with ", "Budget", "Fieldwork", " and ", "Weeks"):
        assert english not in words, english


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_document_opens_and_says_the_same(proposed: Proposed, language: str) -> None:
    file = next(f for f in proposed.files if f.name == f"proposal-{language}.docx")
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                etree.fromstring(archive.read(name))
        assert sum(n.startswith("word/media/") for n in archive.namelist()) == 4
    document = docx.Document(str(file))
    words = "\n".join(p.text for p in document.paragraphs)
    assert f"{proposed.totals['whole']:,.0f}" in words
    assert all(value in words for value in proposed.hashes.values())
    headings = [p.text for p in document.paragraphs if p.style and p.style.name == "Heading 1"]
    page = re.findall(r"<h2[^>]*>(.*?)</h2>", html(proposed, language), flags=re.DOTALL)
    titles = [re.sub(r"<[^>]+>|^\s*\d+", "", t).strip() for t in page]
    assert headings[:12] == [re.sub(r"^\d+\s*", "", t) for t in titles][:12]
    assert len(document.tables) >= 14


def test_without_prices_it_says_so(folder: Path, proposed: Proposed) -> None:
    assert proposed.files
    with pytest.raises(FileError, match=r"none\.toml"):
        propose(Project(folder), prices=folder / "none.toml")


def test_simulations_are_shown_when_they_are_of_this_plan(folder: Path, proposed: Proposed) -> None:
    assert not proposed.simulated
    project = Project(folder)
    kept = folder / "simulation"
    kept.mkdir()
    row = {"runs": 50, "truth": 1000.0, "bias": 10.0, "sd": 123.4, "coverage": 0.94}
    rows = [
        {"scheme": s, "domain": "all", "variable": "immigrants", "publishable": 0.9, **row}
        for s in ("plan", "response")
    ]
    pd.DataFrame(rows).to_csv(kept / "characteristics.csv", index=False)
    areas = proposed.quantities["areas"]
    load = [
        {"scheme": s, "quantity": q, "mean": v}
        for s in ("plan", "response")
        for q, v in (("areas", areas), ("cost", 100.0 if s == "plan" else 125.0))
    ]
    pd.DataFrame(load).to_csv(kept / "load.csv", index=False)
    made = propose(project, languages=["en"])
    assert made.simulated
    text = html(made, "en")
    assert "12.3" in text
    assert "The response of dwellings is ten points lower." in text
    assert "1.25" in text
    stale = pd.DataFrame(load).assign(mean=lambda t: t["mean"] + 7)
    stale.to_csv(kept / "load.csv", index=False)
    made = propose(project, languages=["en"])
    assert not made.simulated
    assert "of another plan" in html(made, "en")
    shutil.rmtree(kept)
