"""The indicators in the reports and in the files for the public."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from nsm.estimation import Estimates
from nsm.indicators.registry import Indicator, families
from nsm.project.published import Published, named
from nsm.publication import Declared, Section, Series, Shown
from nsm.publication.report import INTERNAL

if TYPE_CHECKING:
    from nsm.project.report import Page

LANGUAGES = ("en", "es")
ROWS = 3_000  # of indicators in a report, which stays below 5 MB
FORMATS = {"fraction": "percent", "persons": "integer"}
# Unit of an indicator -> unit of SDMX, and what the estimate is multiplied with.
UNITS = {
    "fraction": ("PT", 100.0),
    "persons": ("NUMBER", 1.0),
    "national currency an hour": ("CUR_LCU", 1.0),
    "months of earnings": ("MO_EARN", 1.0),
}
GOAL_COLUMNS = ("estimate", "target", "year", "distance", "distance_se", "needed", "change")


def sections(page: Page) -> Iterator[Section]:
    """Give a section for each family, then gaps, goals, and what could not be computed."""
    found = page.material.published
    known, elsewhere = found.registry, _elsewhere(page, found)
    for family, title in families(page.language).items():
        tables = _tables(page, found, [c for c, one in known.items() if one.family == family])
        if tables:
            said = page.say("Indicators: {family}", family=title)
            yield Section(said, elsewhere, tables=tables)
            elsewhere = ""
    yield from _gaps(page, found)
    yield from _goals(page)
    yield from _missing(page, found)
    yield from _findings(page)


def in_report(found: Published) -> list[tuple[str, ...]]:
    """Return the disaggregations that a report has room for; the others are in the files."""
    left, kept = ROWS, []
    for keys, made in found.indicators.items():
        if len(made.table) <= left:
            kept.append(keys)
            left -= len(made.table)
    return kept


def _elsewhere(page: Page, found: Published) -> str:
    """Say which disaggregations are in the files only."""
    kept = in_report(found)
    lost = [by_words(page, keys) for keys in found.indicators if keys not in kept]
    if not lost:
        return ""
    return page.say(
        "A report has no room for all tables. These are in the files that come with it: {tables}.",
        tables="; ".join(lost),
    )


def _findings(page: Page) -> Iterator[Section]:
    table = page.material.findings
    if len(table):
        shown = table[["code", "where", "count", f"message_{page.language}", "examples"]]
        shown = shown.rename(columns={f"message_{page.language}": "message"})
        title = page.say("What the tables lack")
        yield Section(title, tables={title: shown}, audience=INTERNAL)


def _tables(page: Page, found: Published, codes: list[str]) -> dict[str, Shown]:
    """Return the tables of some indicators: everyone, then each disaggregation, folded."""
    formats = formats_of(found.registry)
    tables = {}
    for keys in in_report(found):
        made = found.indicators[keys]
        part = made.table[made.table["variable"].isin(codes)].reset_index(drop=True)
        if len(part):
            one = replace(made, table=part, covariances=None)
            caption = page.say("Whole population") if not keys else by_words(page, keys)
            tables[caption] = Shown(one, formats=formats, folded=bool(keys))
    return tables


def by_words(page: Page, keys: tuple[str, ...]) -> str:
    """Return the words for a disaggregation."""
    said = [page.reader.heading(k) for k in keys]
    return page.say("By {columns}", columns=", ".join(w[:1].lower() + w[1:] for w in said))


def formats_of(known: Mapping[str, Indicator]) -> dict[str, str]:
    """Return code -> format of its numbers."""
    return {code: FORMATS[one.unit] for code, one in known.items() if one.unit in FORMATS}


def _gaps(page: Page, found: Published) -> Iterator[Section]:
    if found.gaps is None:
        return
    asked = page.project.settings.indicators
    words = [page.reader.label(asked.gap_on, label) for label in asked.gap]
    title = page.say("Gaps: {first} minus {second}", first=words[0], second=words[1])
    text = page.say(
        "The difference of both groups in the same units as the indicator, with its interval. Both "
        "live in the same areas, which makes it more precise than two separate figures tell."
    )
    table = found.gaps.table.assign(note=None)
    made = Estimates(table, (), found.gaps.level)
    shown = Shown(made, formats=formats_of(found.registry))
    yield Section(title, text, tables={title: shown})


def _goals(page: Page) -> Iterator[Section]:
    """Give the national goals of indicators whose estimate may be shown."""
    if not page.project.settings.indicators.targets:
        return
    table = page.material.goals
    if not len(table):
        return
    found = page.material.published
    whole = found.indicators.get(())
    if whole is not None:
        rows = whole.table
        hidden = rows[rows["suppressed"].notna() | (rows["verdict"] == "not_publishable")]
        table = table[~table["variable"].isin(hidden["variable"])].reset_index(drop=True)
    shown = table[["variable", *GOAL_COLUMNS, "verdict"]].assign(
        variable=[found.registry[c].title(page.language) for c in table["variable"]],
        verdict=[page.say(v) if isinstance(v, str) else "" for v in table["verdict"]],
        year=table["year"].astype(str),
    )
    text = page.say(
        "Distance: what is missing to the goal, with the standard error of the estimate. Needed: "
        "the change a year until then. The verdict tests at 5 % whether the last change goes "
        "toward the goal."
    )
    title = page.say("National goals")
    yield Section(title, text, tables={title: Shown(shown)})


def _missing(page: Page, found: Published) -> Iterator[Section]:
    if not len(found.missing):
        return
    known, codes = found.registry, found.missing["code"].fillna("")
    table = pd.DataFrame(
        {
            "code": codes,
            "name": [known[c].title(page.language) if c in known else "" for c in codes],
            "by": found.missing["by"].fillna(""),
            "reason": found.missing[f"reason_{page.language}"],
        }
    )
    title = page.say("Indicators that could not be computed")
    yield Section(title, tables={title: table}, audience=INTERNAL)


def labels(known: Mapping[str, Indicator]) -> dict[str, Mapping[str, str]]:
    """Return code -> its name by language, with the word that marks a proxy."""
    return {code: {x: one.title(x) for x in LANGUAGES} for code, one in known.items()}


def categories(
    known: Mapping[str, Indicator], words: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> dict[str, Mapping[str, Mapping[str, str]]]:
    """Return code -> words for its categories: those of the column that it is the proportion of."""
    found = {}
    for code, one in known.items():
        column = one.statistic.removeprefix("proportion(").removesuffix(")")
        if one.statistic.startswith("proportion(") and column in words:
            found[code] = words[column]
    return found


def definitions(found: Published) -> dict[str, Mapping[str, str]]:
    """Return what the annex says of each indicator that was computed."""
    there = {v for made in found.indicators.values() for v in made.table["variable"]}
    said: dict[str, Mapping[str, str]] = {}
    for code, one in found.registry.items():
        if code in there:
            facts = " · ".join(x for x in (one.universe, one.statistic, one.standard) if x)
            name = one.title()
            said[f"{code} · {name}"] = {x: f"{one.definition_in(x)} [{facts}]" for x in LANGUAGES}
    return said


def declared(page: Page) -> dict[str, Declared]:
    """Return the indicators as tables to deliver, one for each disaggregation."""
    found = page.material.published
    made = {}
    for keys, estimates in found.indicators.items():
        words = {x: _title(page, x, keys) for x in LANGUAGES}
        formats = formats_of(found.registry)
        made[named(keys)] = Declared(
            estimates, words, series=_series(found.registry, estimates), formats=formats
        )
    if found.gaps is not None:
        both = " - ".join(page.project.settings.indicators.gap)
        words = {"en": f"Gaps: {both}", "es": f"Brechas: {both}"}
        made["gaps"] = Declared(found.gaps, words, formats=formats_of(found.registry))
    return made


def _title(page: Page, language: str, keys: tuple[str, ...]) -> str:
    other = page.in_words(language)
    if not keys:
        return other.say("Indicators, whole population")
    return f"{other.say('Indicators')}. {by_words(other, keys)}"


def _series(known: Mapping[str, Indicator], made: Estimates) -> dict[str, Series]:
    """Return the SDG series of indicators; the first of those that would be one series."""
    found: dict[str, Series] = {}
    taken = set()
    for code in dict.fromkeys(made.table["variable"]):
        one = known[code]
        fixed = tuple(sorted((one.dimensions or {}).items()))
        key = (one.series, one.unit, fixed)
        if one.series and one.unit in UNITS and key not in taken:
            taken.add(key)
            unit, scale = UNITS[one.unit]
            found[code] = Series(one.series, unit, scale, dict(fixed))
    return found
