from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.errors import FileError, SelectionError


def frame() -> pd.DataFrame:
    g = np.random.default_rng(8)
    return pd.DataFrame(
        {
            "area": [f"0{k:04d}" for k in range(200)],
            "stratum": np.repeat(["1", "2"], 100),
            "dwellings": g.integers(40, 250, 200),
            "x": g.random(200),
            "y": g.random(200),
        }
    )


def drawn() -> nsm.Sample:
    return nsm.draw(frame(), {"1": 10, "2": 12}, size="dwellings", seed=5, reserve=0.3)


def test_saved_loaded_and_verified(tmp_path: Path) -> None:
    sample = drawn().release({"1": 1})
    loaded = nsm.Sample.load(sample.save(tmp_path / "sample"))
    pd.testing.assert_frame_equal(loaded.table, sample.table)
    pd.testing.assert_frame_equal(loaded.strata, sample.strata)
    assert loaded.receipt == sample.receipt
    assert loaded.table["area"].str.startswith("0").all()
    assert loaded.verify(frame())


def test_the_receipt_says_how_it_was_drawn(tmp_path: Path) -> None:
    receipt = json.loads((drawn().save(tmp_path) / "sample.json").read_text(encoding="utf-8"))
    assert receipt["method"] == "systematic"
    assert receipt["seed"] == 5
    assert receipt["frame_hash"].startswith("table:")
    assert set(receipt["versions"]) == {"nsm", "numpy"}


def test_another_frame_is_noticed() -> None:
    changed = frame()
    changed.loc[3, "dwellings"] += 1
    with pytest.raises(SelectionError, match="not the one the sample was drawn from"):
        drawn().verify(changed)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("role", "reserve", "differ from the draw made now in 'role'"),
        ("probability", 0.5, "differ from the draw made now in 'probability'"),
        ("area", "09999", "in the sample but not in the draw made now"),
    ],
)
def test_a_changed_sample_is_noticed(column: str, value: object, message: str) -> None:
    sample = drawn()
    table = sample.table.copy()
    table.loc[table.index[table["role"] == "main"][0], column] = value
    with pytest.raises(SelectionError, match=message):
        nsm.Sample(table, sample.strata, sample.receipt).verify(frame())


def test_a_receipt_that_is_none(tmp_path: Path) -> None:
    folder = drawn().save(tmp_path)
    (folder / "sample.json").write_text("{", encoding="utf-8")
    with pytest.raises(FileError, match="not the receipt of a sample"):
        nsm.Sample.load(folder)


def test_columns_stand_in_the_promised_order() -> None:
    assert list(drawn().table.columns) == [
        "area",
        "dwellings",
        "x",
        "y",
        "stratum",
        "probability",
        "base_weight",
        "certainty",
        "order",
        "role",
    ]


def test_balance_and_spread() -> None:
    sample = nsm.draw(
        frame(), 20, size="dwellings", seed=1, method="cube", balance=["dwellings", "x"]
    )
    table = sample.balance(frame(), ["dwellings", "x"]).set_index("variable")
    assert abs(table.loc["dwellings", "deviation"]) < 1e-9
    assert table.loc["x", "total"] == pytest.approx(frame()["x"].sum())
    assert 0 < sample.spread(frame(), ["x", "y"]) < 2


def test_spread_uses_the_probabilities_of_each_stratum() -> None:
    sample = nsm.draw(
        frame(),
        {"1": 10, "2": 30},
        size="dwellings",
        seed=1,
        method="local-pivotal",
        spread=["x", "y"],
    )
    systematic = nsm.draw(frame(), {"1": 10, "2": 30}, size="dwellings", seed=1)
    assert sample.spread(frame(), ["x", "y"]) < systematic.spread(frame(), ["x", "y"])
