"""A frame that is written is the one that is read."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import nsm
from nsm.errors import OptionError
from nsm.frame.writing import toml_of


def test_a_written_frame_is_read_again(small_areas: pd.DataFrame, tmp_path: Path) -> None:
    whole = nsm.Frame.read("frames/do")
    some = small_areas.head(60)
    frame = whole.replaced(
        table=some, shapes=whole.require_boundaries().query("area in @some.area")
    )
    made = frame.merge(120)
    made.write(tmp_path / "new")
    again = nsm.Frame.read(tmp_path / "new")
    assert again.hash == made.hash
    assert again.levels == made.levels
    assert again.label("sizes", "households", "es") == "hogares"
    assert again.boundaries is not None
    assert again.boundaries.geometry.geom_equals(made.boundaries.geometry).all()
    with pytest.raises(OptionError, match="is not empty; nothing was written"):
        made.write(tmp_path / "new")


def test_a_table_alone_is_written_with_its_key(tmp_path: Path) -> None:
    frame = nsm.Frame(pd.DataFrame({"code": ["01", "02"], "households": [5, 6]}), "code")
    frame.write(tmp_path / "new")
    assert nsm.Frame.read(tmp_path / "new").key == "code"


def test_toml_holds_what_it_was_given() -> None:
    about = {
        "frame": {"key": "área", "reference_date": date(2022, 11, 10), "synthetic": True},
        "levels": [{"key": "area", "digits": 3, "name": {"en": "area", "es": 'á"rea'}}],
        "parts": {"a b": ["x", "y"], "bounds": [40, 250.5]},
    }
    assert tomllib.loads(toml_of(about)) == about
