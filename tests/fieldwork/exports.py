"""The same interviews as different programs export them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyreadstat

from nsm.questionnaire import Questionnaire
from nsm.questionnaire.reach import Reach

if TYPE_CHECKING:
    from tests.questionnaire.walk import Interview, Row

Source = Any


def said(value: Any) -> str:
    """An answer as a form submits it."""
    if value is None or value != value:  # noqa: PLR0124  # NaN is unlike itself
        return ""
    whole = isinstance(value, bool) or (isinstance(value, float) and value.is_integer())
    return str(int(value)) if whole else str(value).replace(" 0", "T0")


def passes(form: Questionnaire, interview: Interview) -> dict[str, list[Row]]:
    """The rows of every repeat, second passes apart."""
    reach = Reach(form)
    return {
        name: [
            {q.name: row[q.name] for q in form.every_question if q.rosters == (name,) and q.held}
            for row in interview.rosters[reach.roster(name)]
        ]
        for name in reach.rosters
    }


def grouped(form: Questionnaire, name: str, mark: str) -> str:
    """A name with the groups around it, within its repeat."""
    sections = form.questions[name].sections
    repeats = [s.name for s in form.sections if s.kind == "roster" and s.name in sections]
    inside = sections[sections.index(repeats[-1]) + 1 :] if repeats else sections
    return mark.join([*inside, name])


def tables(form: Questionnaire, interviews: list[Interview], _folder: Path) -> Source:
    """One table for each level, as nsm itself keeps them."""
    own = [(i, f"{i.row['dwelling']}-{i.row['household_number']}") for i in interviews]
    dwellings = [{name: i.row[name] for name in form.columns("dwellings")} for i, _ in own]
    households = [
        {"dwelling": i.row["dwelling"], "household": key}
        | {name: i.row[name] for name in form.columns("households")}
        for i, key in own
        if i.row["household_size"] is not None
    ]
    persons = [
        {"household": key, "dwelling": i.row["dwelling"], "person": f"{key}-{row['line']:02d}"}
        | row
        for i, key in own
        for row in i.rosters["members"]
    ]
    found = {
        "dwellings": pd.DataFrame(dwellings),
        "households": pd.DataFrame(households),
        "persons": pd.DataFrame(persons),
    }
    if "emigrants" in form.tables:
        emigrants = [
            {"household": key, "dwelling": i.row["dwelling"]} | row
            for i, key in own
            for row in i.rosters["emigrants"]
        ]
        found["emigrants"] = pd.DataFrame(emigrants)
    return found


def parquet(form: Questionnaire, interviews: list[Interview], folder: Path) -> Source:
    found = {}
    for name, table in tables(form, interviews, folder).items():
        found[name] = folder / f"{name}.parquet"
        table.to_parquet(found[name])
    return found


def odk(form: Questionnaire, interviews: list[Interview], folder: Path) -> Source:
    """A .zip of ODK Central: groups with hyphens, repeats with PARENT_KEY."""
    main, repeats = [], {}
    for number, interview in enumerate(interviews):
        key = f"uuid:{number}"
        main.append(
            {"SubmissionDate": "2027-01-16", "meta-instanceID": key}
            | {grouped(form, n, "-"): said(v) for n, v in interview.row.items()}
            | {"KEY": key, "FormVersion": "1"}
        )
        for roster, rows in passes(form, interview).items():
            for position, row in enumerate(rows, start=1):
                repeats.setdefault(roster, []).append(
                    {grouped(form, n, "-"): said(v) for n, v in row.items()}
                    | ({"interviews_age": "1"} if roster == "interviews" else {})
                    | {"PARENT_KEY": key, "KEY": f"{key}/{roster}[{position}]"}
                )
    file = folder / "odk.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("eni.csv", pd.DataFrame(main).to_csv(index=False))
        for roster, rows in repeats.items():
            archive.writestr(f"eni-{roster}.csv", pd.DataFrame(rows).to_csv(index=False))
    return file


def kobo(form: Questionnaire, interviews: list[Interview], folder: Path) -> Source:
    """A KoboToolbox workbook: a sheet per repeat, rows linked by _index."""
    main, repeats = [], {}
    for number, interview in enumerate(interviews, start=1):
        row = {grouped(form, n, "/"): said(v) for n, v in interview.row.items()}
        main.append(row | {"_id": str(900 + number), "_uuid": "u", "_index": number})
        for roster, rows in passes(form, interview).items():
            for each in rows:
                repeats.setdefault(roster, []).append(
                    {grouped(form, n, "/"): said(v) for n, v in each.items()}
                    | {"_index": len(repeats.get(roster, [])) + 1}
                    | {"_parent_table_name": "eni", "_parent_index": number}
                )
    file = folder / "kobo.xlsx"
    with pd.ExcelWriter(file) as book:
        pd.DataFrame(main).to_excel(book, sheet_name="eni", index=False)
        for roster, rows in repeats.items():
            pd.DataFrame(rows).to_excel(book, sheet_name=roster, index=False)
    return file


def sideways(form: Questionnaire, interviews: list[Interview], folder: Path) -> Source:
    """A flat .csv: members[1]/roster/age."""
    rows = []
    for interview in interviews:
        row = {grouped(form, n, "/"): said(v) for n, v in interview.row.items()}
        for roster, members in passes(form, interview).items():
            for position, each in enumerate(members, start=1):
                row |= {
                    f"{roster}[{position}]/{grouped(form, n, '/')}": said(v)
                    for n, v in each.items()
                }
        rows.append(row)
    file = folder / "flat.csv"
    pd.DataFrame(rows).to_csv(file, index=False, sep=";")
    return file


def wide(_form: Questionnaire, interviews: list[Interview], folder: Path) -> Source:
    """A SurveyCTO .csv: age_1, age_2."""
    rows = []
    for interview in interviews:
        row = {n: said(v) for n, v in interview.row.items()}
        for position, each in enumerate(interview.rosters["members"], start=1):
            row |= {f"{n}_{position}": said(v) for n, v in each.items()}
        rows.append(row | {"KEY": f"uuid:{len(rows)}"})
    file = folder / "wide.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


def survey_solutions(_form: Questionnaire, interviews: list[Interview], folder: Path) -> Source:
    """A folder of .tab files linked by interview__id."""
    main, members = [], []
    for number, interview in enumerate(interviews):
        ids = {"interview__key": f"00-{number}", "interview__id": f"x{number}"}
        main.append(ids | {n: said(v) for n, v in interview.row.items()})
        for position, row in enumerate(interview.rosters["members"], start=1):
            answers = {n: said(v) or "-999999999" for n, v in row.items()}
            members.append({"interview__id": f"x{number}", "members__id": position} | answers)
    target = folder / "export"
    target.mkdir()
    pd.DataFrame(main).to_csv(target / "eni.tab", index=False, sep="\t")
    pd.DataFrame(members).to_csv(target / "members.tab", index=False, sep="\t")
    pd.DataFrame({"date": []}).to_csv(target / "interview__actions.tab", index=False, sep="\t")
    return target


def cspro(form: Questionnaire, interviews: list[Interview], folder: Path) -> Source:
    """Records exported by CSPro: capitals, id items on every record."""
    found = tables(form, interviews, folder)
    sources = {}
    for name, table in found.items():
        text = table.drop(columns=["household", "person"], errors="ignore")
        if name == "persons":
            text.insert(1, "household_number", 1)
        text = text.map(said)
        text.columns = text.columns.str.upper()
        sources[name] = folder / f"{name}.csv"
        text.to_csv(sources[name], index=False, encoding="cp1252")
    return sources


def labelled(form: Questionnaire, interviews: list[Interview], folder: Path, suffix: str) -> Source:
    """One file per level with other codes, 1, 2, 3 ..., and our labels."""
    sources = {}
    for name, table in tables(form, interviews, folder).items():
        columns, labels = {}, {}
        for column in table.columns:
            question = form.questions.get(str(column))
            codes = list(form.codes(question)) if question else []
            if question is not None and codes:
                numbers = {code: number for number, code in enumerate(codes, start=1)}
                held = table[column].astype(object)
                columns[column] = held.map(lambda c, n=numbers: n.get(c)).astype(float)
                labels[column] = {
                    float(number): form.label(question, code, "es")
                    for code, number in numbers.items()
                }
            elif question is not None and question.kind in {"number", "boolean"}:
                columns[column] = table[column].astype(float)
            else:
                columns[column] = table[column].map(said).astype(object)
        sources[name] = folder / f"{name}{suffix}"
        write = pyreadstat.write_dta if suffix == ".dta" else pyreadstat.write_sav
        write(pd.DataFrame(columns), str(sources[name]), variable_value_labels=labels)
    return sources


def spss(form: Questionnaire, interviews: list[Interview], folder: Path) -> Source:
    return labelled(form, interviews, folder, ".sav")


def stata(form: Questionnaire, interviews: list[Interview], folder: Path) -> Source:
    return labelled(form, interviews, folder, ".dta")


EXPORTS: dict[str, Callable[[Questionnaire, list[Interview], Path], Source]] = {
    "tables": tables,
    "parquet": parquet,
    "odk": odk,
    "kobo": kobo,
    "sideways": sideways,
    "wide": wide,
    "survey solutions": survey_solutions,
    "cspro": cspro,
    "spss": spss,
    "stata": stata,
}
