"""How pictures look: one width, one set of colors that everybody can tell apart, also in print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from nsm.language import translate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito (2008), the five that differ in gray too, darkened where white needs it.
SERIES = ("#0b4a6f", "#c2570c", "#2b8a6e", "#a23b72", "#56606b")
MARKERS = ("o", "s", "^", "D", "v")
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\")
INK, SOFT, RULE, WASH, SYNTHETIC = "#16202b", "#46535f", "#d5dbe1", "#f4f6f8", "#5b2a86"
# Steps of one hue, light to dark: still in order in gray.
STEPS = ("#e3eef3", "#b6d2df", "#7fb0c7", "#44869f", "#125a78", "#08344d")
MISSING = "#ffffff"
WIDTH = 7.6  # inches
_FONTS = ("Source Sans 3", "Noto Sans", "Liberation Sans", "Arial", "Helvetica", "DejaVu Sans")


@cache
def _font() -> str:
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in _FONTS if name in there), "DejaVu Sans")


@contextmanager
def drawing() -> Iterator[None]:
    """Draw inside this block in the house's style, and leave the reader's own alone."""
    import matplotlib as mpl

    with mpl.rc_context(
        {
            "font.family": [_font(), "DejaVu Sans"],
            "font.size": 9.5,
            "text.color": INK,
            "axes.edgecolor": RULE,
            "axes.labelcolor": SOFT,
            "axes.labelsize": 9,
            "axes.titlesize": 10.5,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.unicode_minus": True,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.spines.left": False,
            "xtick.color": SOFT,
            "ytick.color": INK,
            "ytick.major.size": 0,
            "xtick.major.size": 0,
            "grid.color": RULE,
            "grid.linewidth": 0.7,
            "hatch.linewidth": 0.6,
            "figure.dpi": 100,
            "savefig.facecolor": "white",
            "legend.frameon": False,
            "legend.fontsize": 9,
        }
    ):
        yield


def blank(width: float, height: float) -> Figure:
    """Return an empty figure that belongs to no window system (inches)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def notice(figure: Figure, language: str) -> None:
    """Write into the picture that its numbers are invented."""
    figure.supxlabel(
        translate("SYNTHETIC: not ENI results", language),
        fontsize=8,
        color=SYNTHETIC,
        fontweight="bold",
        x=0.995,
        ha="right",
    )
