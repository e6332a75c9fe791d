"""What can be told of a page's accessibility from its text: rules of axe-core, in plain Python.

Each rule gives the faults it finds; a page is fine if there are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from lxml import html  # type: ignore[import-untyped]  # it brings no types

AA, LARGE = 4.5, 3.0  # contrast of text, WCAG 2.1, 1.4.3
# Foreground and background of the page's style, by the names of its variables.
PAIRS = (
    ("ink", "paper"), ("soft", "paper"), ("accent", "paper"), ("synthetic", "paper"),
    ("caution", "paper"), ("bad", "bad-wash"), ("synthetic", "synthetic-wash"),
    ("soft", "accent-wash"), ("ink", "accent-wash"), ("ink", "wash"), ("soft", "wash"),
    ("caution", "wash"), ("ink", "caution-wash"), ("soft", "caution-wash"), ("paper", "bad"),
    ("paper", "ink"),
)  # fmt: skip


def faults(text: str) -> list[str]:
    """Return all faults of a page."""
    page = html.document_fromstring(text)
    rules = (_document, _headings, _pictures, _tables, _controls, _landmarks, _ids)
    return [fault for rule in rules for fault in rule(page)]


def _document(page: Any) -> Iterator[str]:
    if page.get("lang") not in {"es", "en"}:
        yield "html-has-lang"
    if not page.findtext(".//title"):
        yield "document-title"
    viewport = page.xpath("//meta[@name='viewport']/@content")
    if not viewport or "user-scalable=no" in viewport[0] or "maximum-scale" in viewport[0]:
        yield "meta-viewport"


def _headings(page: Any) -> Iterator[str]:
    levels = [int(h.tag[1]) for h in page.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    if levels.count(1) != 1 or levels[0] != 1:
        yield "page-has-heading-one"
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"heading-order: h{before} to h{after}"
    for heading in page.iter("h1", "h2", "h3"):
        if not heading.text_content().strip():
            yield "empty-heading"


def _pictures(page: Any) -> Iterator[str]:
    for picture in page.iter("img"):
        words = (picture.get("alt") or "").strip()
        if len(words) < 10:
            yield f"image-alt: {words!r}"
        if not picture.get("width") or not picture.get("height"):
            yield "image-size"


def _tables(page: Any) -> Iterator[str]:
    for table in page.iter("table"):
        if table.find("caption") is None and not table.get("aria-labelledby"):
            yield "table-caption"
        for cell in table.iter("th"):
            if cell.get("scope") not in {"col", "row", "colgroup"}:
                yield f"scope-attr-valid: {cell.text_content()[:30]!r}"
            if not cell.text_content().strip():
                yield f"empty-table-header: {table.get('id')}"
        wide = {len(row.xpath("./th|./td")) for row in table.xpath("./tbody/tr")}
        if len(wide) > 1:
            yield f"uneven-rows: {table.get('id')}"


def _controls(page: Any) -> Iterator[str]:
    labelled = {label.get("for") for label in page.iter("label")}
    for control in page.iter("input", "select", "textarea"):
        if control.get("id") not in labelled and not control.get("aria-label"):
            yield "label"
    for button in page.iter("button"):
        if not button.text_content().strip() and not button.get("aria-label"):
            yield "button-name"
    for link in page.iter("a"):
        if not link.text_content().strip():
            yield "link-name"
        target = link.get("href", "")
        if target.startswith("#") and not page.xpath("//*[@id=$id]", id=target[1:]):
            yield f"broken-link: {target}"
    for element in page.xpath("//*[@tabindex]"):
        if int(element.get("tabindex")) > 0:
            yield "tabindex"
    for element in page.xpath("//*[contains(@class, 'scroll')]"):
        if element.get("tabindex") != "0":
            yield "scrollable-region-focusable"


def _landmarks(page: Any) -> Iterator[str]:
    if len(page.xpath("//main")) != 1:
        yield "landmark-one-main"
    inside = {"header", "main", "footer", "aside", "nav", "script", "style"}
    for child in page.find("body"):
        skip = child.tag == "a" and "skip" in child.get("class", "")
        within = [d for d in child.iter() if d.tag in inside]
        if isinstance(child.tag, str) and child.tag not in inside and not skip and not within:
            yield f"region: <{child.tag}>"
    for region in page.xpath("//*[@role='region']|//nav|//aside|//section"):
        if not (region.get("aria-label") or region.get("aria-labelledby")):
            yield f"region-name: <{region.tag}>"


def _ids(page: Any) -> Iterator[str]:
    ids = page.xpath("//@id")
    for one in {i for i in ids if ids.count(i) > 1}:
        yield f"duplicate-id: {one}"
    for names in page.xpath("//@aria-labelledby"):
        for one in names.split():
            if one not in ids:
                yield f"aria-valid-attr-value: {one}"


def contrasts(css: str) -> dict[tuple[str, str], float]:
    """Return the contrast of each pair of colors that the style sets on each other."""
    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", css))
    return {(a, b): contrast(colors[a], colors[b]) for a, b in PAIRS}


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors (WCAG 2.1, definition of contrast ratio).

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    light = sorted((_luminance(one), _luminance(other)))
    return (light[1] + 0.05) / (light[0] + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
