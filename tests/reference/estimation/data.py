"""Write people.csv and population.csv: an invented multistage sample and its strata.

Run by hand; the tables are committed. Synthetic: nobody in it exists.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
STRATA = {"a": 5, "b": 8, "c": 3, "d": 12, "e": 2, "f": 6}
ORIGINS = ("DOM", "HTI", "VEN", "USA")


def people(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for number, (stratum, psus) in enumerate(STRATA.items()):
        for psu in range(1, psus + 1):
            size = int(rng.integers(20, 90))
            level = rng.normal(0, 0.6)
            segments = int(rng.integers(2, 5))
            for ssu in range(1, segments + 1):
                members = int(rng.integers(2, 7))
                for person in range(1, members + 1):
                    pay = float(np.exp(rng.normal(9 + level, 0.7)))
                    rows.append(
                        {
                            "stratum": stratum,
                            "psu": psu,
                            "ssu": ssu,
                            "person": person,
                            "size": size,
                            "psus": psus * (4 + number),
                            "ssus": segments * 3,
                            "persons": members * 2,
                            "sex": rng.choice(["F", "M"]),
                            "age": int(rng.integers(0, 90)),
                            "origin": rng.choice(ORIGINS, p=[0.75, 0.17, 0.05, 0.03]),
                            "pay": round(pay, 2),
                            "hours": int(rng.integers(8, 61)),
                            "member": int(rng.integers(1, 5)),
                            "employed": int(rng.random() < 0.55),
                        }
                    )
    table = pd.DataFrame(rows)
    total = table.drop_duplicates(["stratum", "psu"]).groupby("stratum")["size"].sum()
    drawn = table["stratum"].map(STRATA)
    table["p"] = (table["size"] / (table["stratum"].map(total) * 1.9) * drawn).clip(upper=0.95)
    table["fraction"] = drawn / table["psus"]
    table["w"] = (table["psus"] / drawn * 3 * 2 * rng.uniform(0.8, 1.3, len(table))).round(4)
    table["income"] = table["pay"].where(rng.random(len(table)) > 0.1)
    table["region"] = np.where(table["stratum"].isin(["a", "b", "c"]), "north", "south")
    table.loc[table["stratum"] == "e", "region"] = "islands"
    table["band"] = pd.cut(
        table["age"], [-1, 14, 29, 59, 120], labels=["0-14", "15-29", "30-59", "60+"]
    )
    return table.sample(frac=1, random_state=7).reset_index(drop=True)


def main() -> None:
    table = people(np.random.default_rng(20270115))
    table.to_csv(HERE / "people.csv", index=False)


if __name__ == "__main__":
    main()
