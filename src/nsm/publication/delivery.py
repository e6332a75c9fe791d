"""All files of a set of tables: each format that is asked for, from the same protected numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nsm.errors import OptionError, nearest
from nsm.files import write_table
from nsm.publication.grid import LONGEST
from nsm.publication.guard import check_columns, check_text
from nsm.publication.package import write_package
from nsm.publication.printed import write_printed
from nsm.publication.records import Declared, Edition, records
from nsm.publication.rules import in_language
from nsm.publication.sdmx import observations, write_sdmx
from nsm.publication.statistical import write_statistical
from nsm.publication.workbook import write_workbook

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, Declared]
FORMATS = ("csv", "parquet", "excel", "html", "latex", "spss", "stata", "sdmx", "package")


def deliver(
    declared: Tables, folder: Path, edition: Edition, formats: Sequence[str] = FORMATS
) -> pd.DataFrame:
    """Write tables for the public into a folder, in the formats asked for.

    `csv` and `parquet` hold the numbers with their `state`; `excel` is one workbook a language;
    `html` and `latex` are one file a table and language, but for tables of more than 2,000 rows;
    `spss` and `stata` have labels and reasons for what is missing; `sdmx` is SDMX-CSV and SDMX-ML
    of the variables with an SDG series; `package` is a Frictionless data package of the CSV files.

    Returns
    -------
    Findings (`code, severity, where, count, message, examples`): codes that SDMX does not know.

    Raises
    ------
    OptionError
        A format is unknown.
    PublicationError
        A table did not go through `protect`, or would show a precise place, a key of a sampled area
        or a seed. Nothing of it is written.
    """
    for name in formats:
        if name not in FORMATS:
            raise OptionError(
                "The format {name!r} is not known. {hint}", name=name, hint=nearest(name, FORMATS)
            )
    found = observations(declared if "sdmx" in formats else {}, edition)
    for name, one in declared.items():
        check_columns(one.estimates.by, name, edition.geography)
        check_text(records(one.estimates).to_csv(), edition.secrets, name)
    check_text(found.table.to_csv(), edition.secrets, "SDMX")
    wanted = {*formats, *(["csv"] if "package" in formats else [])}
    for name in FORMATS:
        if name in wanted and name in _WRITERS:
            _WRITERS[name](declared, folder, edition)
    if len(found.table):
        for suffix in (".csv", ".xml"):
            write_sdmx(found, folder / f"sdg{suffix}", synthetic=edition.synthetic)
    return found.findings


def _plain(suffix: str) -> Callable[[Tables, Path, Edition], None]:
    def write(declared: Tables, folder: Path, edition: Edition) -> None:
        notice = in_language(edition.notice, edition.language) if edition.synthetic else ""
        for name, one in declared.items():
            write_table(records(one.estimates, notice), folder / f"{name}{suffix}")

    return write


def _statistical(suffix: str) -> Callable[[Tables, Path, Edition], None]:
    def write(declared: Tables, folder: Path, edition: Edition) -> None:
        for name, one in declared.items():
            write_statistical(one, folder / f"{name}{suffix}", edition)

    return write


def _printed(suffix: str) -> Callable[[Tables, Path, Edition], None]:
    def write(declared: Tables, folder: Path, edition: Edition) -> None:
        for language in edition.languages:
            for name, one in declared.items():
                if len(one.estimates) > LONGEST:  # no page shows it; the other formats have it
                    continue
                write_printed(one, folder / f"{name}-{language}{suffix}", language, edition)

    return write


def _workbooks(declared: Tables, folder: Path, edition: Edition) -> None:
    from nsm.publication.grid import PUBLIC, Shown

    for language in edition.languages:
        write_workbook(
            {
                in_language(one.title, language): Shown(
                    one.estimates, formats=one.formats, note=one.note, across=one.across
                )
                for one in declared.values()
            },
            folder / f"tables-{language}.xlsx",
            language=language,
            country=edition.country,
            labels=edition.labels,
            audience=PUBLIC,
            synthetic=edition.synthetic,
        )


def _packaged(declared: Tables, folder: Path, edition: Edition) -> None:
    write_package(declared, folder, edition)


_WRITERS: dict[str, Callable[[Tables, Path, Edition], None]] = {
    "csv": _plain(".csv"),
    "parquet": _plain(".parquet"),
    "excel": _workbooks,
    "html": _printed(".html"),
    "latex": _printed(".tex"),
    "spss": _statistical(".sav"),
    "stata": _statistical(".dta"),
    "package": _packaged,
}
