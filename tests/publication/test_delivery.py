"""Tables in every format, read back by other packages: one state each, and nothing secret."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest
from frictionless import Package, system
from lxml import etree  # type: ignore[import-untyped]  # it brings no types
from pysdmx.io import get_datasets

from nsm.errors import OptionError, PublicationError
from nsm.publication import FORMATS, Declared, Edition, Series, deliver, flag, protect
from nsm.publication.grid import Reader, grid
from nsm.publication.records import records
from nsm.publication.sdmx import codelists, observations, structure

NOTICE = {"es": "Sintético: no es la ENI.", "en": "Synthetic: not the ENI."}
EDITION = Edition(
    {"es": "Encuesta & más", "en": "Survey & more"},
    "DOM",
    2027,
    labels={
        "sex": {"M": {"es": "Hombre", "en": "Man"}, "F": {"es": "Mujer", "en": "Woman"}},
        "territory": {"border": {"es": "Frontera", "en": "Border"}},
    },
    synthetic=True,
    notice=NOTICE,
    secrets=("0120010101001", 20270115),
)


def declared(make: Any, **options: Any) -> Declared:
    """A table with a cell in each state: shown, with caution, unreliable, suppressed, empty."""
    rows = make(
        {"sex": "M", "territory": "border", "estimate": 1234.5},
        {"sex": "F", "territory": "border", "cv": 0.25},
        {"sex": "M", "territory": "sugar", "cv": 0.45, "estimate": 777.0},
        {"sex": "F", "territory": "sugar", "cases": 4, "estimate": 4321.0, "note": "four"},
        {"sex": "F", "territory": "crops", "estimate": np.nan, "se": np.nan, "n": 0, "cases": 0},
        by=("sex", "territory"),
    )
    made = protect(flag(rows, "cv(0.15, 0.30)"), margins=False)
    title = {"es": "Por sexo & territorio", "en": "By sex & territory"}
    return Declared(made, title, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.publication.conftest import made

    where = tmp_path_factory.mktemp("tables")
    table = declared(
        made,
        note={"es": "Nota 5 %", "en": "Note 5 %"},
        across=("sex",),
        series={"y": Series("SL_EMP_EARN", "CUR_LCU")},
    )
    findings = deliver({"people": table}, where, EDITION)
    assert not len(findings)
    return where


STATES = ["shown", "caution", "unreliable", "suppressed", "empty"]


def test_a_table_too_long_for_a_page_is_in_the_other_formats(tmp_path: Path) -> None:
    from tests.publication.conftest import made

    rows = made(*({"sex": f"{k:04d}", "estimate": 50.0} for k in range(2001)), by=("sex",))
    title = {"es": "Largo", "en": "Long"}
    long = Declared(protect(flag(rows, "cv(0.15, 0.30)"), margins=False), title)
    deliver({"long": long}, tmp_path, EDITION, ["csv", "excel", "html", "latex"])
    assert len(pd.read_csv(tmp_path / "long.csv")) == 2001
    assert not [*tmp_path.glob("long-*.html"), *tmp_path.glob("long-*.tex")]
    book = openpyxl.load_workbook(next(tmp_path.glob("*es.xlsx")), read_only=True)
    assert book.worksheets[1].max_row > 2001


def test_every_format_is_there(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        [
            *(f"people.{s}" for s in ("csv", "parquet", "sav", "dta")),
            *(f"people-{lang}.{s}" for lang in ("es", "en") for s in ("html", "tex")),
            "tables-es.xlsx", "tables-en.xlsx", "sdg.csv", "sdg.xml", "datapackage.json",
        ]
    )  # fmt: skip


@pytest.mark.parametrize("read", [pd.read_csv, pd.read_parquet])
def test_rows_say_why_a_number_is_blank(folder: Path, read: Any) -> None:
    name = "people.csv" if read is pd.read_csv else "people.parquet"
    table = read(folder / name)
    assert table["state"].tolist() == STATES
    assert table["estimate"].notna().tolist() == [True, True, False, False, False]
    assert table["cv"].notna().tolist()[:4] == [True, True, True, False]
    hidden = table[table["state"] == "suppressed"].iloc[0]
    assert hidden[["estimate", "se", "lower", "upper", "n", "cases", "psus", "note"]].isna().all()
    assert (table["notice"] == NOTICE["es"]).all()
    assert "suppressed" not in table.columns


def test_estimates_without_protection_are_refused(make: Any, tmp_path: Path) -> None:
    bare = Declared(flag(make({}), "cv(0.15, 0.30)"), "T")
    with pytest.raises(PublicationError, match="protect"):
        deliver({"t": bare}, tmp_path, EDITION)
    with pytest.raises(PublicationError, match="protect"):
        records(bare.estimates)
    assert not list(tmp_path.iterdir())


def test_stata_gives_reasons_and_labels(folder: Path) -> None:
    table, meta = pyreadstat.read_dta(str(folder / "people.dta"), user_missing=True)
    assert table["estimate"].tolist() == [1234.5, 1000.0, "u", "c", "e"]
    reasons: dict[Any, str] = dict(meta.variable_value_labels["estimate"])
    assert reasons["c"] == "confidencial: muy pocas personas"
    assert set(meta.variable_value_labels["sex"].values()) == {"M Hombre", "F Mujer"}
    assert meta.column_names_to_labels["estimate"] == "Estimación"
    assert meta.file_label == "Por sexo & territorio"
    assert table["notice"].tolist() == [NOTICE["es"]] * 5


def test_spss_gives_reasons_and_labels(folder: Path) -> None:
    table, meta = pyreadstat.read_sav(str(folder / "people.sav"), user_missing=True)
    labels = meta.variable_value_labels["estimate"]
    words = [labels.get(v, v) for v in table["estimate"]]
    assert words[:2] == [1234.5, 1000.0]
    assert words[2].startswith("no publicable")
    assert words[3].startswith("confidencial")
    assert words[4].startswith("nadie")
    assert NOTICE["es"].rstrip(".") in " ".join(meta.notes)
    blank, _ = pyreadstat.read_sav(str(folder / "people.sav"))
    assert blank["estimate"].isna().tolist() == [False, False, True, True, True]


def test_workbooks_hold_numbers_side_by_side(folder: Path) -> None:
    sheet = openpyxl.load_workbook(folder / "tables-es.xlsx").worksheets[1]
    head = [cell.value for cell in sheet[3]]
    column = head.index("Hombre · Estimación")
    rows = {row[0]: row[column] for row in sheet.iter_rows(min_row=4, values_only=True)}
    assert rows["Frontera"] == pytest.approx(1234, abs=1)
    assert rows["sugar"] == "(u)"
    assert sheet["A2"].value


@pytest.mark.parametrize("language", ["es", "en"])
def test_pages_are_written_for_people(folder: Path, language: str) -> None:
    text = (folder / f"people-{language}.html").read_text(encoding="utf-8")
    page = etree.HTML(text)
    assert page.get("lang") == language
    said = " ".join(page.itertext())
    assert "1,234" in said
    assert ("Hombre" in said) == (language == "es")
    assert {"(c)", "(u)", "△"} <= set(re.findall(r"\([cu]\)|△", said))
    assert NOTICE[language] in said
    assert ("Note 5 %" in said) == (language == "en")
    assert not re.search(r"(src|href)=", text)
    assert {th.get("scope") for th in page.iter("th")} <= {"col", "row", "colgroup"}


def test_categories_and_gaps_are_said_in_words(make: Any) -> None:
    labels = {
        "documents": {"none": {"es": "Ninguno", "en": "None"}},
        "status": {
            "immigrant": {"es": "Inmigrante", "en": "Immigrant"},
            "native": {"es": "Nativo", "en": "Native"},
        },
    }
    reader = Reader("es", "es", labels=labels)
    rows = make(
        {"status": "native", "variable": "documents", "category": "none"},
        {"status": "immigrant - native", "variable": "documents", "category": "other"},
        by=("status",),
    )
    words = {tuple(cell.text for cell in row[:2]) for row in grid("T", rows, reader).rows}
    assert words == {("Inmigrante \N{MINUS SIGN} Nativo", "other"), ("Nativo", "Ninguno")}


def test_bands_of_age_stand_in_their_order(make: Any) -> None:
    bands = ["0-4", "15-29", "5-14", "65+"]
    rows = make(*({"age_band": b} for b in (*bands, None)), by=("age_band",))
    shown = [row[0].text for row in grid("T", rows, Reader("en", "en")).rows]
    assert shown == ["0-4", "5-14", "15-29", "65+", "Total"]


def test_latex_escapes_what_it_must(folder: Path) -> None:
    text = (folder / "people-es.tex").read_text(encoding="utf-8")
    assert r"Por sexo \& territorio" in text
    assert re.search(r"25.0~?\\%", text)
    assert r"$\triangle$" in text
    assert not re.findall(r"[^\x00-\xff]", text)


def test_sdmx_is_read_back(folder: Path) -> None:
    for suffix in ("csv", "xml"):
        (dataset,) = get_datasets(folder / f"sdg.{suffix}")
        data = dataset.data.astype("str")
        assert list(data["OBS_STATUS"]) == ["A", "U", "O", "Q", "M"]
        assert set(data["SERIES"]) == {"SL_EMP_EARN"}
        assert set(data["REF_AREA"]) == {"214"}
        values = pd.to_numeric(data["OBS_VALUE"], errors="coerce")
        assert values.notna().tolist() == [True, True, False, False, False]
        assert data["CUST_BREAKDOWN"].nunique() == 3
        assert data["CUST_BREAKDOWN_LB"].iloc[0] == "Territorio: Frontera"
        assert data["COMMENT_OBS"].str.contains(NOTICE["es"], regex=False).all()
        for name, listed in structure()["dimensions"].items():
            if listed:
                assert set(data[name]) <= set(codelists()[listed])


def test_unknown_codes_are_named_and_the_rest_made(make: Any, tmp_path: Path) -> None:
    rows = make({"sex": "M"}, {"sex": "X9"}, {"sex": "F", "variable": "z"}, by=("sex",))
    safe = protect(flag(rows, "cv(0.15, 0.30)"), margins=False)
    table = Declared(safe, "T", series={"y": Series("SL_EMP_EARN"), "z": Series("NO_SUCH")})
    found = observations({"t": table}, EDITION)
    assert len(found.table) == 1
    assert sorted(found.findings["examples"]) == ["NO_SUCH", "X9"]
    assert found.findings["message"].str.contains("no está en CL_").all()
    more = replace(table, series={**table.series, "w": Series("SL_EMP_EARN")})
    findings = deliver({"t": more}, tmp_path, EDITION, ["sdmx"])
    assert sorted(findings["code"]) == ["X101", "X101", "X102"]
    assert (tmp_path / "sdg.csv").exists()


def test_the_data_package_is_valid(folder: Path) -> None:
    with system.use_context(trusted=True):
        report = Package(str(folder / "datapackage.json")).validate()
    assert report.valid, report.flatten(["type", "message"])
    package = Package(str(folder / "datapackage.json"))
    assert package.get_resource("people").schema.get_field("estimate").type == "number"


@pytest.mark.parametrize("secret", ["0120010101001", "20270115"])
def test_a_table_with_a_secret_is_not_written(make: Any, tmp_path: Path, secret: str) -> None:
    rows = make({"origin": secret}, by=("origin",))
    table = Declared(protect(flag(rows, "cv(0.15, 0.30)"), margins=False), "T")
    with pytest.raises(PublicationError, match="holds 1 keys"):
        deliver({"t": table}, tmp_path, EDITION)
    rows = make({"area": "x"}, by=("area",))
    table = Declared(protect(flag(rows, "cv(0.15, 0.30)"), margins=False), "T")
    with pytest.raises(PublicationError, match="to the public"):
        deliver({"t": table}, tmp_path, EDITION)
    assert not list(tmp_path.iterdir())


def test_an_unknown_format_is_named(make: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="Did you mean 'stata'"):
        deliver({"t": declared(make)}, tmp_path, EDITION, ["state"])
    assert len(FORMATS) == 9
