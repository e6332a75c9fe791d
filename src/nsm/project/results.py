"""The sections of results: each declared table with the pictures that suit it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nsm.errors import FrameError
from nsm.estimation import Estimates
from nsm.publication import Drawn, Section, Shown, interval_chart, outlines, pyramid, region_map
from nsm.publication.states import EMPTY, SUPPRESSED, UNRELIABLE, states

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.figure import Figure

    from nsm.project.report import Page
    from nsm.project.settings import TableSettings

LONGEST_CHART = 40  # estimates
PYRAMID = {"sex", "age_band"}


def sections(page: Page, audience: str) -> Iterator[Section]:
    """Yield a section for each table: its pictures, then the estimates."""
    for name, estimates in page.estimates.items():
        asked = page.project.settings.estimation.tables[name]
        title = page.in_language(asked.title)
        note = page.in_language(asked.note) if asked.note else ""
        key = name if _same_for_all(estimates) else (name, audience)
        if key not in page.drawn:
            made = _figures(page, estimates, asked, audience)
            page.drawn[key] = {words: Drawn(figure) for words, figure in made.items()}
        yield Section(title, tables={title: Shown(estimates, note=note)}, figures=page.drawn[key])


def _figures(
    page: Page, estimates: Estimates, asked: TableSettings, audience: str
) -> dict[str, Figure]:
    """Return the pictures of a table: pyramid, map, or dots with their intervals."""
    title = page.in_language(asked.title)
    survey = page.project.settings.survey
    shared: dict[str, Any] = {
        "language": page.language,
        "country": survey.country,
        "labels": page.labels,
        "audience": audience,
        "synthetic": survey.synthetic,
    }
    if set(asked.by) == PYRAMID:
        words = page.say("Population pyramid: {title}", title=title)
        return {words: pyramid(estimates, **shared)}
    figures = {}
    within = page.project.settings.frame.concentration.within
    mapped = {page.material.frame.levels[0], *within} & set(page.meta.geography.public)
    places = [c for c in asked.by if c in mapped]
    if len(asked.by) == 1 and places:
        polygons = page.material.outlines(places[0])
        if polygons is not None:
            first = str(estimates.table["variable"].iloc[0])
            words = page.say("Map: {title}", title=f"{title}, {page.variable(first)}")
            figures[words] = region_map(
                estimates, polygons, by=places[0], geography=page.meta.geography, **shared
            )
    if asked.by and len(estimates) <= LONGEST_CHART:
        figures[title] = interval_chart(estimates, **shared)
    return figures


def _same_for_all(estimates: Estimates) -> bool:
    """Whether the public sees what the office sees, so that one picture serves both."""
    return not set(states(estimates.table)) & {SUPPRESSED, UNRELIABLE, EMPTY}


def drawn_outlines(frame: Any, by: str) -> gpd.GeoDataFrame | None:
    """Return the polygons of places, or None for a frame without boundaries."""
    try:
        return outlines(frame, by)
    except FrameError:
        return None
