"""Tables to read and to print: HTML pages and LaTeX, by great-tables."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nsm.errors import OptionError, nearest
from nsm.files import write_text
from nsm.language import translate
from nsm.publication.grid import PUBLIC, Grid, Reader, Shown, grid
from nsm.publication.guard import check_columns
from nsm.publication.numerals import locale_for
from nsm.publication.records import Declared, Edition
from nsm.publication.rules import in_language
from nsm.publication.style import INK, RULE, SYNTHETIC

if TYPE_CHECKING:
    from great_tables import GT

SUFFIXES = (".html", ".tex")
SIDE_BY_SIDE = ("estimate", "cv")  # of each label, where labels stand side by side
# Signs that LaTeX writes its own way; great-tables escapes the others.
_LATEX = str.maketrans(
    {
        "△": r"$\triangle$", "\N{MINUS SIGN}": "$-$", "\N{NO-BREAK SPACE}": "~", "∞": r"$\infty$",
        "\N{EN DASH}": "--", "·": r"$\cdot$",
    }
)  # fmt: skip
_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="nsm">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>body {{ margin: 1rem; color: {ink}; }} h1 {{ font: 600 1.3rem/1.3 sans-serif; }}
.notice {{ color: {synthetic}; font: 600 1rem/1.4 sans-serif; }}</style>
</head>
<body>
<main>
<h1>{survey}</h1>
{notice}<div role="region" tabindex="0" aria-label="{title}" style="overflow-x:auto">{table}</div>
</main>
</body>
</html>
"""


def printed(declared: Declared, language: str, edition: Edition) -> Grid:
    """Return a table as people read it in public, with its labels side by side if it has such."""
    check_columns(declared.estimates.by, in_language(declared.title, language), edition.geography)
    reader = Reader(language, locale_for(language, edition.country), PUBLIC, edition.labels)
    shown = Shown(
        declared.estimates,
        formats=declared.formats,
        note=declared.note,
        columns=SIDE_BY_SIDE if declared.across else (),
        across=declared.across,
    )
    return grid(in_language(declared.title, language), shown, reader)


def write_printed(
    declared: Declared, path: str | os.PathLike[str], language: str, edition: Edition
) -> Path:
    """Write a table as an HTML page (`.html`) or as LaTeX to include (`.tex`).

    Numbers are written as the language and country write them; hidden ones show their sign, which
    stands below with the notes. The LaTeX needs the package booktabs.

    Raises
    ------
    OptionError
        The path ends in another suffix.
    PublicationError
        A column may not be shown to the public, or the table is too long for a page.
    """
    final = Path(path)
    if final.suffix not in SUFFIXES:
        raise OptionError(
            "{file}: the suffix {suffix!r} is not known. {hint}",
            file=str(final),
            suffix=final.suffix,
            hint=nearest(final.suffix, SUFFIXES),
        )
    made = printed(declared, language, edition)
    notes = [f"{sign} {words}" for sign, words in made.legend] + ([made.note] if made.note else [])
    if edition.synthetic:
        notes.append(
            in_language(edition.notice, language)
            or translate("SYNTHETIC: not ENI results", language)
        )
    subtitle = f"{in_language(edition.title, language)}, {edition.year}"
    laid = _laid(made, notes, subtitle if final.suffix == ".tex" else None)
    if final.suffix == ".tex":
        return write_text(laid.as_latex().translate(_LATEX), final)
    notice = f'<p class="notice">{html.escape(notes[-1])}</p>\n' if edition.synthetic else ""
    page = _PAGE.format(
        language=language,
        title=html.escape(made.caption),
        survey=html.escape(subtitle),
        notice=notice,
        table=laid.as_raw_html(),
        ink=INK,
        synthetic=SYNTHETIC,
    )
    return write_text(page, final)


def _laid(made: Grid, notes: list[str], subtitle: str | None) -> GT:
    """Return the grid as a great table, which escapes its texts for HTML and LaTeX."""
    from great_tables import GT

    names = [f"c{k}" for k in range(len(made.columns))]
    columns = dict(zip(names, made.columns, strict=True))
    texts = [[cell.text for cell in row] for row in made.rows]
    # Objects: great-tables writes cell by cell, which columns of strings make slow.
    table = pd.DataFrame(texts, columns=names, dtype=object)
    laid = GT(table, rowname_col=names[0], id="nsm").cols_label(
        cases={name: c.heading for name, c in columns.items()}
    )
    laid = laid.tab_stubhead(made.columns[0].heading).tab_header(made.caption, subtitle)
    for side in ("left", "right"):
        there = [n for n, c in columns.items() if c.number == (side == "right")]
        if there:
            laid = laid.cols_align(side, there)
    for over in dict.fromkeys(c.over for c in made.columns if c.over):
        laid = laid.tab_spanner(over, [n for n, c in columns.items() if c.over == over])
    for note in notes:
        laid = laid.tab_source_note(note)
    return laid.tab_options(table_font_color=INK, table_border_bottom_color=RULE)
