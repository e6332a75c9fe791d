"""Disclosure: what must go goes, and a solver cannot bring it back."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nsm.errors import ConfigError, OptionError, PublicationError
from nsm.estimation import Estimates
from nsm.publication import suppression
from nsm.publication.disclosure import (
    Protection,
    audit,
    check_protected,
    contributions,
    protect,
    protect_all,
)
from nsm.publication.quality import flag
from nsm.publication.relations import Cells
from nsm.publication.states import SUPPRESSED, UNRELIABLE, states
from nsm.publication.suppression import Demand, deduced, secondary


def why(make: Any, protection: Protection | None = None, **row: Any) -> str | None:
    found = protect(make(row), protection).table["disclosure"].iloc[0]
    return None if pd.isna(found) else str(found)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"cases": 10}, None),
        ({"cases": 9}, "cases"),
        ({"cases": 0, "psus": 0}, None),
        ({"statistic": "mean", "n": 30, "cases": 30}, None),
        ({"statistic": "mean", "n": 29, "cases": 29}, "cases"),
        ({"psus": 3}, None),
        ({"psus": 2}, "psus"),
    ],
)
def test_too_few_at_and_around_each_limit(make: Any, row: dict[str, Any], reason: str) -> None:
    assert why(make, **row) == reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"cases": 2000}, "full"),
        ({"cases": 0, "psus": 0}, "empty"),
        ({"cases": 1991}, "rest"),
        ({"cases": 1990}, None),
    ],
)
def test_full_and_empty_cells_of_sensitive_attributes(
    make: Any, row: dict[str, Any], reason: str
) -> None:
    rule = Protection(sensitive=("y",))
    share = {"statistic": "proportion", "category": "none", "estimate": 0.5}
    assert why(make, rule, **share, **row) == reason
    assert why(make, None, **share, **row) is None


def test_dominance() -> None:
    table = pd.DataFrame(
        {"branch": ["a"] * 4 + ["b"] * 4, "pay": [97, 1, 1, 1, 25, 25, 25, 25], "w": 2.0}
    )
    found = contributions(table, "pay", by=["branch"], weight="w").table.set_index("branch")
    assert found.loc["a"].tolist() == pytest.approx([0.98, 0.97, 0.01])
    assert found.loc["b"].tolist() == pytest.approx([0.5, 0.25, 0.25])


def test_a_dominated_total_goes(make: Any) -> None:
    given = contributions(
        pd.DataFrame({"branch": ["a"] * 3 + ["b"] * 5, "pay": [97, 1, 1, 20, 20, 20, 20, 20]}),
        "pay",
        by=["branch"],
    )
    totals = make(
        {"branch": "a", "variable": "pay"}, {"branch": "b", "variable": "pay"}, by=("branch",)
    )
    assert protect(totals, dominance=[given]).table["disclosure"].tolist()[0] == "dominance"
    assert pd.isna(protect(totals, dominance=[given]).table["disclosure"].iloc[1])
    with pytest.raises(OptionError, match="'pya'"):
        protect(totals, dominance=[contributions(given.table.assign(pya=1.0), "pya")])


def crossed(make: Any, inside: np.ndarray) -> Estimates:
    rows = []
    for at in product(*([*range(n), None] for n in inside.shape)):
        part = inside[tuple(slice(None) if i is None else slice(i, i + 1) for i in at)]
        cases = int(part.sum())
        labels = {f"d{k}": None if i is None else str(i) for k, i in enumerate(at)}
        rows.append({**labels, "estimate": 30.0 * cases, "se": 1.0, "cases": cases})
    return make(*rows, by=tuple(f"d{k}" for k in range(inside.ndim)))


def random_table(make: Any, shape: tuple[int, ...], seed: int) -> Estimates:
    generator = np.random.Generator(np.random.PCG64(seed))
    return crossed(make, generator.negative_binomial(0.8, 0.04, shape))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(4, 5), (3, 3, 3)])
def test_a_solver_cannot_bring_hidden_cells_back(
    make: Any, shape: tuple[int, ...], seed: int
) -> None:
    made = protect(random_table(make, shape, seed))
    hidden = made.table["suppressed"].notna()
    primary = made.table["suppressed"] == "primary"
    assert primary.any()
    attacked = audit(made)
    assert len(attacked) == hidden.sum()
    own = attacked["width"].to_numpy()[primary[hidden].to_numpy()]
    assert (own >= 0.2 * 2 * (1 - 1e-6)).all() | (own >= 0.2).all()
    assert (own > 0.2).all()


def test_without_secondary_suppression_the_attack_wins(make: Any) -> None:
    inside = np.array([[5, 40, 50], [60, 70, 80], [90, 40, 30]])
    bare = protect(crossed(make, inside), margins=False)
    assert audit(bare)["width"].tolist() == pytest.approx([0.0], abs=1e-9)
    made = protect(crossed(make, inside))
    assert (made.table["suppressed"] == "secondary").sum() == 3  # a rectangle, and no more
    assert (audit(made)["width"] > 0.2).all()


def test_the_fewest_cells_go_by_enumeration(make: Any) -> None:
    inside = np.array([[5, 40, 50], [60, 70, 80]])
    estimates = crossed(make, inside)
    made = protect(estimates).table["suppressed"].notna().to_numpy()
    table = estimates.table
    from nsm.publication.relations import cells

    system = cells(estimates)
    target = int(np.flatnonzero(table["cases"] == 5)[0])
    best = len(table)
    for pattern in product([False, True], repeat=len(table)):
        hidden = np.array(pattern)
        if hidden[target] and hidden.sum() < best:
            found = deduced(system, hidden)
            value = system.values[target]
            if found.low[target] <= 0.8 * value and found.high[target] >= 1.2 * value:
                best = int(hidden.sum())
    assert made.sum() == best


def test_who_stands_alone_in_a_cell_learns_nothing_of_the_next(make: Any) -> None:
    made = protect(crossed(make, np.array([[1, 4, 60, 70], [80, 90, 75, 65]])))
    table = made.table
    from nsm.publication.relations import cells

    system = cells(made)
    hidden = table["suppressed"].notna().to_numpy().copy()
    hidden[np.flatnonzero(table["cases"] == 1)] = False
    target = int(np.flatnonzero(table["cases"] == 4)[0])
    found = deduced(system, hidden)
    assert found.high[target] - found.low[target] >= 0.2 * system.values[target]


def test_a_repaired_pattern_stands_the_same_attacks(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = protect(random_table(make, (5, 6), 3)).table["suppressed"].notna().sum()
    monkeypatch.setattr(suppression, "SECONDS", 0.0)
    monkeypatch.setattr(secondary, "__defaults__", (None, 0.0))
    made = protect(random_table(make, (5, 6), 3))
    primary = (made.table["suppressed"] == "primary")[made.table["suppressed"].notna()]
    assert (audit(made)["width"][primary.to_numpy()] > 0.2).all()
    assert exact <= made.table["suppressed"].notna().sum() < len(made)


def test_hidden_categories_of_a_share_need_a_second_one(make: Any) -> None:
    rows = [
        {"statistic": "proportion", "category": c, "estimate": p, "cases": n, "n": 1000}
        for c, p, n in (("a", 0.5, 500), ("b", 0.494, 494), ("c", 0.006, 6))
    ]
    assert protect(make(*rows)).table["suppressed"].notna().sum() == 2


def test_sums_of_variables_count(make: Any) -> None:
    rows = [
        {"variable": v, "estimate": 30.0 * n, "se": 1.0, "cases": n}
        for v, n in (("immigrant", 5), ("descendant", 400), ("foreign", 405))
    ]
    alone = protect(make(*rows)).table["suppressed"].notna().tolist()
    assert alone == [True, False, False]
    joint = protect(make(*rows), sums={"foreign": ["immigrant", "descendant"]})
    assert joint.table["suppressed"].notna().sum() == 2


def test_the_same_cell_is_hidden_in_both_tables(make: Any) -> None:
    inside = np.array([[5, 40, 50], [60, 70, 80], [90, 40, 30]])
    wide = crossed(make, inside)
    narrow = make(
        *(
            {"d0": str(i), "estimate": 30.0 * int(n), "se": 1.0, "cases": int(n)}
            for i, n in enumerate(inside.sum(axis=1))
        ),
        by=("d0",),
    )
    found = protect_all({"wide": wide, "narrow": narrow})
    margin = found["wide"].table
    gone = margin.loc[margin["d1"].isna() & margin["d0"].notna(), "suppressed"].notna()
    assert gone.tolist() == found["narrow"].table["suppressed"].notna().tolist()


def test_suppressed_and_unreliable_are_two_states(make: Any) -> None:
    both = protect(flag(make({"cases": 9}, {"cv": 0.9})))
    assert list(states(both.table)) == [SUPPRESSED, UNRELIABLE]


def test_legal_status_beside_a_precise_place_is_refused(make: Any) -> None:
    with pytest.raises(PublicationError, match="legal status"):
        protect(make({"province": "1", "documents": "none"}, by=("province", "documents")))
    with pytest.raises(PublicationError, match="legal status"):
        protect(make({"municipality": "1", "variable": "documents"}, by=("municipality",)))


def test_too_many_cells_are_refused() -> None:
    count = suppression.LARGEST + 1
    flags = np.ones(count, bool)
    with pytest.raises(PublicationError, match="works up to"):
        secondary(Cells(np.ones(count), np.ones((1, count))), Demand(flags, np.ones(count), ~flags))


def test_protection_from_toml() -> None:
    rule = Protection.from_mapping({"minimum": 5, "sensitive": ["violence"]})
    assert (rule.minimum, rule.sensitive) == (5, ("violence",))
    with pytest.raises(ConfigError, match="'minimun'"):
        Protection.from_mapping({"minimun": 5})
    with pytest.raises(ConfigError, match="must be a list"):
        Protection.from_mapping({"sensitive": "violence"})
    with pytest.raises(OptionError, match="share"):
        Protection(share=0.0)
    with pytest.raises(OptionError, match="minimum"):
        Protection(minimum=0)


def test_estimates_that_were_not_protected_are_refused(make: Any) -> None:
    check_protected(protect(make({})), "A table")
    with pytest.raises(PublicationError, match="did not go through"):
        check_protected(make({}), "A table")


def test_nothing_changes_but_two_columns(make: Any) -> None:
    before = crossed(make, np.array([[5, 40], [60, 70]]))
    after = protect(before).table
    assert list(after.columns) == [*before.table.columns, "suppressed", "disclosure"]
    pd.testing.assert_frame_equal(after[list(before.table.columns)], before.table)
