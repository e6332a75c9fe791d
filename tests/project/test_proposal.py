"""The proposal of the small country."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import docx
import pandas as pd
import pytest
from lxml import etree

from nsm.cli import cli
from nsm.cli.app import call
from nsm.errors import FileError, ProjectError
from nsm.project import Project
from nsm.project.proposal import conduct, propose
from nsm.project.proposal.material import Material
from nsm.project.proposal.page import Words
from nsm.selection import Sample
from nsm.simulation.proposal import read_prices

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished project, with prices."""
    made = tmp_path_factory.mktemp("proposal") / "small"
    shutil.copytree(finished.folder, made)
    shutil.copy(ROOT / "examples" / "eni-do" / "prices.toml", made / "prices.toml")
    return made


class Called(NamedTuple):
    """What `nsm propose --json` said and wrote."""

    files: list[Path]
    totals: dict[str, float]
    quantities: dict[str, float]
    hashes: dict[str, str]
    said: str


@pytest.fixture(scope="module")
def proposed(folder: Path) -> Called:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert call(cli, ["--lang", "es", "-C", str(folder), "propose", "--json"]) == 0
    shown = json.loads(out.getvalue())
    files = [Path(f) for f in shown["files"]]
    assert not shown["simulated"]
    return Called(files, shown["totals"], shown["quantities"], shown["hashes"], err.getvalue())


def test_the_command_writes_all_files(proposed: Called) -> None:
    assert "Sin evidencia simulada" in proposed.said
    names = {f.name for f in proposed.files}
    assert {"proposal-es.docx", "budget-en.xlsx", "explorer-es.html", "routes.csv"} <= names
    assert all(f.exists() for f in proposed.files)


def html(proposed: Called, language: str) -> str:
    file = next(f for f in proposed.files if f.name == f"proposal-{language}.html")
    return file.read_text(encoding="utf-8")


def test_it_is_written_where_it_is_asked_for(folder: Path, tmp_path: Path) -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        where = ["--to", str(tmp_path / "elsewhere"), "-C", str(folder)]
        assert call(cli, ["propose", *where]) == 0
    assert (tmp_path / "elsewhere" / "proposal-en.html").exists()
    assert not (folder / "proposal-en.html").exists()


@pytest.mark.parametrize("language", ["es", "en"])
def test_its_numbers_are_those_of_the_run(folder: Path, proposed: Called, language: str) -> None:
    text = html(proposed, language)
    plan = json.loads((folder / "results" / "allocation" / "plan.json").read_text())
    assert f"{plan['areas']:,}" in text
    assert f"{plan['cost']:,.0f}" in text
    assert f"{proposed.totals['whole']:,.0f}" in text
    for value in proposed.hashes.values():
        assert value in text
    assert "://" not in re.sub(r"base64,[^\"]+", "", text)


def test_it_names_no_sampled_area(folder: Path, proposed: Called) -> None:
    drawn = Sample.load(folder / "results" / "selection").table["area"]
    for file in proposed.files:
        if file.suffix == ".html":
            assert not any(area in file.read_text(encoding="utf-8") for area in drawn)
    routes = pd.read_csv(proposed.files[0], dtype={"area": str})
    assert set(routes["area"]) <= set(drawn)


def test_the_spanish_one_has_no_english(proposed: Called) -> None:
    text = html(proposed, "es")
    body = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)
    words = re.sub(r"<[^>]+>", " ", body)
    for english in (" the ", " areas ", " with ", "Budget", "Fieldwork", " and ", "Weeks"):
        assert english not in words, english


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_document_opens_and_says_the_same(proposed: Called, language: str) -> None:
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


def test_without_prices_it_says_so(folder: Path, proposed: Called) -> None:
    assert proposed.files
    with pytest.raises(FileError, match=r"none\.toml"):
        propose(Project(folder), prices=folder / "none.toml")


def material(folder: Path) -> Material:
    return Material(Project(folder), read_prices(folder / "prices.toml"))


def test_simulations_are_shown_when_they_are_of_this_plan(folder: Path, proposed: Called) -> None:
    kept = folder / "simulation"
    kept.mkdir()
    row = {"runs": 51, "truth": 1000.0, "bias": 10.0, "sd": 123.0, "coverage": 0.94}
    rows = [
        {"scheme": s, "domain": "all", "variable": v, "publishable": 0.9, **row}
        for s in ("plan", "response")
        for v in ("immigrants", "descendants")
    ]
    pd.DataFrame(rows).to_csv(kept / "characteristics.csv", index=False)
    load = pd.DataFrame(
        [
            {"scheme": s, "quantity": q, "mean": v}
            for s in ("plan", "response")
            for q, v in (
                ("areas", proposed.quantities["areas"]),
                ("cost", 100.0 if s == "plan" else 125.0),
            )
        ]
    )
    load.to_csv(kept / "load.csv", index=False)
    page = Words(material(folder), "en")
    made = conduct.precision(page)
    assert "10.0%" in made.text  # 1 / sqrt(2 * 50)
    shown = made.tables["Expected and simulated precision"]
    assert shown.table.loc[0, "simulated"] == pytest.approx(0.123)
    worlds = conduct.risks(page).tables["If the world is otherwise: Immigrants"].table
    assert worlds["world"].tolist() == [
        "As planned.",
        "The response of dwellings is ten points lower.",
    ]
    assert worlds["cost_change"].tolist() == [1.0, 1.25]
    assert worlds["cv_change"].tolist() == [1.0, 1.0]
    assert "simulations" in page.material.hashes
    load.assign(mean=load["mean"] + 7).to_csv(kept / "load.csv", index=False)
    stale = Words(material(folder), "en")
    assert "of another plan" in conduct.precision(stale).text
    assert "not** measured" in conduct.risks(stale).text
    shutil.rmtree(kept)


def test_a_frame_without_places_cannot_be_traveled(folder: Path, proposed: Called) -> None:
    assert proposed.files
    made = material(folder)
    vars(made)["frame"] = SimpleNamespace(boundaries=None, key="area")
    main = made.sample.main.drop(columns=["lon", "lat"])
    with pytest.raises(ProjectError, match="neither boundaries nor the columns lon and lat"):
        made._centers(main)
    vars(made)["frame"] = material(folder).frame
    lon, lat = made._centers(main)
    known = made.sample.main
    assert abs(lon - known["lon"]).max() < 0.2
    assert abs(lat - known["lat"]).max() < 0.2
