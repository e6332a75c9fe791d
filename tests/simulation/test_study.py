"""The survey repeated on the small country: no bias, honest standard errors.

The full study (1,000 samples with seeds 1 to 1000, each with its own selection and response) is
marked `simulation`; it writes the tables that docs/guides/simulation-study.md shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nsm.project import Project
from nsm.project.rehearsal import Rehearsal, rehearsal
from nsm.simulation import Simulation, simulate

STUDY = Path(__file__).parents[1] / "reference" / "simulation"
SHOWN = ["all", "territory=border", "territory=concentration", "territory=crops"]
SHOWN += ["territory=rest", "territory=sugar"]


@pytest.fixture(scope="module")
def small(
    small_project: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Rehearsal:
    project = Project(small_project(tmp_path_factory.mktemp("study") / "small"))
    project.run(["frame"])
    return rehearsal(project)


def repeated(small: Rehearsal, count: int, workers: int, folder: Path | None = None) -> Simulation:
    """The recipe, the recipe without its step for non-response, and response by status."""
    recipe = small.scheme.weighting
    schemes = {
        "recipe": small.scheme,
        "no_nonresponse": replace(small.scheme, weighting={"persons": recipe["persons"]}),
        "status": replace(small.scheme, scenario="status"),
    }
    return simulate(
        schemes,
        small.population,
        count=count,
        seed=1,
        workers=workers,
        folder=folder,
        frame=small.frame,
        by=[(), ("territory",)],
    )


def of(table: pd.DataFrame, scheme: str) -> pd.DataFrame:
    return table[table["scheme"] == scheme].set_index(["domain", "variable"])


def judged(table: pd.DataFrame) -> None:
    recipe = of(table, "recipe").loc[["all"]]
    assert (recipe["bias_z"].abs() < 3).all()
    assert (recipe["se_ratio"] + 2 * recipe["se_ratio_error"] >= 0.9).all()
    without = of(table, "no_nonresponse").loc[["all"]]
    assert (without["bias"] < recipe["bias"] - 0.01 * recipe["truth"]).all()
    status = of(table, "status").loc[["all"]]
    assert (status["bias"] < -0.03 * status["truth"]).all()


def test_few_repetitions_show_no_bias_and_the_steps_worth(small: Rehearsal) -> None:
    made = repeated(small, 16, 1)
    judged(made.table)
    assert set(made.table["domain"]) == set(SHOWN)
    kish = made.load.set_index(["scheme", "quantity"]).loc[("recipe", "kish"), "mean"]
    assert 1.2 < kish < 1.6


@pytest.mark.simulation
def test_a_thousand_repetitions(small: Rehearsal, tmp_path: Path) -> None:
    made = repeated(small, 1000, 2, tmp_path)
    STUDY.mkdir(parents=True, exist_ok=True)
    made.table.round(5).to_csv(STUDY / "study.csv", index=False)
    made.load.round(5).to_csv(STUDY / "load.csv", index=False)
    judged(made.table)
    recipe = of(made.table, "recipe")
    assert (recipe["bias_z"].abs() < 4).all()
    assert (recipe.loc["all", "coverage"] > 0.92).all()


def test_the_committed_table_is_as_good() -> None:
    table = pd.read_csv(STUDY / "study.csv")
    assert (table["runs"] == 1000).all()
    judged(table)
