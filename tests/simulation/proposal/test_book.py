"""The workbook computes what Python computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from nsm.simulation.proposal import Prices, budget, completed, read_prices, totals, write_budget

ROOT = Path(__file__).parents[3]
QUANTITIES = dict.fromkeys(
    (
        "areas",
        "reserve_areas",
        "interviewers",
        "supervisors",
        "person_days",
        "team_days",
        "travel_km",
        "field_weeks",
        "training_days",
    ),
    17.0,
)


@pytest.fixture(scope="module")
def prices() -> Prices:
    return read_prices(ROOT / "examples" / "eni-do" / "prices.toml")


class Sheets:
    """A reader of the few functions that the book has, apart from the library that wrote it."""

    def __init__(self, path: Path) -> None:
        self.book = openpyxl.load_workbook(path)

    def value(self, sheet: str, cell: str) -> Any:
        held = self.book[sheet][cell].value
        return self.evaluate(held[1:], sheet) if isinstance(held, str) and held[:1] == "=" else held

    def evaluate(self, text: str, sheet: str) -> float:
        import re

        def column(address: str) -> list[Any]:
            name, cells = address.rsplit("!", 1) if "!" in address else (sheet, address)
            name = name.strip("'")
            first, last = cells.replace("$", "").split(":")
            return [
                self.value(name, f"{c.column_letter}{c.row}")
                for row in self.book[name][f"{first}:{last}"]
                for c in row
            ]

        found = re.fullmatch(r"SUMIFS\((.*)\)", text)
        if found:
            parts = found[1].split(",")
            keep = [True] * len(column(parts[0]))
            for where, want in zip(parts[1::2], parts[2::2], strict=True):
                value = (
                    want.strip('"') if want[0] == '"' else self.value(sheet, want.replace("$", ""))
                )
                keep = [k and v == value for k, v in zip(keep, column(where), strict=True)]
            return float(sum(a for a, k in zip(column(parts[0]), keep, strict=True) if k))
        found = re.fullmatch(r"SUM\((.*)\)", text)
        if found:
            return float(sum(v or 0 for v in column(found[1])))

        def one(m: re.Match[str]) -> str:
            name = m[1][:-1].strip("'") if m[1] else sheet
            return repr(float(self.value(name, m[2].replace("$", ""))))

        plain = re.sub(r"('[^']+'!)?(\$?[A-Z]+\$?\d+)", one, text)
        assert re.fullmatch(r"[\d.e+\-*/() ]+", plain), plain
        return float(eval(plain))  # noqa: S307 (numbers and signs only, seen in the line before)


@pytest.mark.parametrize(("language", "summary"), [("es", "Resumen"), ("en", "Summary")])
def test_its_formulas_give_the_totals(
    prices: Prices, tmp_path: Path, language: str, summary: str
) -> None:
    quantities = completed(prices, QUANTITIES)
    file = write_budget(prices, quantities, tmp_path / "b.xlsx", language=language)
    whole = totals(budget(prices, quantities), prices.contingency)
    sheets = Sheets(file)
    keys = ("lines", "contingency", "in_kind", "whole")
    got = [sheets.value(summary, f"{letter}2") for letter in "CDEF"]
    assert got == pytest.approx([whole[key] for key in keys])
    stored = openpyxl.load_workbook(file, data_only=True)[summary]
    assert [stored[f"{letter}2"].value for letter in "CDEF"] == pytest.approx(got)
    for row in range(4, stored.max_row + 1):
        for letter in "CDEF":
            if stored[f"{letter}{row}"].value is not None:
                mine = sheets.value(summary, f"{letter}{row}")
                assert mine == pytest.approx(stored[f"{letter}{row}"].value)


def test_a_price_that_is_changed_changes_the_total(prices: Prices, tmp_path: Path) -> None:
    quantities = completed(prices, QUANTITIES)
    sheets = Sheets(write_budget(prices, quantities, tmp_path / "b.xlsx"))
    before = sheets.value("Summary", "F2")
    sheets.book["Quantities"]["B2"] = 18.0  # areas
    assert sheets.book["Quantities"]["A2"].value == "areas"
    price = next(line.price for line in prices.lines if line.quantity == "areas")
    after = sheets.value("Summary", "F2")
    assert after - before == pytest.approx(price * (1 + prices.contingency))
