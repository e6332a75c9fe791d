"""Excel workbooks of estimates: an index, and one sheet a table with real numbers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsm.errors import PublicationError
from nsm.estimation.estimates import Estimates
from nsm.files import atomic
from nsm.language import SOURCE, translate
from nsm.publication.grid import INTERNAL, Cell, Column, Grid, Labels, Reader, Shown, grid
from nsm.publication.numerals import locale_for

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

SHEET = 1_000_000  # rows that a sheet of Excel takes, less its headings
_LONGEST = 31  # characters of a sheet's name
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")


def write_estimates(estimates: Estimates, path: str | os.PathLike[str]) -> None:
    """Write the table of estimates as a workbook."""
    import pandas as pd

    with atomic(path) as partial, pd.ExcelWriter(partial, engine="xlsxwriter") as book:
        estimates.table.to_excel(book, index=False)


def write_workbook(
    tables: Mapping[str, Estimates | Shown],
    path: str | os.PathLike[str],
    *,
    language: str = SOURCE,
    country: str | None = None,
    labels: Labels | None = None,
    audience: str = INTERNAL,
    synthetic: bool = False,
) -> Path:
    """Write tables as one workbook: an index that leads to a sheet for each.

    Numbers are numbers, as exact as they are printed; a hidden cell holds its sign. Text that looks
    like a formula stays text.

    Parameters
    ----------
    tables
        Title -> estimates, or `Shown`.
    audience
        `public` hides the numbers that are suppressed or not publishable.

    Raises
    ------
    PublicationError
        There is no table, or one is too long.
    """
    import xlsxwriter

    if not tables:
        raise PublicationError("There is no table to write into {file}.", file=str(path))
    reader = Reader(language, locale_for(language, country), audience, labels or {})
    made = [grid(title, given, reader, SHEET) for title, given in tables.items()]
    names = sheet_names([one.caption for one in made], translate("Index", language))
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with atomic(path) as partial, xlsxwriter.Workbook(str(partial), options) as book:
        styles = _styles(book)
        warned = translate("SYNTHETIC: not ENI results", language) if synthetic else ""
        _index(book.add_worksheet(names[0]), made, names[1:], styles, (language, warned))
        for name, one in zip(names[1:], made, strict=True):
            _sheet(book.add_worksheet(name), one, styles, warned)
    return Path(path)


def sheet_names(titles: list[str], first: str) -> list[str]:
    """Return names that Excel takes, all different, with the index's first.

    >>> sheet_names(["By sex", "By sex"], "Index")
    ['Index', '1 By sex', '2 By sex']
    """
    clean = [_FORBIDDEN.sub(" ", title) for title in titles]
    return [first, *(f"{k} {name}"[:_LONGEST].strip() for k, name in enumerate(clean, 1))]


def _styles(book: Workbook) -> dict[str, Any]:
    return {
        "title": book.add_format({"bold": True, "font_size": 13}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "warned": book.add_format({"bold": True, "font_color": "#5b2a86"}),
        "link": book.add_format({"font_color": "#0b4a6f", "underline": 1}),
        "integer": book.add_format({"num_format": "#,##0"}),
        "percent": book.add_format({"num_format": "0.0%"}),
        "decimal": book.add_format({"num_format": "#,##0.0##"}),
    }


def _index(
    sheet: Worksheet,
    made: list[Grid],
    names: list[str],
    styles: dict[str, Any],
    said: tuple[str, str],
) -> None:
    language, warned = said
    sheet.set_column(0, 0, 90)
    sheet.write_string(0, 0, translate("Index", language), styles["title"])
    sheet.write_string(1, 0, warned, styles["warned"])
    for k, (one, name) in enumerate(zip(made, names, strict=True)):
        sheet.write_url(3 + k, 0, f"internal:'{name}'!A1", styles["link"], one.caption)


def _sheet(sheet: Worksheet, made: Grid, styles: dict[str, Any], warned: str) -> None:
    sheet.write_string(0, 0, made.caption, styles["title"])
    sheet.write_string(1, 0, warned, styles["warned"])
    for k, column in enumerate(made.columns):
        sheet.write_string(2, k, column.full, styles["head"])
        sheet.set_column(k, k, 14 if column.number else 24)
        for i, row in enumerate(made.rows):
            _write(sheet, (3 + i, k), row[k], column, styles)
    sheet.freeze_panes(3, 0)
    below = [f"{sign} {words}" for sign, words in made.legend] + ([made.note] if made.note else [])
    for k, text in enumerate(below):
        sheet.write_string(4 + len(made.rows) + k, 0, text)


def _write(
    sheet: Worksheet, at: tuple[int, int], cell: Cell, column: Column, styles: dict[str, Any]
) -> None:
    # An interval is two numbers in one cell: it is for reading, and stays text.
    if cell.value is None or not column.number or column.name == "interval":
        sheet.write_string(*at, cell.text)
        return
    kind = "percent" if "%" in cell.text else "integer" if cell.value.is_integer() else "decimal"
    sheet.write_number(*at, cell.value, styles[kind])
