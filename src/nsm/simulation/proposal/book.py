"""The budget as an Excel workbook whose sums follow when a price or a quantity is changed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nsm.files import atomic
from nsm.language import translate
from nsm.publication.rules import in_language
from nsm.simulation.proposal.budget import budget, disbursed, shared, totals
from nsm.simulation.proposal.prices import Prices

if TYPE_CHECKING:
    import pandas as pd

_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_HEADS = (
    "Code",
    "Chapter",
    "Item",
    "Unit",
    "Quantity",
    "Unit price",
    "Amount",
    "Phase",
    "Funder",
    "In kind",
)


class _Book(NamedTuple):
    """A workbook at work."""

    file: Any
    style: Mapping[str, Any]
    prices: Prices
    lines: pd.DataFrame
    language: str

    def say(self, text: str) -> str:
        """Return a text in the reader's language."""
        return translate(text, self.language)

    def sheet(self, name: str, heads: tuple[str, ...], widths: tuple[int, ...]) -> Any:
        """Return a new sheet with its headings."""
        sheet = self.file.add_worksheet(self.say(name))
        for column, (head, width) in enumerate(zip(heads, widths, strict=True)):
            sheet.write_string(0, column, self.say(head), self.style["head"])
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        return sheet

    def cells(self, column: str) -> str:
        """Return the address of a column of the lines."""
        return f"'{self.say('Budget')}'!${column}$2:${column}${len(self.lines) + 1}"


def write_budget(
    prices: Prices,
    quantities: Mapping[str, float],
    path: str | os.PathLike[str],
    *,
    language: str = "en",
    notes: Mapping[str, object] | None = None,
) -> Path:
    """Write the budget with live formulas.

    Sheets: the quantities of the plan; the lines, whose quantities are formulas of them; sums by
    chapter, phase and funder; who pays when; notes. Change a price or a quantity, and all follows.

    Parameters
    ----------
    quantities
        All of them; see `completed`.
    notes
        What -> value, such as hashes of the run that the quantities come from.
    """
    import xlsxwriter

    lines = budget(prices, quantities)
    with atomic(path) as temporary:
        file = xlsxwriter.Workbook(str(temporary), {"strings_to_formulas": False})
        book = _Book(file, _styles(file), prices, lines, language)
        _summary(book)
        _lines(book, _quantities(book, quantities))
        _disbursed(book)
        sheet = book.sheet("Notes", ("What", "Value"), (34, 80))
        for row, (what, value) in enumerate((notes or {}).items(), 1):
            sheet.write_string(row, 0, what)
            sheet.write_string(row, 1, str(value))
        file.close()
    return Path(path)


def _styles(file: Any) -> dict[str, Any]:
    return {
        "head": file.add_format(
            {"bold": True, "bg_color": "#E3EEF3", "bottom": 1, "text_wrap": True}
        ),
        "bold": file.add_format({"bold": True}),
        "money": file.add_format({"num_format": "#,##0"}),
        "price": file.add_format({"num_format": "#,##0.00", "bg_color": "#FFF8E1"}),
        "number": file.add_format({"num_format": "#,##0.0"}),
        "given": file.add_format({"num_format": "#,##0.00", "bg_color": "#FFF8E1"}),
        "share": file.add_format({"num_format": "0.0%", "bg_color": "#FFF8E1"}),
        "total": file.add_format({"bold": True, "num_format": "#,##0", "top": 1}),
    }


def formula(expression: str, cells: Mapping[str, str]) -> str:
    """Return an expression of quantities as a formula of their cells.

    >>> formula("areas * 2", {"areas": "Q!$B$2"})
    '=Q!$B$2 * 2'
    """
    return "=" + _NAME.sub(lambda found: cells[found[0]], expression)


def _quantities(book: _Book, quantities: Mapping[str, float]) -> dict[str, str]:
    """Write the quantities; return the cell of each."""
    sheet = book.sheet("Quantities", ("Name", "Value", "Quantity"), (26, 16, 60))
    cells: dict[str, str] = {}
    for row, (key, value) in enumerate(quantities.items(), 1):
        sheet.write_string(row, 0, key)
        own = book.prices.quantities.get(key)
        if own is None:
            sheet.write_number(row, 1, float(value), book.style["given"])
        else:
            sheet.write_formula(row, 1, formula(own, cells), book.style["number"], float(value))
        sheet.write_string(row, 2, book.say(key) if own is None else own)
        cells[key] = f"'{book.say('Quantities')}'!$B${row + 1}"
    return cells


def _lines(book: _Book, cells: Mapping[str, str]) -> None:
    sheet = book.sheet("Budget", _HEADS, (10, 14, 44, 16, 12, 14, 16, 14, 12, 9))
    for row, line in enumerate(book.lines.to_dict("records"), 1):
        texts = {
            0: line["code"],
            1: line["chapter"],
            2: in_language(line["item"], book.language),
            3: in_language(line["unit"], book.language),
            7: line["phase"],
            8: line["funder"],
            9: book.say("yes") if line["in_kind"] else book.say("no"),
        }
        for column, text in texts.items():
            sheet.write_string(row, column, text)
        made = formula(line["expression"], cells)
        sheet.write_formula(row, 4, made, book.style["number"], line["quantity"])
        sheet.write_number(row, 5, line["price"], book.style["price"])
        amount = f"=E{row + 1}*F{row + 1}"
        sheet.write_formula(row, 6, amount, book.style["money"], line["amount"])


def _summary(book: _Book) -> None:
    heads = ("Code", "Name", "In money", "Contingencies", "In kind", "Total")
    sheet = book.sheet("Summary", heads, (14, 48, 16, 16, 16, 16))
    whole = totals(book.lines, book.prices.contingency)
    columns = ("lines", "contingency", "in_kind", "whole")
    sheet.write_string(1, 1, f"{book.say('Total')} ({book.prices.currency})", book.style["bold"])
    made = _sums_of(book, "", 2)
    for place, (key, text) in enumerate(zip(columns, made, strict=True), 2):
        sheet.write_formula(1, place, text, book.style["total"], whole[key])
    sheet.write_string(2, 1, book.say("Contingencies, share of what is paid in money"))
    sheet.write_number(2, 2, book.prices.contingency, book.style["share"])
    row = 3
    for currency, rate in book.prices.exchange.items():
        sheet.write_string(row, 1, f"{book.prices.currency} / {currency}")
        sheet.write_number(row, 2, rate, book.style["price"])
        sheet.write_string(row, 4, f"{book.say('Total')} ({currency})")
        value = whole["whole"] / rate
        sheet.write_formula(row, 5, f"=F2/C{row + 1}", book.style["total"], value)
        row += 1
    for by, title, column in (
        ("chapter", "By chapter", "B"),
        ("phase", "By phase", "H"),
        ("funder", "By funder", "I"),
    ):
        row = _part(book, sheet, (by, title, column), row + 1)


def _part(book: _Book, sheet: Any, part: tuple[str, str, str], row: int) -> int:
    """Write the sums of one classification; return the next free row."""
    by, title, column = part
    sheet.write_string(row, 1, book.say(title), book.style["bold"])
    for values in shared(book.prices, book.lines, by).to_dict("records"):
        row += 1
        code = str(values[by])
        sheet.write_string(row, 0, code)
        sheet.write_string(row, 1, named(book.prices, by, code, book.language))
        texts = _sums_of(book, f",{book.cells(column)},$A{row + 1}", row + 1)
        keys = ("money", "contingency", "in_kind", "whole")
        for place, (key, text) in enumerate(zip(keys, texts, strict=True), 2):
            sheet.write_formula(row, place, text, book.style["money"], values[key])
    return row + 1


def _sums_of(book: _Book, condition: str, row: int) -> tuple[str, str, str, str]:
    """Return the formulas of money, contingencies, in kind and total of a row (from 1)."""
    amount, kind = book.cells("G"), book.cells("J")
    return (
        f'=SUMIFS({amount},{kind},"{book.say("no")}"{condition})',
        f"=C{row}*$C$3",
        f'=SUMIFS({amount},{kind},"{book.say("yes")}"{condition})',
        f"=SUM(C{row}:E{row})",
    )


def _disbursed(book: _Book) -> None:
    table = disbursed(book.prices, book.lines)
    funders = [*book.prices.funders]
    heads = ("Code", "Phase", *funders)
    sheet = book.sheet("Phases and funders", heads, (14, 44, *(16 for _ in funders)))
    for row, values in enumerate(table.to_dict("records"), 1):
        code = str(values["phase"])
        sheet.write_string(row, 0, code)
        sheet.write_string(row, 1, named(book.prices, "phase", code, book.language))
        for place, funder in enumerate(funders, 2):
            head = f"{_letter(place)}$1"
            text = (
                f"=SUMIFS({book.cells('G')},{book.cells('H')},$A{row + 1},{book.cells('I')},{head})"
            )
            sheet.write_formula(row, place, text, book.style["money"], values[funder])
    last = len(table) + 1
    sheet.write_string(last, 1, book.say("Total"), book.style["bold"])
    for place, funder in enumerate(funders, 2):
        letter = _letter(place)
        text = f"=SUM({letter}2:{letter}{last})"
        sheet.write_formula(last, place, text, book.style["total"], table[funder].sum())


def _letter(column: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(column))


def named(prices: Prices, by: str, code: str, language: str) -> str:
    """Return the words for a chapter, phase or funder."""
    if by == "phase":
        return in_language(prices.phases[code].name, language)
    return in_language((prices.chapters if by == "chapter" else prices.funders)[code], language)
