"""Each rule at and around each of its thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.errors import ConfigError, FileError, OptionError
from nsm.estimation import Survey
from nsm.language import catalog
from nsm.publication.precision import log_cv_package, log_cv_symmetric
from nsm.publication.quality import flag, table_passes, verdict_word
from nsm.publication.rules import VERDICTS, cv, known_rules, read_rule

YES, MAYBE, NO = VERDICTS
EPS = 1e-9


def proportion(p: float, log_cv: float | None = None, **other: Any) -> dict[str, Any]:
    """A proportion with a log-CV, or with another standard error."""
    q = min(p, 1 - p)
    se = other.pop("se", None) if log_cv is None else log_cv * q * -np.log(q)
    return {"statistic": "proportion", "category": "HTI", "estimate": p, "se": se, **other}


ECLAC2023 = [
    ({}, YES, "passed"),
    ({"deff": 1.0}, YES, "passed"),
    ({"deff": 1 - EPS}, NO, "deff"),
    ({"n": 120, "cases": 120, "deff": 2.0}, YES, "passed"),
    ({"n": 120, "cases": 120, "deff": 2.0 + EPS}, NO, "n_eff"),
    ({"df": 9}, YES, "passed"),
    ({"df": 8.99}, NO, "df"),
    ({"cv": 0.20}, YES, "passed"),
    ({"cv": 0.20 + EPS}, MAYBE, "cv_middle"),
    ({"cv": 0.30 - EPS}, MAYBE, "cv_middle"),
    ({"cv": 0.30 + EPS}, NO, "cv"),
    ({"cases": 50}, YES, "passed"),
    ({"cases": 49}, MAYBE, "cases_few"),
    ({"cases": 30}, MAYBE, "cases_few"),
    ({"cases": 29}, NO, "cases"),
    ({"cases": 30, "cv": 0.25}, MAYBE, "cv_middle"),
    ({"cases": 29, "cv": 0.25}, NO, "cases"),
    (proportion(0.3, 0.175 - EPS), YES, "passed"),
    (proportion(0.3, 0.175 + EPS), NO, "log_cv"),
    (proportion(0.3, 0.175 - EPS, cases=49), MAYBE, "cases_few"),
    (proportion(0.3, 0.175 - EPS, cases=30), MAYBE, "cases_few"),
    (proportion(0.3, 0.175 - EPS, cases=29), NO, "cases"),
    (proportion(0.5 - EPS, 0.2), NO, "log_cv"),
    (proportion(0.5, 0.2, cases=30), MAYBE, "log_cv_high"),
    (proportion(0.5, 0.2, cases=29), NO, "cases"),
    (proportion(0.9, 0.175 + EPS), MAYBE, "log_cv_high"),
    (proportion(0.9, 0.175 - EPS), YES, "passed"),
    (proportion(1.0, se=0.0), NO, "log_cv"),
    (proportion(0.0, se=0.0, cases=0), NO, "log_cv"),
    ({"deff": np.nan}, MAYBE, "deff_unknown"),
    ({"statistic": "contrast", "estimate": 1.0, "se": 5.0}, YES, "passed"),
]
ECLAC2020 = [
    ({}, YES, "passed"),
    ({"n": 100, "cases": 100, "deff": 0.5}, YES, "passed"),
    ({"n": 99, "cases": 99, "deff": 0.5}, NO, "n"),
    ({"n": 280, "deff": 2.0}, YES, "passed"),
    ({"n": 280, "deff": 2.0 + EPS}, NO, "n_eff"),
    ({"cases": 50}, YES, "passed"),
    ({"cases": 49}, NO, "cases"),
    ({"df": 9}, YES, "passed"),
    ({"df": 8.9}, MAYBE, "df"),
    ({"cv": 0.20 - EPS}, YES, "passed"),
    ({"cv": 0.20 + EPS}, MAYBE, "cv"),
    ({"cv": 0.90}, MAYBE, "cv"),
    (proportion(0.3, 0.175 - EPS), MAYBE, "cv"),  # its CV is 21 %
    (proportion(0.3, 0.10), YES, "passed"),
    (proportion(0.3, 0.175 + EPS), NO, "log_cv"),
    (proportion(0.8, 0.175 + EPS), NO, "log_cv"),
]
INE = [
    ({}, YES, "passed"),
    ({"n": 60, "cases": 60}, YES, "passed"),
    ({"n": 59, "cases": 59}, NO, "n"),
    ({"df": 9}, YES, "passed"),
    ({"df": 8.9}, NO, "df"),
    ({"cv": 0.15}, YES, "passed"),
    ({"cv": 0.15 + EPS}, MAYBE, "cv_middle"),
    ({"cv": 0.30}, MAYBE, "cv_middle"),
    ({"cv": 0.30 + EPS}, NO, "cv"),
    *[
        case
        for p, share in ((0.01, 0.516), (0.1, 0.239), (0.2, 0.190), (0.3, 0.166), (0.5, 0.140))
        for case in (
            (proportion(p, se=p * (share - 0.001)), YES, "passed"),
            (proportion(p, se=p * (share + 0.001)), MAYBE, "se"),
            (proportion(1 - p, se=p * (share - 0.001)), YES, "passed"),
            (proportion(1 - p, se=p * (share + 0.001)), MAYBE, "se"),
        )
    ],
]
INEGI = [
    ({"cv": 0.15 - EPS}, YES, "passed"),
    ({"cv": 0.15 + EPS}, MAYBE, "cv_middle"),
    ({"cv": 0.30 - EPS}, MAYBE, "cv_middle"),
    ({"cv": 0.30 + EPS}, NO, "cv"),
    ({"estimate": 0.0, "se": 1.0}, NO, "cv"),
]
NCHS = [
    (proportion(0.4, se=0.02), YES, "passed"),
    (proportion(0.4, se=0.095), NO, "n_eff"),  # some 27 effective cases
    (proportion(0.5, se=0.08), NO, "width"),
    (proportion(0.03, se=0.015), NO, "relative_width"),
    (proportion(0.97, se=0.015), MAYBE, "complement"),
    (proportion(0.01, se=0.005), YES, "passed"),  # narrow in absolute terms
    (proportion(0.99, se=0.005), YES, "passed"),
    (proportion(0.4, se=0.02, df=8), YES, "passed"),
    (proportion(0.4, se=0.02, df=7), MAYBE, "df"),
    (proportion(0.0, se=0.0, cases=0), MAYBE, "edge"),
    (proportion(1.0, se=0.0), MAYBE, "edge"),
    (proportion(0.4, se=0.02, n=29, cases=12), NO, "n_eff"),
    ({"cases": 20, "deff": 2.0}, YES, "passed"),
    ({"cases": 19, "deff": 2.0}, NO, "cases"),
    ({"cv": 0.36}, YES, "passed"),
    ({"cv": 0.37}, NO, "relative_width_count"),
    ({"df": 7}, MAYBE, "df"),
]
CASES = [
    (rule, *case)
    for rule, cases in (
        ("eclac2023", ECLAC2023),
        ("eclac2020", ECLAC2020),
        ("ine_cl_2020", INE),
        ("inegi2018", INEGI),
        ("nchs", NCHS),
        ("cv(0.15, 0.30)", [({"cv": 0.15}, YES, "passed"), ({"cv": 0.151}, MAYBE, "cv_middle"),
                            ({"cv": 0.30}, MAYBE, "cv_middle"), ({"cv": 0.301}, NO, "cv")]),
    )
    for case in cases
]  # fmt: skip


@pytest.mark.parametrize(("rule", "row", "verdict", "step"), CASES)
def test_a_rule_decides_at_its_threshold(
    make: Any, rule: str, row: dict[str, Any], verdict: str, step: str
) -> None:
    found = flag(make(row), rule).table.iloc[0]
    assert (found["verdict"], found["step"]) == (verdict, step)
    assert found["reason"]


@pytest.mark.parametrize("rule", [*known_rules(), "cv(0.1, 0.2)"])
@pytest.mark.parametrize(
    ("row", "verdict", "step"),
    [
        ({"estimate": np.nan, "se": np.nan}, NO, "no_estimate"),
        ({"estimate": 0.0, "se": np.nan, "n": 0, "cases": 0}, NO, "no_estimate"),
        ({"se": np.nan}, NO, "no_precision"),
        ({"se": 1e-8, "deff": 0.0}, YES, "known"),
    ],
)
def test_what_stands_before_every_rule(
    make: Any, rule: str, row: dict[str, Any], verdict: str, step: str
) -> None:
    found = flag(make(row), rule).table.iloc[0]
    assert (found["verdict"], found["step"]) == (verdict, step)


def test_a_mean_without_spread_is_not_a_known_total(make: Any) -> None:
    """A mean inside a single PSU has se 0, and nobody knew it before."""
    found = flag(make({"statistic": "mean", "se": 0.0, "df": 0.0, "deff": np.nan})).table.iloc[0]
    assert found["verdict"] == NO


def test_planned_domains(make: Any) -> None:
    rows = [
        {"region": "01", "sex": None},
        {"region": "02", "sex": None},
        {"region": "01", "sex": "M"},
        {"region": None, "sex": None},
    ]
    estimates = make(*[{"deff": 0.8, "n": 150} | r for r in rows], by=("region", "sex"))

    def planned(wanted: Any) -> list[bool]:
        found = flag(estimates, planned=wanted).table
        assert list(found["verdict"] == YES) == list(found["planned"])
        return list(found["planned"])

    assert planned(()) == [False] * 4
    assert planned(["region"]) == [True, True, False, False]
    assert planned("region") == [True, True, False, False]
    assert planned(["02", "all"]) == [False, True, False, True]
    assert planned([("01", "M")]) == [False, False, True, False]
    assert planned(["territory"]) == [False] * 4


def test_a_planned_domain_needs_a_hundred_cases_for_a_low_design_effect(make: Any) -> None:
    verdicts = flag(
        make({"deff": 0.9, "n": 100, "cases": 100}, {"deff": 0.9, "n": 99, "cases": 99}),
        planned=True,
    ).table["verdict"]
    assert list(verdicts) == [YES, NO]


def test_few_degrees_of_freedom_pass_only_where_planned_and_justified(make: Any) -> None:
    estimates = make({"df": 5})
    assert flag(estimates, planned=True).table["step"].item() == "df"
    assert flag(estimates, justified=True).table["step"].item() == "df"
    assert flag(estimates, planned=True, justified=True).table["verdict"].item() == YES


def test_log_cv_on_both_sides_of_one_half() -> None:
    p = np.array([0.1, 0.5, 0.9, 0.99])
    se = np.full(4, 0.01)
    symmetric = log_cv_symmetric(p, se)
    assert symmetric[0] == pytest.approx(symmetric[2])
    assert symmetric == pytest.approx(se / (np.minimum(p, 1 - p) * -np.log(np.minimum(p, 1 - p))))
    package = log_cv_package(p, se)
    assert package[:2] == pytest.approx(symmetric[:2])
    assert symmetric[2] / package[2] == pytest.approx(9)
    # The delta method, numerically: the CV of L(p) at p plus and minus a small step.
    step = 1e-6
    for i, loss in ((0, lambda x: -np.log(x)), (2, lambda x: -np.log(1 - x))):
        slope = (loss(p[i] + step) - loss(p[i] - step)) / (2 * step)
        assert symmetric[i] == pytest.approx(abs(slope) * se[i] / loss(p[i]), rel=1e-6)


def test_effective_sizes_of_the_handbook() -> None:
    """At log-CV 17.5 % the effective size is 68 at one half, 152 at 1 %, and symmetric."""
    for p, n in ((0.01, 152), (0.05, 69), (0.10, 55), (0.30, 53), (0.50, 68), (0.90, 55)):
        q = min(p, 1 - p)
        se = 0.175 * q * -np.log(q)
        assert round(p * (1 - p) / se**2) == n


def test_the_packages_log_cv_is_an_option_and_changes_a_verdict(make: Any) -> None:
    estimates = make(proportion(0.9, 0.5))
    assert flag(estimates).table["verdict"].item() == MAYBE
    assert flag(estimates, log_cv="package").table["verdict"].item() == YES
    with pytest.raises(OptionError, match=r"log_cv='pakage'.*package"):
        flag(estimates, log_cv="pakage")


def test_inputs_stay_in_the_table(survey: Survey) -> None:
    estimates = survey.proportion("origin", by="region")
    for rule in known_rules():
        flagged = estimates.flag(rule)
        before = list(estimates.table.columns)
        kept = list(read_rule(rule).kept)
        after = ["rule", "kind", "planned", *kept, "verdict", "step", "reason"]
        assert list(flagged.table.columns) == before + after
        pd.testing.assert_frame_equal(flagged.table[before], estimates.table)
        assert flagged.table["n_eff"].dropna().to_numpy() == pytest.approx(
            (estimates.table["n"] / estimates.table["deff"]).dropna().to_numpy()
        )
        assert not np.isinf(flagged.table[kept].to_numpy(float)).any()
    assert flagged.flag("eclac2020").table["rule"].unique().tolist() == ["eclac2020"]


def test_a_mean_of_zeros_and_ones_is_a_proportion(survey: Survey) -> None:
    by = "region"
    shares = survey.mean(["haitian", "age"], by=by).flag("ine_cl_2020").table
    assert set(shares.loc[shares["variable"] == "haitian", "kind"]) == {"proportion"}
    assert set(shares.loc[shares["variable"] == "age", "kind"]) == {"magnitude"}
    same = survey.proportion("origin", by=by).flag("ine_cl_2020").table
    assert (
        shares.loc[shares["variable"] == "haitian", "log_cv"].to_numpy()
        == pytest.approx(same.loc[same["category"] == "HTI", "log_cv"].to_numpy())
    )  # fmt: skip


def test_a_ratio_is_a_proportion_between_zero_and_one(survey: Survey) -> None:
    assert survey.ratio("haitian", "member").flag().table["kind"].item() == "proportion"
    assert survey.ratio("pay", "hours").flag().table["kind"].item() == "magnitude"
    ratio = survey.ratio("haitian", "member")
    named = ratio.flag(kinds={"haitian / member": "magnitude"})
    assert named.table["kind"].item() == "magnitude"
    with pytest.raises(OptionError, match=r"kinds: no estimate is called 'haitian'"):
        ratio.flag(kinds={"haitian": "magnitude"})
    with pytest.raises(OptionError, match=r"'share' .* is not known"):
        ratio.flag(kinds={"haitian / member": "share"})


def test_ine_publishes_a_table_with_half_of_its_cells_reliable(make: Any) -> None:
    half = make({}, {"cv": 0.2})
    less = make({}, {"cv": 0.2}, {"cv": 0.5})
    assert table_passes(half.flag("ine_cl_2020"))
    assert not table_passes(less.flag("ine_cl_2020"))
    assert table_passes(less.flag("eclac2023"))


def test_an_offices_own_rule(make: Any, tmp_path: Path) -> None:
    text = """
title = {en = "Our office", es = "Nuestra oficina"}
reference = "Resolution 12"
kept = ["n_eff"]
[[steps]]
code = "few"
when = "cases < 40 and not planned"
verdict = "caution"
text = {en = "Fewer than 40 cases.", es = "Menos de 40 casos."}
"""
    path = tmp_path / "ours.toml"
    path.write_text(text, encoding="utf-8")
    estimates = make({"cases": 40}, {"cases": 39})
    found = estimates.flag(path, language="es").table
    assert list(found["verdict"]) == [YES, MAYBE]
    assert list(found["rule"]) == ["ours", "ours"]
    assert found["reason"].iloc[1] == "Menos de 40 casos."
    step = {"code": "few", "when": "cases < 40", "verdict": "caution"}
    assert list(estimates.flag({"steps": [step]}).table["verdict"]) == [YES, MAYBE]


REFUSED = [
    ({"steps": []}, "has no steps"),
    ({"stepz": []}, "'stepz' is unknown. Did you mean 'steps'"),
    ({"steps": [{"code": "a", "when": "cases < 4"}]}, "lacks 'verdict'"),
    ({"steps": [{"code": "a", "when": "cases < 4", "verdict": "no"}]}, "verdict 'no'"),
    ({"steps": [{"code": "a", "when": "casess < 4", "verdict": "caution"}]}, "casess"),
    ({"steps": [{"code": "a", "when": "cases <", "verdict": "caution"}]}, "cannot be read"),
    ({"steps": [{"code": "a", "when": "cases + 1", "verdict": "caution"}]}, "cannot be read"),
    ({"kept": ["neff"], "steps": [{}]}, "keeps 'neff'"),
    ({"table_share": 50, "steps": [{}]}, "table_share = 50"),
]


@pytest.mark.parametrize(("rule", "message"), REFUSED)
def test_a_rule_that_cannot_be_used_is_refused(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_rule(rule)


def test_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        OptionError, match=r"no quality rule 'eclac_2023'. Did you mean 'eclac2023'"
    ):
        read_rule("eclac_2023")
    with pytest.raises(FileError, match="does not exist"):
        read_rule(str(tmp_path / "none.toml"))
    (tmp_path / "bad.toml").write_text("a = ", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read as TOML"):
        read_rule(tmp_path / "bad.toml")
    with pytest.raises(OptionError, match="two fractions in order"):
        cv(0.3, 0.15)


def test_every_rule_is_cited_and_bilingual() -> None:
    for name in known_rules():
        rule = read_rule(name)
        assert rule.reference
        assert len({step.code for step in rule.steps}) == len(rule.steps)
        for text in (rule.title, *(step.text for step in rule.steps)):
            assert {"en", "es"} == set(text), (name, text)
    assert {verdict_word(v, "es") for v in VERDICTS} <= set(catalog("es").values())
    with pytest.raises(OptionError, match="no verdict"):
        verdict_word("fine", "es")


def test_the_delegate_of_estimates(survey: Survey) -> None:
    flagged = survey.total("haitian", by="region").flag("eclac2023", planned=["region"])
    assert isinstance(flagged, nsm.estimation.Estimates)
    assert flagged.table["planned"].all()
    assert flagged.covariance.shape == (3, 3)
    empty = flagged.table.iloc[:0]
    assert len(flag(type(flagged)(empty, ("region",)))) == 0
