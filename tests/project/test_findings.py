"""Labels and cells that are missing are named, and the tables made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd

from nsm.estimation import Estimates
from nsm.project import Project
from nsm.project.findings import findings


def published(table: pd.DataFrame) -> Any:
    made = Estimates(table, ("tenure",))
    return SimpleNamespace(every=[made], tables={"housing": made}, indicators={})


def rows(verdicts: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "tenure": ["owned", "5-14", "rented", "borrowed"],
            "variable": "homes",
            "category": [None, None, "tile", None],
            "n": 40,
            "suppressed": None,
            "verdict": verdicts,
        }
    )


def test_codes_without_words_are_named() -> None:
    labels = {
        "tenure": {"owned": {"es": "Propia", "en": "Owned"}, "rented": {"es": "Alquilada"}},
        "variable": {"homes": {"es": "Viviendas", "en": "Homes"}},
        "homes": {"tile": {"es": "Mosaico", "en": "Tile"}},
    }
    found = findings(published(rows(["publishable"] * 4)), labels, ("es", "en"))
    assert found[["code", "where", "count", "examples"]].to_numpy().tolist() == [
        ["P101", "tenure", 1, "borrowed"],
        ["P101", "tenure", 2, "borrowed, rented"],
    ]
    assert "no tienen palabras en 'en'" in found["message_es"].iloc[1]


def test_a_table_that_asks_too_much_is_named() -> None:
    labels = {
        "tenure": {k: {"en": k} for k in ("owned", "rented", "borrowed")},
        "variable": {"homes": {"en": "Homes"}},
        "homes": {"tile": {"en": "Tile"}},
    }
    bad = "not_publishable"
    few = findings(published(rows([bad, bad, bad, "caution"])), labels, ("en",))
    assert few[["code", "where", "count"]].to_numpy().tolist() == [["P102", "housing", 3]]
    assert "1 of 4 can be published" in few["message_en"].iloc[0]
    assert not len(findings(published(rows([bad, bad, "caution", "caution"])), labels, ("en",)))


def test_a_table_too_long_for_a_page_is_named() -> None:
    long = pd.concat([rows(["publishable"] * 4)] * 501, ignore_index=True)
    labels = {
        "tenure": {k: {"en": k} for k in ("owned", "rented", "borrowed")},
        "variable": {"homes": {"en": "Homes"}},
        "homes": {"tile": {"en": "Tile"}},
    }
    found = findings(published(long), labels, ("en",))
    assert found[["code", "where", "count"]].to_numpy().tolist() == [["P103", "housing", 2004]]


def test_the_findings_of_a_project_are_a_file(finished: Project) -> None:
    found = pd.read_csv(finished.results("publication", "findings.csv"), dtype=str)
    assert set(found["code"]) <= {"P101", "P102"}
    assert "P101" not in set(found["code"]), found.to_string()
    page = finished.results("publication", "report-public-en.html").read_text(encoding="utf-8")
    assert "What the tables lack" not in page
