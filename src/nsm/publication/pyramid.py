"""The population pyramid: ages by sex, one for each migrant status, on one scale."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nsm.errors import PublicationError
from nsm.estimation.estimates import Estimates
from nsm.language import SOURCE, translate
from nsm.publication.charts import tick
from nsm.publication.grid import INTERNAL, PUBLIC, Labels, Reader
from nsm.publication.numerals import locale_for
from nsm.publication.states import EMPTY, MARKS, SHOWN, SUPPRESSED, UNRELIABLE, legend, states
from nsm.publication.style import INK, SERIES, SOFT, WIDTH, blank, drawing, notice

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SEXES = ("M", "F")
MOST = 4  # pyramids side by side
_COLORS = dict(zip(SEXES, (SERIES[0], SERIES[1]), strict=True))


class _Pyramid(NamedTuple):
    table: pd.DataFrame
    state: np.ndarray
    ages: list[str]
    names: list[str]
    columns: tuple[str, str]
    reader: Reader


def pyramid(
    estimates: Estimates,
    *,
    age: str = "age_band",
    sex: str = "sex",
    language: str = SOURCE,
    country: str | None = None,
    labels: Labels | None = None,
    audience: str = INTERNAL,
    synthetic: bool = False,
) -> Figure:
    """Draw totals by age and sex, men to the left, with their intervals: one pyramid a variable.

    Parameters
    ----------
    estimates
        Totals by `age` and `sex` (codes M and F); the bands are drawn in the order of their first
        number, margins are left out.
    audience
        `public` hides what is suppressed or not publishable.

    Raises
    ------
    PublicationError
        The estimates are not by age and sex alone, or of too many variables.
    """
    table = estimates.table
    if set(estimates.by) != {age, sex}:
        raise PublicationError(
            "A pyramid needs estimates by {sex} and {age}; these are by {by}.",
            sex=sex,
            age=age,
            by=list(estimates.by),
        )
    inside = table[age].notna() & table[sex].isin(SEXES)
    kept = table[inside].reset_index(drop=True)
    names = list(kept["variable"].unique())
    if not 0 < len(names) <= MOST:
        raise PublicationError(
            "A picture holds 1 to {most} pyramids; these estimates have {count} variables.",
            most=MOST,
            count=len(names),
        )
    reader = Reader(language, locale_for(language, country), audience, labels or {})
    ages = sorted(kept[age].astype("str").unique(), key=_youngest)
    drawn = _Pyramid(kept, states(kept), ages, names, (age, sex), reader)
    with drawing():
        figure = _drawn(drawn)
        if synthetic:
            notice(figure, language)
    said = translate("Population pyramid of {names}, in {count} age bands.", language)
    words = ", ".join(reader.label("variable", name) for name in names)
    figure.set_label(said.format(names=words, count=len(ages)))
    return figure


def _youngest(band: str) -> float:
    """Return the first number in the code of an age band; the end where there is none."""
    first = re.search(r"\d+", band)
    return float(first[0]) if first else math.inf


def _drawn(drawn: _Pyramid) -> Figure:
    figure = blank(WIDTH, 1.1 + 0.2 * len(drawn.ages))
    axes = figure.subplots(1, len(drawn.names), squeeze=False, sharey=True)[0]
    for ax, name in zip(axes, drawn.names, strict=True):
        _one(ax, name, drawn)
    axes[0].set_yticks(range(len(drawn.ages)), [_age(drawn, a) for a in drawn.ages], fontsize=8.5)
    _legend(figure, drawn)
    return figure


def _age(drawn: _Pyramid, code: str) -> str:
    return drawn.reader.label(drawn.columns[0], code)


def _one(ax: Axes, name: str, drawn: _Pyramid) -> None:
    from matplotlib.ticker import MaxNLocator

    age, sex = drawn.columns
    gone = [SUPPRESSED, EMPTY] + ([UNRELIABLE] if drawn.reader.audience == PUBLIC else [])
    for k in np.flatnonzero((drawn.table["variable"] == name).to_numpy()):
        row, state = drawn.table.iloc[k], drawn.state[k]
        side = -1 if row[sex] == "M" else 1
        y = drawn.ages.index(str(row[age]))
        if state in gone:
            ax.annotate(
                MARKS[state].sign, (0, y), xytext=(8 * side, 0), textcoords="offset points",
                ha="center", va="center", fontsize=7, color=SOFT,
            )  # fmt: skip
            continue
        color = _COLORS[row[sex]]
        solid = state == SHOWN
        ax.barh(y, side * row["estimate"], height=0.82, color=color if solid else "white",
                edgecolor=color, linewidth=0.8, hatch="" if solid else "////")  # fmt: skip
        ends = [side * row["lower"], side * row["upper"]]
        ax.plot(ends, [y, y], color=INK, lw=1.1, solid_capstyle="butt")
    most = max(abs(edge) for edge in ax.get_xlim())
    ax.set_xlim(-most, most)
    ax.axvline(0, color="white", lw=1.2)
    ax.set_title(drawn.reader.label("variable", name))
    ax.grid(axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(4, symmetric=True))
    ax.xaxis.set_major_formatter(lambda x, _: tick(abs(x), "integer", drawn.reader.locale))
    ax.tick_params(axis="x", labelsize=8)


def _legend(figure: Figure, drawn: _Pyramid) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    reader = drawn.reader
    words = {"M": translate("Men", reader.language), "F": translate("Women", reader.language)}
    handles: list[Patch | Line2D] = [
        Patch(facecolor=_COLORS[code], label=words[code]) for code in SEXES
    ]
    signs = legend(set(drawn.state) - {SHOWN}, reader.language)
    handles += [Line2D([], [], ls="none", label=f"{sign} {said}") for sign, said in signs]
    figure.legend(handles=handles, loc="outside lower left", ncols=3)
