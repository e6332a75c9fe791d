"""Charts of estimates: dots with their intervals, and the population pyramid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nsm.errors import PublicationError
from nsm.estimation.estimates import Estimates
from nsm.language import SOURCE, translate
from nsm.publication.grid import INTERNAL, PUBLIC, Labels, Reader
from nsm.publication.numerals import locale_for, written
from nsm.publication.states import EMPTY, LOW, MARKS, SHOWN, SUPPRESSED, UNRELIABLE, legend, states
from nsm.publication.style import (
    INK,
    MARKERS,
    SERIES,
    SOFT,
    WIDTH,
    blank,
    drawing,
    notice,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 60  # rows of one chart
_FORMATS = {"total": "integer", "count": "integer", "proportion": "percent"}


class _Row(NamedTuple):
    """One line of a panel: its words, and its points."""

    words: str
    points: list[int]


class _Chart(NamedTuple):
    """What is drawn: estimates with their states, the column that gives colors, and the reader."""

    estimates: Estimates
    table: pd.DataFrame
    state: np.ndarray
    series: str | None
    names: list[Any]
    reader: Reader
    formats: Mapping[str, str]


def interval_chart(
    estimates: Estimates,
    *,
    language: str = SOURCE,
    country: str | None = None,
    labels: Labels | None = None,
    audience: str = INTERNAL,
    synthetic: bool = False,
    formats: Mapping[str, str] | None = None,
    titled: bool = False,
) -> Figure:
    """Draw each estimate as a dot with its interval, one panel for each variable.

    Parameters
    ----------
    labels
        Column -> code -> words.
    audience
        `public` hides the numbers that are suppressed or not publishable, and says which.
    synthetic
        Say in the picture that its numbers are invented.
    formats
        Variable -> format of `nsm.publication.numerals`.
    titled
        Say over a single panel too what is drawn, where no caption does.

    Returns
    -------
    A matplotlib figure; its label is the text for who cannot see it.

    Raises
    ------
    PublicationError
        There is nothing to draw, or there are too many rows to read.
    """
    table = estimates.table.reset_index(drop=True)
    if not len(table) or len(table) > MOST:
        raise PublicationError(
            "A chart shows 1 to {most} estimates; these are {rows}. Choose some, or draw a map.",
            most=MOST,
            rows=len(table),
        )
    reader = Reader(language, locale_for(language, country), audience, labels or {})
    series = _series(estimates, table)
    names = list(table[series].drop_duplicates()) if series else []
    chart = _Chart(estimates, table, states(table), series, names, reader, formats or {})
    with drawing():
        figure = _drawn(chart, titled=titled)
        if synthetic:
            notice(figure, language)
    figure.set_label(_alt(chart))
    return figure


def _drawn(chart: _Chart, *, titled: bool) -> Figure:
    panels = _panels(chart)
    heights = [max(len(rows), 1) for _, rows in panels]
    pitch = 0.16 + 0.14 * len(chart.names) if chart.series else 0.27
    figure = blank(WIDTH, 0.75 + 0.45 * (len(panels) - 1) + sum(heights) * pitch)
    axes = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[
        :, 0
    ]
    for ax, (title, rows) in zip(axes, panels, strict=True):
        _panel(ax, rows, chart)
        ax.set_title(title if titled or len(panels) > 1 else "")
    _legends(figure, chart)
    return figure


def _varying(estimates: Estimates, table: pd.DataFrame) -> list[str]:
    names = [n for n in (*estimates.by, "category") if len(table[n].unique()) > 1]
    if table.duplicated(["variable", "statistic", *names]).any():
        names.append("order")
    return names


def _series(estimates: Estimates, table: pd.DataFrame) -> str | None:
    """Return the column whose labels get a color each: the last of several, if it has few."""
    keys = _varying(estimates, table)
    few = len(keys) > 1 and len(table[keys[-1]].unique()) <= len(SERIES)
    return keys[-1] if few else None


def _panels(chart: _Chart) -> list[tuple[str, list[_Row]]]:
    """Return the panels, each with its rows, in the order of the table."""
    table, reader = chart.table, chart.reader
    keys = [k for k in _varying(chart.estimates, table) if k != chart.series]
    made = []
    titles = table[["variable", "statistic"]].drop_duplicates()
    for variable, statistic in titles.itertuples(index=False):
        here = np.flatnonzero((table["variable"] == variable) & (table["statistic"] == statistic))
        rows: dict[str, list[int]] = {}
        for i in here:
            rows.setdefault(_words(table, int(i), keys, reader), []).append(int(i))
        title = reader.label("variable", variable) or reader.heading(statistic)
        if (titles["variable"] == variable).sum() > 1:
            title = f"{title} ({reader.heading(statistic).lower()})"
        made.append((title, [_Row(words, points) for words, points in rows.items()]))
    return made


def _words(table: pd.DataFrame, i: int, keys: Sequence[str], reader: Reader) -> str:
    total = translate("Total", reader.language)
    said = [reader.words(table, i, k) or total for k in keys]
    return " · ".join(said) or total


def _panel(ax: Axes, rows: list[_Row], chart: _Chart) -> None:
    from matplotlib.ticker import MaxNLocator

    table = chart.table
    step = 0.72 / max(len(chart.names), 1)
    points = [i for row in rows for i in row.points]
    for y, row in enumerate(rows):
        for i in row.points:
            k = _position(chart.names, table[chart.series].iloc[i]) if chart.series else 0
            place = y + (k - (len(chart.names) - 1) / 2) * step if chart.series else y
            _point(ax, i, place, _Look(SERIES[k], MARKERS[k]), chart)
    ax.set_yticks(range(len(rows)), [row.words for row in rows])
    ax.set_ylim(len(rows) - 0.45, -0.55)
    ax.grid(axis="x")
    ax.tick_params(axis="y", pad=6)
    low = table["lower"].fillna(table["estimate"]).iloc[points].dropna()
    if (low >= 0).all():
        ax.set_xlim(left=0)
    kind = estimate_format(table.iloc[points[0]], chart.formats)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_formatter(lambda x, _: tick(x, kind, chart.reader.locale))


class _Look(NamedTuple):
    color: str
    marker: str


def _point(ax: Axes, i: int, y: float, look: _Look, chart: _Chart) -> None:
    row, state = chart.table.iloc[i], chart.state[i]
    if state in {SUPPRESSED, EMPTY} or (state == UNRELIABLE and chart.reader.audience == PUBLIC):
        ax.annotate(
            MARKS[state].sign, (0, y), xycoords=("axes fraction", "data"), xytext=(4, 0),
            textcoords="offset points", va="center", fontsize=8.5, color=SOFT,
        )  # fmt: skip
        return
    sure = state == SHOWN
    color = SOFT if state == UNRELIABLE else look.color
    if np.isfinite(row["lower"]):
        ax.plot(
            [row["lower"], row["upper"]], [y, y], color=color, lw=2.0 if sure else 1.4,
            ls="-" if sure else (0, (3, 1.5)), solid_capstyle="butt", zorder=2,
        )  # fmt: skip
    ax.plot(
        row["estimate"], y, marker="x" if state == UNRELIABLE else look.marker, ms=6.5,
        mfc=color if sure else "white", mec=color, mew=1.4, ls="none", zorder=3,
    )  # fmt: skip


def _position(names: list[Any], name: Any) -> int:
    missing = bool(pd.isna(name))
    return next(k for k, one in enumerate(names) if one == name or (missing and pd.isna(one)))


def estimate_format(row: pd.Series, formats: Mapping[str, str]) -> str:
    """Return the format of an estimate: the given one, or what its statistic suggests."""
    if row["variable"] in formats:
        return formats[row["variable"]]
    if row.get("kind") == "proportion":
        return "percent"
    return _FORMATS.get(row["statistic"], "general")


def tick(x: float, kind: str, locale: str) -> str:
    """Write a number beside an axis, without needless digits."""
    if kind.startswith("percent"):
        text = written(x, "percent", locale)
        bare = written(100 * x, "integer", locale)
        return (
            text.replace(written(100 * x, "decimal", locale), bare)
            if (100 * x) % 1 < 1e-9
            else text
        )
    if kind == "integer" or abs(x - round(x)) < 1e-9:
        return written(x, "integer", locale)
    return written(x, "decimal" if abs(10 * x - round(10 * x)) < 1e-9 else "general", locale)


def _legends(figure: Figure, chart: _Chart) -> None:
    from matplotlib.lines import Line2D

    reader = chart.reader
    handles = []
    for k, name in enumerate(chart.names):
        words = reader.label(str(chart.series), name) or translate("Total", reader.language)
        handles.append(Line2D([], [], color=SERIES[k], marker=MARKERS[k], ms=6, lw=2, label=words))
    shown = set(chart.state) - {SHOWN}
    signs = legend(shown - {LOW}, reader.language)
    handles += [Line2D([], [], ls="none", label=f"{sign} {words}") for sign, words in signs]
    if LOW in shown:
        words = translate(MARKS[LOW].words, reader.language)
        handles.append(
            Line2D([], [], color=INK, marker="o", mfc="white", ms=6, ls=(0, (3, 1.5)), label=words)
        )
    if handles:
        figure.legend(
            handles=handles, loc="outside lower left", ncols=min(len(handles), 4), handletextpad=0.5
        )


def _alt(chart: _Chart) -> str:
    """Say in words what the chart shows."""
    reader = chart.reader
    names = dict.fromkeys(reader.label("variable", v) for v in chart.table["variable"])
    said = translate(
        "Chart of {count} estimates with their {level} % intervals: {names}.", reader.language
    )
    level = written(100 * chart.estimates.level, "integer", reader.locale)
    return said.format(
        count=len(chart.table), level=level, names=", ".join(n for n in names if n) or "-"
    )
