"""The monitoring page: where the fieldwork stands, made anew from each delivery."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsm.fieldwork.monitoring import Monitoring
from nsm.language import translate
from nsm.publication import Drawn, Meta, Section, Shown, write_report
from nsm.publication.report import INTERNAL
from nsm.publication.style import INK, SERIES, WIDTH, blank, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST = 200  # rows of a table
_PERCENT = ("share", "response", "refusal", "foreign", "match", "RR1", "RR3", "COOP1", "overall")
_COUNTS = ("expected", "visited", "completed", "visits", "cumulative", "dwellings", "answers")
_DECIMALS = ("persons", "minutes", "seconds", "missing", "errors")

# Column -> its heading; codes -> their words.
HEADINGS = {
    "phase": "Phase",
    "n": "Units",
    "I": "Complete",
    "P": "Partial",
    "R": "Refused",
    "NC": "No contact",
    "overall": "Product of RR3",
    "day": "Day",
    "visits": "Visits",
    "completed": "Completed",
    "refused": "Refused",
    "interviews": "Interviews",
    "cumulative": "All visits so far",
    "state": "State",
    "expected": "Expected",
    "visited": "Visited",
    "persons": "Persons",
    "response": "Response",
    "first": "First day",
    "last": "Last day",
    "idle": "Days without visit",
    "interviewer": "Interviewer",
    "refusal": "Refusal",
    "foreign": "Foreign origin",
    "missing": "Blanks per household",
    "errors": "Errors per household",
    "minutes": "Minutes",
    "outlier": "Unlike the others in",
    "kind": "Kind",
    "one": "One",
    "other": "Other",
    "match": "Equal answers",
    "answers": "Answers",
    "other_interviewer": "Other interviewer",
    "dwelling": "Dwelling",
    "start": "Start",
    "seconds": "Seconds per answer",
    "why": "Why",
}
CODES = {
    "state": ("not started", "working", "behind", "done"),
    "phase": ("areas", "dwellings", "interviews"),
    "kind": ("household", "interview"),
    "severity": ("error", "warning", "info"),
    "where": ("areas", "interviewers", "copies", "visits"),
}


def write_monitoring(
    seen: Monitoring,
    path: str | os.PathLike[str],
    language: str,
    *,
    title: Mapping[str, str] | str,
    country: str = "",
    synthetic: bool = False,
    notice: Mapping[str, str] | str = "",
) -> Path:
    """Write the monitoring page. It names areas and interviewers, so it is for the office only."""
    meta = Meta(
        title=title,
        subtitle=translate("Fieldwork: where it stands", language),
        country=country,
        synthetic=synthetic,
        notice=notice,
        date=_last_day(seen),
        labels=_labels(language),
    )
    return write_report(sections(seen, language), meta, path, language, audience=INTERNAL)


def _last_day(seen: Monitoring) -> str:
    return "" if seen.days.empty else seen.days["day"].max().date().isoformat()


def _labels(language: str) -> dict[str, dict[str, str]]:
    words = {
        column: {code: translate(code, language) for code in codes}
        for column, codes in CODES.items()
    }
    return {
        "columns": {name: translate(text, language) for name, text in HEADINGS.items()},
        **words,
    }


def sections(seen: Monitoring, language: str) -> list[Section]:
    """Return what the page shows: what asks for a look first, then progress, people, copies."""

    def say(text: str) -> str:
        return translate(text, language)

    made = [
        Section(
            say("What asks for a look"),
            say("A deviation is a reason to look, not a verdict: areas differ.")
            if len(seen.findings)
            else say("Nothing deviates."),
            _tables(say("Findings"), seen.findings),
        ),
        Section(say("Response by phase"), "", _tables(say("Response by phase"), _rates(seen))),
        Section(
            say("Progress"),
            _states(seen, language),
            {
                **_tables(say("Areas, those behind first"), _text_days(seen.areas)),
                **_tables(say("Days"), _text_days(seen.days)),
            },
            _figures(seen, language),
        ),
    ]
    people = seen.interviewers
    if len(people):
        people = people.assign(outlier=people["outlier"].map(lambda text: _each(text, language)))
        made.append(Section(say("Interviewers"), "", _tables(say("Interviewers"), people)))
    if len(seen.copies):
        made.append(
            Section(say("Copies"), "", _tables(say("Answers that stand twice"), seen.copies))
        )
    if len(seen.visits):
        visits = seen.visits.assign(
            start=seen.visits["start"].dt.strftime("%Y-%m-%d %H:%M"),
            why=seen.visits["why"].map(lambda text: _each(text, language)),
        )
        made.append(Section(say("Clocks"), "", _tables(say("Visits with a strange clock"), visits)))
    return made


def _each(text: str, language: str) -> str:
    """Say several reasons: `fast night`, `refusal+ minutes-`."""
    said = []
    for word in text.split():
        name, sign = (word[:-1], word[-1]) if word[-1] in "+-" else (word, "")
        said.append(translate(HEADINGS.get(name, name), language).lower() + sign)
    return ", ".join(said)


def _rates(seen: Monitoring) -> pd.DataFrame:
    return seen.phases[["phase", "n", "I", "P", "R", "NC", "RR1", "RR3", "COOP1", "overall"]]


def _states(seen: Monitoring, language: str) -> str:
    """Say how many areas are in each state."""
    counts = seen.areas["state"].value_counts()
    said = [
        f"{translate(state, language)}: {counts[state]}"
        for state in CODES["state"]
        if state in counts.index
    ]
    return "; ".join(said) + "."


def _tables(caption: str, table: pd.DataFrame) -> dict[str, pd.DataFrame | Any]:
    if table.empty:
        return {}
    formats = {c: "percent" for c in _PERCENT if c in table.columns}
    formats |= {c: "integer" for c in (*_COUNTS, "idle", "n", "I", "P", "R", "NC") if c in table}
    formats |= {c: "decimal" for c in _DECIMALS if c in table and c not in formats}
    return {caption: Shown(table.head(MOST), formats, audience=INTERNAL)}


def _text_days(table: pd.DataFrame) -> pd.DataFrame:
    days = table.select_dtypes("datetime")
    return table.assign(**{name: days[name].dt.strftime("%Y-%m-%d") for name in days.columns})


def _figures(seen: Monitoring, language: str) -> dict[str, Figure | Drawn]:
    if len(seen.days) < 2 or "share" not in seen.days.columns:
        return {}
    last = float(seen.days["share"].iloc[-1])
    alt = translate("Share of the expected dwellings visited by day, now {share}.", language)
    words = alt.format(share=f"{last:.0%}")
    return {
        translate("Share of the expected dwellings visited", language): Drawn(
            curve(seen.days, language), words, INTERNAL
        )
    }


def curve(days: pd.DataFrame, language: str) -> Figure:
    """Draw visits and completed visits by day, as shares of the expected dwellings."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import PercentFormatter

    with drawing():
        figure = blank(WIDTH, 2.8)
        axes = figure.add_subplot()
        expected = days["cumulative"] / days["share"]
        lines = {
            "Visits": days["share"],
            "Completed": days["completed"].cumsum() / expected,
        }
        for color, (name, values) in zip(SERIES, lines.items(), strict=False):
            axes.plot(days["day"], values, color=color, label=translate(name, language), lw=2)
        axes.axhline(1.0, color=INK, lw=0.8, ls=":")
        axes.set_ylim(0, max(1.05, 1.05 * float(days["share"].max())))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        locator = AutoDateLocator(maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.grid(axis="y")
        axes.legend(loc="upper left")
    return figure
