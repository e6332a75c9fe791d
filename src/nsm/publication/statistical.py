"""SPSS and Stata files of estimates: labels, and a reason for each number that is hidden."""

from __future__ import annotations

import os
import re
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from nsm.errors import OptionError, nearest
from nsm.files import atomic
from nsm.language import translate
from nsm.publication.grid import Reader
from nsm.publication.numerals import locale_for
from nsm.publication.records import KEYS, PRECISION, VALUES, Declared, Edition, records
from nsm.publication.rules import in_language
from nsm.publication.states import EMPTY, MARKS, SUPPRESSED, UNRELIABLE

# State -> Stata's extended missing value, and SPSS's user-missing number.
REASONS = {SUPPRESSED: ("c", -9e14), UNRELIABLE: ("u", -8e14), EMPTY: ("e", -7e14)}
SUFFIXES = (".sav", ".dta")
_LONGEST = 32  # characters of a name in Stata
_LINE = 76  # characters of a line of an SPSS note


def write_statistical(declared: Declared, path: str | os.PathLike[str], edition: Edition) -> Path:
    """Write a table as `.sav` or `.dta`: codes as labelled numbers, titles as labels of variables.

    Hidden numbers are missing with their reason: in Stata `.c` (confidential), `.u` (unreliable)
    and `.e` (nobody in the sample), in SPSS three user-missing numbers; labels say which is which.

    Raises
    ------
    OptionError
        The path ends in another suffix.
    PublicationError
        The estimates did not go through `protect`.
    """
    import pyreadstat

    final = Path(path)
    if final.suffix not in SUFFIXES:
        raise OptionError(
            "{file}: the suffix {suffix!r} is not known. {hint}",
            file=str(final),
            suffix=final.suffix,
            hint=nearest(final.suffix, SUFFIXES),
        )
    language = edition.language
    reader = Reader(language, locale_for(language, edition.country), labels=edition.labels)
    notice = in_language(edition.notice, language) if edition.synthetic else ""
    table = records(declared.estimates, notice)
    keys = [*declared.estimates.by, *KEYS[:3], "state"]
    coded, labels = _coded(table, keys, reader)
    stata = final.suffix == ".dta"
    missing = _reasons(coded, table["state"], stata=stata)
    for name, used in missing.items():
        labels[name] = {
            code: translate(MARKS[state].words, language) for state, code in used.items()
        }
    given = {_name(name): list(used.values()) for name, used in missing.items()}
    title = in_language(declared.title, language)
    coded.columns = pd.Index([_name(c) for c in coded.columns])
    common: dict[str, Any] = {
        "file_label": title.encode()[:80].decode(errors="ignore"),
        "column_labels": [reader.heading(str(c)) for c in table.columns],
        "variable_value_labels": {_name(k): v for k, v in labels.items()},
    }
    with atomic(final) as partial:
        if stata:
            pyreadstat.write_dta(coded, str(partial), missing_user_values=given, **common)
        else:
            said = [title, in_language(declared.note, language), notice]
            note = wrap(". ".join(s.rstrip(".") for s in said if s), _LINE)
            pyreadstat.write_sav(
                coded, str(partial), missing_ranges=given, note=note, compress=True, **common
            )
    return final


def _coded(
    table: pd.DataFrame, keys: list[str], reader: Reader
) -> tuple[pd.DataFrame, dict[str, dict[Any, str]]]:
    """Return the table with numbers for codes, and column -> number -> words.

    The words hold the code too, so that it is not lost: `HTI Haití`.
    """
    made, labels = table.copy(), {}
    for name in keys:
        codes = sorted({str(c) for c in table[name].dropna()})
        number = {code: k + 1 for k, code in enumerate(codes)}
        made[name] = table[name].map(lambda c, n=number: n.get(str(c))).astype("float64")
        labels[name] = {k: _words(reader, name, code) for code, k in number.items()}
    for name in made.columns:
        if name not in keys and not pd.api.types.is_numeric_dtype(made[name]):
            made[name] = made[name].fillna("").astype("str")
        elif name not in keys:
            made[name] = made[name].astype("float64")
    return made, labels


def _words(reader: Reader, name: str, code: str) -> str:
    said = (
        translate(MARKS[code].words, reader.language)
        if name == "state"
        else reader.label(name, code)
    )
    return said if said == code or name == "state" else f"{code} {said}"


def _reasons(coded: pd.DataFrame, state: pd.Series, *, stata: bool) -> dict[str, dict[str, Any]]:
    """Put a reason in place of each blank number; return column -> state -> its reason."""
    used: dict[str, dict[str, Any]] = {}
    for name in (*VALUES, *PRECISION):
        if name not in coded.columns:
            continue
        blank = coded[name].isna()
        values = coded[name].astype(object) if stata else coded[name].copy()
        found = {}
        for one, (letter, number) in REASONS.items():
            here = (blank & (state == one)).to_numpy()
            if here.any():
                found[one] = letter if stata else number
                values[here] = found[one]
        if not found:
            continue
        coded[name] = values.where(values.notna(), np.nan) if stata else values
        used[name] = found
    return used


def _name(column: object) -> str:
    """Return a name that both packages take."""
    made = re.sub(r"\W", "_", str(column), flags=re.ASCII)[:_LONGEST]
    return made if made[0].isalpha() else f"v_{made}"[:_LONGEST]
