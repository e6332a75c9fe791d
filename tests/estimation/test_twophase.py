from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.errors import DesignError, KeyColumnError, OptionError
from nsm.estimation import Survey

FIRST = {
    "srs": {"fpc": "population"},
    "cluster": {"stratum": "stratum", "psu": "label", "fpc": "psus"},
}


@pytest.fixture(scope="module")
def phases(people: pd.DataFrame, reference: Path) -> pd.DataFrame:
    sample = pd.read_csv(reference / "estimation" / "twophase_sample.csv")
    label = people["stratum"] + people["psu"].astype(str)
    return people.assign(
        row=sample["row"],
        chosen=sample["chosen"],
        group=sample["group"],
        label=label,
        population=5000,
    )


def survey(name: str, phases: pd.DataFrame) -> Survey:
    design, method = name.split("_")
    table = phases if design == "srs" else phases[phases["psu"] <= 2]
    method = {"approx": "approximate"}.get(method, method)
    first = Survey(table, **FIRST[design])
    second = table.loc[table["chosen"], ["row", "group", "pay", "hours", "sex"]]
    return Survey.two_phase(first, second, on="row", method=method, stratum="group")


NAMES = ["srs_full", "srs_approx", "cluster_full", "cluster_approx", "cluster_simple"]


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_r(name: str, phases: pd.DataFrame, reference: Path) -> None:
    expected = pd.read_csv(reference / "estimation" / "twophase.csv")
    expected = expected[expected["design"] == name]
    s = survey(name, phases)
    made = pd.concat(
        [
            s.total("pay").table,
            s.mean("pay").table,
            s.ratio("pay", "hours").table,
            s.mean("pay", where="sex == 'F'").table,
        ]
    )
    for column in ("estimate", "se", "df"):
        np.testing.assert_allclose(made[column], expected[column], rtol=1e-9, err_msg=column)


def test_the_second_phase_may_bring_its_own_weights(phases: pd.DataFrame) -> None:
    first = Survey(phases, fpc="population")
    sizes = phases["group"].value_counts()
    second = phases[phases["chosen"]]
    drawn = second["group"].value_counts()
    given = second.assign(again=second["group"].map(sizes / drawn))
    one = Survey.two_phase(first, Survey(given, weight="again", stratum="group"), on="row")
    other = survey("srs_full", phases)
    pd.testing.assert_frame_equal(one.total("pay").table, other.total("pay").table)


def test_contrasts_carry_both_phases(phases: pd.DataFrame) -> None:
    s = survey("cluster_full", phases)
    table = s.total("pay", by="sex")
    whole = s.total("pay").table["se"][0]
    assert table.contrast([1, 1]).table["se"][0] == pytest.approx(whole, rel=1e-9)


def test_a_second_phase_of_everybody_is_the_first(phases: pd.DataFrame) -> None:
    first = Survey(phases, stratum="stratum", psu="label", fpc="psus")
    both = Survey.two_phase(first, phases, on="row", stratum="group")
    assert both.total("pay").table["se"][0] == pytest.approx(first.total("pay").table["se"][0])


@pytest.mark.parametrize("method", ["full", "approximate"])
def test_the_variance_is_unbiased(method: str) -> None:
    rng = np.random.default_rng(20270115)
    population = pd.DataFrame({"id": np.arange(300), "group": np.arange(300) % 3})
    population["y"] = 10 * population["group"] + rng.normal(0, 3, 300)
    estimates, variances = [], []
    for _ in range(250):
        first = population.sample(90, random_state=rng).assign(N=300)
        second = pd.concat(
            [g.sample(frac=0.5, random_state=rng) for _, g in first.groupby("group")]
        )
        s = Survey.two_phase(
            Survey(first, fpc="N"),
            second.drop(columns="N"),
            on="id",
            method=method,
            stratum="group",
        )
        row = s.total("y").table.iloc[0]
        estimates.append(row["estimate"])
        variances.append(row["se"] ** 2)
    # The standard deviation of 250 samples is known to 4.5 %.
    assert np.sqrt(np.mean(variances)) / np.std(estimates, ddof=1) == pytest.approx(1, abs=0.13)


def test_refusals(phases: pd.DataFrame) -> None:
    first = Survey(phases, fpc="population")
    second = phases[phases["chosen"]]
    with pytest.raises(KeyColumnError, match=r"1 units of the second phase are not in the first"):
        Survey.two_phase(first, second.assign(row=[9999, *second["row"][1:]]), on="row")
    with pytest.raises(KeyColumnError, match="'stratum' is repeated"):
        Survey.two_phase(first, second, on="stratum")
    with pytest.raises(OptionError, match=r"method='ful' is not known. Did you mean 'full'"):
        Survey.two_phase(first, second, on="row", method="ful")
    raked = first.rake({"sex": {"M": 2500, "F": 2500}})
    with pytest.raises(DesignError, match="Subsample step"):
        Survey.two_phase(raked, second, on="row")
    with pytest.raises(DesignError, match=r"Strata 'x' of the second phase"):
        Survey.two_phase(first, second.assign(group="x"), on="row", stratum="group")
