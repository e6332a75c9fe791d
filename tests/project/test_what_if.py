"""A project's survey repeated, beside other plans and in other worlds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.errors import OptionError
from nsm.project import Project
from nsm.project.what_if import PLANS, WORLDS, repeated
from nsm.simulation import Simulation


@pytest.fixture(scope="module")
def project(
    tiny_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Project:
    made = Project(tiny_project(tmp_path_factory.mktemp("what_if") / "tiny"))
    made.run(["frame"])
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def made(project: Project, folder: Path) -> Simulation:
    return repeated(
        project, count=2, seed=1, compare=[*PLANS], what_if=[*WORLDS], folder=folder, workers=1
    )


def mean(made: Simulation, scheme: str, quantity: str) -> float:
    load = made.load.set_index(["scheme", "quantity"])["mean"]
    return float(load[scheme, quantity])


def test_every_alternative_is_made(made: Simulation) -> None:
    assert [*made.table["scheme"].unique()] == ["plan", *PLANS, *WORLDS]
    assert (made.table["runs"] == 2).all()


def test_other_plans_are_what_they_say(made: Simulation) -> None:
    assert mean(made, "proportional", "cost") == pytest.approx(mean(made, "plan", "cost"), rel=0.12)
    assert mean(made, "subsample", "screened") < 0.55 * mean(made, "plan", "screened")
    assert mean(made, "subsample", "areas") == mean(made, "plan", "areas")
    assert mean(made, "status", "screened") < mean(made, "plan", "screened")
    runs = made.runs.set_index(["scheme", "domain", "variable", "run"]).sort_index()
    estimates = runs["estimate"]
    adjusted = estimates["plan"].loc["all", "immigrants"]
    assert (estimates["unadjusted"].loc["all", "immigrants"] < adjusted).all()
    assert not np.allclose(estimates["uncalibrated"].loc["all", "immigrants"], adjusted)


def test_other_worlds_are_what_they_say(made: Simulation) -> None:
    truth = made.table.drop_duplicates(["scheme", "domain", "variable"])
    truth = truth.set_index(["scheme", "domain", "variable"])["truth"]
    kept = truth["prevalence", "all", "foreign"] / truth["plan", "all", "foreign"]
    assert kept == pytest.approx(2 / 3, abs=0.03)
    assert mean(made, "response", "response") < mean(made, "plan", "response") - 0.08
    assert mean(made, "costs", "cost") == pytest.approx(1.25 * mean(made, "plan", "cost"))
    assert mean(made, "sharper", "areas") < mean(made, "plan", "areas")
    for world in ("prior", "hotspots", "sharper"):
        assert truth[world, "all", "foreign"] == truth["plan", "all", "foreign"]


def test_an_unknown_alternative_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"no alternative 'propotional'.*'proportional'"):
        repeated(project, count=2, seed=1, compare=["propotional"], folder=tmp_path)
    assert not any(tmp_path.iterdir())


def test_what_is_done_is_kept(project: Project, folder: Path, made: Simulation) -> None:
    told: list[tuple[str, int, int]] = []
    again = repeated(
        project,
        count=2,
        seed=1,
        folder=folder,
        workers=1,
        progress=lambda *what: told.append(what),
    )
    assert told == []
    first = made.runs[made.runs["scheme"] == "plan"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.runs.reset_index(drop=True), first)
