"""The pyramid: men to the left, on one scale, nothing that may not be shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nsm.errors import PublicationError
from nsm.estimation import Estimates
from nsm.publication.pyramid import pyramid

Make = Callable[..., Estimates]
BY = ("sex", "age_band")


@pytest.fixture
def four(make: Make) -> Estimates:
    return make(
        *(
            {"sex": sex, "age_band": age, "estimate": value}
            for sex, age, value in (
                ("M", "0-14", 100.0),
                ("M", "15+", 300.0),
                ("F", "0-14", 90.0),
                ("F", "15+", 200.0),
                (None, "15+", 500.0),
            )
        ),
        by=BY,
    )


def widths(figure: object) -> list[float]:
    return sorted(float(bar.get_width()) for bar in figure.axes[0].patches)  # type: ignore[attr-defined]  # a matplotlib figure


def test_men_are_on_the_left_and_margins_left_out(four: Estimates) -> None:
    assert widths(pyramid(four)) == [-300.0, -100.0, 90.0, 200.0]


def test_both_sides_have_one_scale(four: Estimates) -> None:
    low, high = pyramid(four).axes[0].get_xlim()
    assert -low == high >= 300


def test_a_suppressed_bar_is_not_drawn(four: Estimates) -> None:
    gone = np.array([None, "primary", None, None, None], object)
    figure = pyramid(Estimates(four.table.assign(suppressed=gone), BY), audience="public")
    assert -300.0 not in widths(figure)
    assert "(c)" in [t.get_text() for t in figure.axes[0].texts]


def test_it_says_what_it_shows(four: Estimates) -> None:
    assert pyramid(four).get_label() == "Population pyramid of y, in 2 age bands."
    assert pyramid(four, language="es").get_label().startswith("Pirámide de población")


def test_other_columns_are_refused(make: Make) -> None:
    with pytest.raises(PublicationError, match="by sex and age_band"):
        pyramid(make({"zone": "urban"}, by=("zone",)))


def test_bands_go_up_by_age_not_by_spelling(make: Make) -> None:
    bands = ["0-4", "15-29", "5-14", "65+"]
    rows = [{"sex": s, "age_band": b} for s in "MF" for b in bands]
    labels = pyramid(make(*rows, by=BY)).axes[0].get_yticklabels()
    assert [t.get_text() for t in labels] == ["0-4", "5-14", "15-29", "65+"]
