"""The sheets of an XLSForm, read as text."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from nsm.errors import FileError, QuestionnaireError
from nsm.files import local_path

LARGEST, LARGEST_UNPACKED = 30_000_000, 400_000_000  # bytes
MOST_ROWS = 50_000
SHEETS = ("survey", "choices", "settings")
_LANGUAGE = re.compile(r"^(?P<column>[\w ]+?)\s*::?\s*(?P<language>[^:].*)$")
_TRANSLATED = {"label", "hint", "constraint_message", "required_message", "guidance_hint", "image"}
_CODES = {
    "español": "es",
    "spanish": "es",
    "english": "en",
    "inglés": "en",
    "français": "fr",
    "french": "fr",
    "kreyòl ayisyen": "ht",
    "kreyòl": "ht",
    "haitian creole": "ht",
}


@dataclass
class Line:
    """One row of a sheet: its plain columns, and its texts by language."""

    number: int
    cells: dict[str, str]
    texts: dict[str, dict[str, str]] = field(default_factory=dict)  # column -> language -> text

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass
class Workbook:
    """An XLSForm as text."""

    survey: list[Line]
    choices: list[Line]
    settings: dict[str, str]
    languages: tuple[str, ...]
    columns: dict[str, list[str]]  # sheet -> its columns, as they are spelled


def read_workbook(path: str | os.PathLike[str]) -> Workbook:
    """Read the sheets of an XLSForm.

    Raises
    ------
    FileError
        The file is missing, too large, or no .xlsx.
    QuestionnaireError
        It has no sheet `survey`, or this sheet no `type` and `name`.
    """
    file = local_path(path)
    if file.stat().st_size > LARGEST:
        raise FileError("{file} is larger than {most} bytes.", file=str(file), most=LARGEST)
    sheets, columns = _sheets(file)
    if "survey" not in sheets or not {"type", "name"} <= set(columns["survey"]):
        raise QuestionnaireError(
            "{file} has no sheet `survey` with the columns `type` and `name`: it is no XLSForm.",
            file=str(file),
        )
    settings = sheets.get("settings") or [Line(2, {})]
    default = code_of(settings[0]["default_language"] or "")
    found = [
        language
        for line in sheets["survey"]
        for texts in line.texts.values()
        for language in texts
        if language
    ]
    languages = tuple(dict.fromkeys([default or (found[0] if found else "en"), *found]))
    for line in (*sheets["survey"], *sheets.get("choices", ())):
        for texts in line.texts.values():
            if "" in texts:
                texts.setdefault(languages[0], texts.pop(""))
    return Workbook(
        sheets["survey"], sheets.get("choices", []), settings[0].cells, languages, columns
    )


def _sheets(file: os.PathLike[str]) -> tuple[dict[str, list[Line]], dict[str, list[str]]]:
    import openpyxl

    _require_harmless(Path(file))
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise FileError(
            "{file} cannot be read as {kind}: {reason}",
            file=str(file),
            kind="XLSX",
            reason=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
    lines: dict[str, list[Line]] = {}
    columns: dict[str, list[str]] = {}
    for sheet in book.worksheets:
        name = sheet.title.strip().lower()
        if name in SHEETS:
            rows = sheet.iter_rows(values_only=True, max_row=MOST_ROWS)
            head = [_text(cell).lower() for cell in next(rows, ())]
            columns[name] = [text for text in head if text]
            lines[name] = [
                line
                for number, row in enumerate(rows, start=2)
                if (line := _line(number, head, row)).cells or line.texts
            ]
    book.close()
    return lines, columns


def _require_harmless(file: Path) -> None:
    """Refuse what unpacks too large, and XML that declares entities."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > LARGEST_UNPACKED:
                raise FileError(
                    "{file} is larger than {most} bytes.", file=str(file), most=LARGEST_UNPACKED
                )
            for member in members:
                with archive.open(member) as stream:
                    if b"<!DOCTYPE" in stream.read(2_000):
                        raise FileError(
                            "{file} declares entities, which no XLSForm needs; it is not read.",
                            file=str(file),
                        )
    except zipfile.BadZipFile as error:
        raise FileError(
            "{file} cannot be read as {kind}: {reason}",
            file=str(file),
            kind="XLSX",
            reason=str(error),
        ) from error


def _line(number: int, head: list[str], row: tuple[object, ...]) -> Line:
    line = Line(number, {})
    for column, cell in zip(head, row, strict=False):
        text = _text(cell)
        if not column or not text:
            continue
        found = _LANGUAGE.match(column)
        name = (found.group("column") if found else column).strip().replace(" ", "_")
        name = {"list name": "list_name", "relevance": "relevant"}.get(name, name)
        if name in _TRANSLATED:
            language = code_of(found.group("language")) if found else ""
            line.texts.setdefault(name, {})[language] = text
        else:
            line.cells[name] = text
    return line


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(cell).strip()


def code_of(language: str) -> str:
    """Return the code of a language as XLSForm names it: `Español (es)` is es."""
    said = language.strip().lower()
    found = re.search(r"\(([a-z]{2,3})\)$", said)
    if found:
        return found.group(1)
    return _CODES.get(said, re.sub(r"[^a-z]", "", said)[:3])
