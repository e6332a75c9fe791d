"""The whole way, from the frame to the reports: sums, freshness, repetition, interruption."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

import nsm
from nsm.errors import ProjectError
from nsm.files import content_hash
from nsm.project import Project
from nsm.project.lock import read_lock

STAGES = (
    "frame",
    "allocation",
    "selection",
    "questionnaire",
    "field",
    "weighting",
    "estimation",
    "indicators",
    "publication",
)


def results(project: Project, *names: str) -> pd.DataFrame:
    return pd.read_parquet(project.folder.joinpath("results", *names))


@pytest.fixture
def copied(finished: Project, tmp_path: Path) -> Path:
    """A copy of the finished project, to be changed."""
    return Path(shutil.copytree(finished.folder, tmp_path / "copy"))


def test_every_area_keeps_its_official_cell(finished: Project, small_areas: pd.DataFrame) -> None:
    made = results(finished, "frame", "areas.parquet")
    cell = ["district", "zone"]
    pd.testing.assert_series_equal(
        made.groupby(cell)["households"].sum(), small_areas.groupby(cell)["households"].sum()
    )
    assert made["stratum"].notna().all()


def test_base_weights_are_the_inverse_of_the_probabilities(finished: Project) -> None:
    sample = results(finished, "selection", "sample.parquet")
    main = sample[sample["role"] == "main"]
    assert (main["base_weight"] * main["probability"]).sub(1).abs().max() < 1e-12
    assert main["area"].is_unique
    assert (main["certainty"] == (main["probability"] == 1)).all()


def test_persons_in_dwellings_meet_the_known_totals(finished: Project) -> None:
    persons = results(finished, "weighting", "persons.parquet")
    known = pd.read_csv(
        finished.folder / "results" / "field" / "known_totals.csv", dtype={"category": str}
    )
    inside = persons[persons["dwelling_type"] != "habitaculo"]
    for variable, part in known.groupby("variable"):
        names = variable.split("*")
        codes = inside[names[0]].astype(str).str.cat(inside[names[1]].astype(str), sep="*")
        sums = inside["weight"].groupby(codes).sum().reindex(part["category"]).to_numpy()
        assert abs(sums / part["total"].to_numpy() - 1).max() < 1e-9, variable


def test_one_weight_for_all_of_a_household(finished: Project) -> None:
    persons = results(finished, "weighting", "persons.parquet")
    inside = persons[(persons["dwelling_type"] != "habitaculo") & (persons["weight"] > 0)]
    spread = inside.groupby("household")["weight"].agg(lambda w: w.max() - w.min())
    assert spread.max() < 1e-9


def test_three_lines_give_the_headline_again(finished: Project) -> None:
    survey = nsm.Survey(finished.results("weighting", "persons.parquet"))
    again = survey.total("status == 'immigrant'").table.iloc[0]
    row = results(finished, "estimation", "headline.parquet").iloc[0]
    assert again["estimate"] == pytest.approx(row["estimate"], rel=1e-12)
    assert again["se"] == pytest.approx(row["se"], rel=1e-9)


def test_the_headline_is_near_the_truth(finished: Project) -> None:
    truth = json.loads((finished.folder / "results" / "field" / "truth.json").read_text())
    table = results(finished, "estimation", "headline.parquet").set_index("variable")
    for name in ("immigrants", "descendants"):
        assert abs(table.loc[name, "estimate"] - truth[name]) < 5 * table.loc[name, "se"]


def test_a_second_run_finds_everything_fresh(finished: Project) -> None:
    assert finished.run() == []
    assert all(state.fresh for state in finished.states())


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ('rule = "eclac2023"', 'rule = "nchs"', STAGES[8:]),
        ("mean(hours)", "quantile(hours, 0.5)", STAGES[6:]),
        ("minimum = 20", "minimum = 25", STAGES[5:]),
        ("native_fraction = 0.125", "native_fraction = 0.25", STAGES[4:]),
        ("reserve = 0.1", "reserve = 0.2", (*STAGES[1:3], *STAGES[4:])),
        ("minimum = 4", "minimum = 5", (*STAGES[1:3], *STAGES[4:])),
        ("seed = 20270115", "seed = 1", STAGES),
    ],
)
def test_a_changed_section_makes_its_stage_and_the_later_ones_stale(
    copied: Path, old: str, new: str, stale: tuple[str, ...]
) -> None:
    file = copied / "survey.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    states = {state.stage: state for state in Project(copied).states()}
    assert tuple(name for name in STAGES if not states[name].fresh) == stale
    assert states[stale[0]].why.endswith("changed")


def test_only_what_depends_on_a_change_is_run(copied: Path) -> None:
    file = copied / "survey.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("mean(hours)", "quantile(hours, 0.5)"), encoding="utf-8")
    done = Project(copied).run(["estimation"])
    assert [state.stage for state in done] == ["estimation"]


def test_results_changed_by_hand_are_made_again(copied: Path) -> None:
    file = copied / "results" / "frame" / "strata.csv"
    before = content_hash(file)
    file.write_text("broken\n", encoding="utf-8")
    project = Project(copied)
    assert project.states()[0].why == "strata.csv was changed by hand"
    project.run(["frame"])
    assert content_hash(file) == before


def test_a_killed_run_ends_as_if_nothing_had_happened(
    finished: Project, small_project: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = small_project(tmp_path / "killed")
    code = "import sys; from nsm.project import Project; Project(sys.argv[1]).run(['estimation'])"
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)])
    deadline = time.monotonic() + 120
    while not (folder / "results" / "questionnaire").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(1.0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    project = Project(folder)
    assert not [file for file in (folder / "results").rglob("*") if file.suffix == ".partial"]
    project.run(["estimation"])
    one, other = (read_lock(p.folder / "nsm.lock") for p in (finished, project))
    for stage in STAGES[:-2]:
        assert one[stage].outputs == other[stage].outputs, stage
    assert [p.name for p in (folder / ".nsm").iterdir()] == ["running"]


def test_two_runs_do_not_work_at_once(copied: Path) -> None:
    with FileLock(copied / ".nsm" / "running"), pytest.raises(ProjectError, match="Another nsm"):
        Project(copied).run(["frame"])


def test_a_stage_before_its_input_says_what_to_run(
    small_project: Callable[[Path], Path], tmp_path: Path
) -> None:
    project = Project(small_project(tmp_path / "new"))
    with pytest.raises(ProjectError, match="nsm run selection"):
        project.results("selection", "sample.parquet")


def test_the_lock_knows_what_was_made(finished: Project) -> None:
    lock = read_lock(finished.folder / "nsm.lock")
    assert set(lock) == set(STAGES)
    assert lock["field"].facts["persons"] == len(results(finished, "field", "persons.parquet"))
    for stage, record in lock.items():
        for file, value in record.outputs.items():
            assert content_hash(finished.results(stage, file)) == value
