"""A survey says what it is, and how its variance will be computed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nsm.estimation import Survey
from nsm.estimation.describe import HOW, PARTS, SINGLE, TEXTS
from nsm.language import catalog

DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}


def test_every_text_has_its_spanish() -> None:
    assert not set(TEXTS) - set(catalog("es"))


def test_a_plain_design(people: pd.DataFrame) -> None:
    said = Survey(people, **DESIGN).describe().splitlines()
    assert said[0] == "421 rows."
    assert said[1] == (
        "Stage 1: 36 units (psu) drawn in 6 strata (stratum), with replacement, or as if."
    )
    assert said[3].startswith("Variance: Taylor linearization, V = sum over strata")
    assert said[-1].startswith("Degrees of freedom: 30 ")
    assert Survey(people, **DESIGN).describe("es").startswith("421 filas.\nEtapa 1: 36 unidades")


def test_every_row_may_be_a_unit(people: pd.DataFrame) -> None:
    said = Survey(people, weight="w").describe()
    assert "Stage 1: 421 units (every row), not stratified" in said


def test_stages_and_those_not_looked_at(people: pd.DataFrame) -> None:
    deep = {**DESIGN, "psu": ["psu", "ssu", "person"], "fpc": ["psus", "ssus", "persons"]}
    said = Survey(people, **deep).describe()
    assert "Stage 3: 421 units (person), not stratified, without replacement, fractions" in said
    assert "Each later stage adds its own" in said
    said = Survey(people, **{**deep, "fpc": None}).describe()
    assert "variance between the units of stage 1 holds theirs (ultimate cluster)" in said


@pytest.mark.parametrize("pps", ["brewer", "overton", "hartley-rao"])
def test_unequal_probabilities(people: pd.DataFrame, pps: str) -> None:
    design = {"psu": "psu", "stratum": "stratum", "probability": "p", "pps": pps}
    said = Survey(people, **design).describe()
    assert HOW[pps] in said
    assert "Weights: 1 / probability" in said
    assert ("p_ij" in said) == (pps != "brewer")


def test_joint_probabilities() -> None:
    t = pd.DataFrame({"psu": [1, 2], "w": 2.0})
    joint = np.array([[0.5, 0.2], [0.2, 0.5]])
    for kind in ("ht", "yg"):
        said = Survey(t, weight="w", psu="psu", joint=joint, joint_variance=kind).describe()
        assert HOW[kind] in said


def test_weighting_steps_and_replicates(people: pd.DataFrame) -> None:
    status = np.where(np.arange(len(people)) % 3 > 0, "respondent", "nonrespondent")
    s = Survey(people.assign(status=status), **DESIGN)
    s = s.nonresponse("status", cells=["region"]).rake({"sex": {"M": 8800, "F": 9200}})
    said = s.describe()
    assert PARTS["sample"] in said
    assert PARTS["external"] in said
    assert "adds a phase to the variance" in said
    said = s.replicate("jkn").describe()
    assert "Variance: 36 replicates (jkn), V = 1 sum r" in said
    assert "Taylor" not in said
    columns = people.assign(rw_1=people["w"], rw_2=people["w"])
    said = Survey(columns, weight="w", replicates="rw_*", scale=0.5).describe()
    assert "2 columns of replicate weights (custom), V = 0.5 sum r" in said


def test_strata_of_one_unit(people: pd.DataFrame) -> None:
    t = people.assign(stratum=np.where(np.arange(len(people)) < 5, "alone", "rest"))
    t["psu"] = np.where(t["stratum"] == "alone", 0, t["psu"])
    for policy, text in SINGLE.items():
        said = Survey(t, **DESIGN, single_psu=policy).describe()
        assert text.format(count=1) in said


def test_levels_and_phases(people: pd.DataFrame) -> None:
    houses = people.drop_duplicates("house")
    s = Survey(houses, **DESIGN).expand(people[["house", "pay"]], on="house")
    assert "come down from 1 table(s) above (house)" in s.describe()
    numbered = people.assign(row=np.arange(len(people)))
    first = Survey(numbered, **DESIGN)
    said = Survey.two_phase(first, numbered.iloc[::2], on="row", stratum="sex").describe()
    assert said.splitlines()[1:6] == [
        "First phase, of 421 rows:",
        "Stage 1: 36 units (psu) drawn in 6 strata (stratum), with replacement, or as if.",
        "Second phase, given the first:",
        (
            "Stage 1: 211 units (every row) drawn in 2 strata (sex), without replacement, "
            "fractions from 0.49 to 0.512."
        ),
        "Weights: those of the first phase, over the fractions of the second.",
    ]


def test_certainties_stand_apart(people: pd.DataFrame) -> None:
    sure = people["stratum"].eq("a") & people["psu"].eq(1)
    said = Survey(people.assign(sure=sure), **DESIGN, certainty="sure").describe().splitlines()
    assert said[1].startswith("Stage 1: 35 units (psu) drawn in 6 strata (stratum), with repl")
    assert said[3].startswith("1 more units of stage 1 are certainties")
