"""Weights take bias away, and standard errors are right after each chain of steps."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "simulation_studies"
PAGE = ROOT / "docs" / "simulation-of-weighting.md"
# (ii) rests on rare areas of large weight; (v) treats a systematic draw as random.
FAIR = ["i", "iii", "iv"]
CORRECT = [
    "cells",
    "propensity",
    "propensity classes",
    "linear",
    "raking",
    "logit",
    "cells, raking",
    "propensity, linear",
]


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("weighting_study", FOLDER / "weighting.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "weighting.csv")


def test_the_bias_of_refusals_goes(results: pd.DataFrame) -> None:
    alone = results[results["chain"] == "none"].set_index("scenario")
    assert (alone["bias"] < -10 * alone["bias_mce"]).all()
    right = results[results["chain"].isin(CORRECT)]
    assert len(right) == 5 * len(CORRECT)
    assert (right["bias"].abs() < 3 * right["bias_mce"]).all()


def test_standard_errors_are_those_of_repeated_samples(results: pd.DataFrame) -> None:
    fair = results[results["scenario"].isin(FAIR) & results["chain"].isin(CORRECT)]
    assert ((fair["se_ratio"] - 1).abs() <= 0.05 + 2 * fair["se_ratio_mce"]).all()
    assert (fair["coverage"] >= 0.93 - 2 * fair["coverage_mce"]).all()
    sorted_by_prior = results[(results["scenario"] == "v") & results["chain"].isin(CORRECT)]
    assert (sorted_by_prior["se_ratio"] > 1).all()


def test_replicates_and_linearization_agree(results: pd.DataFrame) -> None:
    right = results[results["chain"].isin(CORRECT)]
    assert ((right["replicated"] - 1).abs() < 0.05).all()


def test_the_page_shows_the_table(results: pd.DataFrame) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for row in results.to_dict("records"):
        assert line(row) in text


def line(row: dict[str, Any]) -> str:
    """A row of the page's tables."""
    return (
        f"| {row['chain']} | {row['bias']:.1f} ± {row['bias_mce']:.1f} | {row['cv']:.1f} | "
        f"{row['se_ratio']:.2f} ± {row['se_ratio_mce']:.2f} | "
        f"{100 * row['coverage']:.1f} ± {100 * row['coverage_mce']:.1f} | "
        f"{row['replicated']:.2f} |"
    )


def test_a_short_run_agrees(
    study: ModuleType, results: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "REPLICATES", 60)
    monkeypatch.setattr(study, "REPEATED", 1)
    made = study.summarize(study.run("iv", count=12)).set_index("chain")
    kept = results[results["scenario"] == "iv"].set_index("chain")
    far = (made["bias"] - kept["bias"]).abs() / (made["bias_mce"] + kept["bias_mce"])
    assert (far < 4).all()
    assert made.loc["none", "bias"] < kept.loc["cells", "bias"] - 4


@pytest.mark.simulation
def test_the_full_run_gives_the_table(study: ModuleType, results: pd.DataFrame) -> None:
    for name in study.SCENARIOS:
        made = study.summarize(study.run(name)).set_index("chain")
        kept = results[results["scenario"] == name].set_index("chain")
        for column in ("bias", "se_ratio", "coverage", "replicated"):
            assert made[column].to_numpy() == pytest.approx(kept[column].to_numpy(), rel=1e-3)
