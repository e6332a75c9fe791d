"""Speed of weighting beside svy and R survey, in one run.

`python tests/benchmarks/weighting.py [persons]`: 1 million persons, 20,000 PSUs, 200 strata.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import nsm

AUXILIARIES = 60
R = """
suppressMessages(library(survey))
d <- read.csv("people.csv")
for (v in c("region", "sex", "band")) d[[v]] <- factor(d[[v]])
s <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
timed <- function(what, f) {
  cat(sprintf("%-42s %7.2f s\n", what, system.time(f())["elapsed"]))
}
m <- read.csv("margins.csv")
margin <- function(v) setNames(m[m$variable == v, c("category", "total")], c(v, "Freq"))
timed("R: raking to 32 x 2 x 8, total", function() {
  r <- rake(s, list(~region, ~sex, ~band), lapply(c("region", "sex", "band"), margin),
            control = list(maxit = 100, epsilon = 1))
  print(svytotal(~y, r))
})
f <- reformulate(paste0("x", 1:60))
timed("R: GREG with 60 auxiliaries, total", function() {
  g <- calibrate(s, f, c(sum(d$w), read.csv("totals.csv")$total), calfun = "linear")
  print(svytotal(~y, g))
})
"""


def people(persons: int, seed: int = 7) -> pd.DataFrame:
    """Return invented persons in households, PSUs and strata."""
    rng = np.random.default_rng(seed)
    psus = max(persons // 50, 400)
    psu = np.sort(rng.integers(0, psus, persons))
    region = (psu * 32 // psus).astype(str)
    table = pd.DataFrame(
        {
            "psu": psu,
            "stratum": psu * 200 // psus,
            "household": np.cumsum(np.r_[0, (rng.random(persons - 1) < 0.3) | (np.diff(psu) > 0)]),
            "w": rng.uniform(5, 15, persons),
            "region": pd.Categorical(region),
            "sex": pd.Categorical(rng.choice(["F", "M"], persons)),
            "band": pd.Categorical(rng.integers(0, 8, persons).astype(str)),
            "y": rng.lognormal(3, 1, persons),
        }
    )
    x = rng.normal(2, 1, (persons, AUXILIARIES)).round(2)
    named = pd.DataFrame(x, columns=[f"x{k + 1}" for k in range(AUXILIARIES)])
    return pd.concat([table, named], axis=1)


def margins_of(table: pd.DataFrame, seed: int = 8) -> dict[str, dict[str, float]]:
    """Return margins a few percent away from the sample's."""
    rng = np.random.default_rng(seed)
    whole = float(table["w"].sum()) * 1.03
    made = {}
    for name in ("region", "sex", "band"):
        sums = table.groupby(name, observed=True)["w"].sum()
        sums = sums * rng.uniform(0.93, 1.07, len(sums))
        made[name] = (sums / sums.sum() * whole).to_dict()
    return made


def timed(what: str, act: Callable[[], Any]) -> Any:
    """Run, print the seconds and the peak memory so far, and return the result."""
    start = time.perf_counter()
    found = act()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{what:42} {time.perf_counter() - start:7.2f} s {peak:6.2f} GB")  # noqa: T201 (its output)
    return found


def ours(table: pd.DataFrame) -> None:
    """Time nsm: imports are not timed, and codes are made once, as in any session."""
    few = table.iloc[::100]
    _total(nsm.Survey(few, weight="w", psu="psu").rake(margins_of(few)))
    margins = margins_of(table)
    survey = nsm.Survey(table, weight="w", stratum="stratum", psu="psu")
    survey.total("y")
    for name in ("region", "sex", "band", "household"):
        survey.table.codes(name)
    raked = timed("nsm: raking to 32 x 2 x 8, total", lambda: _total(survey.rake(margins)))
    totals = {f"x{k + 1}": float(table[f"x{k + 1}"] @ table["w"]) * 1.01 for k in range(60)}
    for name in totals:
        survey.table.number(name)
    timed(
        "nsm: GREG with 60 auxiliaries, total",
        lambda: _total(survey.calibrate(totals, method="linear")),
    )
    timed(
        "nsm: raking with one weight a household",
        lambda: _total(survey.rake(margins, unit="household")),
    )
    repeated = raked.replicate("bootstrap", count=500, seed=1)
    timed("nsm: 500 replicates raked anew, total", lambda: repeated.total("y", deff=None))


def _total(survey: nsm.Survey) -> nsm.Survey:
    survey.total("y", deff=None)
    return survey


def svy(table: pd.DataFrame) -> None:
    """Time svy on the first two tasks, if it is installed."""
    try:
        import polars as pl
        import svy as peer
    except ImportError:
        print("svy is not installed")  # noqa: T201 (its output)
        return
    margins = margins_of(table)
    frame = pl.from_pandas(table.astype(dict.fromkeys(("region", "sex", "band"), "str")))
    design = peer.Design(stratum="stratum", psu="psu", wgt="w")
    sample = peer.Sample(frame, design)

    def raked() -> None:
        made = sample.weighting.rake(controls=margins, wgt_name="raked")
        made.estimation.total("y")

    def greg() -> None:
        totals = {f"x{k + 1}": float(table[f"x{k + 1}"] @ table["w"]) * 1.01 for k in range(60)}
        made = sample.weighting.calibrate(controls=totals, wgt_name="greg")
        made.estimation.total("y")

    timed("svy: raking to 32 x 2 x 8, total", raked)
    timed("svy: GREG with 60 auxiliaries, total", greg)


def r(table: pd.DataFrame) -> None:
    """Time R survey on the first two tasks."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        table.drop(columns="household").to_csv(place / "people.csv", index=False)
        rows = [(v, c, t) for v, m in margins_of(table).items() for c, t in m.items()]
        pd.DataFrame(rows, columns=["variable", "category", "total"]).to_csv(
            place / "margins.csv", index=False
        )
        totals = [float(table[f"x{k + 1}"] @ table["w"]) * 1.01 for k in range(60)]
        pd.DataFrame({"total": totals}).to_csv(place / "totals.csv", index=False)
        (place / "time.R").write_text(R, encoding="utf-8")
        subprocess.run(["Rscript", "time.R"], cwd=place, check=True)  # noqa: S607 (R on the path)


if __name__ == "__main__":
    invented = people(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    ours(invented)
    svy(invented)
    r(invented)
