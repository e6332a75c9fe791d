"""What a reader of the publication should know of its tables: labels and cells that are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from nsm.errors import Phrase
from nsm.language import catalog, translate
from nsm.publication.grid import LONGEST
from nsm.publication.rules import NOT_PUBLISHABLE

if TYPE_CHECKING:
    from nsm.estimation import Estimates
    from nsm.project.published import Published
    from nsm.publication.grid import Labels

LEAST = 0.5  # of the cells of a table that can be published; below, it asks too much of the sample
COLUMNS = ("code", "severity", "where", "count", "message_en", "message_es", "examples")
_NUMBER = re.compile(r"[\d.]+([-+].*)?")
_SHOWN = 5


def findings(found: Published, labels: Labels, languages: tuple[str, ...]) -> pd.DataFrame:
    """Return what is wrong with tables, which are made all the same.

    Returns
    -------
    `code, severity, where, count, message_en, message_es, examples`. P101: codes without words in a
    language. P102: fewer than half of the cells of a table can be published. P103: a table is too
    long for a page.
    """
    rows = [*_without_words(found, labels, languages), *_too_many_cells(found), *_too_long(found)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(code: str, where: str, count: int, said: Phrase, examples: str = "") -> tuple[object, ...]:
    english, spanish = (
        said.said(partial(translate, language=language)) for language in ("en", "es")
    )
    return (code, "warning", where, count, english, spanish, examples)


def _without_words(
    found: Published, labels: Labels, languages: tuple[str, ...]
) -> Iterator[tuple[object, ...]]:
    """Give one finding for each column and language that lacks words."""
    for column, codes in _codes(found).items():
        for language in languages:
            words = labels.get(column, {})
            lost = [code for code in sorted(codes) if not _said(words, code, language)]
            if lost:
                said = Phrase(
                    "{count} codes of {column!r} have no words in {language!r}; they are shown as "
                    "they are. Give them in [estimation.labels] or in the questionnaire.",
                    count=len(lost),
                    column=column,
                    language=language,
                )
                yield _row("P101", column, len(lost), said, ", ".join(lost[:_SHOWN]))


def _said(words: Mapping[str, str | Mapping[str, str]], code: str, language: str) -> bool:
    parts = code.split(" - ")
    if len(parts) == 2:  # a gap between two labels
        return all(_said(words, part, language) for part in parts)
    if _NUMBER.fullmatch(code) or code in {"True", "False"}:
        return True
    given = words.get(code)
    if given is not None:
        return isinstance(given, str) or language in given
    return code in catalog("es")


def _codes(found: Published) -> dict[str, set[str]]:
    """Return column -> the codes of it that tables show; a category's column is its variable."""
    codes: dict[str, set[str]] = {}
    for made in found.every:
        for name in made.by:
            codes.setdefault(name, set()).update(map(str, made.table[name].dropna()))
        codes.setdefault("variable", set()).update(map(str, made.table["variable"]))
        kept = made.table.dropna(subset="category")
        for variable, category in kept[["variable", "category"]].to_numpy():
            codes.setdefault(str(variable), set()).add(str(category))
    return codes


def _tables(found: Published) -> dict[str, Estimates]:
    by = {", ".join(keys): made for keys, made in found.indicators.items() if keys}
    return {**found.tables, **by}


def _too_long(found: Published) -> Iterator[tuple[object, ...]]:
    for name, made in _tables(found).items():
        if len(made) > LONGEST:
            said = Phrase(
                "The table has {rows} rows and a page {most} at most: no page shows it, and the "
                "other files do. Join categories or domains.",
                rows=len(made),
                most=LONGEST,
            )
            yield _row("P103", name, len(made), said)


def _too_many_cells(found: Published) -> Iterator[tuple[object, ...]]:
    for name, made in _tables(found).items():
        rows = made.table[made.table["n"] > 0]
        good = rows["suppressed"].isna() & rows["verdict"].ne(NOT_PUBLISHABLE)
        if len(rows) and good.mean() < LEAST:
            said = Phrase(
                "The table asks for more cells than the sample bears: {good} of {all} can be "
                "published. Join categories or domains.",
                good=int(good.sum()),
                all=len(rows),
            )
            yield _row("P102", name, int((~good).sum()), said)
