"""Workbooks, read back by another reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from nsm.errors import PublicationError
from nsm.publication.disclosure import protect
from nsm.publication.workbook import sheet_names, write_workbook


def read(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def test_an_index_leads_to_one_sheet_a_table(make: Any, tmp_path: Path) -> None:
    path = write_workbook({"By: sex/age": make({}), "Pay": make({})}, tmp_path / "t.xlsx")
    book = read(path)
    assert book.sheetnames == ["Index", "1 By  sex age", "2 Pay"]
    assert [book["Index"].cell(k, 1).value for k in (4, 5)] == ["By: sex/age", "Pay"]
    assert book["Index"]["A4"].hyperlink.location == "'1 By  sex age'!A1"


def test_numbers_are_numbers_and_hidden_cells_their_sign(make: Any, tmp_path: Path) -> None:
    rows = make({"sex": "M", "estimate": 1234.0}, {"sex": "F", "cases": 4}, by=("sex",))
    shown = protect(rows, margins=False)
    path = write_workbook({"T": shown}, tmp_path / "t.xlsx", audience="public", language="es")
    sheet = read(path)["1 T"]
    head = [cell.value for cell in sheet[3]]
    column = head.index("Estimación") + 1
    assert sheet.cell(4, column).value == 1234
    assert sheet.cell(5, column).value == "(c)"
    assert sheet.cell(4, head.index("CV") + 1).number_format == "0.0%"
    assert any("(c)" in str(row[0].value) for row in sheet.iter_rows(min_row=6))


def test_text_that_looks_like_a_formula_stays_text(make: Any, tmp_path: Path) -> None:
    path = write_workbook({"=1+1": make({"sex": "=cmd()"}, by=("sex",))}, tmp_path / "t.xlsx")
    sheet = read(path).worksheets[1]
    assert sheet["A1"].data_type == "s"
    assert sheet["A4"].value == "=cmd()"
    assert sheet["A4"].data_type == "s"


def test_synthetic_workbooks_say_so_on_each_sheet(make: Any, tmp_path: Path) -> None:
    path = write_workbook({"T": make({})}, tmp_path / "t.xlsx", synthetic=True)
    assert [s["A2"].value for s in read(path)] == ["SYNTHETIC: not ENI results"] * 2


def test_no_table_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match="no table"):
        write_workbook({}, tmp_path / "t.xlsx")
    assert not list(tmp_path.iterdir())


def test_long_titles_fit() -> None:
    names = sheet_names(["x" * 50, "x" * 50], "Index")
    assert len(set(names)) == 3
    assert max(map(len, names)) <= 31
