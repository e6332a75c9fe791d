"""Are standard errors right and do intervals cover? Five scenarios, fixed before any run.

    python tests/simulation_studies/estimation.py        # rewrites estimation.csv, about 15 minutes

All populations are synthetic, not ENI results. Each scenario draws samples again and again from one
population and estimates everything as a user would; `summarize` compares with the truth.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nsm.estimation import (
    Estimates,
    Survey,
    count,
    gini,
    mean,
    proportion,
    quantile,
    total,
)

RESULTS = Path(__file__).with_suffix(".csv")
COUNT, SEED = 1000, 20270115
PERSONS = 60

Frame = pd.DataFrame
Case = Mapping[str, Callable[[Survey], Estimates]]


@dataclass(frozen=True)
class Scenario:
    """A population, a way to draw samples from it, and what is estimated.

    Parameters
    ----------
    title
        In words.
    population
        From a generator: persons, a row each, with `area` from 0 in blocks.
    draw
        From the areas (a row each) and a generator: sampled areas with the columns of the design.
    design
        What the survey is told.
    cases
        Estimates from a survey, by name; their truth is the same call on everybody.
    subsample
        Persons drawn in each area; all if None.
    above
        Whether theory says that standard errors are too high, not unbiased.
    """

    title: str
    population: Callable[[np.random.Generator], Frame]
    draw: Callable[[Frame, np.random.Generator], Frame]
    design: Mapping[str, Any]
    cases: Case
    subsample: int | None = None
    above: bool = False


def persons(rng: np.random.Generator, areas: int) -> Frame:
    """Return areas of 60 persons each."""
    table = pd.DataFrame({"area": np.repeat(np.arange(areas), PERSONS)})
    return table.assign(sex=np.where(rng.random(len(table)) < 0.5, "M", "F"))


def rare(rng: np.random.Generator) -> Frame:
    """(i) Immigrants: 5.6 %, in areas of prevalence Beta(0.18, 3.03); deff about 15."""
    table = persons(rng, 4000)
    table["region"] = table["area"] % 8
    p = rng.beta(0.18, 3.03, 4000)[table["area"]]
    table["immigrant"] = (rng.random(len(table)) < p).astype(float)
    employed = rng.random(len(table)) < 0.5 + 0.2 * table["immigrant"]
    return table.assign(employed=employed.astype(float))


def hidden(rng: np.random.Generator) -> Frame:
    """(ii) An origin of 0.2 %, all in 2 % of the areas, most of which a prior knows."""
    table = persons(rng, 4000)
    home = np.zeros(4000, bool)
    home[rng.choice(4000, 80, replace=False)] = True
    prior = np.where(home, rng.random(4000) < 0.85, rng.random(4000) < 0.03)
    table["known"] = prior.astype(int)[table["area"]]
    table["origin"] = (home[table["area"]] & (rng.random(len(table)) < 0.1)).astype(float)
    table["age"] = rng.integers(0, 80, len(table)) * (1 - 0.3 * table["origin"])
    return table


def paid(rng: np.random.Generator) -> Frame:
    """(iii, iv) Pay is lognormal with an effect of the area."""
    table = persons(rng, 3000)
    level = rng.normal(0, 0.4, 3000)
    table["stratum"] = np.argsort(np.argsort(level + rng.normal(0, 0.4, 3000)))[table["area"]]
    noise = rng.normal(0, 1.0, len(table))
    table["pay"] = np.exp(6 + level[table["area"]] + noise)
    table["hours"] = np.clip(rng.normal(40, 8, len(table)) + noise, 5, 80)
    table["poor"] = (table["pay"] < 200).astype(float)
    return table


def sorted_by_prior(rng: np.random.Generator) -> Frame:
    """(v) Prevalence follows a prior by which the frame is sorted; sizes vary."""
    table = persons(rng, 4000)
    prior = np.sort(rng.beta(0.5, 6, 4000))
    size = rng.uniform(0.5, 1.5, 4000)
    truth = np.clip(prior * rng.lognormal(-0.08, 0.4, 4000), 0, 1)
    table["size"] = size[table["area"]]
    table["immigrant"] = (rng.random(len(table)) < truth[table["area"]]).astype(float)
    return table


def simple(
    column: str, n: Mapping[int, int] | int
) -> Callable[[Frame, np.random.Generator], Frame]:
    """Draw areas at random without replacement in each stratum."""

    def draw(areas: Frame, rng: np.random.Generator) -> Frame:
        parts = []
        for label, group in areas.groupby(column):
            size = n if isinstance(n, int) else n[int(str(label))]
            chosen = group.iloc[np.sort(rng.choice(len(group), size, replace=False))]
            parts.append(chosen.assign(stratum=label, population=len(group), size_n=size))
        return pd.concat(parts)

    return draw


def cut(strata: int) -> Callable[[Frame, np.random.Generator], Frame]:
    """Draw from equal strata of the order in `stratum`."""
    inner = {2: 100 // 2, 60: 2, 6: 20}

    def draw(areas: Frame, rng: np.random.Generator) -> Frame:
        cell = areas["stratum"] * strata // len(areas)
        return simple("cell", inner[strata])(areas.assign(cell=cell), rng)

    return draw


def systematic(areas: Frame, rng: np.random.Generator) -> Frame:
    """Draw 100 areas with probability proportional to size, in the order of the frame."""
    p = 100 * areas["size"].to_numpy() / areas["size"].sum()
    bounds = np.cumsum(p) + rng.random() - 1
    taken = np.ceil(bounds) > np.ceil(np.concatenate([[bounds[0] - p[0]], bounds[:-1]]))
    return areas[taken].assign(p=p[taken], stratum="all")


MEANS: Case = {
    "mean": lambda s: s.mean("pay"),
    "log mean": lambda s: s.estimate(mean("pay"), interval="log"),
    "total": lambda s: s.total("pay"),
    "ratio": lambda s: s.ratio("pay", "hours"),
    "share poor": lambda s: s.estimate(proportion("poor", 1.0)),
    "median": lambda s: s.estimate(quantile("pay")),
    "gini": lambda s: s.estimate(gini("pay")),
    "women": lambda s: s.mean("pay", where="sex == 'F'"),
    "gap": lambda s: s.estimate(mean("pay", where="sex == 'M'") - mean("pay", where="sex == 'F'")),
}
SHARES: Case = {
    "total": lambda s: s.total("immigrant"),
    "share, logit": lambda s: s.estimate(proportion("immigrant", 1.0)),
    "share, Korn-Graubard": lambda s: s.estimate(
        proportion("immigrant", 1.0), interval="korn-graubard"
    ),
    "share, Wilson": lambda s: s.estimate(proportion("immigrant", 1.0), interval="wilson"),
    "women": lambda s: s.total("immigrant", where="sex == 'F'"),
}
SCENARIOS: dict[str, Scenario] = {
    "i": Scenario(
        "prevalence 5.6 %, deff about 15; 160 of 4,000 areas in 8 strata",
        rare,
        simple("region", 20),
        {"weight": "w", "stratum": "stratum", "psu": "area", "fpc": "population"},
        {
            **SHARES,
            "employed of immigrants": lambda s: s.mean("employed", where="immigrant == 1"),
            "total, calibrated": lambda s: s.rake({"sex": {"M": 120000, "F": 120000}}).total(
                "immigrant"
            ),
        },
    ),
    "ii": Scenario(
        "an origin of 0.2 % in 2 % of the areas; 60 areas that a prior knows, 90 others",
        hidden,
        simple("known", {0: 90, 1: 60}),
        {"weight": "w", "stratum": "stratum", "psu": "area", "fpc": "population"},
        {
            "total": lambda s: s.total("origin"),
            "total, log": lambda s: s.estimate(total("origin"), interval="log"),
            "share, logit": lambda s: s.estimate(proportion("origin", 1.0)),
            "share, Korn-Graubard": lambda s: s.estimate(
                proportion("origin", 1.0), interval="korn-graubard"
            ),
            "mean age of the origin": lambda s: s.mean("age", where="origin == 1"),
            "women": lambda s: s.estimate(count("origin == 1 and sex == 'F'")),
        },
    ),
    "iii": Scenario(
        "two PSUs in each of 60 strata, 20 persons in each",
        paid,
        cut(60),
        {"weight": "w", "stratum": "stratum", "psu": "area"},
        {
            **{k: v for k, v in MEANS.items() if k in {"mean", "total", "ratio", "share poor"}},
            "mean, BRR": lambda s: s.replicate("brr").mean("pay"),
            "ratio, jackknife": lambda s: s.replicate("jkn").ratio("pay", "hours"),
        },
        subsample=20,
    ),
    "iv": Scenario(
        "skewed pay; 120 of 3,000 areas in 6 strata, 20 persons in each",
        paid,
        cut(6),
        {
            "weight": "w",
            "stratum": "stratum",
            "psu": ["area", "person"],
            "fpc": ["population", "size"],
        },
        {
            **MEANS,
            "mean, bootstrap": lambda s: s.replicate("preston", count=100, seed=1).mean("pay"),
        },
        subsample=20,
    ),
    "v": Scenario(
        "100 of 4,000 areas by systematic PPS, sorted by the prior, treated as with replacement",
        sorted_by_prior,
        systematic,
        {"weight": "w", "psu": "area"},
        SHARES,
        above=True,
    ),
}


def samples(scenario: Scenario, population: Frame, count: int, seed: int) -> Iterator[Survey]:
    """Draw surveys from a population."""
    constant = [c for c in ("region", "known", "stratum", "size") if c in population]
    areas = population.iloc[::PERSONS][["area", *constant]].reset_index(drop=True)
    columns = {c: population[c].to_numpy() for c in population.columns if c not in areas}
    rng = np.random.default_rng(seed)
    for _ in range(count):
        drawn = scenario.draw(areas, rng)
        size = scenario.subsample or PERSONS
        if scenario.subsample:
            picks = np.argsort(rng.random((len(drawn), PERSONS)), axis=1)[:, :size]
        else:
            picks = np.broadcast_to(np.arange(PERSONS), (len(drawn), PERSONS))
        rows = (drawn["area"].to_numpy()[:, None] * PERSONS + picks).ravel()
        made = drawn.loc[drawn.index.repeat(size)].reset_index(drop=True)
        p = made["p"] if "p" in made else made["size_n"] / made["population"]
        made = made.assign(w=PERSONS / size / p, person=np.tile(np.arange(size), len(drawn)))
        made = made.assign(size=PERSONS, **{c: v[rows] for c, v in columns.items()})
        yield Survey(made, **scenario.design)


def run(name: str, count: int = COUNT, seed: int = SEED) -> Frame:
    """Estimate everything in `count` samples: a row for each case and sample."""
    scenario = SCENARIOS[name]
    population = scenario.population(np.random.default_rng(seed))
    everyone = Survey(population.assign(w=1.0), weight="w")
    truth = {
        case: float(call(plain(everyone, case)).table["estimate"].iloc[0])
        for case, call in scenario.cases.items()
    }
    parts = []
    for k, survey in enumerate(samples(scenario, population, count, seed + 1)):
        for case, call in scenario.cases.items():
            parts.append(call(survey).table.iloc[[0]].assign(case=case, sample=k))
    made = pd.concat(parts, ignore_index=True)
    return made.assign(scenario=name, truth=made["case"].map(truth))


def plain(everyone: Survey, case: str) -> Survey:
    """Return everybody as a survey that can be replicated, where the case does so."""
    if case.endswith(("BRR", "jackknife", "bootstrap")):
        table = everyone.table.frame.to_native()
        half = np.arange(len(table)) % 2
        return Survey(table.assign(half=half, one=1), weight="w", stratum="one", psu="half")
    return everyone


def summarize(made: Frame) -> Frame:
    """Return one row per scenario and case, with Monte Carlo errors; bias is in Monte Carlo SDs."""
    made = made.assign(flagged=_flagged(made, "eclac2023"), caught=_flagged(made, "rare"))
    rows = []
    for (scenario, case), t in made.groupby(["scenario", "case"], sort=False):
        known = t["se"].notna() & t["lower"].notna()
        estimate, se = t["estimate"][known], t["se"][known]
        r, sd, truth = len(estimate), estimate.std(), t["truth"].iloc[0]
        kurtosis = float(((estimate - estimate.mean()) ** 4).mean() / sd**4)
        covered = (t["lower"] <= truth) & (truth <= t["upper"])
        coverage = covered[known].mean()
        ratio_of_se = se.mean() / sd
        rows.append(
            {
                "scenario": scenario,
                "case": case,
                "samples": r,
                "truth": truth,
                "bias": (estimate.mean() - truth) / sd,
                "se_ratio": ratio_of_se,
                "se_ratio_mce": ratio_of_se
                * np.sqrt((kurtosis - 1) / (4 * r) + se.var() / se.mean() ** 2 / r),
                "variance_ratio": (se**2).mean() / sd**2,
                "coverage": coverage,
                "coverage_mce": np.sqrt(coverage * (1 - coverage) / r),
                "cv": t["cv"].median(),
                "deff": t["deff"].median(),
                "effective_n": (t["n"] / t["deff"]).median(),
                "psus": t["psus"].median(),
                "flagged": t["flagged"].mean(),
                "caught": t["caught"].mean(),
            }
        )
    return pd.DataFrame(rows)


def _flagged(made: Frame, rule: str) -> np.ndarray:
    """Tell which estimates a quality rule does not let pass without a remark."""
    ours = {"case", "sample", "scenario", "truth"}
    columns = [c for c in made.columns if c not in ours]
    gaps = {v: "difference" for v in made["variable"].unique() if " - " in v}
    with np.errstate(over="ignore"):  # a gap near 0 has a CV without bound
        verdict = Estimates(made[columns]).flag(rule, kinds=gaps).table["verdict"]
    return (verdict != "publishable").to_numpy()


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
