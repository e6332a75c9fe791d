"""Another country by data files alone: its own levels, codes, classes, form and language."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from nsm.cli import cli
from nsm.cli.app import FINE, call
from nsm.errors import PublicationError
from nsm.project import Project
from nsm.publication.guard import Geography

EXAMPLE = Path(__file__).parents[2] / "examples" / "arcadia"
COARSE = {
    "all = {immigrants = 0.06, descendants = 0.09}": "all = {immigrants = 0.2, descendants = 0.3}",
    "corridor = {immigrants = 0.20}": "corridor = {immigrants = 0.6}",
}


@pytest.fixture(scope="module")
def arcadia(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("country") / "arcadia"
    assert call(cli, ["init", str(folder), "--example", "arcadia"]) == FINE
    file = folder / "survey.toml"
    text = file.read_text(encoding="utf-8")
    for old, new in COARSE.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    project = Project(file)
    project.run()
    return project


def test_its_totals_are_those_of_its_frame(arcadia: Project) -> None:
    areas = pd.read_csv(EXAMPLE.parents[1] / "frames" / "arcadia" / "areas.csv")
    known = pd.read_csv(arcadia.results("field", "known_totals.csv"))
    in_dwellings = (areas["population"] - areas["collective"]).sum()
    for variable, part in known.groupby("variable"):
        assert str(variable).startswith("department*")
        assert areas["population"].sum() >= part["total"].sum() >= 0.99 * in_dwellings


def test_its_form_takes_its_codes(arcadia: Project) -> None:
    persons = pd.read_parquet(arcadia.results("field", "persons.parquet"))
    findings = pd.read_csv(arcadia.results("field", "findings.csv"))
    assert "V105" not in set(findings["code"])  # area codes have six digits here
    assert {"department", "municipality", "corridor", "zone"} <= set(persons.columns)
    assert set(persons["status"]) >= {"immigrant", "native"}
    assert (persons.loc[persons["status"] == "native", "birth_country"] == "XAR").all()


def test_its_reports_speak_of_it_alone(arcadia: Project) -> None:
    for page in sorted(arcadia.results("publication").glob("report-*.html")):
        text = re.sub(r"<style.*?</style>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert "Arcadia" in text
        assert not re.search("[Dd]ominican|territor|RD\\$", text), page.name


def test_words_come_from_its_files(arcadia: Project) -> None:
    text = (arcadia.results("publication") / "report-public-es.html").read_text(encoding="utf-8")
    for words in ("Departamento", "Corredor", "frontera norte", "Argolis"):
        assert words in text, words


def test_small_places_stay_inside(arcadia: Project) -> None:
    from nsm.project.stages.frame import stratified

    geography = Geography.of(stratified(arcadia))
    assert geography.public == ("department", "zone", "corridor", "stratum")
    assert geography.small == ("municipality", "area")


def test_a_table_by_municipality_is_refused(arcadia: Project, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(arcadia.folder, folder)
    file = folder / "survey.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('by = ["department"]', 'by = ["municipality"]'), encoding="utf-8")
    with pytest.raises(PublicationError, match=r"municipality.*department"):
        Project(file).run()


def test_it_is_simulated_and_proposed(arcadia: Project, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["-C", str(arcadia.folder)]
    assert call(cli, ["simulate", "--count", "4", "--workers", "1", *where]) == FINE
    assert call(cli, ["propose", "--to", str(arcadia.folder / "proposal"), *where]) == FINE
    capsys.readouterr()
    for language, words in (("en", "Department"), ("es", "Departamento")):
        page = (arcadia.folder / "proposal" / f"proposal-{language}.html").read_text("utf-8")
        assert words in page
        assert "F " in page
        assert "RD$" not in page


def test_the_cost_of_fieldwork_is_that_of_simulated_surveys(arcadia: Project) -> None:
    planned = arcadia.facts("allocation")["fieldwork"]
    load = pd.read_csv(arcadia.folder / "simulation" / "load.csv").set_index("quantity")
    assert planned["cost"] == pytest.approx(load.loc["cost", "mean"], rel=0.05)
    natives = load.loc["interviews_natives", "mean"]
    assert planned["interviews_natives"] == pytest.approx(natives, rel=0.12)
