"""The frame's part of the report."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from matplotlib.figure import Figure

from nsm.frame import Frame, report

Grid = Callable[..., Frame]


def test_sections_in_both_languages(grid: Grid) -> None:
    frame = grid().concentration([0.05], within=["zone"])
    english, spanish = (report.sections(frame, language) for language in ("en", "es"))
    assert list(english) == [
        "What the frame holds", "What the check found", "Areas by zone",
        "Areas by prior prevalence", "Strata", "Map of the prior prevalence", "Map of the strata",
    ]  # fmt: skip
    assert list(spanish)[2] == "Áreas por zona"
    assert len(spanish) == len(english)
    assert isinstance(english["Map of the strata"], Figure)
    assert english["What the frame holds"]["value"].tolist()[0] == 24


def test_classes_of_prior_hold_everybody(grid: Grid) -> None:
    frame = grid()
    table = report.by_prior(frame)
    assert table["areas"].sum() == 24
    assert table["population"].sum() == frame.total("population")
    assert table["share"].sum() == pytest.approx(1)


def test_tables_by_class_have_labels(grid: Grid) -> None:
    frame = grid(zone=["urban", "rural"] * 12)
    about = {**frame.description, "classes": {"zone": {"urban": {"en": "urban", "es": "urbana"}, "rural": {"en": "rural", "es": "rural"}}}}  # fmt: skip  # noqa: E501  (one line is clearer)
    table = report.by_class(frame.replaced(description=about), "zone", "es")
    assert table["zone"].tolist() == ["rural", "urbana"]
    assert table["households"].sum() == frame.total("households")


def test_synthetic_maps_say_so(grid: Grid) -> None:
    frame = grid()
    about = {**frame.description, "frame": {"synthetic": True, "notice": {"en": "SYNTHETIC: x"}}}
    figure = report.prior_map(frame.replaced(description=about))
    assert figure.axes[0].get_title(loc="left") == "SYNTHETIC: x"


def test_maps_color_strata_by_prefix_and_class() -> None:
    colors = report._palette(["a-0", "a-1", "b-0", "b-1"])
    assert len({tuple(c) for c in colors}) == 4
    assert isinstance(pd.DataFrame(colors), pd.DataFrame)
