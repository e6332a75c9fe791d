from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import nsm
from nsm.errors import FileError
from nsm.estimation import Survey
from nsm.totals import Memory


@pytest.fixture(scope="module")
def survey(people: pd.DataFrame) -> Survey:
    dwellings = people.drop_duplicates("house")[["house", "stratum", "psu", "p", "region"]]
    status = ["respondent", "respondent", "nonrespondent"] * len(dwellings)
    dwellings = dwellings.assign(status=status[: len(dwellings)]).reset_index(drop=True)
    answered = dwellings.loc[dwellings["status"] == "respondent", "house"]
    persons = people.loc[people["house"].isin(answered), ["house", "sex", "band", "pay", "origin"]]
    top = Survey(
        Memory(dwellings, "dwellings"), stratum="stratum", psu="psu", probability="p", pps="brewer"
    )
    margins = {"sex": {"M": 300, "F": 310}, ("band", "sex"): None}
    crossed = persons.groupby(["band", "sex"]).size()
    margins["band", "sex"] = dict(
        zip(crossed.index, crossed.to_numpy() / crossed.sum() * 610, strict=True)
    )
    by_sex = crossed.groupby("sex").sum() / crossed.sum() * 610
    margins["sex"] = by_sex.to_dict()
    return (
        top.nonresponse("status", cells=["region"], minimum=2)
        .expand(Memory(persons, "persons"), on="house")
        .calibrate(margins, where="origin != 'USA' or pay > 0")
    )


def test_a_saved_survey_estimates_the_same(survey: Survey, tmp_path: Path) -> None:
    file = survey.save(tmp_path / "persons.parquet")
    again = nsm.Survey(file)
    for statistic in (nsm.total("pay"), nsm.mean("pay")):
        one, other = (s.estimate(statistic, by="origin").table for s in (survey, again))
        pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-12)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dwellings.parquet", "persons.parquet"]


def test_replicates_redo_the_steps_of_a_saved_survey(survey: Survey, tmp_path: Path) -> None:
    again = nsm.Survey(survey.save(tmp_path / "persons.parquet"))
    one, other = (
        s.replicate("bootstrap", count=20, seed=1).mean("pay").table for s in (survey, again)
    )
    pd.testing.assert_frame_equal(one, other, rtol=1e-12)


def test_any_program_reads_the_rows_and_their_weights(survey: Survey, tmp_path: Path) -> None:
    table = pd.read_parquet(survey.save(tmp_path / "persons.parquet"))
    assert (table["weight"] * table["pay"]).sum() == pytest.approx(
        survey.total("pay").table["estimate"][0]
    )


def test_a_survey_of_one_table(people: pd.DataFrame, tmp_path: Path) -> None:
    table = people.rename(columns={"w": "weight"})
    survey = Survey(table, weight="weight", stratum="stratum", psu="psu")
    raked = survey.rake({"sex": {"M": 8800, "F": 9200}})
    for s in (survey, raked):
        again = nsm.Survey(s.save(tmp_path / "people.parquet"))
        pd.testing.assert_frame_equal(again.mean("pay").table, s.mean("pay").table, rtol=1e-12)


def test_refusals(survey: Survey, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"saved as \.parquet"):
        survey.save(tmp_path / "persons.csv")
    with pytest.raises(FileError, match="replicates"):
        survey.replicate("bootstrap", count=2, seed=1).save(tmp_path / "p.parquet")
    file = survey.save(tmp_path / "persons.parquet")
    (tmp_path / "dwellings.parquet").unlink()
    with pytest.raises(FileError, match=r"dwellings\.parquet does not exist"):
        nsm.Survey(file)
