"""The planning answers of a small project."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.allocation import change_power, sample_size
from nsm.cli import cli
from nsm.cli.app import call
from nsm.errors import AllocationError, OptionError
from nsm.project import Project
from nsm.project.evidence import simulated_cvs
from nsm.project.planning import Asked, answers, changes_seen
from nsm.project.stages.allocation import planned


@pytest.fixture(scope="module")
def project(
    tiny_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Project:
    folder = tiny_project(tmp_path_factory.mktemp("planning") / "tiny")
    file = folder / "survey.toml"
    text = file.read_text(encoding="utf-8").replace("minimum = 4", "minimum = 2")
    goals = "all = {immigrants = 0.18, descendants = 0.20}"
    assert goals in text
    file.write_text(
        text.replace(goals, "all = {immigrants = 0.12, descendants = 0.16}"), encoding="utf-8"
    )
    made = Project(folder)
    made.run(["frame"])
    return made


@pytest.fixture(scope="module")
def made(project: Project) -> dict[str, pd.DataFrame]:
    return answers(project, Asked(overlap=0.5, correlation=0.7, households=4000.0, deff=5.0))


def test_the_plan_lies_on_its_curve_and_is_the_cheapest(
    project: Project, made: dict[str, pd.DataFrame]
) -> None:
    plan, cheapest = planned(project), made["cheapest"].set_index("allocation")
    own = made["curve"].query("factor == 1")
    assert own["cost"].unique().tolist() == [plan.cost]
    assert cheapest.loc["plan", "worst"] <= 1
    assert cheapest.loc["plan", "bound"] <= plan.cost
    assert cheapest.loc["plan", "cost"] <= cheapest.loc["proportional, same targets", "cost"]
    curve = made["curve"].drop_duplicates("factor").sort_values("factor")
    assert (np.diff(curve["cost"]) <= 0).all()


def test_the_price_of_a_point_is_that_of_the_plan_with_that_target(
    project: Project, made: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    points = made["points"].set_index(["domain", "variable"])
    text = (project.folder / "survey.toml").read_text(encoding="utf-8")
    other = text.replace("immigrants = 0.12,", "immigrants = 0.13,")
    assert other != text
    (tmp_path / "survey.toml").write_text(other, encoding="utf-8")
    for name in ("frame", "results", "truth.parquet", "population.toml"):
        (tmp_path / name).symlink_to(project.folder / name)
    saved = planned(project).cost - planned(Project(tmp_path)).cost
    assert saved > 0
    assert points.loc[("all", "immigrants"), "saved"] == pytest.approx(saved)
    assert (points["dearer"].dropna() >= 0).all()


def test_changes_follow_from_the_expected_or_the_simulated_cv(
    project: Project, made: dict[str, pd.DataFrame]
) -> None:
    row = made["change"].iloc[0]
    assert row["simulated"] is None or np.isnan(row["simulated"])
    seen = change_power(row["rise"], row["cv"], overlap=0.5, correlation=0.7)
    assert seen == pytest.approx(0.8)
    folder = project.folder / "simulation"
    folder.mkdir()
    plan = planned(project)
    pd.DataFrame(
        [{"scheme": "plan", "domain": "all", "variable": row["variable"], "sd": 30, "truth": 400}]
    ).to_csv(folder / "characteristics.csv", index=False)
    load = pd.DataFrame([{"scheme": "plan", "quantity": "areas", "mean": plan.n}])
    load.to_csv(folder / "load.csv", index=False)
    asked = Asked(overlap=0.5, correlation=0.7)
    found = changes_seen(plan, asked, simulated_cvs(project, plan)).iloc[0]
    assert found["simulated"] == pytest.approx(0.075)
    seen = change_power(found["rise"], 0.075, overlap=0.5, correlation=0.7)
    assert seen == pytest.approx(0.8)
    load.assign(mean=plan.n + 3).to_csv(folder / "load.csv", index=False)
    assert simulated_cvs(project, plan) == {}


def test_a_second_phase_and_a_better_frame_save(
    project: Project, made: dict[str, pd.DataFrame]
) -> None:
    phase, prior, plan = made["second_phase"], made["prior"], planned(project)
    cost = project.settings.allocation.interview_cost
    expected = plan.table[["expected_immigrants", "expected_descendants"]].to_numpy().sum()
    assert phase["saved"].tolist() == pytest.approx(
        [(1 - share) * cost * expected for share in phase["share"]]
    )
    # The cheapest plan with cheaper interviews is at least as cheap as the same areas are then.
    assert (phase["saved_replanned"] >= phase["saved"] - 0.02 * plan.cost).all()
    assert prior["cost"].iloc[0] == plan.cost
    assert (prior["saved"].diff().dropna() >= 0).all()
    assert prior["saved"].iloc[-1] > 0


def test_another_survey_needs_the_sample_size_of_a_share(
    project: Project, made: dict[str, pd.DataFrame]
) -> None:
    row = made["existing"].set_index("variable").loc["immigrants"]
    frame = pd.read_parquet(project.results("frame") / "areas.parquet")
    persons = sample_size("proportion", p=row["share"], cv=0.12, deff=5.0)
    households = persons * frame["households"].sum() / frame["population"].sum()
    assert row["needed"] == pytest.approx(households)


def test_the_command_writes_the_answers(project: Project) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert call(cli, ["-C", str(project.folder), "--lang", "es", "plan"]) == 0
    assert "Lo que cuesta un punto de CV" in out.getvalue()
    names = ("cheapest", "curve", "points", "change", "second_phase", "prior")
    assert all((project.folder / "planning" / f"{name}.csv").exists() for name in names)


def test_what_cannot_be_is_refused_by_name(project: Project, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="overlap"):
        answers(project, Asked(overlap=2.0))
    text = (project.folder / "survey.toml").read_text(encoding="utf-8")
    hard = text.replace("immigrants = 0.12,", "immigrants = 0.0001,")
    (tmp_path / "survey.toml").write_text(hard, encoding="utf-8")
    for name in ("frame", "results", "truth.parquet", "population.toml"):
        (tmp_path / name).symlink_to(project.folder / name)
    with pytest.raises(AllocationError, match=r"immigrants.*0\.0\d"):
        answers(Project(tmp_path))
