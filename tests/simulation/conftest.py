"""A small country: three provinces of the Dominican frame with their own truth."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nsm.simulation import Population, read_population

ROOT = Path(__file__).parents[2]
DESCRIPTION = ROOT / "examples" / "eni-do" / "population.toml"
PROVINCES = ("0405", "0415", "0427")


@pytest.fixture(scope="session")
def areas() -> pd.DataFrame:
    table = pd.read_parquet(ROOT / "frames" / "do" / "areas.parquet")
    return table[table["province"].isin(PROVINCES)].reset_index(drop=True)


@pytest.fixture(scope="session")
def truth(areas: pd.DataFrame) -> pd.DataFrame:
    table = pd.read_parquet(ROOT / "frames" / "do" / "truth.parquet")
    return table[table["area"].isin(areas["area"])].reset_index(drop=True)


@pytest.fixture(scope="session")
def population(areas: pd.DataFrame, truth: pd.DataFrame) -> Population:
    return read_population(DESCRIPTION, areas, truth, seed=20270115)


@pytest.fixture(scope="session")
def tables(population: Population) -> dict[str, pd.DataFrame]:
    return population.area_tables(population.areas[::5])
