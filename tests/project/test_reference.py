"""The example survey's numbers against R, computed from an extract of a tiny country."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

import nsm

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "reference" / "example"
EXACT = 1e-10


@pytest.fixture(scope="module")
def surveys() -> dict[str, nsm.Survey]:
    """The extract, weighted by the recipe of the example as it is committed."""
    with (ROOT / "examples" / "eni-do" / "survey.toml").open("rb") as file:
        recipe = tomllib.load(file)["weighting"]
    dwellings = pd.read_csv(FOLDER / "dwellings.csv.gz", dtype={"area": str, "prior_class": str})
    persons = pd.read_csv(FOLDER / "persons.csv.gz", dtype={"region": str})
    kinds = dwellings.set_index("dwelling")["dwelling_type"]
    persons["dwelling_type"] = kinds.loc[persons["dwelling"]].to_numpy()
    margins = pd.read_csv(FOLDER / "margins.csv")
    survey = nsm.Survey(
        dwellings,
        weight="base_weight",
        stratum="stratum",
        psu="area",
        probability="probability",
        pps="brewer",
    )
    survey = nsm.Weighting.read(recipe["dwellings"], "dwellings").apply(survey)
    survey = survey.expand(persons, on="dwelling")
    calibration = {**recipe["persons"][0], "margins": margins}
    survey = nsm.Weighting.read([calibration], "persons").apply(survey)
    interviews = nsm.Weighting.read(recipe["interviews"], "interviews").apply(survey)
    return {"persons": survey, "interviews": interviews}


IMMIGRANT = "status == 'immigrant'"
DESCENDANT = "status == 'descendant'"
FOREIGN = "status in ('immigrant', 'descendant')"
ASKED = {
    "immigrants": ("persons", f'total("{IMMIGRANT}")', "zone", None),
    "descendants": ("persons", f'total("{DESCENDANT}")', "sex", None),
    "foreign": ("persons", f'total("{FOREIGN}")', None, None),
    "persons": ("persons", "count()", None, None),
    "share": ("persons", f'mean("{IMMIGRANT}")', "region", None),
    "employment": ("interviews", "mean(employed)", "status", "age >= 15"),
    "hours": ("interviews", "mean(hours)", "status", "age >= 15"),
}


@pytest.mark.parametrize("name", list(ASKED))
def test_it_is_what_r_computes(surveys: dict[str, nsm.Survey], name: str) -> None:
    r = pd.read_csv(FOLDER / "example.csv", dtype={"domain": str})
    r = r[r["name"] == name].set_index("domain")
    of, statistic, by, where = ASKED[name]
    made = surveys[of].estimate({name: statistic}, where=where).table.assign(domain="all")
    if by is not None:
        domains = surveys[of].estimate({name: statistic}, by=by, where=where).table
        made = pd.concat([made, domains.assign(domain=domains[by].astype(str))])
    made = made.set_index("domain").loc[r.index]
    assert len(made) == len(r) > 0
    for column in ("estimate", "se"):
        assert made[column].to_numpy() == pytest.approx(r[column].to_numpy(), rel=EXACT), column
