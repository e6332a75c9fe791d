"""The sections of a report as a Word document (.docx)."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsm.files import atomic
from nsm.language import translate
from nsm.publication.figures import as_png
from nsm.publication.grid import INTERNAL, PUBLIC, Grid, Reader, Shown, grid
from nsm.publication.numerals import locale_for
from nsm.publication.report import Drawn, Meta, Section
from nsm.publication.rules import in_language

if TYPE_CHECKING:
    from docx.document import Document

_MARKED = re.compile(r"(\*\*.+?\*\*|`.+?`)")
_STYLE = "Light Grid Accent 1"


def write_document(
    sections: Sequence[Section],
    meta: Meta,
    path: str | os.PathLike[str],
    language: str = "en",
) -> Path:
    """Write the public part of the sections of a report as a Word document.

    Parameters
    ----------
    sections, meta
        Those of `nsm.publication.write_report`.
    """
    import docx

    document = docx.Document()
    title = in_language(meta.title, language)
    document.core_properties.title = title
    document.core_properties.language = language
    document.core_properties.author = ""
    document.add_heading(title, level=0)
    for words in (in_language(meta.subtitle, language), in_language(meta.period, language)):
        if words:
            document.add_paragraph(words, style="Subtitle")
    if meta.synthetic:
        notice = in_language(meta.notice, language) or translate("Synthetic data.", language)
        document.add_paragraph().add_run(notice).bold = True
        document.sections[0].header.paragraphs[0].text = notice
    locale = meta.locale or locale_for(language, meta.country)
    reader = Reader(language, locale, PUBLIC, meta.labels)
    for section in sections:
        if section.audience == PUBLIC:
            _section(document, section, reader)
    document.add_heading(translate("How this was made", language), level=1)
    for what, value in meta.provenance.items():
        document.add_paragraph(f"{what}: {value}", style="List Bullet")
    with atomic(path) as temporary:
        document.save(str(temporary))
    return Path(path)


def _section(document: Document, section: Section, reader: Reader) -> None:
    document.add_heading(in_language(section.title, reader.language), level=1)
    for block in in_language(section.text, reader.language).split("\n\n"):
        if block.strip():
            _paragraph(document, " ".join(block.split()))
    for caption, given in section.tables.items():
        shown = given if isinstance(given, Shown) else Shown(given)
        if shown.audience == INTERNAL:
            continue
        document.add_paragraph(caption, style="Caption").paragraph_format.keep_with_next = True
        _table(document, grid(caption, shown, reader))
    for caption, figure in section.figures.items():
        drawn = figure if isinstance(figure, Drawn) else Drawn(figure)
        if drawn.audience == PUBLIC:
            _figure(document, drawn, caption)


def _paragraph(document: Document, text: str) -> None:
    paragraph = document.add_paragraph()
    for part in _MARKED.split(text):
        if part.startswith("**"):
            paragraph.add_run(part.strip("*")).bold = True
        elif part.startswith("`"):
            paragraph.add_run(part.strip("`")).font.name = "Courier New"
        else:
            paragraph.add_run(part)


def _table(document: Document, made: Grid) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    table = document.add_table(rows=1 + len(made.rows), cols=len(made.columns), style=_STYLE)
    heads: list[Any] = [column.heading for column in made.columns]
    texts = [heads, *([cell.text for cell in row] for row in made.rows)]
    for row, words in zip(table.rows, texts, strict=True):
        for cell, column, text in zip(row.cells, made.columns, words, strict=True):
            cell.text = text
            paragraph = cell.paragraphs[0]
            for run in paragraph.runs:
                run.font.size = Pt(8)
            if column.number:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    document.add_paragraph(made.note)


def _figure(document: Document, drawn: Drawn, caption: str) -> None:
    from docx.shared import Inches

    picture = document.add_picture(io.BytesIO(as_png(drawn.figure)), width=Inches(6.0))
    picture._inline.docPr.set("descr", caption)  # noqa: SLF001 (python-docx has no word for it)
    document.add_paragraph(caption, style="Caption")
