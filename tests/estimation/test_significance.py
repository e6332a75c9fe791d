"""Tests of independence, means and ranks against R survey 4.1, and Rubin's rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsm.errors import ColumnError, DesignError, OptionError
from nsm.estimation import Survey, combine
from nsm.estimation.ranks import weighted_ranks
from nsm.estimation.significance import SignificanceTest

DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}
STAGES = {"psu": ["psu", "ssu", "person"], "fpc": ["psus", "ssus", "persons"]}
AGES = {"band": {"0-14": 2900, "15-29": 3400, "30-59": 6500, "60+": 5200}}
CHI = {
    "F": "rao-scott-f",
    "Chisq": "rao-scott-chi2",
    "Wald": "wald",
    "adjWald": "adjusted-wald",
}
RANKS = {"wilcoxon": "wilcoxon", "vanderWaerden": "van-der-waerden", "median": "median"}


@pytest.fixture(scope="module")
def data(people: pd.DataFrame) -> pd.DataFrame:
    return people.assign(untied=people["hours"] + np.arange(1, len(people) + 1) / 1000)


def survey(name: str, data: pd.DataFrame) -> Survey:
    base = Survey(data, **DESIGN)
    made = {
        "stages": lambda: Survey(data, **{**DESIGN, **STAGES}),
        "poststratified": lambda: base.poststratify(AGES),
        "jkn": lambda: base.replicate("jkn"),
    }
    return made.get(name, lambda: base)()


def run(s: Survey, test: str, where: str | None) -> SignificanceTest:
    kind, _, rest = test.partition(" ")
    if kind in CHI:
        x, y = rest.split("+")
        return s.independence(x, y, statistic=CHI[kind], where=where)
    if kind == "t":
        return s.ttest(*(("income", "employed") if rest else ("pay", "sex")), where=where)
    return s.rank_test("untied", rest or "sex", statistic=RANKS[kind], where=where)


@pytest.mark.parametrize("name", ["replacement", "stages", "poststratified", "jkn", "south"])
def test_agrees_with_r(name: str, data: pd.DataFrame, reference: Path) -> None:
    expected = pd.read_csv(reference / "estimation" / "tests.csv")
    s = survey(name, data)
    where = "region == 'south'" if name == "south" else None
    for row in expected[expected["design"] == name].itertuples():
        made = run(s, row.test, where)
        for field in ("statistic", "p", "df1", "df2", "estimate", "se"):
            wanted = getattr(row, field)
            if not np.isnan(wanted):
                found = getattr(made, field)
                assert found == pytest.approx(wanted, rel=1e-8, abs=1e-14), f"{row.test} {field}"


def test_one_mean_has_the_degrees_of_the_design(data: pd.DataFrame) -> None:
    s = Survey(data, **DESIGN)
    made, row = s.ttest("income", where="sex == 'F'"), s.mean("income", where="sex == 'F'").table
    for field in ("estimate", "se", "lower", "upper"):
        assert getattr(made, field) == pytest.approx(row[field][0])
    # R takes one more degree away, though one mean is estimated and not two.
    assert made.df2 == row["df"][0]
    assert made.statistic == pytest.approx(1 / row["cv"][0])


def test_without_a_design_they_are_the_textbook_ones() -> None:
    from scipy import stats

    rng = np.random.default_rng(8)
    t = pd.DataFrame(
        {"x": rng.integers(0, 3, 400), "y": rng.integers(0, 2, 400), "v": rng.normal(size=400)}
    ).assign(w=5.0)
    s = Survey(t, weight="w")
    plain = stats.chi2_contingency(pd.crosstab(t["x"], t["y"]), correction=False)
    chi = s.independence("x", "y", statistic="rao-scott-chi2")
    assert chi.statistic == pytest.approx(plain.statistic)
    assert chi.p == pytest.approx(plain.pvalue, rel=0.05)
    ranks = s.rank_test("v", "y")
    assert ranks.p == pytest.approx(
        stats.mannwhitneyu(t.loc[t["y"] == 0, "v"], t.loc[t["y"] == 1, "v"]).pvalue, rel=0.05
    )
    several = s.rank_test("v", "x")
    groups = [t.loc[t["x"] == k, "v"] for k in range(3)]
    assert several.p == pytest.approx(stats.kruskal(*groups).pvalue, abs=0.03)


def test_two_groups_are_the_square_of_t(data: pd.DataFrame) -> None:
    s = Survey(data, **DESIGN)
    f = s.glm("pay ~ sex").wald("sex")
    t = s.ttest("pay", "sex")
    assert (f.statistic, f.p) == (pytest.approx(t.statistic**2), pytest.approx(t.p))
    gap = s.estimate(
        "mean(pay, where=\"sex == 'M'\") - mean(pay, where=\"sex == 'F'\")"
    ).table.iloc[0]
    assert (t.estimate, t.se) == (pytest.approx(gap["estimate"]), pytest.approx(gap["se"]))


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.1, 9)), min_size=2, max_size=30))
def test_ranks_average_one_half_and_ignore_the_order(pairs: list[tuple[int, float]]) -> None:
    y, w = np.array(pairs).T
    ranks = weighted_ranks(y, w)
    assert np.average(ranks, weights=w) == pytest.approx(0.5)
    np.testing.assert_allclose(weighted_ranks(y[::-1], w[::-1]), ranks[::-1])


def test_order_and_scale_do_not_matter(data: pd.DataFrame) -> None:
    moved = data.sample(frac=1, random_state=3).assign(w=lambda t: t["w"] * 1e4)
    one, other = (Survey(t, **DESIGN) for t in (data, moved))
    for test in ("F origin+employed", "adjWald sex+band", "wilcoxon origin", "median"):
        a, b = run(one, test, None), run(other, test, None)
        assert (a.statistic, a.p) == (pytest.approx(b.statistic), pytest.approx(b.p))


def test_an_empty_cell_is_a_cell(data: pd.DataFrame) -> None:
    t = data.assign(g=np.where(data["age"] < 15, "child", data["sex"]))
    made = Survey(t, **DESIGN).independence("g", "band")
    assert made.statistic > 0
    assert made.p < 1e-6


def test_what_an_engine_holds_is_tested_alike(data: pd.DataFrame) -> None:
    import duckdb

    t = data[["w", "stratum", "psu", "origin", "employed", "pay", "sex"]]
    pushed = Survey(duckdb.from_df(t), **DESIGN)
    assert pushed.pushed
    memory = Survey(t, **DESIGN)
    for test in ("F origin+employed", "t"):
        a, b = run(pushed, test, "pay > 0"), run(memory, test, "pay > 0")
        assert (a.statistic, a.df2) == (pytest.approx(b.statistic), b.df2)
    a, b = (s.glm("employed ~ sex", family="binomial") for s in (pushed, memory))
    pd.testing.assert_frame_equal(a.table, b.table)


def test_refusals(data: pd.DataFrame) -> None:
    s = Survey(data.assign(one=1, five=data["age"] // 5), **DESIGN)
    with pytest.raises(OptionError, match="Did you mean 'wald'"):
        s.independence("sex", "band", statistic="wal")
    with pytest.raises(DesignError, match="'one' has one category among the units"):
        s.independence("sex", "one")
    with pytest.raises(ColumnError, match="no column 'sexo'"):
        s.independence("sexo", "band")
    with pytest.raises(OptionError, match="Did you mean 'wilcoxon'"):
        s.rank_test("pay", "sex", statistic="wilcox")
    with pytest.raises(DesignError, match="'one' has one category"):
        s.rank_test("pay", "one")
    with pytest.raises(DesignError, match=r"compares two groups; 'origin' has 4"):
        s.ttest("pay", "origin")
    with pytest.raises(DesignError, match=r"the design can tell \d+ apart"):
        s.independence("five", "origin", statistic="wald")
    with pytest.raises(DesignError, match=r"cross in \d+ cells; up to 500"):
        s.independence("age", "hours")


def imputations(data: pd.DataFrame) -> list[Survey]:
    gaps = data["income"].isna()
    return [
        Survey(
            data.assign(full=data["income"].where(~gaps, data["pay"] * (0.9 + k / 20) + k)),
            **DESIGN,
        )
        for k in range(1, 6)
    ]


def test_rubins_rules_agree_with_r(data: pd.DataFrame, reference: Path) -> None:
    expected = pd.read_csv(reference / "estimation" / "imputed.csv").set_index("region")
    made = [s.mean("full", by="region", df="design") for s in imputations(data)]
    table = combine(made, df="rubin").table.set_index("region").loc[expected.index]
    for column in ("estimate", "se", "df"):
        np.testing.assert_allclose(table[column], expected[column], rtol=1e-10)


def test_degrees_of_freedom_are_those_of_barnard_and_rubin(data: pd.DataFrame) -> None:
    # R's mitools leaves (1 + 1/m) out of the missing information; equation (3) of the paper has it.
    made = [s.mean("full", by="region") for s in imputations(data)]
    rows = [e.table.iloc[0] for e in made]
    within = np.mean([row["se"] ** 2 for row in rows])
    between = np.var([row["estimate"] for row in rows], ddof=1)
    missing = 1.2 * between / (within + 1.2 * between)
    large, complete = 4 / missing**2, rows[0]["df"]
    observed = (complete + 1) / (complete + 3) * complete * (1 - missing)
    found = combine(made).table["df"][0]
    assert found == pytest.approx(1 / (1 / large + 1 / observed))
    assert found < complete


def test_combined_estimates_have_contrasts(data: pd.DataFrame) -> None:
    surveys = imputations(data)
    regions = combine([s.mean("full", by="region") for s in surveys])
    np.testing.assert_allclose(np.sqrt(np.diag(regions.covariance)), regions.table["se"])
    gap = regions.contrast({"south": 1, "north": -1}).table.iloc[0]
    gaps = [
        s.estimate(
            "mean(full, where=\"region == 'south'\") - mean(full, where=\"region == 'north'\")"
        )
        for s in surveys
    ]
    direct = combine(gaps).table.iloc[0]
    assert gap["estimate"] == pytest.approx(direct["estimate"])
    assert gap["se"] == pytest.approx(direct["se"])
    models = combine([s.glm("full ~ sex").estimates for s in surveys])
    assert list(models.table["category"]) == ["Intercept", "sex[T.M]"]


def test_without_differences_it_is_one_imputation(data: pd.DataFrame) -> None:
    one = Survey(data, **DESIGN).mean("pay", by="region")
    many = combine([one] * 4)
    for column in ("estimate", "se", "lower", "upper", "n"):
        if column in {"estimate", "se", "n"}:
            np.testing.assert_allclose(many.table[column], one.table[column])
    with pytest.raises(OptionError, match="1 were given"):
        combine([one])
    with pytest.raises(OptionError, match="Did you mean 'rubin'"):
        combine([one, one], df="rubn")
    with pytest.raises(OptionError, match="Imputation 2 has other statistics or domains"):
        combine([one, Survey(data, **DESIGN).mean("pay", by="sex")])
