"""Pictures of the results, changes since the last round, provenance."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nsm.errors import ConfigError
from nsm.indicators.adjustments import adjusted
from nsm.indicators.comparison import with_tests
from nsm.project import Project
from nsm.project.changes import changes
from nsm.project.published import published
from nsm.project.report import Material, Page
from nsm.publication.report import report


def page(project: Project, audience: str, language: str) -> str:
    name = f"report-{audience}-{language}.html"
    return project.results("publication", name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("language", "words"), [("es", "Mapa"), ("en", "Map")])
def test_the_public_report_has_maps_and_a_pyramid(
    finished: Project, language: str, words: str
) -> None:
    text = page(finished, "public", language)
    assert f"{words}: " in text
    assert ("Pirámide de población: " if language == "es" else "Population pyramid: ") in text


def test_provenance_is_full_inside_and_bare_outside(finished: Project) -> None:
    inside, outside = (page(finished, a, "en") for a in ("internal", "public"))
    for words in ("pyform", "numpy", "Python", "hash of survey.toml without its seeds"):
        assert words.replace("pyform", "pyxform") in outside
    key = finished.facts("selection")
    assert key
    assert "hash of what went in" in inside
    assert "hash of what went in" not in outside


def earlier(project: Project, folder: Path) -> Project:
    """The same project five years before, with one immigrant in four not yet there."""
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns("publication", ".nsm"))
    settings = folder / "survey.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("year = 2027", "year = 2022"), encoding="utf-8")
    file = folder / "results" / "weighting" / "persons.parquet"
    persons = pq.read_table(file)  # the design stands in the file's metadata
    status = persons["status"].to_pandas().astype("object")
    status[(status == "immigrant") & (np.arange(len(status)) % 4 == 0)] = "native"
    place = persons.schema.get_field_index("status")
    kind = persons.schema.field(place)
    pq.write_table(persons.set_column(place, kind, pa.array(status, kind.type)), file)
    return Project(settings)


def test_changes_since_the_last_round_are_tested(finished: Project, tmp_path: Path) -> None:
    before = earlier(finished, tmp_path / "2022")
    table = changes(finished, before).table.set_index("variable")
    assert table.loc["immigrants", "estimate"] > 0
    assert table.loc["immigrants", "p"] < 0.05
    assert (table["adjusted"].dropna() >= table["p"].dropna()).all()
    assert "suppressed" in table.columns
    with pytest.raises(ConfigError, match="the one before 2022"):
        changes(before, finished)


def test_the_report_shows_the_changes(finished: Project, tmp_path: Path) -> None:
    before = earlier(finished, tmp_path / "2022")
    folder = tmp_path / "2027"
    shutil.copytree(finished.folder, folder, ignore=shutil.ignore_patterns(".nsm"))
    settings = folder / "survey.toml"
    text = settings.read_text(encoding="utf-8").replace(
        "[publication]\n", f'[publication]\nprevious = "{before.folder}"\n'
    )
    settings.write_text(text, encoding="utf-8")
    project = Project(settings)
    shown = Page(Material(project, published(project)), "es")
    (section,) = shown._changes
    assert section.title == "Cambios desde 2022"
    html = report([section], shown.meta, "es", audience="public")
    assert "cambió" in html
    assert "Holm" in html


def test_p_values_are_two_sided_and_need_a_standard_error() -> None:
    table = pd.DataFrame(
        {"estimate": [1.959964, -1.959964, 0.0, 5.0], "se": [1.0, 1.0, 1.0, 0.0], "df": np.inf}
    )
    made = with_tests(table)
    assert made["p"].to_numpy()[:3] == pytest.approx([0.05, 0.05, 1.0], abs=1e-6)
    assert np.isnan(made["p"].iloc[3])
    assert adjusted(np.array([0.5, 0.02]))[0] == 0.5
