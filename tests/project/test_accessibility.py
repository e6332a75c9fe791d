"""The reports can be read by everybody: rules of axe-core over the pages as made."""

from __future__ import annotations

import pytest
from tests.project.accessibility import AA, LARGE, contrast, contrasts, faults

from nsm.project import Project
from nsm.publication import report
from nsm.publication.style import INK, SERIES, SOFT, SYNTHETIC

NAMES = [f"report-{a}-{lang}.html" for a in ("internal", "public") for lang in ("es", "en")]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_has_no_fault(finished: Project, name: str) -> None:
    text = finished.results("publication", name).read_text(encoding="utf-8")
    assert faults(text) == []


@pytest.mark.parametrize("language", ["es", "en"])
def test_pages_of_tables_have_no_fault(finished: Project, language: str) -> None:
    folder = finished.results("publication", "tables")
    for path in sorted(folder.glob(f"*-{language}.html")):
        assert (path.name, faults(path.read_text(encoding="utf-8"))) == (path.name, [])


def test_text_is_dark_enough() -> None:
    found = contrasts(report._asset("report.css"))
    assert {pair: round(c, 2) for pair, c in found.items() if c < AA} == {}
    for color in (INK, SOFT, SYNTHETIC):
        assert contrast(color, "#ffffff") >= AA
    for color in SERIES:
        assert contrast(color, "#ffffff") >= LARGE


BROKEN = {
    "html-has-lang": "<head><title>t</title></head><body><main><h1>x</h1></main>",
    "heading-order: h1 to h3": "<body><main><h1>x</h1><h3>y</h3></main>",
    "image-alt: ''": "<body><main><h1>x</h1><img src='data:' width=1 height=1></main>",
    "scope-attr-valid: 'a'": "<body><main><h1>x</h1><table><tr><th>a</table></main>",
    "label": "<body><main><h1>x</h1><input id=i></main>",
    "landmark-one-main": "<body><h1>x</h1>",
    "region: <p>": "<body><p>lost</p><main><h1>x</h1></main>",
    "duplicate-id: a": "<body><main><h1 id=a>x</h1><p id=a></main>",
    "broken-link: #z": "<body><main><h1>x</h1><a href='#z'>z</a></main>",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_check_finds_faults(fault: str) -> None:
    assert fault in faults(BROKEN[fault])
