"""A small frame, and a previous round with answers that no two persons share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FIELD = """
[field]
roster = ["line", "relationship", "sex", "age", "birth_country"]
interview = ["arrival_year", "schooling", "pay"]

[field.prior_class]
low = 0.0
high = 0.05

[field.unknown]
base = 0.01
outcomes = {not_reached = 1.0}

[field.response]
base = 0.9
outcomes = {completed = 1.0}
failures = {refused = 1.0}
vacancies = {vacant = 1.0}

[field.interviews]
base = 0.95

[field.scenarios.recorded]
"""

HEAD = """
[population]
name = "round"
country = "XAR"
language = "eng"
year = 2028
notice = {en = "Synthetic."}
"""

MICRODATA = """
[microdata]
persons = "persons.csv"
dwellings = "dwellings.csv"
strata = ["zone"]
year = 2024
alike = 0.8
"""

TABLES = """
[tables]
persons = "persons.csv"
dwellings = "dwellings.csv"
"""


def frame(areas: int = 10) -> pd.DataFrame:
    """Areas of two zones."""
    rng = np.random.default_rng(areas)
    occupied = rng.integers(8, 25, areas)
    return pd.DataFrame(
        {
            "area": [f"{k:03d}" for k in range(areas)],
            "zone": np.where(np.arange(areas) % 2 == 0, "urban", "rural"),
            "prior": np.where(np.arange(areas) % 3 == 0, 0.2, 0.01),
            "occupied": occupied,
            "dwellings": occupied + rng.integers(0, 5, areas),
            "population": 3 * occupied,
        }
    )


def previous(areas: int = 6, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Dwellings (with weights) and persons of a round; its areas differ in prevalence."""
    rng = np.random.default_rng(seed)
    houses, people = [], []
    for a in range(areas):
        share = 0.5 if a in {0, 1} else 0.03
        for d in range(15):
            key = f"9{a:02d}-{d:03d}"
            outside = d == 14
            houses.append(
                {
                    "dwelling": key,
                    "area": f"9{a:02d}",
                    "zone": "urban" if a % 2 == 0 else "rural",
                    "dwelling_type": "habitaculo" if outside else "private",
                    "weight": rng.uniform(5, 20),
                }
            )
            foreign = rng.random() < share
            for k in range(int(rng.integers(1, 6))):
                born = "VEN" if foreign and k < 2 else "XAR"
                people.append(
                    {
                        "dwelling": key,
                        "household": f"{key}-1",
                        "line": k + 1,
                        "sex": rng.choice(["M", "F"]),
                        "age": int(rng.integers(15, 80) if k < 2 else rng.integers(0, 60)),
                        "birth_country": born,
                        "mother_birth_country": "VEN" if foreign else "XAR",
                        "father_birth_country": "VEN" if foreign else "XAR",
                        "arrival_year": 2015 if born == "VEN" else None,
                        "schooling": rng.choice(["primary", "secondary"]),
                        "pay": 1000 + len(people) * 7,
                    }
                )
    return pd.DataFrame(houses), pd.DataFrame(people)


def write(folder: Path, part: str, houses: pd.DataFrame, people: pd.DataFrame) -> Path:
    """Write a description of a population with its tables beside it."""
    houses.to_csv(folder / "dwellings.csv", index=False)
    people.to_csv(folder / "persons.csv", index=False)
    file = folder / "population.toml"
    file.write_text(HEAD + part + FIELD, encoding="utf-8")
    return file
