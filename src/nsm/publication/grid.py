"""Tables as a page shows them: words in place of codes, numbers as the reader writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from nsm.errors import PublicationError
from nsm.estimation.estimates import Estimates
from nsm.language import translate
from nsm.publication.crossing import spread
from nsm.publication.headings import HEADINGS
from nsm.publication.numerals import MINUS, interval, rounded, written
from nsm.publication.rules import Text, in_language
from nsm.publication.states import EMPTY, MARKS, SUPPRESSED, UNRELIABLE, legend, states

Labels = Mapping[str, Mapping[str, str | Text]]

INTERNAL, PUBLIC = "internal", "public"
AUDIENCES = (INTERNAL, PUBLIC)
LONGEST = 2_000  # rows of one table in a page

_FRACTIONS = ("cv", "share", "rate", "fraction", "prevalence", "probability")
_STATISTICS = {"total": "integer", "count": "integer", "proportion": "percent"}
_ALWAYS = ("estimate", "interval", "cv", "n", "quality")
_EXPERT = ("estimate", "se", "interval", "cv", "deff", "df", "n", "cases", "psus", "quality")


@dataclass(frozen=True)
class Shown:
    """A table with what its columns do not say.

    Parameters
    ----------
    table
        A plain table, or estimates.
    formats
        Column (of a plain table) or variable (of estimates) -> format; see
        `nsm.publication.numerals`.
    note
        What stands below it.
    columns
        The columns to show, in order; all if empty.
    audience
        `public` (both reports) or `internal`.
    folded
        Closed until the reader opens it.
    across
        Of estimates: domain columns, or `variable`, whose labels stand side by side.
    """

    table: pd.DataFrame | Estimates
    formats: Mapping[str, str] = field(default_factory=dict)
    note: str | Text = ""
    columns: tuple[str, ...] = ()
    audience: str = PUBLIC
    folded: bool = False
    across: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """Text, the number to sort by, and the state that colors it."""

    text: str
    value: float | None = None
    state: str = ""


@dataclass(frozen=True)
class Column:
    """A heading; `number` columns are aligned to the right; `over` stands above several."""

    name: str
    heading: str
    number: bool = False
    over: str = ""

    @property
    def full(self) -> str:
        """The heading with what stands above it."""
        return f"{self.over} · {self.heading}" if self.over else self.heading


@dataclass(frozen=True)
class Grid:
    """A table as a page shows it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    legend: tuple[tuple[str, str], ...] = ()
    folded: bool = False

    @property
    def searchable(self) -> bool:
        """Whether it is long enough to be worth a search box."""
        return len(self.rows) > 8


@dataclass(frozen=True)
class Reader:
    """Who reads: language, locale, audience, and words for codes."""

    language: str
    locale: str
    audience: str = INTERNAL
    labels: Labels = field(default_factory=dict)

    def heading(self, column: str) -> str:
        """Return the words for a column."""
        given = self.labels.get("columns", {}).get(column)
        if given is not None:
            return in_language(given, self.language)
        words = HEADINGS.get(column)
        if words is None:
            words = column.replace("_", " ").strip().capitalize() or column
        return translate(words, self.language)

    def label(self, column: str, code: object) -> str:
        """Return the words for a code of a column; everyone where it is missing."""
        if code is None or code is pd.NA or (isinstance(code, float) and np.isnan(code)):
            return ""
        given = self.labels.get(column, {}).get(str(code))
        if given is not None:
            return in_language(given, self.language)
        if isinstance(code, bool | np.bool_):
            return translate("yes" if code else "no", self.language)
        parts = str(code).split(" - ")  # a gap between two labels
        if len(parts) == 2 and all(p in self.labels.get(column, {}) for p in parts):
            return f" {MINUS} ".join(self.label(column, p) for p in parts)
        return translate(str(code), self.language)

    def words(self, table: pd.DataFrame, i: int, column: str) -> str:
        """Return the words for a code in a table of estimates; a category's are its variable's."""
        of = str(table["variable"].iloc[i]) if column == "category" else column
        return self._words(of, column, table[column].iloc[i])

    def column(self, table: pd.DataFrame, column: str) -> list[str]:
        """Return the words for a column of a table of estimates, one text a row."""
        codes = table[column].tolist()
        variables = table["variable"].astype(str) if column == "category" else [column] * len(codes)
        keys = list(zip(variables, codes, strict=True))
        found = {key: self._words(key[0], column, key[1]) for key in set(keys)}
        return [found[key] for key in keys]

    def _words(self, of: str, column: str, code: object) -> str:
        return self.label(of if str(code) in self.labels.get(of, {}) else column, code)


def grid(
    caption: str, given: pd.DataFrame | Estimates | Shown, reader: Reader, most: int = LONGEST
) -> Grid:
    """Return a table as the reader sees it.

    Parameters
    ----------
    most
        Rows that there is room for: those of a page by default.

    Raises
    ------
    PublicationError
        It has too many rows for a page.
    """
    shown = given if isinstance(given, Shown) else Shown(given)
    rows = len(shown.table)
    if rows > most:
        raise PublicationError(
            "The table {caption!r} has {rows} rows; a page shows {most} at most. Sum it up, or "
            "publish it as a file.",
            caption=caption,
            rows=rows,
            most=most,
        )
    if isinstance(shown.table, Estimates):
        made = _of_estimates(caption, shown, shown.table, reader)
        made = spread(made, shown.across, [*shown.table.by, "variable"])
        return replace(made, folded=shown.folded)
    made = _of_table(caption, shown, shown.table, reader)
    return replace(made, folded=shown.folded)


def _of_table(caption: str, shown: Shown, table: pd.DataFrame, reader: Reader) -> Grid:
    names = shown.columns or tuple(str(c) for c in table.columns)
    columns, cells = [], []
    for name in names:
        values = table[name]
        number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        columns.append(Column(name, reader.heading(name), number))
        if number:
            kind = shown.formats.get(name) or _kind(name, values)
            cells.append([_number(v, kind, reader) for v in values])
        else:
            of_variable = name == "category" and "variable" in table.columns
            cells.append(
                [
                    Cell(reader.words(table, i, name) if of_variable else _text(reader, name, v))
                    for i, v in enumerate(values)
                ]
            )
    rows = tuple(zip(*cells, strict=True))
    return Grid(caption, tuple(columns), rows, in_language(shown.note, reader.language))


def _text(reader: Reader, name: str, value: object) -> str:
    if isinstance(value, list | tuple | set | np.ndarray):
        return ", ".join(reader.label(name, one) for one in value)
    return reader.label(name, value)


def _number(value: float, kind: str, reader: Reader) -> Cell:
    if value is None or value is pd.NA or np.isnan(value):
        return Cell("")
    exact = float(value)
    sort = exact if np.isinf(exact) else rounded(exact, kind)
    return Cell(written(exact, kind, reader.locale), sort)


def _kind(name: str, values: pd.Series) -> str:
    if name == "year" or name.endswith("_year"):
        return "text"
    if pd.api.types.is_integer_dtype(values):
        return "integer"
    last = name.rsplit("_", maxsplit=1)[-1]
    inside = values.dropna().between(0, 1).all()
    if inside and (last in _FRACTIONS or name.split("_", maxsplit=1)[0] in _FRACTIONS):
        return "percent"
    known = values.dropna()
    whole = len(known) > 0 and bool((known == known.round()).all())
    return "integer" if whole else "general"


def _of_estimates(caption: str, shown: Shown, estimates: Estimates, reader: Reader) -> Grid:
    table = in_order(estimates.table, estimates.by)
    state = states(table)
    hidden = _hidden(state, reader.audience)
    formats = [_format(row, shown.formats) for row in table.itertuples(index=False)]
    keys = [*estimates.by]
    keys += [n for n in ("variable", "statistic", "category", "order") if _varies(table[n])]
    for name in ("statistic", "order"):  # where the variable says it
        fewer = [k for k in keys if k != name]
        if fewer and not table.duplicated(fewer).any():
            keys = fewer
    keys = keys or ["variable"]
    measures = shown.columns or (_EXPERT if reader.audience == INTERNAL else _ALWAYS)
    makers = _makers(table, formats, state, reader)
    columns = [Column(k, reader.heading(k)) for k in keys]
    columns += [
        Column(m, _measure_heading(m, estimates.level, reader), m != "quality") for m in measures
    ]
    rows = []
    domains = list(zip(*(_domain(reader, table, k) for k in keys), strict=True))
    for i, domain in enumerate(domains):
        rows.append(
            (
                *domain,
                *(
                    Cell(MARKS[state[i]].sign, None, state[i])
                    if hidden[i] and m != "quality"
                    else makers[m](i)
                    for m in measures
                ),
            )
        )
    return Grid(
        caption,
        tuple(columns),
        tuple(rows),
        in_language(shown.note, reader.language),
        tuple(legend(set(state), reader.language)),
    )


def in_order(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the table with bands of numbers in their order: `5-14` before `15-29`.

    Totals stay last, and rows of one domain as they are.
    """
    made = table
    for name in by[::-1]:
        codes = table[name].dropna().astype("str")
        starts = codes.str.extract(r"^(\d+)\s*(?:[-+]|$)", expand=False)
        if len(codes) and starts.notna().all() and codes.str.contains(r"[-+]").any():
            made = made.sort_values(
                name,
                kind="stable",
                key=lambda c: pd.to_numeric(c.astype("str").str.extract(r"^(\d+)", expand=False)),
            )
        elif made is not table:
            made = made.sort_values(name, kind="stable", na_position="last")
    return made.reset_index(drop=True)


def _varies(values: pd.Series) -> bool:
    return len(values.unique()) > 1


def _hidden(state: np.ndarray, audience: str) -> np.ndarray:
    """Say which rows show no number: in public, all that are suppressed or unreliable."""
    if audience == PUBLIC:
        return np.isin(state, [SUPPRESSED, UNRELIABLE, EMPTY])
    return np.isin(state, [EMPTY])


def _domain(reader: Reader, table: pd.DataFrame, name: str) -> list[Cell]:
    """Return a column of codes as words (rows)."""
    if name == "order":
        return [
            Cell("") if np.isnan(q) else Cell(written(q, "general", reader.locale), q)
            for q in table[name].to_numpy(float)
        ]
    texts = reader.column(table, name)
    if name not in {"category", "variable"}:
        total = translate("Total", reader.language)
        texts = [text or total for text in texts]
    return [Cell(text) for text in texts]


def _measure_heading(name: str, level: float, reader: Reader) -> str:
    if name == "interval":
        percent = written(level, "percent", reader.locale)
        bare = written(100 * level, "integer", reader.locale)
        share = (
            percent
            if level * 100 % 1
            else percent.replace(written(100 * level, "decimal", reader.locale), bare)
        )
        return translate("{share} interval", reader.language).format(share=share)
    return reader.heading(name)


def _format(row: object, formats: Mapping[str, str]) -> str:
    given = formats.get(str(getattr(row, "variable", "")))
    if given:
        return given
    if getattr(row, "kind", None) == "proportion":
        return "percent"
    return _STATISTICS.get(str(getattr(row, "statistic", "")), "general")


def _makers(
    table: pd.DataFrame, formats: list[str], state: np.ndarray, reader: Reader
) -> dict[str, Callable[[int], Cell]]:
    """Return what makes the cell of each measure in a row."""
    locale, columns = reader.locale, {c: table[c].to_numpy() for c in table.columns}

    def number(name: str, kind: str | None = None) -> Callable[[int], Cell]:
        return lambda i: _number(columns[name][i], kind or formats[i], reader)

    def estimate(i: int) -> Cell:
        cell = _number(columns["estimate"][i], formats[i], reader)
        sign = MARKS[state[i]].sign
        return Cell(
            f"{cell.text}\N{NO-BREAK SPACE}{sign}" if sign else cell.text, cell.value, state[i]
        )

    def between(i: int) -> Cell:
        low, high = columns["lower"][i], columns["upper"][i]
        return Cell(interval(low, high, formats[i], locale), None if np.isnan(low) else float(low))

    def quality(i: int) -> Cell:
        words = translate(MARKS[state[i]].short, reader.language)
        return Cell(words if "verdict" in columns or state[i] != "shown" else "", None, state[i])

    return {
        "estimate": estimate,
        "interval": between,
        "quality": quality,
        "se": number("se"),
        "cv": number("cv", "percent"),
        "deff": number("deff", "decimal2"),
        "df": number("df", "integer"),
        **{name: number(name, "integer") for name in ("n", "cases", "psus")},
        **{name: number(name) for name in ("lower", "upper")},
    }
