"""Rehearsed answers: the form's routing, its codes, and a seed that belongs to each question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nsm.errors import ColumnError, ConfigError, OptionError
from nsm.fieldwork import read_delivery, validate
from nsm.questionnaire import Questionnaire
from nsm.simulation.answers import AnswerRules, answer

ROOT = Path(__file__).parents[3]
RULES = ROOT / "examples" / "eni-do" / "answers.toml"
LOST = {"water", "tenure", "migration_reason", "reads", "insurance"}


@pytest.fixture(scope="module")
def core() -> Questionnaire:
    return Questionnaire.read(ROOT / "questionnaires" / "eni-core")


@pytest.fixture(scope="module")
def rules() -> AnswerRules:
    return AnswerRules.read(RULES)


def survey(size: int = 600, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Dwellings of one household of one adult or child, as simulated fieldwork gives them."""
    rng = np.random.default_rng(seed)
    area = [f"{10 + i // 30:02d}09010110002" for i in range(size)]
    dwelling = [f"{a}-{i % 30 + 1:03d}" for i, a in enumerate(area)]
    dwellings = pd.DataFrame(
        {
            "area": area,
            "dwelling": dwelling,
            "dwelling_type": rng.choice(["private", "habitaculo"], size, p=[0.9, 0.1]),
            "door_language": "spa",
            "native_interviews": 1,
            "outcome": "completed",
            "interview_date": pd.Timestamp("2027-08-16"),
            "zone": rng.choice(["urban", "rural"], size),
        }
    )
    born = rng.choice(["DOM", "HTI", "VEN"], size)
    household = [f"{d}-1" for d in dwelling]
    households = pd.DataFrame(
        {
            "household": household,
            "dwelling": dwelling,
            "area": area,
            "household_number": 1,
            "household_size": 1,
            "head_birth_country": born,
        }
    )
    age = rng.integers(5, 80, size)
    adult = age >= 15
    employed = np.where(adult, rng.random(size) < 0.7, np.nan)
    works, told = employed == 1, rng.random(size) < 0.9
    persons = pd.DataFrame(
        {
            "person": [f"{h}-01" for h in household],
            "household": household,
            "dwelling": dwelling,
            "area": area,
            "line": 1,
            "relationship": "head",
            "sex": rng.choice(["M", "F"], size),
            "age": age,
            "birth_country": born,
            "citizenship": born,
            "mother_birth_country": np.where(rng.random(size) < 0.1, "UNKNOWN", born),
            "father_birth_country": born,
            "interview_disposition": np.where(told, "respondent", "nonrespondent"),
            "arrival_year": np.where(born == "DOM", np.nan, rng.choice([2025, 2023, 9998], size)),
            "documents": np.where(born != "DOM", "none", None),
            "schooling": rng.choice(["none", "primary", "tertiary"], size),
            "employed": employed,
            "sector": np.where(works, rng.choice(["agriculture", "trade", "domestic"], size), None),
            "hours": np.where(works, np.where(rng.random(size) < 0.1, 998, 40), np.nan),
            "pay": np.where(works, np.where(rng.random(size) < 0.1, 99999999, 12_300), np.nan),
        }
    )
    return {"dwellings": dwellings, "households": households, "persons": persons}


@pytest.fixture(scope="module")
def delivered(core: Questionnaire, rules: AnswerRules) -> dict[str, pd.DataFrame]:
    return answer(survey(), core, rules, seed=7)


def test_its_own_form_accepts_the_delivery_but_for_what_got_lost(
    core: Questionnaire, delivered: dict[str, pd.DataFrame]
) -> None:
    delivery = read_delivery(delivered, core)
    assert not len(delivery.findings)
    checked = validate(core, delivery.tables, reasons=delivery.reasons)
    wrong = checked.findings[checked.findings["severity"] == "error"]
    assert set(wrong["code"]) <= {"V103"}
    assert {where.split(".")[1] for where in wrong["where"]} <= LOST
    assert not (checked.findings["code"] == "V100").any()


def test_the_form_computes_what_the_population_holds(
    core: Questionnaire, delivered: dict[str, pd.DataFrame]
) -> None:
    given, persons = survey()["persons"], read_delivery(delivered, core).tables["persons"]
    told = persons["answers"].fillna(value=False).to_numpy(dtype=bool)
    adult = told & (given["age"] >= 15).to_numpy()
    works = adult & (given["employed"] == 1).to_numpy()
    assert persons.loc[adult, "employed"].eq(given.loc[adult, "employed"] == 1).all()
    assert persons.loc[works, "sector"].eq(given.loc[works, "sector"]).all()
    assert persons.loc[told, "schooling"].eq(given.loc[told, "schooling"]).all()
    paid = works & persons["pay"].notna().to_numpy()
    assert persons.loc[paid, "pay"].eq(12_300).all()
    unpaid = (persons["job_status"] == "family").to_numpy(na_value=False)
    hidden = (given["pay"] == 99999999).to_numpy()
    assert (persons["pay"].isna().to_numpy()[works] == (hidden | unpaid)[works]).all()
    assert persons.loc[~told, ["employed", "documents", "insurance", "hours"]].isna().all(axis=None)


def test_an_answer_does_not_depend_on_which_other_areas_are_drawn(
    core: Questionnaire, rules: AnswerRules, delivered: dict[str, pd.DataFrame]
) -> None:
    fewer = {name: t[t["area"] > "15"].reset_index(drop=True) for name, t in survey().items()}
    some = answer(fewer, core, rules, seed=7)
    whole = delivered["persons"].set_index("person").loc[some["persons"]["person"]].reset_index()
    columns = [c for c in whole if c not in LOST]
    pd.testing.assert_frame_equal(whole[columns], some["persons"][columns], check_dtype=False)
    other = answer(fewer, core, rules, seed=8)["persons"]
    assert not other["insurance"].equals(some["persons"]["insurance"])


def test_every_area_has_one_team_and_every_interviewer_work(
    delivered: dict[str, pd.DataFrame], rules: AnswerRules
) -> None:
    dwellings = delivered["dwellings"]
    assert len(dwellings[["area", "team"]].drop_duplicates()) == dwellings["area"].nunique()
    assert dwellings["team"].nunique() == rules.teams.number
    assert (dwellings.groupby("area")["interviewer"].nunique() == rules.teams.interviewers).all()
    assert dwellings["interview_date"].eq(pd.Timestamp("2027-08-16")).all()


def test_careless_interviewers_lose_more(core: Questionnaire, tmp_path: Path) -> None:
    text = RULES.read_text(encoding="utf-8")
    text = text.replace("careless = 0.05", "careless = 0.3").replace("lost = 0.002", "lost = 0.03")
    told = answer(survey(3000), core, AnswerRules.read(write(tmp_path, text)), seed=3)
    households = told["households"].merge(told["dwellings"][["dwelling", "interviewer"]])
    share = households["water"].isna().groupby(households["interviewer"]).mean()
    assert share.max() > 0.15
    assert share.median() < 0.08


def write(folder: Path, text: str) -> Path:
    file = folder / "answers.toml"
    file.write_text(text, encoding="utf-8")
    return file


TEAMS = "[teams]\nnumber = 1\ninterviewers = 1\n"
REFUSED: dict[str, tuple[str, type[Exception], str]] = {
    "two kinds": ("[answers.water]\nshare = 0.2\nvalue = 1", ConfigError, "water.value must be"),
    "no kind": ("[answers.water]\nlost = 0.1", ConfigError, "water.shares must be given"),
    "no code": ("[answers.sick]\nshare = 0.2\nnot_given = 0.1", ConfigError, "give `code`"),
    "strange key": ("[answers.sick]\nshare = 0.2\nlots = 0.1", ConfigError, "has no meaning"),
    "shares": ("[answers.water]\nshares = {inside = 0.2}", ConfigError, "add up to 0.2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_rule_is_refused_by_name(name: str, tmp_path: Path) -> None:
    text, error, words = REFUSED[name]
    with pytest.raises(error, match=words):
        AnswerRules.read(write(tmp_path, f"{TEAMS}{text}\n"))


def replaced(tmp_path: Path, name: str, rule: str) -> AnswerRules:
    made = AnswerRules.read(write(tmp_path, f"{TEAMS}[answers]\n{rule}\n")).questions
    whole = AnswerRules.read(RULES)
    questions: dict[str, Any] = {k: v for k, v in whole.questions.items() if k != name}
    return AnswerRules({**questions, **made}, whole.teams)


def test_a_question_without_a_rule_is_refused(core: Questionnaire, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no answers to 'insurance'"):
        answer(survey(60), core, replaced(tmp_path, "insurance", ""), seed=1)


def test_a_rule_without_a_case_for_all_is_refused(core: Questionnaire, tmp_path: Path) -> None:
    rule = "sick = {cases = [{where = \"sex == 'M'\", share = 0.2}]}"
    with pytest.raises(OptionError, match="asked 'sick' have no answer"):
        answer(survey(60), core, replaced(tmp_path, "sick", rule), seed=1)


def test_a_rule_that_looks_ahead_is_refused(core: Questionnaire, tmp_path: Path) -> None:
    rule = "reads = {cases = [{where = \"insurance == 'none'\", share = 0.2}, {share = 0.5}]}"
    with pytest.raises(ColumnError, match="needs 'insurance'"):
        answer(survey(60), core, replaced(tmp_path, "reads", rule), seed=1)
