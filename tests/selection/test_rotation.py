from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.errors import OptionError, SelectionError
from nsm.selection import panels, rotation, rotation_overlap, wave_sample


def sample() -> nsm.Sample:
    table = pd.DataFrame(
        {
            "area": [f"{k:03d}" for k in range(300)],
            "stratum": np.repeat(["a", "b"], 150),
            "dwellings": np.tile(np.arange(50, 200), 2),
        }
    )
    return nsm.draw(table, {"a": 20, "b": 25}, size="dwellings", seed=3)


def test_each_panel_is_a_sample_by_itself() -> None:
    dealt = panels(sample(), 5, seed=1)
    assert pd.crosstab(dealt["stratum"], dealt["panel"]).to_numpy().tolist() == [[4] * 5, [5] * 5]
    for _, panel in dealt.groupby("panel"):
        assert (panel["panel_weight"] * panel["dwellings"]).sum() == pytest.approx(
            2 * np.arange(50, 200).sum()
        )


def test_a_rotation_keeps_its_overlap() -> None:
    schedule = rotation([1, 1, 0, 0, 1, 1], waves=6)
    assert schedule.groupby("wave").size().tolist() == [4] * 6
    shared = rotation_overlap(schedule)
    assert np.diag(shared, 1).tolist() == [0.5] * 5
    assert np.diag(shared).tolist() == [1.0] * 6
    first = schedule[schedule["wave"] == 1].set_index("panel")["visit"]
    assert first.to_dict() == {1: 4, 2: 3, 5: 2, 6: 1}


def test_a_wave_estimates_the_total() -> None:
    schedule = rotation([1, 1], waves=4)
    dealt = panels(sample(), 5, seed=2)
    wave = wave_sample(dealt, schedule, 3)
    assert sorted(wave["panel"].unique()) == [3, 4]
    assert (wave["wave_weight"] * wave["dwellings"]).sum() == pytest.approx(
        2 * np.arange(50, 200).sum()
    )


def test_refusals() -> None:
    with pytest.raises(SelectionError, match="2 strata have fewer areas than the 30 panels"):
        panels(sample(), 30, seed=1)
    with pytest.raises(OptionError, match="0 panels"):
        panels(sample(), 0, seed=1)
    with pytest.raises(OptionError, match="seed -1 is not a whole number"):
        panels(sample(), 2, seed=-1)
    with pytest.raises(OptionError, match="pattern of 0 and 1"):
        rotation([1, 2], waves=2)
    with pytest.raises(OptionError, match="Make 6 panels"):
        wave_sample(panels(sample(), 5, seed=1), rotation([1, 1], waves=5), 2)
