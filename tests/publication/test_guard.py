"""Which places a public output may show follows the frame, whatever its columns are called."""

from __future__ import annotations

import pandas as pd
import pytest

from nsm.errors import PublicationError
from nsm.frame import Frame
from nsm.publication import Geography
from nsm.publication.guard import check_columns, check_legal

CODES = {"comarca": ["1", "1"], "aldea": ["11", "12"], "tramo": ["111", "121"]}
ABOUT = {
    "frame": {"key": "tramo"},
    "levels": [{"key": "comarca"}, {"key": "aldea"}, {"key": "tramo"}],
    "classes": {"clima": {"seco": "seco"}},
}


@pytest.fixture
def geography() -> Geography:
    table = pd.DataFrame({**CODES, "clima": ["seco", "seco"], "hogares": [10, 20]})
    return Geography.of(Frame(table, description=ABOUT))


def test_largest_units_and_classes_are_public(geography: Geography) -> None:
    assert geography.public == ("comarca", "clima", "stratum")
    check_columns(["comarca", "clima", "stratum", "estimate"], "A table", geography)


@pytest.mark.parametrize("column", ["aldea", "tramo", "dwelling", "interviewer"])
def test_what_lies_below_is_refused(geography: Geography, column: str) -> None:
    with pytest.raises(PublicationError, match=rf"{column}.*comarca"):
        check_columns(["comarca", column], "A table", geography)


def test_names_of_other_countries_mean_nothing_here(geography: Geography) -> None:
    check_columns(["province"], "A table", geography)
    with pytest.raises(PublicationError, match="province"):
        check_columns(["province"], "A table")


def test_legal_status_stands_beside_no_small_place(geography: Geography) -> None:
    check_legal(["documents", "comarca"], "A table", geography)
    with pytest.raises(PublicationError, match=r"documents.*aldea"):
        check_legal(["documents", "aldea"], "A table", geography)


def test_a_frame_of_areas_only_hides_them() -> None:
    table = pd.DataFrame({"tramo": ["1", "2"], "hogares": [10, 20]})
    geography = Geography.of(Frame(table, "tramo"))
    assert geography == Geography(("stratum",), ("tramo",))
