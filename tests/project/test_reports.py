"""The reports of the small project: whole, labelled, and silent on what is secret."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import openpyxl
import pandas as pd
import pytest

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
        read = pd.read_csv(folder / f"{name}.csv")
        assert list(read.columns) == list(table.columns)
        assert read["estimate"].to_numpy() == pytest.approx(
            table["estimate"].to_numpy(), nan_ok=True
        )
        sheet = openpyxl.load_workbook(folder / f"{name}.xlsx", read_only=True).worksheets[0]
        assert sheet.max_row >= len(table) + 1
