"""Speed of selection beside R's package sampling and svy, in one run.

`python tests/benchmarks/selection.py`; peers that are not installed are left out.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import nsm
from nsm.selection.quality import spatial_balance

R = """
library(sampling)
d <- read.csv("frame.csv"); p <- inclusionprobabilities(d$dwellings, 2000)
show <- function(name, f) cat(sprintf("  %-34s %8.3f s\\n", name, system.time(f())[3]))
show("R UPsystematic", function() UPsystematic(p))
show("R UPpivotal", function() UPpivotal(p))
d <- read.csv("cube.csv"); x <- as.matrix(d[, -1]); p <- d$p
for (landing in 1:2) {
  t <- system.time(s <- samplecube(cbind(p, x), p, method = landing, comment = FALSE))[3]
  off <- max(abs(colSums(x[s > 0.5, ] / p[s > 0.5]) / colSums(x) - 1))
  name <- paste("R samplecube, landing", landing)
  cat(sprintf("  %-34s %8.3f s, imbalance %.4f\\n", name, t, off))
}
"""


def say(name: str, seconds: float, more: str = "") -> None:
    print(f"  {name:34s} {seconds:8.3f} s{more}")  # noqa: T201 - a benchmark prints


def timed(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Return the shortest of some runs after a first one, which compiles."""
    result, best = work(), np.inf
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return float(best), result


def areas(units: int = 100_000) -> pd.DataFrame:
    g = np.random.default_rng(1)
    size = np.round(g.gamma(4, 30, units) + 20)
    keys = [f"{k:08d}" for k in range(units)]
    return pd.DataFrame(
        {"area": keys, "dwellings": size, "x": g.random(units), "y": g.random(units)}
    )


def balancing(units: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    g = np.random.default_rng(1)
    size = g.gamma(4, 30, units)
    x = np.column_stack([g.gamma(2, 1, (units, 10)) * size[:, None] / 100, size])
    return nsm.inclusion_probabilities(size, 800), x


def methods(table: pd.DataFrame) -> None:
    frame = nsm.Frame(table)
    p = nsm.inclusion_probabilities(table["dwellings"].to_numpy(), 2000)
    points = table[["x", "y"]].to_numpy()
    for method in ("systematic", "pareto", "pivotal", "brewer", "sampford", "tille"):
        seconds, sample = timed(
            lambda m=method: nsm.draw(frame, 2000, size="dwellings", seed=1, method=m)
        )
        say(f"nsm {method}", seconds, f", n = {len(sample.table)}")
    seconds, sample = timed(
        lambda: nsm.draw(
            frame, 2000, size="dwellings", seed=1, method="local-pivotal", spread=["x", "y"]
        )
    )
    drawn = np.flatnonzero(table["area"].isin(sample.table["area"]))
    say("nsm local-pivotal", seconds, f", spatial balance {spatial_balance(p, points, drawn):.3f}")


def cubes(p: np.ndarray, x: np.ndarray) -> None:
    from nsm.selection.cube import cube

    off, seconds = [], np.inf
    for seed in range(21):
        start = time.perf_counter()
        drawn = cube(p, np.random.Generator(np.random.PCG64(seed)), x)
        seconds = min(seconds, time.perf_counter() - start)
        off.append(np.max(np.abs((x[drawn] / p[drawn, None]).sum(axis=0) / x.sum(axis=0) - 1)))
    say("nsm cube", seconds, f", imbalance {np.median(off):.4f} (median of 21)")


def peers(table: pd.DataFrame, p: np.ndarray, x: np.ndarray) -> None:
    if shutil.which("Rscript"):
        with tempfile.TemporaryDirectory() as folder:
            table.to_csv(Path(folder) / "frame.csv", index=False)
            pd.DataFrame(np.column_stack([p, x])).rename(columns={0: "p"}).to_csv(
                Path(folder) / "cube.csv", index=False
            )
            (Path(folder) / "run.R").write_text(R, encoding="utf-8")
            subprocess.run(["Rscript", "run.R"], cwd=folder, check=True)  # noqa: S607 - R is a peer
    if find_spec("svy"):
        import polars as pl
        import svy

        sample = svy.Sample(pl.DataFrame(table), svy.Design(mos="dwellings"))
        seconds, _ = timed(
            lambda: sample.sampling.pps_sys(n=2000, certainty_threshold=1.0), times=1
        )
        say("svy pps_sys", seconds)


if __name__ == "__main__":
    frame = areas()
    probabilities, variables = balancing()
    print("2,000 of 100,000 areas; 800 of 40,000 areas x 11 variables")  # noqa: T201
    methods(frame)
    cubes(probabilities, variables)
    peers(frame, probabilities, variables)
