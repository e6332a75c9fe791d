"""Maps of estimates by place, each beside its intervals: a color alone would hide them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nsm.errors import ColumnError, PublicationError, nearest, preview
from nsm.estimation.estimates import Estimates
from nsm.language import SOURCE, translate
from nsm.publication.charts import estimate_format, tick
from nsm.publication.grid import INTERNAL, PUBLIC, Labels, Reader
from nsm.publication.guard import Geography
from nsm.publication.numerals import locale_for, written
from nsm.publication.states import EMPTY, LOW, MARKS, SHOWN, SUPPRESSED, UNRELIABLE, states
from nsm.publication.style import INK, MISSING, RULE, SOFT, STEPS, WIDTH, blank, drawing, notice

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    from nsm.frame.frame import Frame

MOST = 35  # places of one map, each with a line beside it
TOLERANCE = 0.004  # degrees: less than a line's width on the page
_HATCH = {LOW: "///", UNRELIABLE: "xxx", SUPPRESSED: "..", EMPTY: ""}


class _Map(NamedTuple):
    """What is drawn: one row of the table for each shape, the best estimate first."""

    table: pd.DataFrame
    state: np.ndarray
    shapes: gpd.GeoDataFrame
    by: str
    title: str
    kind: str
    reader: Reader


def outlines(frame: Frame, by: str, tolerance: float = TOLERANCE) -> gpd.GeoDataFrame:
    """Return one simplified polygon for each label of `by`, of the frame's areas.

    Parameters
    ----------
    by
        A column of the frame: `region`, `territory`, `province` ...
    tolerance
        How far a border may move, in the units of the boundaries (degrees).

    Raises
    ------
    FrameError, ColumnError
        The frame has no boundaries, or no such column.
    """
    import geopandas as gpd
    import shapely

    frame.require_columns([by])
    areas = frame.require_boundaries()
    label = areas[frame.key].map(frame.table.set_index(frame.key)[by])
    joined = {
        name: _joined(areas.geometry[(label == name).to_numpy()].to_numpy())
        for name in sorted(label.dropna().unique())
    }
    shapes = shapely.coverage_simplify(list(joined.values()), tolerance)
    return gpd.GeoDataFrame({by: list(joined)}, geometry=list(shapes), crs=areas.crs)


def _joined(shapes: np.ndarray) -> Any:
    """Return the union of areas that mostly are a coverage: gaps of the drawing are closed."""
    import shapely

    if shapely.coverage_is_valid(shapes):
        return shapely.coverage_union_all(shapes)
    return shapely.union_all(shapes)


def region_map(
    estimates: Estimates,
    polygons: gpd.GeoDataFrame,
    *,
    by: str,
    variable: str | None = None,
    language: str = SOURCE,
    country: str | None = None,
    labels: Labels | None = None,
    audience: str = INTERNAL,
    synthetic: bool = False,
    formats: Mapping[str, str] | None = None,
    geography: Geography | None = None,
) -> Figure:
    """Draw estimates by place as a map, with the interval of each place beside it.

    A number joins a place to its interval; the axis of the intervals is the legend of the colors.
    What is to be used with caution is hatched, what is not reliable crossed, what is confidential
    dotted.

    Parameters
    ----------
    estimates
        With `by` among its domain columns; rows with another domain column filled are left out.
    polygons
        Column `by` and geometry, one row for each place; see `outlines`.
    variable
        The variable to draw; the first one by default.
    audience
        `public` hides numbers that are suppressed or not publishable.
    geography
        The places that the public sees.

    Raises
    ------
    PublicationError
        There is nothing to draw, a place has no polygon, or the place is too small for the public.
    """
    reader = Reader(language, locale_for(language, country), audience, labels or {})
    seen = (geography or Geography()).public
    if audience == PUBLIC and by not in seen:
        raise PublicationError(
            "A map by {by} is not for the public, which sees {geography}.",
            by=by,
            geography=list(seen),
        )
    rows = _rows(estimates, by, variable)
    drawn = _chosen(rows, polygons, by, reader, formats or {})
    with drawing():
        figure = _drawn(drawn)
        if synthetic:
            notice(figure, language)
    figure.set_label(_alt(drawn))
    return figure


def _rows(estimates: Estimates, by: str, variable: str | None) -> pd.DataFrame:
    """Return one row for each place: of one variable, over everything else."""
    table = estimates.table
    if by not in estimates.by:
        raise ColumnError(
            "These estimates are not by {by!r}. {hint}", by=by, hint=nearest(by, estimates.by)
        )
    name = table["variable"].iloc[0] if variable is None and len(table) else variable
    if name not in set(table["variable"]):
        raise PublicationError(
            "No estimate is called {name!r}. {hint}",
            name=name,
            hint=nearest(str(name), set(table["variable"])),
        )
    kept = (table["variable"] == name) & table[by].notna()
    for other in estimates.by:
        kept &= table[other].isna() if other != by else True
    rows = table[kept]
    if not 0 < len(rows) <= MOST or rows[by].duplicated().any():
        raise PublicationError(
            "A map shows one estimate for each of 1 to {most} places; {name!r} has {rows} rows. "
            "Choose a variable, and add margins over the other columns.",
            most=MOST,
            name=name,
            rows=len(rows),
        )
    return rows


def _chosen(
    rows: pd.DataFrame,
    polygons: gpd.GeoDataFrame,
    by: str,
    reader: Reader,
    formats: Mapping[str, str],
) -> _Map:
    missing = sorted(set(rows[by].astype("str")) - set(polygons[by].astype("str")))
    if missing:
        raise PublicationError(
            "{count} places of the estimates have no polygon: {places}.",
            count=len(missing),
            places=preview(missing),
        )
    state = states(rows)
    hidden = _hidden(state, reader)
    order = np.lexsort((-rows["estimate"].fillna(0).to_numpy(float), hidden))
    table, state = rows.iloc[order].reset_index(drop=True), state[order]
    shapes = polygons.assign(**{by: polygons[by].astype("str")}).set_index(by)
    first = table.iloc[0]
    title = reader.label("variable", first["variable"])
    return _Map(table, state, shapes, by, title, estimate_format(first, formats), reader)


def _hidden(state: np.ndarray, reader: Reader) -> np.ndarray:
    gone = [SUPPRESSED, UNRELIABLE, EMPTY] if reader.audience == PUBLIC else [SUPPRESSED, EMPTY]
    return np.isin(state, gone)


def _drawn(drawn: _Map) -> Figure:
    from matplotlib.colors import LinearSegmentedColormap

    figure = blank(WIDTH, max(3.6, 1.2 + 0.23 * len(drawn.table)))
    ground, beside = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1.55, 1]})
    colors = LinearSegmentedColormap.from_list("estimates", STEPS)
    low, high = _limits(drawn)
    scale = drawn.table["estimate"].to_numpy(float)
    shade = [colors((value - low) / (high - low)) for value in scale]
    _ground(ground, drawn, shade)
    _beside(beside, drawn, shade)
    _strip(beside, colors, low, high)
    figure.suptitle(drawn.title, fontsize=10.5, fontweight="bold", x=0.01, ha="left")
    _legend(figure, drawn)
    return figure


def _limits(drawn: _Map) -> tuple[float, float]:
    """Return the values of the lightest and the darkest color."""
    seen = drawn.table["estimate"][~_hidden(drawn.state, drawn.reader)].dropna()
    if not len(seen):
        return 0.0, 1.0
    low, high = min(0.0, float(seen.min())), float(seen.max())
    return (low, high) if high > low else (low, low + 1.0)


def _ground(ax: Axes, drawn: _Map, shade: list[Any]) -> None:
    """Draw the places, each with its number."""
    from matplotlib.patheffects import withStroke

    hidden = _hidden(drawn.state, drawn.reader)
    drawn.shapes.plot(ax=ax, color=MISSING, edgecolor=SOFT, linewidth=0.5)
    for k, label in enumerate(drawn.table[drawn.by].astype("str")):
        shape = drawn.shapes.loc[[label]]
        color = MISSING if hidden[k] else shade[k]
        hatch = _HATCH.get(drawn.state[k], "")
        shape.plot(ax=ax, color=color, edgecolor=SOFT, linewidth=0.5, hatch=hatch)
        for part in _large(shape.geometry.iloc[0]):
            spot = part.representative_point()
            ax.annotate(
                str(k + 1), (spot.x, spot.y), ha="center", va="center", fontsize=8.5,
                fontweight="bold", color=INK,
                path_effects=[withStroke(linewidth=2.6, foreground="w")],
            )  # fmt: skip
    west, south, east, north = drawn.shapes.total_bounds
    geographic = drawn.shapes.crs is None or drawn.shapes.crs.is_geographic
    stretch = 1 / np.cos(np.radians((south + north) / 2)) if geographic else 1.0
    ax.set_aspect(stretch)
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    ax.set_axis_off()


def _large(shape: Any) -> list[Any]:
    """Return the parts of a place that are large enough for its number."""
    parts = list(getattr(shape, "geoms", [shape]))
    most = max(part.area for part in parts)
    return [part for part in parts if part.area >= most / 4]


def _beside(ax: Axes, drawn: _Map, shade: list[Any]) -> None:
    """Draw the interval of each place in the order of the estimates."""
    from matplotlib.ticker import MaxNLocator

    reader, table = drawn.reader, drawn.table
    hidden = _hidden(drawn.state, reader)
    ends, points = table[["lower", "upper"]].to_numpy(float), table["estimate"].to_numpy(float)
    words = []
    for y, row in enumerate(table.itertuples(index=False)):
        words.append(f"{reader.label(drawn.by, getattr(row, drawn.by))}  {y + 1}")
        sign = MARKS[drawn.state[y]].sign
        if hidden[y]:
            ax.annotate(
                sign, (0, y), xycoords=("axes fraction", "data"), xytext=(4, 0),
                textcoords="offset points", va="center", fontsize=8.5, color=SOFT,
            )  # fmt: skip
            continue
        sure = drawn.state[y] == SHOWN
        ax.plot(ends[y], [y, y], color=SOFT, lw=1.6, ls="-" if sure else (0, (3, 2)))
        ax.plot(points[y], y, "o", ms=7, mfc=shade[y], mec=INK, mew=0.8)
        if sign:
            ax.annotate(
                sign, (ends[y, 1], y), xytext=(4, 0), textcoords="offset points", va="center",
                fontsize=8, color=SOFT,
            )  # fmt: skip
    ax.set_yticks(range(len(words)), words, fontsize=8.5)
    ax.set_ylim(len(words) - 0.3, -0.6)
    if (table["lower"].fillna(0) >= 0).all():
        ax.set_xlim(left=0)
    ax.grid(axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter(lambda x, _: tick(x, drawn.kind, reader.locale))


def _strip(ax: Axes, colors: LinearSegmentedColormap, low: float, high: float) -> None:
    """Draw the colors along the axis of the intervals: it is their legend."""
    bottom = ax.get_ylim()[0]
    left, right = ax.get_xlim()
    ax.imshow(
        np.linspace(0, 1, 128)[None, :], cmap=colors, aspect="auto", zorder=1,
        extent=(low, high, bottom, bottom - 0.32),
    )  # fmt: skip
    ax.set_xlim(left, max(right, high))
    ax.set_ylim(bottom, -0.6)


def _legend(figure: Figure, drawn: _Map) -> None:
    from matplotlib.patches import Patch

    language = drawn.reader.language
    handles = []
    for state, hatch in _HATCH.items():
        if state in set(drawn.state):
            label = f"{MARKS[state].sign} {translate(MARKS[state].words, language)}"
            handles.append(Patch(facecolor="white", edgecolor=SOFT, hatch=hatch, label=label))
    if len(drawn.shapes) > len(drawn.table):
        label = translate("no estimate", language)
        handles.append(Patch(facecolor=MISSING, edgecolor=RULE, label=label))
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=2)


def _alt(drawn: _Map) -> str:
    """Say in words what the map shows."""
    reader = drawn.reader
    seen = np.flatnonzero(~_hidden(drawn.state, reader))
    said = translate("Map of {name} in {count} places.", reader.language).format(
        name=drawn.title, count=len(drawn.table)
    )
    if len(seen):
        ends = [
            (
                written(drawn.table["estimate"].iloc[k], drawn.kind, reader.locale),
                reader.label(drawn.by, drawn.table[drawn.by].iloc[k]),
            )
            for k in (seen[0], seen[-1])
        ]
        words = translate("From {low} ({lowest}) to {high} ({highest}).", reader.language)
        said += " " + words.format(
            high=ends[0][0], highest=ends[0][1], low=ends[1][0], lowest=ends[1][1]
        )
    if len(seen) < len(drawn.table):
        words = translate("{count} of them show no number.", reader.language)
        said += " " + words.format(count=len(drawn.table) - len(seen))
    return said
