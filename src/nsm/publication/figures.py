"""Pictures inside a page: small, sharp, with words for who cannot see them."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST_SVG = 300_000  # bytes; above it a picture is smaller as PNG
DPI = 160
SALT = "nsm"


class Picture(NamedTuple):
    """A picture as a page holds it: a data address, and its size in CSS pixels."""

    source: str
    width: int
    height: int


def embedded(figure: Figure) -> Picture:
    """Return a figure as an SVG, or as a PNG with a palette where that is smaller."""
    width, height = figure.get_size_inches() * 96
    svg = as_svg(figure)
    if len(svg) <= LARGEST_SVG:
        return Picture(_address("image/svg+xml", svg), round(width), round(height))
    return Picture(_address("image/png", as_png(figure)), round(width), round(height))


def as_svg(figure: Figure) -> bytes:
    """Return a figure as SVG, the same bytes each time."""
    import matplotlib as mpl

    stream = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": SALT, "svg.fonttype": "path"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def as_png(figure: Figure, dpi: int = DPI) -> bytes:
    """Return a figure as PNG with a palette of 128 colors."""
    from PIL import Image

    stream, small = io.BytesIO(), io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    with Image.open(stream) as image:
        image.convert("RGB").quantize(128).save(small, "png", optimize=True)
    return small.getvalue()


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
