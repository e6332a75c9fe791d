"""The reports of the small project: whole, labelled, and silent on what is secret."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest
from frictionless import Package, system

from nsm.project import Project

NAMES = [f"report-{a}-{lang}.html" for a in ("internal", "public") for lang in ("es", "en")]


class Page(HTMLParser):
    """What a page holds: headings, and addresses it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.fetched: list[str] = []
        self.language = ""
        self._in = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._in = tag in {"h1", "h2"}
        if self._in:
            self.headings.append("")
        if tag == "html":
            self.language = given.get("lang") or ""
        address = given.get("src") or (given.get("href") if tag == "link" else None)
        if address and not address.startswith("data:"):
            self.fetched.append(address)

    def handle_endtag(self, tag: str) -> None:
        self._in = self._in and tag not in {"h1", "h2"}

    def handle_data(self, data: str) -> None:
        if self._in:
            self.headings[-1] += data


def text_of(project: Project, name: str) -> str:
    return project.results("publication", name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_report_needs_no_network_and_says_that_it_is_synthetic(
    finished: Project, name: str
) -> None:
    text = text_of(finished, name)
    page = Page(text)
    assert page.fetched == []
    assert page.language.startswith("es" if "-es" in name else "en")
    notice = finished.settings.survey.notice["es" if "-es" in name else "en"]
    assert notice in text
    assert len(text.encode()) < 5_000_000


def test_both_languages_have_the_same_sections(finished: Project) -> None:
    spanish, english = (Page(text_of(finished, n)).headings for n in NAMES[:2])
    assert len(spanish) == len(english) > 12
    same = {h for h in spanish if h in english}
    assert not same - {"", *(h for h in same if not re.search(r"[a-z]{4}", h))}


@pytest.mark.parametrize("name", [n for n in NAMES if "public" in n])
def test_the_public_report_names_no_sampled_area_and_no_seed(finished: Project, name: str) -> None:
    text = text_of(finished, name)
    sample = pd.read_parquet(finished.results("selection", "sample.parquet"))
    assert not [area for area in sample["area"] if area in text]
    assert str(finished.settings.survey.seed) not in text


def test_tables_are_the_same_in_every_format(finished: Project) -> None:
    folder = finished.results("publication", "tables")
    for name in finished.settings.estimation.tables:
        table = pd.read_parquet(folder / f"{name}.parquet")
        wanted = table["estimate"].to_numpy("float64", na_value=np.nan)
        read = pd.read_csv(folder / f"{name}.csv")
        assert list(read.columns) == list(table.columns)
        for found in (
            read,
            pyreadstat.read_sav(str(folder / f"{name}.sav"))[0],
            pyreadstat.read_dta(str(folder / f"{name}.dta"))[0],
        ):
            assert found["estimate"].to_numpy("float64") == pytest.approx(wanted, nan_ok=True)
    for language in ("es", "en"):
        book = openpyxl.load_workbook(folder / f"tables-{language}.xlsx", read_only=True)
        of_indicators = 1 + len(finished.settings.indicators.by) + 1  # everyone, and the gaps
        declared = len(finished.settings.estimation.tables)
        assert len(book.worksheets) == 1 + declared + of_indicators


def test_the_data_package_of_the_project_is_valid(finished: Project) -> None:
    with system.use_context(trusted=True):
        path = finished.results("publication", "tables", "datapackage.json")
        report = Package(str(path)).validate()
    assert report.valid, report.flatten(["type", "message"])


def words_of(path: Path) -> str:
    """All that can be read in a file, whatever its format."""
    match path.suffix:
        case ".parquet":
            return pd.read_parquet(path).to_csv()
        case ".sav":
            table, meta = pyreadstat.read_sav(str(path), user_missing=True)
            return table.to_csv() + str(vars(meta))
        case ".dta":
            table, meta = pyreadstat.read_dta(str(path), user_missing=True)
            return table.to_csv() + str(vars(meta))
        case ".xlsx":
            book = openpyxl.load_workbook(path, read_only=True)
            return "\n".join(
                str(row) for sheet in book for row in sheet.iter_rows(values_only=True)
            )
        case _:
            return path.read_text(encoding="utf-8")


def public_files(project: Project) -> list[Path]:
    folder = project.results("publication")
    return [*folder.glob("report-public-*"), *(folder / "tables").iterdir()]


def test_no_public_file_holds_a_sampled_area_a_seed_or_the_key_of_an_answer(
    finished: Project,
) -> None:
    read = finished.results
    keys = set(pd.read_parquet(read("selection", "sample.parquet"))["area"])
    for name in ("dwelling", "household", "person"):
        keys |= set(pd.read_parquet(read("weighting", "persons.parquet"), columns=[name])[name])
    keys |= {str(finished.settings.survey.seed)}
    files = public_files(finished)
    assert {p.suffix for p in files} >= {
        ".html", ".csv", ".parquet", ".xlsx", ".tex", ".sav", ".dta", ".xml", ".json"
    }  # fmt: skip
    for path in files:
        found = keys & set(re.findall(r"[0-9A-Za-z_\-]+", words_of(path)))
        assert not {k for k in found if len(str(k)) >= 6}, path.name


def test_no_public_file_shows_the_number_of_a_hidden_cell(finished: Project) -> None:
    from nsm.project.published import published

    for name, estimates in published(finished).tables.items():
        table = estimates.table
        hidden = table["suppressed"].notna().to_numpy()
        written = pd.read_parquet(finished.results("publication", "tables", f"{name}.parquet"))
        numbers = [c for c in ("estimate", "se", "lower", "upper", "n", "cases") if c in written]
        assert written.loc[hidden, numbers].isna().all().all()
        assert (written.loc[hidden, "state"] == "suppressed").all()
