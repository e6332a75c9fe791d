"""Deliveries of every program become the same tables, and what is wrong in them is listed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest
from tests.fieldwork.exports import EXPORTS, tables
from tests.questionnaire.walk import interviews

from nsm.errors import FieldworkError, FileError
from nsm.fieldwork import Delivery, read_delivery
from nsm.files import library
from nsm.questionnaire import Questionnaire

FORM = Questionnaire.read(library("questionnaires/eni-short"))
DONE = [
    *interviews(FORM, 12, outcome="completed", household_size=3),
    *interviews(FORM, 3, seed=2, outcome="refused"),
]
for number, each in enumerate(DONE):
    each.row |= {"area": "0" * 13, "dwelling": f"{'0' * 13}-{number:03d}"}


def delivered(program: str, folder: Path) -> Delivery:
    encoding = "cp1252" if program == "cspro" else "utf-8"
    return read_delivery(EXPORTS[program](FORM, DONE, folder), FORM, encoding=encoding)


@pytest.mark.parametrize("program", EXPORTS)
def test_every_program_gives_the_same_tables(program: str, tmp_path: Path) -> None:
    found = delivered(program, tmp_path)
    wrong = found.findings[found.findings["code"] != "D106"]
    assert wrong.empty, wrong[["code", "where", "message", "examples"]]
    (tmp_path / "other").mkdir()
    expected = read_delivery(tables(FORM, DONE, tmp_path), FORM).tables
    for name, table in expected.items():
        assert len(table) == {"dwellings": 15, "households": 12, "persons": 36}[name]
        own = found.tables[name].sort_values(FORM.tables[name].key, ignore_index=True)
        pd.testing.assert_frame_equal(own[table.columns], table)


def test_tables_have_keys_types_and_reasons(tmp_path: Path) -> None:
    source = tables(FORM, DONE, tmp_path)
    source["persons"]["pay"] = source["persons"]["pay"].astype(object)
    source["persons"].loc[0, "pay"] = 99999999
    source["persons"].loc[1, "birth_country"] = "UNKNOWN"
    found = read_delivery(source, FORM)
    persons = found.tables["persons"]
    assert persons["person"][0] == f"{'0' * 13}-000-1-01"
    assert list(persons.columns[:4]) == ["area", "dwelling", "household", "person"]
    assert persons.dtypes[["age", "employed", "sex", "pay"]].astype(str).tolist() == [
        "Int64",
        "boolean",
        "str",
        "Int64",
    ]
    assert found.reasons.to_dict("records") == [
        {
            "table": "persons",
            "key": persons["person"][1],
            "question": "birth_country",
            "code": "UNKNOWN",
            "reason": "UNKNOWN",
        },
        {
            "table": "persons",
            "key": persons["person"][0],
            "question": "pay",
            "code": "99999999",
            "reason": "refused",
        },
    ]
    assert persons["pay"].isna()[0]
    assert persons["birth_country"].isna()[1]


def said(found: Delivery, code: str) -> dict[str, object]:
    return found.findings.set_index("code").loc[code].to_dict()


def test_columns_that_belong_to_nothing_are_named(tmp_path: Path) -> None:
    source = tables(FORM, DONE, tmp_path)
    source["persons"] = source["persons"].rename(columns={"schooling": "scholing"})
    found = read_delivery(source, FORM)
    assert said(found, "D101")["message"] == (
        "1 columns belong to no question and are left out. Did you mean 'schooling'?"
    )
    assert said(found, "D102")["where"] == "persons"
    assert "have no column in the delivery: schooling." in str(said(found, "D102")["message"])


def test_repeated_keys_are_kept_and_listed(tmp_path: Path) -> None:
    source = tables(FORM, DONE, tmp_path)
    source["households"] = pd.concat([source["households"], source["households"][:1]])
    found = read_delivery(source, FORM)
    assert len(found.tables["households"]) == 13
    assert said(found, "D103")["examples"] == f"{'0' * 13}-000-1"


def test_rows_without_the_unit_above_are_listed(tmp_path: Path) -> None:
    source = tables(FORM, DONE, tmp_path)
    source["households"] = source["households"][1:]
    found = read_delivery(source, FORM)
    assert len(found.tables["persons"]) == 36
    assert said(found, "D104")["count"] == 3
    assert said(found, "D104")["where"] == "persons.household"


def test_answers_that_cannot_be_read_are_listed_by_key_not_by_answer(tmp_path: Path) -> None:
    source = tables(FORM, DONE, tmp_path)
    source["persons"]["age"] = source["persons"]["age"].astype(object)
    source["persons"].loc[2, "age"] = "diez"
    found = read_delivery(source, FORM)
    assert (
        said(found, "D105")["message"] == "1 answers cannot be read as integer and are left blank."
    )
    assert said(found, "D105")["examples"] == f"{'0' * 13}-000-1-03"
    assert "diez" not in found.findings.to_string()


def test_labels_become_codes(tmp_path: Path) -> None:
    source = tables(FORM, DONE, tmp_path)
    source["persons"]["sex"] = source["persons"]["sex"].map({"M": "Hombre", "F": "Female"})
    found = read_delivery(source, FORM)
    assert set(found.tables["persons"]["sex"]) == {"M", "F"}
    assert said(found, "D106")["count"] == 36


def test_a_label_set_that_does_not_fit_is_listed(tmp_path: Path) -> None:
    import pyreadstat

    persons = tables(FORM, DONE, tmp_path)["persons"][["household", "line", "sex"]]
    persons["sex"] = persons["sex"].map({"M": 1.0, "F": 2.0})
    labels = {"sex": {1.0: "Hombre", 2.0: "Mujer", 3.0: "Otro"}}
    pyreadstat.write_sav(persons, str(tmp_path / "p.sav"), variable_value_labels=labels)
    found = read_delivery({"persons": tmp_path / "p.sav"}, FORM)
    assert said(found, "D107")["examples"] == "3: Otro"
    assert set(found.tables["persons"]["sex"]) == {"M", "F"}


def test_a_dwelling_with_two_values_is_listed() -> None:
    table = pd.DataFrame(
        {
            "dwelling": ["1", "1"],
            "household_number": ["1", "2"],
            "household_size": ["3", "4"],
            "dwelling_type": ["private", "collective"],
        }
    )
    found = read_delivery(table, FORM)
    assert list(found.tables["households"]["household"]) == ["1-1", "1-2"]
    assert list(found.tables["dwellings"]["dwelling_type"]) == ["private"]
    assert said(found, "D109")["where"] == "dwellings.dwelling_type"


REFUSED = {
    "nothing.csv": ("", "cannot be read as CSV: No columns"),
    "other.csv": ("a,b\n1,2\n", "No column of .* is a question of 'eni_short'"),
    "latin.csv": (
        "área,age\n1,2\n".encode("latin-1"),
        "line 1: this is not utf-8. Save it as UTF-8",
    ),
    "fake.xlsx": ("a,b", "cannot be read as XLSX"),
    "fake.parquet": ("a,b", "cannot be read as PARQUET"),
    "fake.sav": ("a,b", "cannot be read as SPSS"),
    "fake.dta": ("a,b", "cannot be read as Stata"),
    "fake.zip": ("a,b", "cannot be read as ZIP: File is not a zip file"),
    "data.json": ("{}", "ends in '.json'; deliveries are read from '.csv'"),
    "nokey.csv": ("age,sex\n3,M\n", "the rows have no key. Give the column 'person'"),
    "ragged.csv": ("age,sex\n3,M,4,5\n1,2\n1,2,3,4,5,6\n", "cannot be read as CSV"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_not_what_they_seem_are_refused(name: str, tmp_path: Path) -> None:
    content, message = REFUSED[name]
    raw = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(raw)
    with pytest.raises((FileError, FieldworkError), match=message):
        read_delivery(tmp_path / name, FORM)


def test_a_large_archive_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(1_001):
            archive.writestr(f"{number}.csv", "a")
    with pytest.raises(FileError, match="1001 tables, which is too large"):
        read_delivery(tmp_path / "many.zip", FORM)


def test_an_url_is_refused() -> None:
    with pytest.raises(FileError, match="is not a local file"):
        read_delivery("https://example.org/data.csv", FORM)


def test_computed_flags_with_blanks_are_read() -> None:
    full = Questionnaire.read(library("questionnaires/eni"))
    persons = {"household": "1-1", "dwelling": "1", "line": ["1", "2", "3"]}
    persons |= {"employed": [True, None, False], "unit_size": ["1", "2_5", None]}
    persons["arrival_year"] = [None, None, None]
    table = read_delivery({"persons": pd.DataFrame(persons)}, full).tables["persons"]
    assert table["employed"].astype("object").where(table["employed"].notna(), 9).tolist() == [
        True,
        9,
        False,
    ]
    assert table["unit_size"].fillna("").tolist() == ["1", "2_5", ""]
    assert table["arrival_year"].isna().all()
