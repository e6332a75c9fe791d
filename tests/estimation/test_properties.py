"""What holds for every survey: scale, order, partitions, labels, domains, a census."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nsm.estimation import (
    Estimates,
    Statistic,
    Survey,
    correlation,
    count,
    gini,
    mean,
    poverty_gap,
    proportion,
    quantile,
    quintile_share_ratio,
    ratio,
    total,
    variance,
)

DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}
RATIOS: list[Statistic] = [
    mean("y"),
    ratio("y", "x"),
    proportion("g", "p"),
    quantile("y", 0.3),
    variance("y"),
    correlation("y", "x"),
    gini("y"),
    quintile_share_ratio("y"),
    poverty_gap("y"),
    mean("y", where="g == 'p'") - mean("y", where="g == 'q'"),
]
TOTALS: list[Statistic] = [total("y"), count(), count("g == 'p'"), total("y * x")]
PRECISION = ["estimate", "se", "cv", "lower", "upper", "df", "deff", "n", "cases", "psus"]


@st.composite
def samples(draw: st.DrawFn) -> pd.DataFrame:
    """Two to four strata of two to five PSUs of one to five persons; skewed, with a tail of 0."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = []
    for h in range(draw(st.integers(2, 4))):
        for i in range(draw(st.integers(2, 5))):
            size = draw(st.integers(1, 5))
            rows += [(f"s{h}", i, rng.uniform(1, 9)) for _ in range(size)]
    table = pd.DataFrame(rows, columns=["stratum", "psu", "w"])
    n = len(table)
    y = np.round(rng.lognormal(1, 0.8, n), 2) + 0.01
    x = y * 0.5 + rng.uniform(1, 2, n)
    # The deff of a correlation of nearly 1 is a ratio of differences of nearly equal numbers.
    assume(abs(np.corrcoef(x, y)[0, 1]) < 0.999)
    return table.assign(
        y=y,
        x=x,
        g=np.where(np.arange(n) % 3 == 0, "p", "q"),
        d=rng.choice(["a", "b", "c"], n),
    )


def same(one: Estimates, other: Estimates, rtol: float = 1e-7) -> None:
    for column in PRECISION:
        np.testing.assert_allclose(
            one.table[column].astype(float),
            other.table[column].astype(float),
            rtol=rtol,
            atol=1e-9,
            err_msg=column,
        )


@settings(max_examples=12, deadline=None)
@given(table=samples(), factor=st.floats(1e-3, 1e3))
def test_the_scale_of_the_weights_moves_totals_only(table: pd.DataFrame, factor: float) -> None:
    scaled = table.assign(w=table["w"] * factor)
    one, other = Survey(table, **DESIGN), Survey(scaled, **DESIGN)
    same(one.estimate(RATIOS), other.estimate(RATIOS))
    first, second = (s.estimate(TOTALS).table for s in (one, other))
    np.testing.assert_allclose(first["estimate"] * factor, second["estimate"])
    np.testing.assert_allclose(first["se"] * factor, second["se"], rtol=1e-7, atol=1e-9)


@settings(max_examples=12, deadline=None)
@given(table=samples(), seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(table: pd.DataFrame, seed: int) -> None:
    moved = table.sample(frac=1, random_state=seed)
    both = [Survey(t, **DESIGN).estimate([*RATIOS, *TOTALS]) for t in (table, moved)]
    same(*both)
    both = [Survey(t, **DESIGN).estimate(RATIOS[:3], by="d") for t in (table, moved)]
    same(*both)


@settings(max_examples=12, deadline=None)
@given(table=samples(), seed=st.integers(0, 99))
def test_labels_of_psus_do_not_matter(table: pd.DataFrame, seed: int) -> None:
    names = np.random.default_rng(seed).permutation(1000)
    words = table["stratum"].str[1].astype(int) * 100 + table["psu"]
    relabelled = table.assign(psu=[f"psu {names[k]}" for k in words])
    nested = Survey(relabelled, weight="w", stratum="stratum", psu="psu")
    same(Survey(table, **DESIGN).estimate([*RATIOS, *TOTALS]), nested.estimate([*RATIOS, *TOTALS]))


@settings(max_examples=12, deadline=None)
@given(table=samples())
def test_domains_add_up(table: pd.DataFrame) -> None:
    s = Survey(table, **DESIGN)
    for statistic in (total("y"), count()):
        whole = s.estimate(statistic)
        parts = s.estimate(statistic, by="d")
        together = parts.contrast(np.ones(len(parts)))
        row, sum_of_parts = whole.table.iloc[0], together.table.iloc[0]
        np.testing.assert_allclose(sum_of_parts["estimate"], row["estimate"])
        np.testing.assert_allclose(sum_of_parts["se"], row["se"], rtol=1e-7, atol=1e-9)
        assert parts.table["n"].sum() == row["n"]
    shares = s.proportion("d")
    np.testing.assert_allclose(shares.table["estimate"].sum(), 1)
    np.testing.assert_allclose(shares.covariance.sum(), 0, atol=1e-12)


@settings(max_examples=12, deadline=None)
@given(table=samples())
def test_a_domain_is_its_condition_and_its_margin(table: pd.DataFrame) -> None:
    s = Survey(table, **DESIGN)
    rows = s.estimate(RATIOS[:4], by="d", margins=True)
    for label in sorted(table["d"].unique()):
        alone = s.estimate(RATIOS[:4], where=f"d == '{label}'")
        domain = rows.table[rows.table["d"] == label]
        for column in PRECISION:
            np.testing.assert_allclose(
                domain[column].astype(float), alone.table[column].astype(float), rtol=1e-7
            )
    margin = rows.table[rows.table["d"].isna()]
    whole = s.estimate(RATIOS[:4]).table
    np.testing.assert_allclose(margin["se"], whole["se"], rtol=1e-9)


@settings(max_examples=12, deadline=None)
@given(table=samples())
def test_a_census_has_no_error(table: pd.DataFrame) -> None:
    census = table.assign(one=1.0)
    stages = {"stratum": "stratum", "psu": "psu", "fpc": "one"}
    s = Survey(census, weight="one", **stages)
    smooth = [x for x in RATIOS if x.name.statistic != "quantile"]
    made = s.estimate([*smooth, *TOTALS]).table
    np.testing.assert_allclose(made["se"], 0, atol=1e-9)
    np.testing.assert_allclose(made["estimate"].iloc[0], census["y"].mean())
    counted = s.quantile("y").table.iloc[0]
    assert counted["se"] == 0 or np.isnan(counted["se"])


@settings(max_examples=15, deadline=None)
@given(table=samples(), pieces=st.integers(2, 5))
def test_a_split_into_partitions_does_not_matter(table: pd.DataFrame, pieces: int) -> None:
    import duckdb

    part = np.arange(len(table)) % pieces
    with duckdb.connect() as base:
        for k in range(pieces):
            base.register(f"t{k}", table[part == k].reset_index(drop=True))
        union = base.table("t0")
        for k in range(1, pieces):
            union = union.union(base.table(f"t{k}"))
        pushed = Survey(union, **DESIGN).estimate([*RATIOS[:3], *TOTALS], by="g")
    same(Survey(table, **DESIGN).estimate([*RATIOS[:3], *TOTALS], by="g"), pushed)


@settings(max_examples=20, deadline=None)
@given(table=samples())
def test_a_constant_has_its_value_and_no_error(table: pd.DataFrame) -> None:
    s = Survey(table.assign(c=7.0), **DESIGN)
    for made in (s.mean("c", by="d"), s.quantile("c", 0.7), s.ratio("c", "c")):
        # The limits of a quantile are null where the interval of its share leaves 0 to 1.
        np.testing.assert_allclose(made.table["se"].dropna(), 0, atol=1e-12)
    np.testing.assert_allclose(s.mean("c", by="d").table["estimate"], 7)


def test_what_all_of_a_domain_have_alike_has_no_design_effect() -> None:
    """Also where the terms of its variance, 0, cancel only up to rounding."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(200):
        n = int(rng.integers(4, 20))
        table = pd.DataFrame(
            {
                "psu": np.arange(n) % 4,
                "w": rng.uniform(1, 9, n),
                "g": ["p", "q"] * (n // 2) + ["p"] * (n % 2),
            }
        )
        survey = Survey(table, weight="w", psu="psu")
        found.append(survey.proportion("g", by="g").table["deff"])
    assert pd.concat(found).isna().all()
