"""A file for release: nobody stands alone in it, and nothing leads to a place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm.errors import ColumnError, OptionError, PublicationError
from nsm.publication.release import Release, release, sharing


@pytest.fixture
def persons() -> pd.DataFrame:
    generator = np.random.Generator(np.random.PCG64(5))
    n = 400
    return pd.DataFrame(
        {
            "person": [f"p{k}" for k in range(n)],
            "area": "0109010110001",
            "lon": 1.0,
            "region": generator.choice(["10", "20"], n),
            "sex": generator.choice(["M", "F"], n),
            "age": generator.integers(0, 90, n),
            "birth_country": generator.choice(
                ["DOM", "HTI", "VEN", "ISL"], n, p=[0.7, 0.25, 0.04, 0.01]
            ),
            "pay": np.append(generator.uniform(5e3, 5e4, n - 1), 9e6),
        }
    )


RULE = Release(
    keys=("sex", "age", "birth_country", "region"),
    bands={"age": [0, 15, 30, 60]},
    top={"pay": 0.99},
    kept={"birth_country": 10},
)


def test_keys_and_places_leave_whatever_the_rule_says(persons: pd.DataFrame) -> None:
    made = release(persons, Release(keys=("sex",)), seed=1)
    assert not {"person", "area", "lon"} & set(made.table.columns)
    assert set(made.report.loc[made.report["what"] == "dropped", "column"]) == {
        "person",
        "area",
        "lon",
    }


def test_nobody_shares_the_keys_with_fewer_than_k(persons: pd.DataFrame) -> None:
    made = release(persons, RULE, seed=1)
    assert (sharing(made.table, RULE.keys) >= RULE.k).all()
    after = made.risk[made.risk["stage"] == "after"].set_index("k")["persons"]
    before = made.risk[made.risk["stage"] == "before"].set_index("k")["persons"]
    assert after[3] == 0
    assert before[3] > 100


def test_rare_birthplaces_and_high_pay_are_coarser(persons: pd.DataFrame) -> None:
    table = release(persons, RULE, seed=1).table
    assert set(table["birth_country"].dropna()) <= {"DOM", "HTI", "VEN", "other"}
    assert set(table["age"].dropna()) <= {"0-14", "15-29", "30-59", "60+"}
    assert table["pay"].max() < 9e6
    assert table["pay"].mean() == pytest.approx(persons["pay"].mean())


def test_the_order_of_the_rows_tells_nothing(persons: pd.DataFrame) -> None:
    made = release(persons, RULE, seed=1)
    assert list(made.table["number"]) == list(range(1, len(persons) + 1))
    assert not np.allclose(made.table["pay"].iloc[:-1], persons["pay"].iloc[:-1])
    again = release(persons, RULE, seed=1).table
    pd.testing.assert_frame_equal(made.table, again)


def test_legal_status_never_leaves_beside_a_province(persons: pd.DataFrame) -> None:
    table = persons.assign(documents="none", province="1001")
    with pytest.raises(PublicationError, match="legal status"):
        release(table, RULE, seed=1)
    kept = release(table, Release(keys=("sex",), dropped=("province",)), seed=1)
    assert "documents" in kept.table.columns


def test_a_column_that_is_not_there_is_named(persons: pd.DataFrame) -> None:
    with pytest.raises(ColumnError, match="'agge'"):
        release(persons, Release(bands={"agge": [0, 15]}), seed=1)


@pytest.mark.parametrize("wrong", [{"k": 1}, {"top": {"pay": 0.2}}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        Release(**wrong)  # type: ignore[arg-type]  # that is what is tested


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from("12")),
        min_size=3,
        max_size=25,
    ),
    st.integers(2, 3),
)
def test_any_file_becomes_k_anonymous(rows: list[tuple[str, str, str]], k: int) -> None:
    table = pd.DataFrame(rows, columns=["u", "v", "w"])
    made = release(table, Release(keys=("u", "v", "w"), k=k), seed=3).table
    assert (sharing(made, ("u", "v", "w")) >= k).all()
    for row in made[["u", "v", "w"]].to_dict("records"):
        known = {c: v for c, v in row.items() if v is not None and not pd.isna(v)}
        fits = np.ones(len(made), bool)
        for c, v in known.items():
            fits &= (made[c] == v).to_numpy()
        assert fits.sum() >= k
