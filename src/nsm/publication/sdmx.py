"""SDMX: estimates as observations of the global structure of SDG data, by pysdmx."""

from __future__ import annotations

import csv
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from nsm.errors import OptionError, PublicationError, nearest
from nsm.files import write_text
from nsm.language import translate
from nsm.publication.grid import Reader
from nsm.publication.numerals import locale_for
from nsm.publication.records import Declared, Edition, records
from nsm.publication.rules import in_language
from nsm.publication.states import MARKS

if TYPE_CHECKING:
    from pysdmx.model import Schema
    from pysdmx.model.message import Header

FINDINGS = ("code", "severity", "where", "count", "message", "examples")
SUFFIXES = (".csv", ".xml")
TOTAL = "_T"
_DATA = Path(__file__).parent / "data" / "sdmx"
_BAND = re.compile(r"(\d+)-(\d+)$")
_OPEN = re.compile(r"(\d+)\+$")


class Observations(NamedTuple):
    """What a publication gives the global SDG data.

    Parameters
    ----------
    table
        One row an observation, columns as the structure names them; blank where a value is missing,
        and why in `OBS_STATUS`.
    findings
        Codes that the lists do not know: their observations are left out.
    """

    table: pd.DataFrame
    findings: pd.DataFrame


@cache
def structure() -> dict[str, Any]:
    """Return the structure: name, version, dimensions, and what our columns are in it."""
    return tomllib.loads((_DATA / "sdg.toml").read_text(encoding="utf-8"))


@cache
def codelists() -> dict[str, dict[str, str]]:
    """Return code list -> code -> name, of the committed lists."""
    made: dict[str, dict[str, str]] = {}
    with (_DATA / "codelists.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            made.setdefault(row["codelist"], {})[row["code"]] = row["name"]
    return made


@cache
def versions() -> dict[str, str]:
    """Return code list -> its version."""
    with (_DATA / "codelists.csv").open(encoding="utf-8", newline="") as stream:
        return {row["codelist"]: row["version"] for row in csv.DictReader(stream)}


def observations(declared: Mapping[str, Declared], edition: Edition) -> Observations:
    """Return what the tables give the global SDG data: their variables with a `series`.

    A domain column takes its dimension from `sdg.toml`; what has none becomes a country-defined
    breakdown with its label. Suppressed and unreliable values are blank with the statuses Q and O,
    caution is U, nobody in the sample M.

    Raises
    ------
    PublicationError
        The estimates did not go through `protect`.
    """
    parts = [_of_table(one, edition) for one in declared.values() if one.series]
    columns = [*structure()["dimensions"], "TIME_PERIOD", "OBS_VALUE", *structure()["attributes"]]
    found = pd.concat([pd.DataFrame(columns=columns), *parts], ignore_index=True)[columns]
    found = _numbered(found)
    wrong = _unknown(found, edition.language)
    bad = pd.Series(data=False, index=found.index)
    for column, code in wrong:
        bad |= found[column] == code
    kept = found[~bad].drop_duplicates(
        [*structure()["dimensions"], "TIME_PERIOD"], ignore_index=True
    )
    rows = [
        ("X101", "error", column, int((found[column] == code).sum()), message, code)
        for (column, code), message in wrong.items()
    ]
    rows += _without_estimates(declared, edition.language)
    return Observations(kept, pd.DataFrame(rows, columns=list(FINDINGS)))


def write_sdmx(
    found: Observations, path: str | os.PathLike[str], *, synthetic: bool = False
) -> Path:
    """Write observations as SDMX-CSV 2.0 (`.csv`) or SDMX-ML 3.0 (`.xml`).

    Parameters
    ----------
    synthetic
        The message says that it is a test.

    Raises
    ------
    OptionError
        The path ends in another suffix.
    PublicationError
        There is no observation.
    """
    from pysdmx.io import write_sdmx as written
    from pysdmx.io.format import Format
    from pysdmx.io.pd import PandasDataset

    final = Path(path)
    formats = {".csv": Format.DATA_SDMX_CSV_2_0_0, ".xml": Format.DATA_SDMX_ML_3_0}
    if final.suffix not in formats:
        raise OptionError(
            "{file}: the suffix {suffix!r} is not known. {hint}",
            file=str(final),
            suffix=final.suffix,
            hint=nearest(final.suffix, SUFFIXES),
        )
    if not len(found.table):
        raise PublicationError(
            "There is no observation for SDMX: no table has a variable with a series that the code "
            "lists know."
        )
    data = found.table.dropna(axis=1, how="all")
    options: dict[str, Any] = (
        {} if final.suffix == ".csv" else {"header": _header(synthetic=synthetic)}
    )
    dataset = PandasDataset(structure=_schema(list(data.columns)), data=data)
    text = written(dataset, formats[final.suffix], **options)
    return write_text(str(text), final)


def _of_table(declared: Declared, edition: Edition) -> pd.DataFrame:
    """Return the observations of one table, their breakdowns still by label."""
    language = edition.language
    rows = records(declared.estimates)
    rows = rows[rows["variable"].isin(list(declared.series))].reset_index(drop=True)
    series = [declared.series[v] for v in rows["variable"]]
    scale = pd.Series([s.scale for s in series], dtype="float64", index=rows.index)
    made = pd.DataFrame(
        dict.fromkeys(structure()["dimensions"], TOTAL), index=rows.index, dtype="object"
    )
    for name, value in structure()["defaults"].items():
        made[name] = value
    made["SERIES"] = [s.code for s in series]
    made["UNIT_MEASURE"] = [s.unit for s in series]
    made["REF_AREA"] = area_code(edition.country)
    made["TIME_PERIOD"] = str(edition.year)
    for column, name in (
        ("OBS_VALUE", "estimate"),
        ("LOWER_BOUND", "lower"),
        ("UPPER_BOUND", "upper"),
    ):
        made[column] = (rows[name].astype("float64") * scale).round(6)
    made["OBS_STATUS"] = [MARKS[s].sdmx for s in rows["state"]]
    made["SOURCE_DETAIL"] = f"{in_language(edition.title, language)} ({edition.year})"
    notice = in_language(edition.notice, language) if edition.synthetic else ""
    said = [in_language(declared.note, language), notice]
    made["COMMENT_OBS"] = " ".join(s for s in said if s) or None
    for k, given in enumerate(series):
        for dimension, code in given.dimensions.items():
            made.loc[k, dimension] = code
    reader = Reader(language, locale_for(language, edition.country), labels=edition.labels)
    return _placed(made, rows, [*declared.estimates.by, "category"], reader)


def _placed(
    made: pd.DataFrame, rows: pd.DataFrame, columns: Sequence[str], reader: Reader
) -> pd.DataFrame:
    """Put each domain column into its dimension, or into the country's own breakdown."""
    known, spare = structure()["columns"], structure()["unplaced"]
    labels = pd.Series("", index=rows.index, dtype="object")
    for column in columns:
        there = rows[column].notna()
        if column in known:
            codes = known[column].get("codes", {})
            made.loc[there, known[column]["dimension"]] = [
                codes.get(_plain(c), age_code(_plain(c))) for c in rows.loc[there, column]
            ]
            continue
        for k in rows.index[there]:
            word = f"{reader.heading(column)}: {reader.words(rows, k, column)}"
            labels[k] = f"{labels[k]}; {word}" if labels[k] else word
    return made.assign(**{spare["label"]: labels.where(labels != "", None)})


def _numbered(found: pd.DataFrame) -> pd.DataFrame:
    """Give each label of the country's breakdown its code, in the order of the labels."""
    spare = structure()["unplaced"]
    labels = found[spare["label"]]
    width = max(2, len(str(labels.nunique())))
    code = {label: f"C{k + 1:0{width}d}" for k, label in enumerate(sorted(set(labels.dropna())))}
    return found.assign(**{spare["dimension"]: [code.get(v, TOTAL) for v in labels]})


def _plain(code: object) -> str:
    text = str(code)
    return text.removesuffix(".0")


def age_code(band: str) -> str:
    """Return the SDG code of an age band; other codes as they are.

    >>> age_code("15-29"), age_code("65+"), age_code("F")
    ('Y15T29', 'Y_GE65', 'F')
    """
    if found := _BAND.match(band):
        return f"Y{found[1]}T{found[2]}"
    if found := _OPEN.match(band):
        return f"Y_GE{found[1]}"
    return band


def area_code(country: str) -> str:
    """Return the UN's number (M49) of a country, without leading zeros; as it is if unknown.

    >>> area_code("DOM"), area_code("BRA"), area_code("XQZ")
    ('214', '76', 'XQZ')
    """
    from babel.core import get_global

    aliases = get_global("territory_aliases")
    same = aliases.get(country)
    numbers = [k for k, v in aliases.items() if k.isdigit() and v == same] if same else []
    return str(int(min(numbers))) if numbers else country


def _unknown(found: pd.DataFrame, language: str) -> dict[tuple[str, str], str]:
    """Return (column, code) -> message, of the codes that their list does not know."""
    lists = {**structure()["dimensions"], **structure()["attributes"]}
    wrong = {}
    for column, name in lists.items():
        if not name:
            continue
        for code in sorted(set(found[column].dropna()) - set(codelists()[name])):
            wrong[column, str(code)] = translate(
                "{code} is not in {codelist} {version}; its observations are left out.", language
            ).format(code=code, codelist=name, version=versions()[name])
    return wrong


def _header(*, synthetic: bool) -> Header:
    from pysdmx.model import Organisation
    from pysdmx.model.message import Header

    return Header(test=synthetic, sender=Organisation("NSM"))


def _without_estimates(
    declared: Mapping[str, Declared], language: str
) -> list[tuple[str, str, str, int, str, str]]:
    """Return a finding for each series whose variable the table does not have."""
    rows = []
    for name, one in declared.items():
        there = {str(v) for v in one.estimates.table["variable"]}
        for variable in sorted(set(one.series) - there):
            message = translate(
                "The table has no variable {variable}, for which a series is given.", language
            ).format(variable=variable)
            rows.append(("X102", "error", name, 1, message, variable))
    return rows


def _schema(columns: list[str]) -> Schema:
    from pysdmx.model import Component, Components, Concept, DataType, Role, Schema

    given = structure()

    def component(name: str) -> Component:
        role = Role.DIMENSION
        kind = DataType.STRING
        level = None
        if name == "OBS_VALUE":
            role, kind = Role.MEASURE, DataType.DOUBLE
        elif name in given["attributes"]:
            role, level = Role.ATTRIBUTE, "O"
        return Component(
            id=name,
            required=role is Role.DIMENSION,
            role=role,
            concept=Concept(id=name),
            local_dtype=kind,
            attachment_level=level,
        )

    return Schema(
        context="datastructure",
        agency=given["agency"],
        id=given["id"],
        version=given["version"],
        components=Components([component(name) for name in columns]),
    )
