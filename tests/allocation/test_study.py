"""Samples of the example's allocation vary as the plan says."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import nsm
from nsm.project.rehearsal import rehearsal
from nsm.simulation import Stock, condense

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "simulation_studies"
PAGE = ROOT / "docs" / "simulation-of-allocation.md"


@pytest.fixture(scope="module")
def study() -> ModuleType:
    spec = importlib.util.spec_from_file_location("allocation_study", FOLDER / "allocation.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "allocation.csv", keep_default_na=False)


def test_realized_cvs_are_within_a_tenth_of_the_expected_ones(results: pd.DataFrame) -> None:
    assert len(results) == 12
    assert (results["samples"] == 500).all()
    assert ((results["realized"] / results["in_order"] - 1).abs() <= 0.10).all()
    assert np.allclose(results["ratio"], results["realized"] / results["in_order"], rtol=1e-3)


def test_targets_are_met_and_totals_found(results: pd.DataFrame) -> None:
    assert (results["realized"] <= results["target"]).all()
    alone = results["realized"] / np.sqrt(results["samples"])
    assert (results["bias"].abs() < 3 * alone).all()


def test_the_page_has_the_numbers(results: pd.DataFrame) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for row in results.to_dict("records"):
        cvs = " | ".join(f"{row[c]:.1%}" for c in ("target", "expected", "in_order", "realized"))
        line = f"| {row['value'] or 'country'} | {row['variable']} | {cvs} | {row['ratio']:.2f} |"
        assert line in page


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, tiny_project: Callable[[Path], Path]
) -> tuple[nsm.Project, Stock]:
    project = nsm.Project(tiny_project(tmp_path_factory.mktemp("study")))
    project.run(["allocation"])
    return project, condense(rehearsal(project).population)


def test_the_study_in_short(study: ModuleType, world: tuple[nsm.Project, Stock]) -> None:
    made = study.run(*world, count=60)
    table = study.summarize(*world, made)
    whole = table[table["domain"] == "all"]
    # The standard error of a CV from 60 samples is 9 %.
    assert np.allclose(whole["ratio"], 1, atol=0.3)
    assert (table["bias"].abs() < 4 * table["realized"] / np.sqrt(60)).all()


def test_dwellings_that_do_not_answer_are_stood_for(
    study: ModuleType, world: tuple[nsm.Project, Stock]
) -> None:
    stock = world[1]
    y, rows = study.of_dwellings(stock), np.arange(len(stock.areas))
    rng = np.random.default_rng(1)
    status = stock.classes["status"].to_numpy()
    truth = [stock.counts[:, status == s].sum() for s in study.STATUS.values()]
    assert study.expanded(stock, y, rows, 1.0, rng).sum(axis=0).tolist() == truth
    told = study.expanded(stock, y, rows, 0.9, rng).sum(axis=0)
    assert told != pytest.approx(truth, rel=1e-9)
    assert told == pytest.approx(truth, rel=0.03)
