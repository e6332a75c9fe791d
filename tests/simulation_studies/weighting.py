"""Do weights take bias away, and are standard errors right after each chain of steps?

    python tests/simulation_studies/weighting.py         # rewrites weighting.csv, about 20 minutes

The five scenarios are those of `estimation.py`, fixed before any run; populations are synthetic,
not ENI results. Persons refuse by what is heard at the door and by sex, and what is heard goes with
what is estimated. Each chain of steps is applied to every sample.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from estimation import COUNT, SCENARIOS, SEED, Scenario, samples

from nsm.estimation import Estimates, Survey
from nsm.weighting import Calibration, Nonresponse, Step, Trimming, Weighting

RESULTS = Path(__file__).with_suffix(".csv")
REPLICATES, REPEATED = 1000, 4

Frame = pd.DataFrame
ESTIMATED: dict[str, tuple[str, Callable[[Survey], Estimates]]] = {
    "i": ("immigrant", lambda s: s.total("immigrant")),
    "ii": ("origin", lambda s: s.total("origin")),
    "iii": ("pay", lambda s: s.mean("pay")),
    "iv": ("pay", lambda s: s.mean("pay")),
    "v": ("immigrant", lambda s: s.total("immigrant")),
}
CELLS = Nonresponse(cells=("door", "sex"))
PROPENSITY = Nonresponse(propensity="door + sex")
CLASSES = Nonresponse(propensity="door + sex", classes=5)
# What each chain needs: whether persons refuse, and its steps, given the margins of the census.
CHAINS: dict[str, tuple[bool, Callable[[Frame], list[Step]]]] = {
    "none, all answer": (False, lambda _: []),
    "none": (True, lambda _: [Nonresponse(cells=())]),
    "cells": (True, lambda _: [CELLS]),
    "propensity": (True, lambda _: [PROPENSITY]),
    "propensity classes": (True, lambda _: [CLASSES]),
    "linear": (False, lambda m: [Calibration(m, "linear")]),
    "raking": (False, lambda m: [Calibration(m, "raking")]),
    "logit": (False, lambda m: [Calibration(m, "logit", bounds=(0.3, 3.0))]),
    "cells, raking": (True, lambda m: [CELLS, Calibration(m, "raking")]),
    "propensity, linear": (True, lambda m: [PROPENSITY, Calibration(m, "linear")]),
    "cells, raking, trimming": (
        True,
        lambda m: [CELLS, Calibration(m), Trimming(upper=1.3, median=True, margins=of_sex(m))],
    ),
}


def of_sex(census: Frame) -> Frame:
    """Return the margin of sex alone: those of the door leave nothing to trim."""
    return census[census["variable"] == "sex"]


def heard(population: Frame, column: str, rng: np.random.Generator) -> Frame:
    """Add what is heard at each door: it goes with what is estimated."""
    value = population[column]
    likely = value > value.median() if column == "pay" else value == 1
    foreign = rng.random(len(population)) < np.where(likely, 0.7, 0.2)
    return population.assign(door=np.where(foreign, "foreign", "spanish"))


def margins(population: Frame) -> Frame:
    """Return the census: persons by sex and by what is heard."""
    parts = [
        population[c].value_counts().rename_axis("category").reset_index(name="total")
        for c in ("sex", "door")
    ]
    return pd.concat(parts, keys=("sex", "door"), names=["variable", None]).reset_index(level=0)


def answered(survey: Survey, scenario: Scenario, rng: np.random.Generator) -> Survey:
    """Let persons refuse: 35 % where a foreign language is heard, 10 %, men 10 points more."""
    table = survey.table.frame.to_native()
    refuse = 0.10 + 0.25 * (table["door"] == "foreign") + 0.10 * (table["sex"] == "M")
    status = np.where(rng.random(len(table)) < refuse, "nonrespondent", "respondent")
    return Survey(table.assign(disposition=status), **scenario.design)


def replicates(survey: Survey, chain: str, seed: int) -> Survey:
    """Return it with 1,000 bootstrap replicates; trimmed weights with a jackknife.

    A bootstrap replicate that misses a stratum's PSUs cannot always hold margins and bounds.
    """
    if chain.endswith("trimming"):
        return survey.replicate("jkn")
    return survey.replicate("bootstrap", count=REPLICATES, seed=seed)


def run(name: str, count: int = COUNT, seed: int = SEED) -> Frame:
    """Weight and estimate `count` samples by every chain: a row for each chain and sample."""
    scenario = SCENARIOS[name]
    column, estimate = ESTIMATED[name]
    population = heard(
        scenario.population(np.random.default_rng(seed)), column, np.random.default_rng(seed + 2)
    )
    census = margins(population)
    truth = float(estimate(Survey(population.assign(w=1.0), weight="w")).table["estimate"].iloc[0])
    rng = np.random.default_rng(seed + 3)
    rows = []
    for k, survey in enumerate(samples(scenario, population, count, seed + 1)):
        asked = answered(survey, scenario, rng)
        for chain, (refused, steps) in CHAINS.items():
            made = Weighting(steps(census)).apply(asked if refused else survey)
            row = estimate(made).table.iloc[0]
            replicated = np.nan
            if k < REPEATED:
                replicated = float(estimate(replicates(made, chain, k)).table["se"].iloc[0])
            kept = {c: row[c] for c in ("estimate", "se", "lower", "upper")}
            rows.append({"chain": chain, "sample": k, "replicated": replicated, **kept})
    return pd.DataFrame(rows).assign(scenario=name, truth=truth)


def summarize(made: Frame) -> Frame:
    """Return a row for each scenario and chain; bias is in percent of the truth."""
    rows = []
    for (scenario, chain), t in made.groupby(["scenario", "chain"], sort=False):
        estimate, se, truth, r = t["estimate"], t["se"], t["truth"].iloc[0], len(t)
        sd = estimate.std()
        kurtosis = float(((estimate - estimate.mean()) ** 4).mean() / sd**4)
        ratio = se.mean() / sd
        coverage = float(((t["lower"] <= truth) & (truth <= t["upper"])).mean())
        spread = np.sqrt((kurtosis - 1) / (4 * r) + se.var() / se.mean() ** 2 / r)
        rows.append(
            {
                "scenario": scenario,
                "chain": chain,
                "samples": r,
                "bias": 100 * (estimate.mean() / truth - 1),
                "bias_mce": 100 * sd / truth / np.sqrt(r),
                "cv": 100 * sd / truth,
                "se_ratio": ratio,
                "se_ratio_mce": ratio * spread,
                "coverage": coverage,
                "coverage_mce": np.sqrt(coverage * (1 - coverage) / r),
                "replicated": float((t["replicated"] / se).mean()),
            }
        )
    return pd.DataFrame(rows)


def main(names: Sequence[str]) -> None:
    """Run scenarios, and write their rows of the table."""
    for name in names or list(SCENARIOS):
        started = time.perf_counter()
        made = summarize(run(name))
        if RESULTS.exists():
            kept = pd.read_csv(RESULTS)
            made = pd.concat([kept[kept["scenario"] != name], made])
        made = made.sort_values("scenario", kind="stable")
        made.to_csv(RESULTS, index=False, float_format="%.5g", lineterminator="\n")
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)  # noqa: T201 (a script says what it does)


if __name__ == "__main__":
    main(sys.argv[1:])
