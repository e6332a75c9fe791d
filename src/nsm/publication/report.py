"""The report: one self-contained page for each language and audience, from one template.

`internal` may name sampled areas and seeds, and says so on every page; `public` shows strata and
regions only, and is refused where it would show more.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nsm.errors import OptionError, PublicationError, nearest
from nsm.estimation.estimates import Estimates
from nsm.files import write_text
from nsm.language import translate
from nsm.publication.figures import Picture, embedded
from nsm.publication.grid import AUDIENCES, INTERNAL, PUBLIC, Grid, Labels, Reader, Shown, grid
from nsm.publication.guard import Geography, check_columns, check_text
from nsm.publication.numerals import interval, locale_for, written
from nsm.publication.rules import Text, in_language
from nsm.publication.states import EMPTY, MARKS, SUPPRESSED, UNRELIABLE, states

if TYPE_CHECKING:
    import jinja2
    import pandas as pd
    from matplotlib.figure import Figure

LARGEST = 5_000_000  # bytes of a report
_TEMPLATES = Path(__file__).parent / "data" / "templates"
_NOTICE = "Invented population and answers: not ENI results."


@dataclass(frozen=True)
class Drawn:
    """A figure with the words for who cannot see it.

    Parameters
    ----------
    alt
        What it shows, in a sentence; the figure's own label if empty.
    """

    figure: Figure
    alt: str | Text = ""
    audience: str = PUBLIC

    @cached_property
    def picture(self) -> Picture:
        """The figure as a page holds it, drawn once."""
        return embedded(self.figure)


@dataclass(frozen=True)
class Section:
    """One section of a report, as a room hands it over.

    Parameters
    ----------
    title, text
        One text, or `{"en": ..., "es": ...}`. The text may have paragraphs, lists, emphasis and
        code in Markdown.
    tables
        Caption -> a plain table, estimates, or `Shown`.
    figures
        Caption -> a matplotlib figure, or `Drawn`.
    audience
        `public` (both reports) or `internal` (that one only).
    """

    title: str | Text
    text: str | Text = ""
    tables: Mapping[str, pd.DataFrame | Estimates | Shown] = field(default_factory=dict)
    figures: Mapping[str, Figure | Drawn] = field(default_factory=dict)
    audience: str = PUBLIC

    def __post_init__(self) -> None:
        """Refuse an unknown audience."""
        _known_audience(self.audience)


@dataclass(frozen=True)
class Headline:
    """A figure that the report opens with: one row of estimates, and its label."""

    label: str | Text
    estimates: Estimates
    row: int = 0
    format: str = ""
    detail: str | Text = ""


@dataclass(frozen=True)
class Meta:
    """What a report says of itself.

    Parameters
    ----------
    country
        ISO 3166 alpha-3; with the language it gives the marks of numbers.
    labels
        Column -> code -> words; `columns` -> column -> heading; `variable` -> name -> words.
    definitions
        Term -> definition, for the annex.
    provenance
        What -> value: versions, methods; both reports.
    private
        What -> value: seeds, hashes, paths; the internal report only.
    secrets
        Keys of sampled areas, and seeds: a public report that holds one is not written.
    geography
        The places that the public report may show.
    """

    title: str | Text
    subtitle: str | Text = ""
    office: str | Text = ""
    period: str | Text = ""
    date: str = ""
    country: str = ""
    locale: str = ""
    synthetic: bool = False
    notice: str | Text = ""
    headline: Sequence[Headline] = ()
    labels: Labels = field(default_factory=dict)
    definitions: Mapping[str, str | Text] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, Any] = field(default_factory=dict)
    secrets: Sequence[object] = ()
    geography: Geography = field(default_factory=Geography)


class _Table(NamedTuple):
    id: str
    number: int
    grid: Grid


class _Figure(NamedTuple):
    number: int
    caption: str
    alt: str
    picture: Picture


class _Part(NamedTuple):
    id: str
    title: str
    prose: str
    tables: list[_Table]
    figures: list[_Figure]
    definitions: list[tuple[str, str]]
    internal: bool


def write_report(
    sections: Sequence[Section],
    meta: Meta,
    path: str | os.PathLike[str],
    language: str = "en",
    *,
    audience: str = INTERNAL,
) -> Path:
    """Write a report as one HTML file that needs no network.

    Raises
    ------
    OptionError
        The audience, the language or a format is unknown.
    PublicationError
        A public report would show what only the internal one may, a table is too long for a page,
        or the file would be larger than 5 MB.
    """
    text = report(sections, meta, language, audience=audience)
    size = len(text.encode())
    if size > LARGEST:
        raise PublicationError(
            "{file} would have {size} bytes; a report has {most} at most. Take out tables or "
            "figures.",
            file=str(path),
            size=size,
            most=LARGEST,
        )
    return write_text(text, path)


def report(
    sections: Sequence[Section], meta: Meta, language: str = "en", *, audience: str = INTERNAL
) -> str:
    """Return the HTML of a report; see `write_report`."""
    _known_audience(audience)
    locale = meta.locale or locale_for(language, meta.country)
    reader = Reader(language, locale, audience, meta.labels)
    shown = [s for s in sections if audience == INTERNAL or s.audience == PUBLIC]
    counter = _Counter()
    parts = [_part(s, reader, meta, counter) for s in shown]
    parts += _annexes(meta, reader, counter)
    html = _template().render(_context(parts, meta, reader))
    if audience == PUBLIC:
        where = translate("The public report", language)
        check_text(html, [*meta.secrets, *meta.private.values()], where)
    return html


def _known_audience(audience: str) -> None:
    if audience not in AUDIENCES:
        raise OptionError(
            "audience={audience!r} is not known. {hint}",
            audience=audience,
            hint=nearest(audience, AUDIENCES),
        )


@dataclass
class _Counter:
    """Numbers tables, figures and sections through the report."""

    tables: int = 0
    figures: int = 0
    parts: int = 0


def _part(section: Section, reader: Reader, meta: Meta, counter: _Counter) -> _Part:
    title = in_language(section.title, reader.language)
    tables, figures = [], []
    for caption, given in section.tables.items():
        held = given if isinstance(given, Shown) else Shown(given)
        if reader.audience == PUBLIC:
            if held.audience == INTERNAL:
                continue
            _check(held, f"{title}: {caption}", meta)
        counter.tables += 1
        words = translate(caption, reader.language)
        tables.append(_Table(f"t{counter.tables}", counter.tables, grid(words, held, reader)))
    for caption, figure in section.figures.items():
        drawn = figure if isinstance(figure, Drawn) else Drawn(figure)
        if reader.audience == PUBLIC and drawn.audience == INTERNAL:
            continue
        counter.figures += 1
        words = translate(caption, reader.language)
        alt = in_language(drawn.alt, reader.language) or str(drawn.figure.get_label()) or words
        figures.append(_Figure(counter.figures, words, alt, drawn.picture))
    counter.parts += 1
    return _Part(
        f"s{counter.parts}",
        title,
        _prose(in_language(section.text, reader.language)),
        tables,
        figures,
        [],
        section.audience == INTERNAL,
    )


def _check(shown: Shown, where: str, meta: Meta) -> None:
    if not isinstance(shown.table, Estimates):
        check_columns(shown.columns or shown.table.columns, where, meta.geography)
        return
    check_columns(shown.table.by, where, meta.geography)
    if "suppressed" not in shown.table.table.columns:
        raise PublicationError(
            "{where}: these estimates did not go through the disclosure rules. Call "
            "nsm.publication.protect(estimates) before they are shown to the public.",
            where=where,
        )


def _annexes(meta: Meta, reader: Reader, counter: _Counter) -> list[_Part]:
    """Return the definitions and the provenance."""
    made = []
    language = reader.language
    items = [
        (translate(term, language), in_language(words, language))
        for term, words in meta.definitions.items()
    ]
    if items:
        counter.parts += 1
        title = translate("Definitions", language)
        made.append(_Part(f"s{counter.parts}", title, "", [], [], items, internal=False))
    kept = {**meta.provenance, **(meta.private if reader.audience == INTERNAL else {})}
    if kept:
        counter.parts += 1
        title = translate("How this report was made", language)
        facts = [(translate(str(k), language), str(v)) for k, v in kept.items()]
        made.append(_Part(f"s{counter.parts}", title, "", [], [], facts, internal=False))
    return made


def _context(parts: list[_Part], meta: Meta, reader: Reader) -> dict[str, Any]:
    language, internal = reader.language, reader.audience == INTERNAL

    def say(text: str) -> str:
        return translate(text, language)

    edition = [
        in_language(meta.period, language),
        meta.date,
        say("Internal edition") if internal else say("Public edition"),
    ]
    notice = in_language(meta.notice, language) or say(_NOTICE)
    words = {
        "sort": say("Sort by this column"),
        "found": say("{shown} of {rows} rows"),
        "notice": notice if meta.synthetic else "",
    }
    return {
        "say": say,
        "language": language,
        "audience": reader.audience,
        "internal": internal,
        "synthetic": meta.synthetic,
        "notice": notice,
        "title": in_language(meta.title, language),
        "subtitle": in_language(meta.subtitle, language),
        "office": in_language(meta.office, language),
        "edition": [e for e in edition if e],
        "cards": [_card(h, reader) for h in meta.headline],
        "sections": parts,
        "running": _running(meta, reader),
        "colophon": say("Made with nsm. This page needs no network and sends nothing."),
        "css": _asset("report.css"),
        "js": _asset("report.js"),
        "words": script_json(words),
    }


def _running(meta: Meta, reader: Reader) -> Any:
    """Return what stands at the head of each printed page, safe inside a CSS string."""
    from markupsafe import Markup

    said = []
    if reader.audience == INTERNAL:
        said.append(translate("INTERNAL: not for publication", reader.language))
    if meta.synthetic:
        said.append(translate("SYNTHETIC: not ENI results", reader.language))
    return Markup(re.sub(r'[\\"<>\n]', "", " · ".join(said)))  # noqa: S704 (cleaned here)


def _card(headline: Headline, reader: Reader) -> dict[str, str]:
    table = headline.estimates.table
    row, state = table.iloc[headline.row], states(table)[headline.row]
    kind = headline.format or {"total": "integer", "count": "integer", "proportion": "percent"}.get(
        row["statistic"], "general"
    )
    hidden = state in {SUPPRESSED, UNRELIABLE, EMPTY} and reader.audience == PUBLIC
    between = interval(row["lower"], row["upper"], kind, reader.locale)
    share = written(headline.estimates.level, "percent", reader.locale).replace(".0", "")
    words = {
        "between": translate("{share} interval: {between}", reader.language),
        "cv": translate("CV {cv}", reader.language),
    }
    detail = [words["cv"].format(cv=written(row["cv"], "percent", reader.locale))]
    if state != "shown":
        detail.append(translate(MARKS[state].words, reader.language))
    detail.append(in_language(headline.detail, reader.language))
    return {
        "label": in_language(headline.label, reader.language),
        "value": MARKS[state].sign if hidden else written(row["estimate"], kind, reader.locale),
        "sign": "" if hidden else MARKS[state].sign,
        "interval": "" if hidden else words["between"].format(share=share, between=between),
        "detail": " · ".join(d for d in detail[1 if hidden else 0 :] if d),
        "state": state,
    }


def script_json(value: Any) -> Any:
    r"""Return JSON that is safe inside a script element.

    >>> str(script_json({"a": "</script>"}))
    '{"a": "\\u003c/script\\u003e"}'
    """
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=True)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 (escaped above)


def _prose(text: str) -> Any:
    """Return Markdown as HTML: paragraphs, lists, emphasis, code; all else is escaped."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    rules = ["emphasis", "list", "backticks"]
    made = MarkdownIt("zero", {"html": False}).enable(rules).render(text.strip())
    return Markup(made)  # noqa: S704 (the parser escapes what it does not know)


@cache
def _asset(name: str) -> Any:
    from markupsafe import Markup

    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 (our own file)


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("report.html.j2")
