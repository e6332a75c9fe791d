"""Standard errors are right and intervals cover, in repeated samples from fixed populations."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "simulation_studies" / "estimation.py"
PAGE = ROOT / "docs" / "simulation-of-estimation.md"
# The total of (ii) rests on rare areas of large weight: its variance is unbiased, its root is not.
SKEWED = "ii"


def study() -> ModuleType:
    spec = importlib.util.spec_from_file_location("estimation_study", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return pd.read_csv(SCRIPT.with_suffix(".csv"))


def test_standard_errors_are_those_of_repeated_samples(results: pd.DataFrame) -> None:
    fair = results[~results["scenario"].isin([SKEWED, "v"])]
    off = (fair["se_ratio"] - 1).abs()
    assert (off <= 0.05 + 2 * fair["se_ratio_mce"]).all()
    assert (results.loc[results["scenario"] == "v", "se_ratio"] > 1).all()
    totals = results[(results["scenario"] == SKEWED) & (results["case"] == "total")]
    assert totals["variance_ratio"].iloc[0] == pytest.approx(1, abs=0.1)


def test_intervals_cover_where_thirty_psus_have_cases(results: pd.DataFrame) -> None:
    enough = results[
        (results["psus"] >= 30) & (results["cv"] <= 0.15) & (results["scenario"] != "v")
    ]
    assert len(enough) > 12
    assert (enough["coverage"] >= 0.93 - 2 * enough["coverage_mce"]).all()
    assert (enough["coverage"] <= 0.97 + 2 * enough["coverage_mce"]).all()
    low = results[(results["coverage"] < 0.92)]
    assert (low["flagged"] > 0.7).all()
    assert (low["caught"] > 0.99).all()


def test_estimates_are_unbiased(results: pd.DataFrame) -> None:
    assert (results["bias"].abs() < 0.1).all()


def test_the_page_shows_the_table(results: pd.DataFrame) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for row in results.itertuples():
        assert line(row) in text


def line(row: object) -> str:
    """A row of the page's tables."""
    of = vars(row) if hasattr(row, "__dict__") else row._asdict()  # type: ignore[attr-defined]
    return (
        f"| {of['case']} | {of['se_ratio']:.2f} ± {of['se_ratio_mce']:.2f} | "
        f"{of['variance_ratio']:.2f} | "
        f"{100 * of['coverage']:.1f} ± {100 * of['coverage_mce']:.1f} | "
        f"{100 * of['cv']:.1f} | {of['effective_n']:,.0f} | {of['psus']:.0f} | "
        f"{100 * of['flagged']:.0f} | {100 * of['caught']:.0f} |"
    )


@pytest.mark.parametrize("name", ["i", "iii", "v"])
def test_a_short_run_agrees(name: str, results: pd.DataFrame) -> None:
    module = study()
    made = module.summarize(module.run(name, count=25)).set_index("case")
    kept = results[results["scenario"] == name].set_index("case")
    wide = 4 * made["se_ratio_mce"]
    assert ((made["se_ratio"] - kept["se_ratio"]).abs() < wide).all()
    assert (made["coverage"] > 0.75).all()
    assert made["truth"].to_numpy() == pytest.approx(kept["truth"].to_numpy(), rel=1e-3)


@pytest.mark.simulation
def test_the_full_run_gives_the_table(results: pd.DataFrame) -> None:
    module = study()
    for name in module.SCENARIOS:
        made = module.summarize(module.run(name)).set_index("case")
        kept = results[results["scenario"] == name].set_index("case")
        for column in ("se_ratio", "coverage", "cv"):
            assert made[column].to_numpy() == pytest.approx(kept[column].to_numpy(), rel=1e-3)
