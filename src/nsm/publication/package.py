"""The Frictionless data package: what each file holds, column by column."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nsm.files import read_table, write_text
from nsm.publication.grid import Reader
from nsm.publication.numerals import locale_for
from nsm.publication.records import Declared, Edition
from nsm.publication.rules import in_language
from nsm.publication.states import MARKS

NAME = "datapackage.json"
_TYPES = {"b": "boolean", "i": "integer", "f": "number"}


def write_package(declared: Mapping[str, Declared], folder: Path, edition: Edition) -> Path:
    """Write `datapackage.json` beside the CSV files of the tables, with their sizes and hashes.

    References
    ----------
    Frictionless Data Package, version 1 (specs.frictionlessdata.io).
    """
    language = edition.language
    said = [in_language(edition.notice, language)] if edition.synthetic else []
    resources = [_resource(name, one, folder, edition) for name, one in declared.items()]
    package = {
        "profile": "tabular-data-package",
        "name": _slug(in_language(edition.title, language)),
        "title": in_language(edition.title, language),
        "description": " ".join(said),
        "version": str(edition.year),
        "resources": resources,
    }
    return write_text(json.dumps(package, ensure_ascii=False, indent=1) + "\n", folder / NAME)


def _resource(name: str, declared: Declared, folder: Path, edition: Edition) -> dict[str, Any]:
    file = folder / f"{name}.csv"
    content = file.read_bytes()
    language = edition.language
    reader = Reader(language, locale_for(language, edition.country), labels=edition.labels)
    notice = in_language(edition.notice, language) if edition.synthetic else ""
    said = [in_language(declared.note, language), notice]
    parquet = folder / f"{name}.parquet"
    table = pd.read_parquet(parquet) if parquet.exists() else read_table(file)
    return {
        "profile": "tabular-data-resource",
        "name": _slug(name),
        "title": in_language(declared.title, language),
        "description": " ".join(s for s in said if s),
        "path": file.name,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": {
            "fields": [_field(str(c), table[c], reader) for c in table.columns],
            "missingValues": [""],
        },
    }


def _field(name: str, values: pd.Series, reader: Reader) -> dict[str, Any]:
    numeric = pd.api.types.is_numeric_dtype(values)
    kind = _TYPES.get(values.dtype.kind, "number") if numeric else "string"
    made: dict[str, Any] = {"name": name, "title": reader.heading(name), "type": kind}
    if name == "state":
        made["constraints"] = {"required": True, "enum": list(MARKS)}
    return made


def _slug(text: str) -> str:
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._]+", "-", plain).strip("-") or "tables"
