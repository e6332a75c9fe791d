"""Speed and memory of estimation beside svy and R's package survey, in one run.

    python tests/benchmarks/estimation.py                  # 1 million persons, 20,000 PSUs
    python tests/benchmarks/estimation.py --big 100000000  # out of core, from a Parquet file

Each task runs in a process of its own. Seconds by the clock and of processors (user and system, all
threads) count the work after the table is read; ratios are of processor seconds, which whatever
else the machine does changes less. Peak memory is that of reading the table and the task.
Peers that are not installed are left out. The population is synthetic, not ENI results.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd

LONGEST = 200.0  # seconds that a program may take
MARGINS = (
    "{'sex': {0: 26e6, 1: 27e6}, 'age': {k: 53e6 / 10 for k in range(10)}, "
    "'region': {k: 53e6 / 32 for k in range(32)}}"
)
# Each prints its seconds: the work after the table is read and the survey declared.
NSM_START = """
import time, nsm, pandas as pd
from nsm import mean, ratio, total
t = pd.read_parquet('persons.parquet')
started, worked = time.perf_counter(), time.process_time()
s = nsm.Survey(t, weight='w', stratum='stratum', psu='psu')
"""
NSM_END = "\nprint('seconds', time.perf_counter() - started, time.process_time() - worked)\n"
AGAIN = "\nstarted, worked = time.perf_counter(), time.process_time()\n"
ALL = "s.estimate([total('y'), mean('y'), ratio('y', 'x')], by='domain')"
NSM = {
    "total, mean, ratio by 64 domains": ALL,
    "the same, codes warm": f"{ALL}{AGAIN}{ALL}",
    "raking to 3 margins, total": f"s.rake({MARGINS}).total('y')",
    "GREG with 60 auxiliaries, total": (
        "m = {f'a{k}': float(t[f'a{k}'].mul(t.w).sum()) * 1.01 for k in range(60)}"
        f"{AGAIN}"
        "s.calibrate(m, method='linear').total('y')"
    ),
    "500 bootstrap replicates, 32 totals": (
        "s.replicate('bootstrap', count=500, seed=1).total('y', by='region')"
    ),
}
SVY_START = """
import time, polars as pl, svy, warnings
warnings.simplefilter('ignore')
t = pl.read_parquet('persons.parquet')
started, worked = time.perf_counter(), time.process_time()
s = svy.Sample(t, svy.Design(stratum='stratum', psu='psu', wgt='w'))
"""
SVY = {
    "total, mean, ratio by 64 domains": (
        "e = s.estimation\n"
        "e.total('y', by='domain', deff='wr')\ne.mean('y', by='domain', deff='wr')\n"
        "e.ratio('y', 'x', by='domain', deff='wr')"
    ),
    "raking to 3 margins, total": f"s.weighting.rake(controls={MARGINS}).estimation.total('y')",
    "GREG with 60 auxiliaries, total": (
        "m = {f'a{k}': float((t[f'a{k}'] * t['w']).sum()) * 1.01 for k in range(60)}"
        f"{AGAIN}"
        "s.weighting.calibrate(controls=m).estimation.total('y')"
    ),
    "500 bootstrap replicates, 32 totals": (
        "s.weighting.create_bs_wgts(500, rstate=1)"
        ".estimation.total('y', by='region', method='replication')"
    ),
}
R_START = """
suppressMessages(library(survey)); t <- read.csv('persons.csv'); t$one <- 1
started <- proc.time()
s <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = t)
"""
R_END = "\nused <- proc.time() - started\ncat('seconds', used[3], used[1] + used[2], '\\n')\n"
R = {
    "total, mean, ratio by 64 domains": (
        "svyby(~y, ~domain, s, svytotal, deff = 'replace')\n"
        "svyby(~y, ~domain, s, svymean, deff = 'replace')\n"
        "svyby(~y, ~domain, s, svyratio, denominator = ~x)"
    ),
    "raking to 3 margins, total": (
        "p <- function(v, n, total) setNames(data.frame(0:(n - 1), total), c(v, 'Freq'))\n"
        "svytotal(~y, rake(s, list(~sex, ~age, ~region), list(p('sex', 2, c(26e6, 27e6)), "
        "p('age', 10, 53e5), p('region', 32, 53e6 / 32))))"
    ),
    "GREG with 60 auxiliaries, total": (
        "a <- paste0('a', 0:59); m <- colSums(t[, a] * t$w) * 1.01\n"
        "started <- proc.time()\n"
        "svytotal(~y, calibrate(s, as.formula(paste('~', paste(a, collapse = '+'), '- 1')), m))"
    ),
}


def write_persons(folder: Path, rows: int, psus: int = 20_000) -> None:
    """Write the persons of the benchmark: 200 strata, 64 domains, 60 auxiliaries."""
    g = np.random.default_rng(1)
    psu = np.sort(g.integers(0, psus, rows))
    table = pd.DataFrame(
        {
            "psu": psu,
            "stratum": psu * 200 // psus,
            "w": g.uniform(20, 86, rows),
            "domain": g.integers(0, 64, rows),
            "region": psu * 32 // psus,
            "sex": g.integers(0, 2, rows),
            "age": g.integers(0, 10, rows),
            "y": g.lognormal(2, 1, rows),
            "x": g.uniform(1, 9, rows),
        }
    )
    more = pd.DataFrame(g.normal(5, 2, (rows, 60)), columns=[f"a{k}" for k in range(60)])
    for name, made in (("persons", table), ("wide", table.join(more))):
        made.to_parquet(folder / f"{name}.parquet")
        if shutil.which("Rscript"):
            made.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")


class Run(NamedTuple):
    """What a process prints, its seconds by the clock and of processors, its peak memory in GB."""

    text: str
    seconds: float = np.nan
    worked: float = np.nan
    memory: float = np.nan


def child(command: list[str], folder: Path) -> Run:
    """Run a process that counts its own seconds."""
    with tempfile.TemporaryFile() as out:
        made = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.DEVNULL)
        killer = threading.Timer(LONGEST, made.kill)
        killer.start()
        _, status, used = os.wait4(made.pid, 0)
        killer.cancel()
        made.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    if made.returncode:
        return Run(f"failed or not done in {LONGEST} s")
    seconds, worked = text.split("seconds")[-1].split()[:2]
    return Run(text, float(seconds), float(worked), used.ru_maxrss / 2**20)


def say(task: str, who: str, run: Run, ours: Run) -> None:
    times = "" if run is ours else f"   x {run.worked / ours.worked:.1f}"
    line = f"{run.seconds:8.2f} s {run.worked:8.2f} s of processors {run.memory:6.2f} GB{times}"
    print(f"  {task:38s} {who:4s} {line}", flush=True)  # noqa: T201 - a benchmark prints


def compare(folder: Path) -> None:
    """Run every task with every program."""
    rscript = shutil.which("Rscript")
    for task, code in NSM.items():
        file = "wide." if "GREG" in task else "persons."
        script = (NSM_START + code + NSM_END).replace("persons.", file)
        ours = child([sys.executable, "-c", script], folder)
        say(task, "nsm", ours, ours)
        if task in SVY and find_spec("svy"):
            script = (SVY_START + SVY[task] + NSM_END).replace("persons.", file)
            say(task, "svy", child([sys.executable, "-c", script], folder), ours)
        if task in R and rscript:
            script = (R_START + R[task] + R_END).replace("persons.", file)
            say(task, "R", child([rscript, "-e", script], folder), ours)
    for code in ("import nsm", "from nsm import Survey", "import svy"):
        if find_spec(code.split()[1]):
            script = f"import time{AGAIN}{code}{NSM_END}"
            best = min(child([sys.executable, "-c", script], folder).seconds for _ in range(5))
            print(f"  {code:38s} {best:13.3f} s")  # noqa: T201 - a benchmark prints


def costs(folder: Path) -> None:
    """Show what one more domain, statistic and row cost."""
    import nsm

    table = pd.read_parquet(folder / "wide.parquet")
    print("\nCost, processor seconds (codes warm, best of three)")  # noqa: T201 - a benchmark prints
    for rows in (len(table) // 10, len(table) * 3 // 10, len(table)):
        part = table.iloc[:: len(table) // rows].iloc[:rows]
        part = part.assign(fine=part["domain"] * 8 + part["age"] % 8)
        survey = nsm.Survey(part, weight="w", stratum="stratum", psu="psu")
        for by, domains in ((None, 1), ("domain", 64), ("fine", 512)):
            line = []
            for count in (1, 4, 16):
                wanted = [nsm.mean(f"a{k}") for k in range(count)]
                survey.estimate(wanted, by=by, deff=None)
                seconds = []
                for _ in range(3):
                    started = time.process_time()
                    survey.estimate(wanted, by=by, deff=None)
                    seconds.append(time.process_time() - started)
                line.append(f"{count:2d} means {min(seconds):7.3f}")
            print(f"  {rows:9,} rows {domains:4d} domains: " + ", ".join(line), flush=True)  # noqa: T201 - a benchmark prints


def big(folder: Path, rows: int) -> None:
    """Estimate from a Parquet file that is not read into memory."""
    path = folder / "big.parquet"
    started = time.perf_counter()
    with duckdb.connect() as base:
        base.execute("SET memory_limit = '4GB'").fetchall()
        base.execute("SELECT setseed(0.5)").fetchall()
        source = base.sql(
            "SELECT i // 5000 AS psu, i // 500000 AS stratum, 20 + 60 * random() AS w, "
            "i * 7919 % 64 AS domain, 100 * random() AS y, 1 + 8 * random() AS x "
            "FROM range($1) r(i)",
            params=[rows],
        )
        source.write_parquet(str(path))
    written = time.perf_counter() - started
    size = path.stat().st_size / 2**30
    print(f"{rows:,} rows, {size:.1f} GB, written in {written:.0f} s")  # noqa: T201 - a benchmark prints
    code = (
        f"import time, nsm\nfrom nsm import mean, ratio, total{AGAIN}"
        f"s = nsm.Survey({str(path)!r}, weight='w', stratum='stratum', psu='psu')\n"
        f"print(s.pushed, {ALL}.table[['estimate', 'se']].head(1).to_dict('list'))"
    )
    run = child([sys.executable, "-c", code + NSM_END], folder)
    print(run.text.splitlines()[0])  # noqa: T201 - a benchmark prints
    say("total, mean, ratio by 64 domains", "nsm", run, run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--big", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.big:
            big(folder, given.big)
            return
        # Processes start with the memory of who starts them, so the table is made in another one.
        writer = get_context("spawn").Process(target=write_persons, args=(folder, given.rows))
        writer.start()
        writer.join()
        compare(folder)
        costs(folder)


if __name__ == "__main__":
    main()
