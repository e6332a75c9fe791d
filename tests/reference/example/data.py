"""Write the extract of the example survey on a tiny country, from which R computes again.

Synthetic, not ENI results. Run from the root: `python -m tests.reference.example.data`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from tests.conftest import FRAME, TINY, TINY_CHANGES, write_project

from nsm.project import Project
from nsm.project.stages.weighting import walk

HERE = Path(__file__).parent
DWELLING = ["prior_class", "dwelling_type", "door_language", "disposition"]
DESIGN = ["area", "stratum", "probability", "base_weight"]
PERSON = ["sex", "age", "age_band", "region", "zone", "status", "interviewed"]
INTERVIEW = ["interview_group", "interview_probability", "interview_status", "employed", "hours"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = _run(Path(folder) / "tiny")
        steps = list(walk(project))
        dwellings = steps[0][1].table.table[["dwelling", *DESIGN, *DWELLING]]
        dwellings = dwellings.reset_index(drop=True)
        chain = steps[-1][2].apply(steps[-1][1]).adjustments
        eligibility, response, _, _, interview = (a.cells for a in chain)
        dwellings["class_e"], dwellings["class_r"] = eligibility.codes, response.codes
        persons = steps[-1][1].table.table
        numbers = {d: i for i, d in enumerate(dwellings["dwelling"], 1)}
        kept = persons[PERSON + INTERVIEW].copy()
        for column in ("interviewed", "employed"):
            kept[column] = kept[column].astype("Int64")
        kept.insert(0, "dwelling", persons["dwelling"].map(numbers))
        kept.insert(1, "household", pd.factorize(persons["household"])[0] + 1)
        kept["class_i"] = interview.codes
        dwellings["dwelling"] = dwellings["dwelling"].map(numbers)
        margins = pd.read_csv(project.results("field", "known_totals.csv"), dtype=str)
        _write(dwellings, "dwellings.csv.gz")
        _write(kept, "persons.csv.gz")
        _write(margins, "margins.csv")


def _run(folder: Path) -> Project:
    areas = pd.read_parquet(FRAME / "areas.parquet")
    areas = areas[areas["province"].isin(TINY)].reset_index(drop=True)
    truth = pd.read_parquet(FRAME / "truth.parquet")
    truth = truth[truth["area"].isin(areas["area"])].reset_index(drop=True)
    project = Project(write_project(folder, areas, truth, TINY_CHANGES))
    project.run()
    return project


def _write(table: pd.DataFrame, name: str) -> None:
    options = {"method": "gzip", "mtime": 0} if name.endswith(".gz") else None
    table.to_csv(HERE / name, index=False, compression=options, lineterminator="\n")


if __name__ == "__main__":
    main()
