"""Changes between two versions of a frame."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from nsm.frame import Frame, changes

Grid = Callable[..., Frame]


def test_a_frame_does_not_differ_from_itself(grid: Grid) -> None:
    frame = grid()
    assert frame.diff(frame).empty
    shuffled = frame.replaced(table=frame.table.sample(frac=1, random_state=1))
    assert frame.diff(shuffled).empty


def test_each_change_is_told(grid: Grid) -> None:
    frame = grid()
    table = frame.table.copy()
    table.loc[0, "households"] += 100
    table.loc[1, "municipality"] = "0102"
    table.loc[2, "area"] = "0101099"
    table = table.drop(index=[3])
    added = table.iloc[[0]].assign(area="0101050", households=7)
    new = frame.replaced(table=pd.concat([table, added], ignore_index=True))
    found = frame.diff(new).set_index("code")
    assert found.loc["F601", "examples"] == "0101004"
    assert found.loc["F602", "examples"] == "0101050"
    assert found.loc["F603", "examples"] == "0101099 (0101003 -> 0101099)"
    assert found.loc["F604", "examples"] == "0101002 (0101 -> 0102)"
    assert found.loc["F605", "where"] == "households"
    assert "in 1 of them by more than a quarter; in all by +100" in found.loc["F605", "message"]
    detail = changes(frame, new)
    assert detail["change"].tolist() == ["removed", "added", "recoded", "moved", "changed"]


def test_areas_of_the_same_sizes_are_not_taken_for_each_other(grid: Grid) -> None:
    frame = grid()
    twins = frame.table.copy()
    twins.loc[1, list(frame.sizes)] = twins.loc[0, list(frame.sizes)].to_list()
    old = frame.replaced(table=twins)
    new = old.replaced(table=twins.assign(area=["0101098", "0101099", *twins["area"][2:]]))
    assert changes(old, new)["change"].tolist() == ["removed", "removed", "added", "added"]
    one = new.replaced(table=new.table.iloc[1:])
    assert changes(old, one)["change"].tolist() == ["removed", "removed", "added"]
    assert changes(one, old)["change"].tolist() == ["removed", "added", "added"]


def test_the_log_of_a_merge_explains_the_difference(grid: Grid) -> None:
    frame = grid()
    merged = frame.merge(40)
    gone = set(merged.log.query("old != new")["old"])
    detail = changes(frame, merged)
    assert gone == set(detail.query("change == 'removed'")["area"])


def test_changes_speak_spanish(grid: Grid) -> None:
    frame = grid()
    fewer = frame.replaced(table=frame.table.iloc[1:])
    assert frame.diff(fewer, "es")["message"].tolist() == ["1 áreas ya no están en el marco."]
