"""When each phase begins and ends, as a table and as a Gantt picture."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.language import translate
from nsm.publication.rules import in_language
from nsm.publication.style import INK, SERIES, WIDTH, blank, drawing
from nsm.simulation.proposal.budget import evaluated
from nsm.simulation.proposal.prices import Prices

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EPOCH = date(1970, 1, 1).toordinal()  # that of matplotlib
_MOST_TICKS = 8


def calendar(prices: Prices, quantities: Mapping[str, float]) -> pd.DataFrame:
    """Return when each phase begins and ends: as soon as those it follows have ended.

    Returns
    -------
    `phase, start, end` (dates, both within the phase), `weeks` (whole, 1 at least).
    """
    ends: dict[str, date] = {}
    rows = []
    for key, phase in prices.phases.items():
        before = [ends[name] for name in phase.after]
        start = max(before) + timedelta(days=1) if before else prices.start
        weeks = max(ceil(evaluated(phase.weeks, quantities, key) - 1e-9), 1)
        end = start + timedelta(days=7 * weeks - 1)
        ends[key] = end
        rows.append((key, start, end, weeks))
    return pd.DataFrame(rows, columns=["phase", "start", "end", "weeks"])


def gantt(prices: Prices, table: pd.DataFrame, language: str) -> Figure:
    """Draw the calendar."""
    import matplotlib.dates as md

    with drawing():
        figure = blank(WIDTH, 0.9 + 0.34 * len(table))
        axes = figure.add_subplot()
        names = [in_language(prices.phases[k].name, language) for k in table["phase"]]
        start = np.array([day.toordinal() for day in table["start"]]) - _EPOCH
        width = 7.0 * table["weeks"].to_numpy(dtype=float)
        places = range(len(table))
        axes.barh(places, width, left=start, color=SERIES[0], height=0.6)
        for place, left, wide, weeks in zip(places, start, width, table["weeks"], strict=True):
            axes.text(left + wide + 3, place, str(weeks), va="center", color=INK, fontsize=8)
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.set_xlim(start.min() - 7, (start + width).max() + 21)
        months = ceil((max(start + width) - min(start)) / 30.4 / _MOST_TICKS)
        axes.xaxis.set_major_locator(md.MonthLocator(interval=months))
        axes.xaxis.set_major_formatter(md.DateFormatter("%m/%Y"))
        axes.grid(axis="x")
        axes.set_title(translate("Calendar (weeks beside each bar)", language))
        figure.set_label(translate("Calendar (weeks beside each bar)", language))
    return figure
