"""Repeat a whole survey, from selection to estimates, on a synthetic population."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from nsm import __version__
from nsm.errors import OptionError
from nsm.estimation.estimates import COLUMNS, Estimates
from nsm.simulation.characteristics import characteristics, load_table
from nsm.simulation.field_rules import FieldRules
from nsm.simulation.population import Population
from nsm.simulation.runs import BLOCK, Block, Kept
from nsm.simulation.scheme import Recipe, Scheme
from nsm.simulation.stock import Stock, condense
from nsm.simulation.trial import Trial

Progress = Callable[[str, int, int], None]
STOCK, DONE = "stock", "done"
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Simulation:
    """What repeated surveys showed. Synthetic: for planning, never for publication.

    Attributes
    ----------
    table
        Operating characteristics: see `nsm.simulation.characteristics`.
    load
        Fieldwork, cost and weights: see `nsm.simulation.load_table`.
    runs, loads
        Every estimate, and what each survey took, by scheme and run.
    seed, count
        Of the runs: run k (from 0) has seed + k.
    """

    table: pd.DataFrame
    load: pd.DataFrame
    runs: pd.DataFrame
    loads: pd.DataFrame
    seed: int
    count: int


def simulate(
    plan: Any,
    population: Population | Stock,
    *,
    count: int = 500,
    seed: int = 1,
    frame: Any = None,
    size: str | None = "households",
    method: str = "systematic",
    sort: Sequence[str] = (),
    take: int | None = None,
    weighting: Recipe | None = None,
    by: Sequence[Sequence[str]] | None = None,
    costs: Mapping[str, float] | None = None,
    scenario: str = "recorded",
    rules: FieldRules | None = None,
    rule: str = "eclac2023",
    folder: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Repeat a survey and say how well it does.

    Parameters
    ----------
    plan
        An `nsm.Plan`, a table with `stratum` and `n`, a mapping {stratum: n}; or a mapping from
        names to these, or to `Scheme`s, which are compared with common random numbers.
    population
        Whom to ask; or a `Stock` that was made of it.
    count, seed
        How many surveys; run k (from 0) is drawn and answered with seed + k.
    frame
        What is drawn from, with `stratum`; the population's own frame if None.
    size, method, sort, take, weighting, scenario, costs
        Of every plan that is not a `Scheme`; see there.
    by
        Domains. If None: everybody, and the domain columns of the plan.
    rules
        How dwellings answer; those of the population if None. A `Stock` has none.
    rule
        The rule of publication.
    folder
        Where runs are kept: a stopped simulation goes on, and a larger `count` adds to it.
    workers
        Processes; all cores if None. A script that asks for several must have its calls under
        `if __name__ == "__main__":`.
    progress
        Is told what is done (`population`, `surveys`), how much, of how much.

    Returns
    -------
    Simulation

    Raises
    ------
    OptionError, SimulationError
    """
    if count < 2:
        raise OptionError(
            "count={count} surveys show no variation. Ask for 2 or more.", count=count
        )
    if isinstance(population, Stock) and rules is None:
        raise OptionError("A stock says nothing of response: give rules=population.field.")
    rules = population.field if isinstance(population, Population) and rules is None else rules
    assert rules is not None  # noqa: S101 (looked at above)
    options = {
        "size": size,
        "method": method,
        "sort": tuple(sort),
        "take": take,
        "weighting": weighting or {},
        "scenario": scenario,
        "costs": costs or {},
    }
    schemes = _schemes(plan, options, by)
    key = _key(schemes, population, (rules, frame), seed=seed, rule=rule)
    kept = Kept(folder, key)
    todo = kept.missing([*schemes], count)
    with _workers(workers, len(todo)) as (pool, scratch):
        stock = _stocked(population, kept.folder or scratch, pool, progress)
        job = Job(stock, rules, schemes, _drawable(frame, stock), seed, rule, count)
        truth = job.trial(next(iter(schemes))).targets.truth(stock.persons)
        if pool is not None:
            stock_folder = kept.folder or scratch
            assert stock_folder is not None  # noqa: S101 (several workers share files)
            job = replace(job, stock=stock_folder / STOCK)
        _made(job, todo, kept, pool, progress)
    runs, loads = kept.whole([*schemes], count)
    return Simulation(characteristics(runs, truth), load_table(loads), runs, loads, seed, count)


@dataclass(frozen=True)
class Job:
    """Makes blocks of runs; it can be sent to other processes.

    Parameters
    ----------
    stock
        The population, or the folder where it is.
    frame
        What is drawn from.
    """

    stock: Stock | Path
    rules: FieldRules
    schemes: Mapping[str, Scheme]
    frame: Any
    seed: int
    rule: str
    count: int

    def trial(self, name: str) -> Trial:
        """Return the survey of a scheme, ready to be made."""
        stock = self.stock if isinstance(self.stock, Stock) else Stock.open(self.stock)
        return Trial(stock, self.rules, self.schemes[name], self.frame)

    def __call__(self, place: tuple[str, int]) -> tuple[tuple[str, int], Block]:
        """Make one block of runs."""
        name, first = place
        trial = self.trial(name)
        estimates, loads = [], []
        for run in range(first, min(first + BLOCK, self.count)):
            result = trial(self.seed + run)
            estimates.append(result.estimates.assign(run=run))
            loads.append({"scheme": name, "run": run, **result.load})
        runs = pd.concat(estimates, ignore_index=True)
        runs.insert(0, "scheme", name)
        return place, (_flagged(runs, self.rule, self.schemes[name]), pd.DataFrame(loads))


def _flagged(runs: pd.DataFrame, rule: str, scheme: Scheme) -> pd.DataFrame:
    """Add the verdict of the rule of publication on each estimate."""
    from nsm.publication import flag

    table = runs.rename(columns={"domain": "domain_"}).assign(
        statistic="total", category=None, order=float("nan"), note=None
    )
    table["cv"] = table["se"] / table["estimate"].abs()
    names = runs["domain"].str.replace(r"=[^,]*", "", regex=True)
    estimates = Estimates(table[["domain_", *COLUMNS]], ("domain_",), 0.95)
    planned = runs["domain"][names.isin(scheme.domains_planned())].unique().tolist()
    made = flag(estimates, rule, planned=planned)
    return runs.assign(cv=table["cv"], verdict=made.table["verdict"].to_numpy())


def _schemes(
    plan: Any, options: dict[str, Any], by: Sequence[Sequence[str]] | None
) -> dict[str, Scheme]:
    several = isinstance(plan, Mapping) and not any(
        isinstance(n, int | float) for n in plan.values()
    )
    given = dict(plan) if several else {"plan": plan}
    out = {}
    for name, one in given.items():
        if not str(name).replace("_", "").isalnum():
            raise OptionError(
                "A plan is called {name!r}. Use letters, numbers and _: it names files.", name=name
            )
        scheme = one if isinstance(one, Scheme) else Scheme(one, **options)
        domains = by
        if domains is None and scheme.by == ((),):
            columns = [d for d in scheme.domains_planned() if d != "all"]
            domains = [(), *((c,) for c in columns)]
        if domains is not None:
            scheme = replace(scheme, by=tuple(tuple(columns) for columns in domains))
        out[str(name)] = scheme.settled()
    first = next(iter(out.values()))
    for scheme in out.values():
        if scheme.by != first.by or dict(scheme.counts) != dict(first.counts):
            raise OptionError("Plans that are compared must have the same counts and domains.")
    return out


def _drawable(frame: Any, stock: Stock) -> Any:
    """Return what is drawn from, a `Frame`, which makes its hash only once."""
    from nsm.frame import Frame

    table = stock.areas if frame is None else getattr(frame, "table", frame)
    return Frame(table.sort_values("area", ignore_index=True), "area")


def _key(
    schemes: Mapping[str, Scheme],
    population: Population | Stock,
    others: tuple[FieldRules, Any],
    *,
    seed: int,
    rule: str,
) -> dict[str, str]:
    """Return what the runs depend on, by part, as hashes."""
    rules, frame = others
    areas = population.areas if isinstance(population, Stock) else population.frame
    table = areas if frame is None else getattr(frame, "table", frame)
    key = {
        "seed": str(seed),
        "rule": rule,
        "version": __version__,
        "response": _hash(repr(rules)),
        "frame": _hash(_content(table)),
        "population": _hash(_content(areas) + str(getattr(population, "seed", ""))),
    }
    for name, scheme in schemes.items():
        key[f"plan {name}"] = _hash(_content(vars(scheme)))
    return key


def _content(value: Any) -> str:
    if isinstance(value, pd.DataFrame):
        return value.to_csv(index=False)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{k}:{_content(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_content, value)) + "]"
    return repr(value)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def _workers(
    workers: int | None, blocks: int
) -> Iterator[tuple[ProcessPoolExecutor | None, Path | None]]:
    """Give processes with one thread each, and a folder that they share; None for one process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    size = min(workers or cores or 1, max(blocks, 1))
    if size < 2:
        yield None, None
        return
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        with (
            tempfile.TemporaryDirectory(prefix="nsm-") as scratch,
            ProcessPoolExecutor(size, mp_context=get_context("spawn")) as pool,
        ):
            yield pool, Path(scratch)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _stocked(
    population: Population | Stock,
    folder: Path | None,
    pool: Executor | None,
    progress: Progress | None,
) -> Stock:
    """Return the population by household, made once and kept where there is a folder."""
    place = None if folder is None else folder / STOCK
    if place is not None and (place / DONE).exists():
        return Stock.open(place)
    stock = population
    if isinstance(population, Population):
        told = None if progress is None else (lambda done, of: progress("population", done, of))
        each = map if pool is None else pool.map
        stock = condense(population, each=each, progress=told)
    assert isinstance(stock, Stock)  # noqa: S101 (the other kind was condensed)
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
        stock.save(place)
        (place / DONE).touch()
    return stock


def _made(
    job: Job,
    todo: Sequence[tuple[str, int]],
    kept: Kept,
    pool: Executor | None,
    progress: Progress | None,
) -> None:
    """Make the blocks that are missing, and keep each as soon as it is made."""
    for done, (place, block) in enumerate(_blocks(job, todo, pool), 1):
        kept.add(place, block)
        if progress:
            progress("surveys", done * BLOCK, len(todo) * BLOCK)


def _blocks(
    job: Job, todo: Sequence[tuple[str, int]], pool: Executor | None
) -> Iterator[tuple[tuple[str, int], Block]]:
    if pool is None:
        yield from map(job, todo)
        return
    waiting = {pool.submit(job, place) for place in todo}
    try:
        while waiting:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ready:
                yield future.result()
    finally:
        for future in waiting:
            future.cancel()
