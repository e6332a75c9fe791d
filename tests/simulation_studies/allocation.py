"""Do samples of the example's allocation vary as the plan says they will?

    python tests/simulation_studies/allocation.py        # rewrites allocation.csv, about 2 minutes

500 samples of areas are drawn as the project `eni-do` draws them, from the frame with the blurred
prior. All dwellings of an area are asked, and a share of them answers, which the settings say.
The population is synthetic, not ENI results.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import nsm
from nsm.project.rehearsal import rehearsal
from nsm.project.stages.allocation import planned
from nsm.project.stages.frame import stratified
from nsm.simulation import Stock, condense

RESULTS = Path(__file__).with_suffix(".csv")
EXAMPLE = Path(__file__).parents[2] / "examples" / "eni-do"
COUNT, SEED = 500, 20270115
STATUS = {"immigrants": "immigrant", "descendants": "descendant"}


def of_dwellings(stock: Stock) -> np.ndarray:
    """Return immigrants and descendants by dwelling (dwellings, 2)."""
    status = stock.classes["status"].to_numpy()
    counts = [stock.counts[:, status == s].sum(axis=1, dtype=np.int64) for s in STATUS.values()]
    below = np.vstack([np.zeros((1, 2), dtype=np.int64), np.column_stack(counts).cumsum(axis=0)])
    return np.diff(below[stock.first_household], axis=0)


def expanded(
    stock: Stock, y: np.ndarray, rows: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the counts of areas as their dwellings that answer tell them (areas, 2)."""
    sizes = stock.first_dwelling[rows + 1] - stock.first_dwelling[rows]
    area = np.repeat(np.arange(len(rows)), sizes)
    within = np.arange(len(area)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    dwelling = stock.first_dwelling[rows][area] + within
    lived = stock.occupied[dwelling]
    area, dwelling = area[lived], dwelling[lived]
    answer = rng.random(len(area)) < share
    asked, answered = (np.bincount(area[k], minlength=len(rows)) for k in (answer >= 0, answer))
    found = [np.bincount(area[answer], c[dwelling[answer]], len(rows)) for c in y.T]
    return np.column_stack(found) * (asked / np.maximum(answered, 1))[:, None]


def run(project: nsm.Project, stock: Stock, count: int = COUNT, seed: int = SEED) -> pd.DataFrame:
    """Draw `count` samples; return a row for each target and sample."""
    settings = project.settings
    frame, plan = stratified(project), planned(project)
    y, place = of_dwellings(stock), pd.Index(stock.areas["area"].astype("str"))
    domains = ["all", *settings.allocation.domains]
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(count):
        main = nsm.draw(
            frame,
            plan,
            method=settings.selection.method,
            size=settings.frame.size,
            seed=seed + k,
            sort=list(settings.selection.order),
        ).main.assign(all="")
        told = expanded(
            stock, y, place.get_indexer(pd.Index(main["area"])), settings.allocation.response, rng
        )
        weighted = main.assign(
            **dict(zip(STATUS, (told * main[["base_weight"]].to_numpy()).T, strict=True))
        )
        for domain in domains:
            total = weighted.groupby(domain, observed=True)[list(STATUS)].sum()
            tidy = total.rename_axis("value").reset_index()
            tidy = tidy.melt("value", var_name="variable", value_name="estimate")
            parts.append(tidy.assign(domain=domain, sample=k))
    return pd.concat(parts, ignore_index=True)


def summarize(project: nsm.Project, stock: Stock, made: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each target: CVs expected without and with the order, and realized."""
    keys = ["domain", "value", "variable"]
    areas = stock.areas.assign(all="")
    status = stock.classes["status"].to_numpy()
    persons = {v: stock.persons[:, status == s].sum(axis=1) for v, s in STATUS.items()}
    counted = pd.DataFrame(persons, index=areas.index)
    plan = planned(project)
    goals = plan.precision[plan.precision["target"].notna()]
    rows = []
    for goal in goals.to_dict("records"):
        goal["value"] = "" if goal["domain"] == "all" else goal["value"]
        same = np.logical_and.reduce([made[c] == goal[c] for c in keys])
        estimate = made.loc[same, "estimate"]
        truth = counted.loc[areas[goal["domain"]] == goal["value"], goal["variable"]].sum()
        realized = estimate.std() / truth
        rows.append(
            {
                **{c: goal[c] for c in keys},
                "samples": len(estimate),
                "target": goal["target"],
                "expected": goal["cv"],
                "in_order": goal.get("cv_ordered", goal["cv"]),
                "realized": realized,
                "realized_mce": realized / np.sqrt(2 * (len(estimate) - 1)),
                "bias": estimate.mean() / truth - 1,
                "expected_total": goal["total"],
                "true_total": truth,
            }
        )
    table = pd.DataFrame(rows)
    return table.assign(ratio=table["realized"] / table["in_order"])


def main() -> None:
    """Draw the samples of the example, and write the table."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "eni-do"
        folder.mkdir()
        for name in ("survey.toml", "population.toml"):
            shutil.copy(EXAMPLE / name, folder / name)
        project = nsm.Project(folder)
        project.run(["allocation"])
        stock = condense(rehearsal(project).population)
        made = summarize(project, stock, run(project, stock))
    made.to_csv(RESULTS, index=False, float_format="%.5g", lineterminator="\n")
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)  # noqa: T201 (a script says what it does)


if __name__ == "__main__":
    main()
