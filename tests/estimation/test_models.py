"""Regression against R survey 4.1, and against what a regression must be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.errors import (
    ColumnError,
    DesignError,
    MissingValueError,
    OptionError,
    ValueInColumnError,
)
from nsm.estimation import Survey, mean
from nsm.estimation.models import Model

DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}
STAGES = {"psu": ["psu", "ssu", "person"], "fpc": ["psus", "ssus", "persons"]}
AGES = {"band": {"0-14": 2900, "15-29": 3400, "30-59": 6500, "60+": 5200}}
DESIGNS = (
    "replacement",
    "stages",
    "brewer",
    "poststratified",
    "linear",
    "jkn",
    "brr",
    "bootstrap",
    "srs_full",
    "cluster_full",
)
MODELS = {
    "linear": ("pay ~ sex + age", "gaussian", "age"),
    "missing": ("income ~ sex + age", "gaussian", ["sex", "age"]),
    "polynomial": ("log(pay) ~ sex * region + poly(age, 2)", "gaussian", "sex + region:sex"),
    "spline": ("pay ~ bs(age, df=4) + hours", "gaussian", "hours"),
    "logistic": ("employed ~ sex + C(group) + band", "binomial", "band"),
    "counts": ("member ~ sex + age:region + log(hours) - 1", "poisson", "age:region"),
}


@pytest.fixture(scope="module")
def data(people: pd.DataFrame, reference: Path) -> pd.DataFrame:
    folder = reference / "estimation"
    sample = pd.read_csv(folder / "twophase_sample.csv")
    columns = pd.read_csv(folder / "replicate_weights.csv").filter(regex="brr|bootstrap")
    label = people["stratum"] + people["psu"].astype(str)
    return people.assign(**sample, label=label, population=5000).join(columns)


def survey(name: str, data: pd.DataFrame) -> Survey:
    pairs = data[data["psu"] <= 2]
    base = Survey(data, **DESIGN)
    match name:
        case "replacement":
            return base
        case "stages":
            return Survey(data, **{**DESIGN, **STAGES})
        case "brewer":
            probability = {"probability": "p", "pps": "brewer"}
            return Survey(data, psu="psu", stratum="stratum", **probability)
        case "poststratified":
            return base.poststratify(AGES)
        case "linear":
            return base.calibrate({"sex": {"M": 8800, "F": 9200}, **AGES}, method="linear")
        case "jkn":
            return base.replicate("jkn")
        case "brr" | "bootstrap":
            table = pairs if name == "brr" else data
            return Survey(table, weight="w", replicates=f"{name}_*", replication=name)
        case "srs_full":
            first = Survey(data, fpc="population")
            return Survey.two_phase(first, data[data["chosen"]], on="row", stratum="group")
        case "cluster_full":
            first = Survey(pairs, stratum="stratum", psu="label", fpc="psus")
            return Survey.two_phase(first, pairs[pairs["chosen"]], on="row", stratum="group")
    raise KeyError(name)


@pytest.fixture(scope="module")
def surveys(data: pd.DataFrame) -> dict[str, Survey]:
    return {name: survey(name, data) for name in DESIGNS}


@pytest.mark.parametrize("name", DESIGNS)
def test_agrees_with_r(name: str, surveys: dict[str, Survey], reference: Path) -> None:
    expected = pd.read_csv(reference / "estimation" / "models.csv", keep_default_na=False)
    tests = pd.read_csv(reference / "estimation" / "wald.csv").set_index(["design", "model"])
    for (model, domain), rows in expected[expected["design"] == name].groupby(["model", "domain"]):
        formula, family, tested = MODELS[model]
        where = f"region == '{domain}'" if domain else None
        made = surveys[name].glm(formula, family=family, where=where)
        table = made.table.set_index("term")
        wanted = rows.assign(term=[same_term(term, table.index) for term in rows["term"]])
        wanted = wanted.set_index("term")
        assert len(table) == len(wanted)
        for column in ("estimate", "se", "t", "p", "lower", "upper", "df"):
            np.testing.assert_allclose(
                table.loc[wanted.index, column],
                wanted[column].astype(float),
                rtol=1e-8,
                atol=1e-14,
                err_msg=f"{model} {domain} {column}",
            )
        if not domain:
            test = made.wald(tested)
            found = [test.statistic, test.p, test.df1, test.df2]
            np.testing.assert_allclose(found, tests.loc[name, model].astype(float), rtol=1e-8)


def same_term(term: str, mine: pd.Index) -> str:
    """R writes `sexM` for `sex[T.M]`, `poly(age, 2)1` for `poly(age, 2)[1]`."""

    def plain(text: str) -> frozenset[str]:
        text = text.replace("C(group)", "group").replace("splines::", "").replace("df = 4", "df=4")
        parts = text.replace("[T.", "").replace("[", "").replace("]", "").split(":")
        return frozenset(part.replace("(Intercept)", "Intercept") for part in parts)

    return next(name for name in mine if plain(name) == plain(term))


@pytest.mark.parametrize("name", DESIGNS[:8])
def test_margins_agree_with_r(name: str, surveys: dict[str, Survey], reference: Path) -> None:
    expected = pd.read_csv(reference / "estimation" / "margins.csv")
    expected = expected[expected["design"] == name].set_index("category")
    model = surveys[name].glm("employed ~ sex + age + group", family="binomial")
    for population, column in (("independent", "se"), ("fixed", "fixed")):
        table = model.margins("group", population=population).table.set_index("category")
        table = table.loc[expected.index]
        np.testing.assert_allclose(table["estimate"], expected["estimate"], rtol=1e-8)
        np.testing.assert_allclose(table["se"], expected[column], rtol=1e-8)


def test_margins_carry_the_sampling_of_the_units(surveys: dict[str, Survey]) -> None:
    # In replicates everything is done again, so the jackknife shows the joint variance.
    formula = {"formula": "employed ~ sex * age + group", "family": "binomial"}
    plain, repeated = (
        surveys[name].glm(**formula).margins("group").table["se"] for name in ("replacement", "jkn")
    )
    np.testing.assert_allclose(plain, repeated, rtol=0.03)


def test_a_saturated_margin_is_the_mean(surveys: dict[str, Survey]) -> None:
    for name in ("replacement", "poststratified", "jkn", "cluster_full"):
        model = surveys[name].glm("employed ~ sex", family="binomial")
        margins = model.margins("sex")
        means = surveys[name].mean("employed", by="sex")
        for column in ("estimate", "se", "n"):
            pair = margins.table[column], means.table[column]
            if column != "n":
                np.testing.assert_allclose(*pair, rtol=1e-9)
        np.testing.assert_allclose(margins.covariance, means.covariance, rtol=1e-8)
        gap = surveys[name].estimate(
            mean("employed", where="sex == 'M'") - mean("employed", where="sex == 'F'")
        )
        contrast = margins.contrast({"M": 1, "F": -1}).table
        np.testing.assert_allclose(contrast["se"], gap.table["se"], rtol=1e-9)


def test_margins_at_numbers(surveys: dict[str, Survey]) -> None:
    model = surveys["replacement"].glm("pay ~ age + sex")
    table = model.margins("age", [20, 40]).table
    assert list(table["category"]) == ["20", "40"]
    slope = model.table.set_index("term").loc["age"]
    gap = model.margins("age", [20, 40]).contrast([-1, 1]).table.iloc[0]
    assert gap["estimate"] == pytest.approx(20 * slope["estimate"])
    assert gap["se"] == pytest.approx(20 * slope["se"])
    with pytest.raises(OptionError, match="'age' is a number: say at which"):
        model.margins("age")
    with pytest.raises(OptionError, match=r"'region' is not in 'pay ~ age \+ sex'"):
        model.margins("region")
    with pytest.raises(OptionError, match="Did you mean 'fixed'"):
        model.margins("sex", population="fix")


def test_predictions(surveys: dict[str, Survey], data: pd.DataFrame) -> None:
    model = surveys["stages"].glm("employed ~ age + sex", family="binomial")
    own = model.predict()
    assert len(own) == model.n == len(data)
    new = pd.DataFrame({"age": [30, None, 31], "sex": ["F", "F", "M"]})
    found = model.predict(new)
    assert found.isna().all(axis=1).tolist() == [False, True, False]
    link = model.predict(new, kind="link")
    b, v = model.coefficients, model.covariance
    x = np.array([1, 30, 0]) if model.table["term"][1] == "age" else np.array([1, 0, 30])
    assert link["estimate"][0] == pytest.approx(x @ b)
    assert link["se"][0] == pytest.approx(np.sqrt(x @ v @ x))
    assert found["lower"][0] == pytest.approx(1 / (1 + np.exp(-link["lower"][0])))
    p = found["estimate"][0]
    assert found["se"][0] == pytest.approx(p * (1 - p) * link["se"][0])
    with pytest.raises(OptionError, match="knows no category 'X' of sex"):
        model.predict(new.assign(sex="X"))
    with pytest.raises(ColumnError, match="the data has no column 'age'"):
        model.predict(new[["sex"]])
    with pytest.raises(OptionError, match="Did you mean 'link'"):
        model.predict(new, kind="links")


def test_a_spline_is_refused_outside_of_its_range(surveys: dict[str, Survey]) -> None:
    model = surveys["replacement"].glm("pay ~ bs(age, df=4)")
    with pytest.raises(OptionError, match="has no answer here"):
        model.predict(pd.DataFrame({"age": [30, 300]}))


def test_a_combination_of_other_terms_is_left_out_and_said(data: pd.DataFrame) -> None:
    table = data.assign(twice=2 * data["age"])
    model = Survey(table, **DESIGN).glm("pay ~ age + twice + sex")
    plain = Survey(table, **DESIGN).glm("pay ~ age + sex")
    row = model.table.set_index("term").loc["twice"]
    assert np.isnan(row["estimate"])
    assert row["note"] == "a combination of the terms before"
    kept = model.table.dropna(subset="estimate").drop(columns="note").reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, plain.table.drop(columns="note"))
    assert model.df == plain.df
    with pytest.raises(OptionError, match="no estimated coefficient of 'twice'"):
        model.wald("twice")


def test_a_domain_is_not_a_subset(data: pd.DataFrame) -> None:
    # PSUs without units in the domain still count: leaving them out changes the standard error.
    s = Survey(data, **DESIGN)
    whole = s.glm("pay ~ age", where="age > 80").table
    part = Survey(data[data["age"] > 80], **{**DESIGN, "single_psu": "certainty"}).glm("pay ~ age")
    np.testing.assert_allclose(whole["estimate"], part.table["estimate"])
    assert not np.allclose(whole["se"], part.table["se"], rtol=1e-3)
    direct = s.mean("pay", where="age > 80").table.iloc[0]
    only = s.glm("pay ~ 1", where="age > 80").table.iloc[0]
    for column in ("estimate", "se", "df", "lower", "upper"):
        assert only[column] == pytest.approx(direct[column])


def test_scale_and_order_do_not_matter(data: pd.DataFrame) -> None:
    formula, family = "employed ~ sex + C(origin) + age", "binomial"
    one = Survey(data, **DESIGN).glm(formula, family=family).table
    moved = data.sample(frac=1, random_state=1).assign(w=lambda t: t["w"] * 1e6)
    other = Survey(moved, **DESIGN).glm(formula, family=family).table
    pd.testing.assert_frame_equal(one, other, rtol=1e-8)


def test_the_reference_can_be_chosen(data: pd.DataFrame) -> None:
    s = Survey(
        data.assign(code=data["origin"].map({"DOM": 1, "HTI": 2, "VEN": 3, "USA": 4})), **DESIGN
    )
    text = s.glm("pay ~ C(origin, Treatment('HTI'))").table
    code = s.glm("pay ~ C(code, Treatment(2))").table
    assert text["term"][1] == "C(origin, Treatment('HTI'))[T.DOM]"
    assert code["term"][1] == "C(code, Treatment(2))[T.1]"
    assert text["estimate"][1] == pytest.approx(code["estimate"][1])
    with pytest.raises(OptionError, match=r"no unit of the model has this category.*'HTI'"):
        s.glm("pay ~ C(origin, Treatment('HIT'))")


def test_adjusted_surveys_and_expanded_ones(data: pd.DataFrame) -> None:
    rng = np.random.default_rng(4)
    houses = data.drop_duplicates("house")[["house", "stratum", "psu", "psus", "region"]]
    houses = houses.assign(
        status=np.where(rng.random(len(houses)) < 0.8, "respondent", "nonrespondent"), w=6.0
    )
    s = Survey(houses, fpc="psus", **DESIGN).nonresponse("status", cells=["region"])
    answered = houses.loc[houses["status"] == "respondent", "house"]
    persons = data.loc[data["house"].isin(answered), ["house", "sex", "pay", "age"]]
    s = s.expand(persons, on="house").rake({"sex": {"M": 1200, "F": 1300}})
    means = s.mean("pay", by="sex")
    model = s.glm("pay ~ 0 + sex")
    np.testing.assert_allclose(model.table["se"], means.table["se"], rtol=1e-9)
    np.testing.assert_allclose(model.covariance, means.covariance, rtol=1e-9)


def model_of(data: pd.DataFrame, formula: str, **options: str) -> Model:
    return Survey(data, **DESIGN).glm(formula, **options)


def test_refusals(data: pd.DataFrame) -> None:
    data = data.assign(one="x", yes=1.0 * (data["sex"] == "M"), nothing=np.nan)
    with pytest.raises(ColumnError, match=r"no column 'employd'. Did you mean 'employed'"):
        model_of(data, "employd ~ sex")
    with pytest.raises(ColumnError, match="no column 'agge'"):
        model_of(data, "employed ~ log(agge)")
    with pytest.raises(OptionError, match="does not say what is explained"):
        model_of(data, "~ sex")
    with pytest.raises(OptionError, match="The response 'sex' is a category"):
        model_of(data, "sex ~ age")
    with pytest.raises(OptionError, match="Did you mean 'binomial'"):
        model_of(data, "employed ~ sex", family="binomal")
    with pytest.raises(ValueInColumnError, match=r"from 0 to 1; 421 rows"):
        model_of(data, "pay ~ sex", family="binomial")
    with pytest.raises(ValueInColumnError, match=r"log\(age\) is not a finite number in .* rows"):
        model_of(data, "pay ~ log(age)")
    with pytest.raises(ValueInColumnError, match="is str, not a number"):
        model_of(data, "pay ~ poly(sex, 2)")
    with pytest.raises(DesignError, match=r"C\(one\) has one category"):
        model_of(data, "pay ~ C(one)")
    with pytest.raises(DesignError, match="has 0 columns"):
        model_of(data, "pay ~ 0")
    with pytest.raises(DesignError, match=r"'sex\[T.M\]' grow without bound"):
        model_of(data, "yes ~ age + sex", family="binomial")
    with pytest.raises(DesignError, match=r"has \d+ columns; from 1 to 1000"):
        model_of(data, "pay ~ C(pay) : C(age) + C(row)")
    with pytest.raises(MissingValueError, match=r"No unit of .* has 'nothing', 'sex'"):
        model_of(data, "nothing ~ sex")
    with pytest.raises(OptionError, match=r"sexo is not a term .*Did you mean 'sex'"):
        model_of(data, "pay ~ sex").wald("sexo")
    with pytest.raises(DesignError, match=r"the design can tell \d+ apart"):
        model_of(data, "pay ~ C(age)").wald("C(age)")


def test_replicates_that_cannot_be_fitted_are_counted(data: pd.DataFrame) -> None:
    s = Survey(data, weight="w", replicates="bootstrap_*", replication="bootstrap")
    with pytest.raises(DesignError, match=r"cannot be fitted to 1 of 40 replicates"):
        _ = s.glm("employed ~ C(origin)", family="binomial").covariance


def test_it_is_shown(surveys: dict[str, Survey]) -> None:
    model = surveys["replacement"].glm("employed ~ sex", family="binomial")
    assert "sex[T.M]" in str(model)
    assert "<table" in model._repr_html_()
    ratios = model.exponentiated.set_index("term")
    assert ratios.loc["sex[T.M]", "estimate"] == pytest.approx(np.exp(model.coefficients[1]))
    direct = model.contrast({"Intercept": 1, "sex[T.M]": 1}).table.iloc[0]
    assert direct["estimate"] == pytest.approx(model.coefficients.sum())
