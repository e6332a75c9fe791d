"""Repeat a project's survey: other plans beside it, and other worlds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nsm.errors import OptionError, nearest
from nsm.frame import Frame, neighbor_pairs
from nsm.project.rehearsal import Rehearsal, rehearsal
from nsm.project.stages.allocation import planned
from nsm.project.stages.frame import prepared
from nsm.simulation import Adaptive, Scheme, Simulation, Stock, condense, simulate
from nsm.simulation.sensitivity import (
    fewer_migrants,
    hidden_hot_spots,
    less_response,
    older_prior,
    sharper_prior,
)

if TYPE_CHECKING:
    from nsm.project.project import Project

PLAN = "plan"
GROUP = "municipality"
# What the worlds are: a third of the migrants fewer, ten points of response, five years of which
# each leaves 95 % of a deviation, no hot spot known, a quarter more to pay, half of the error gone.
FEWER, POINTS, YEARS, PERSISTENCE, HOT, DEARER = 1 / 3, 0.10, 5, 0.95, 0.10, 1.25
SHARPER = 0.5
LEADING = 0.30  # share of immigrants and descendants from which an area leads to its neighbors

PLANS: Mapping[str, str] = {
    "proportional": "Areas in proportion to the strata's, at the same cost.",
    "uncalibrated": "Without calibration.",
    "unadjusted": "Without the step for non-response.",
    "subsample": "Half of the dwellings of each area, at random, in as many areas.",
    "adaptive": "Areas of 30 % and more lead to their neighbors (adaptive cluster sampling).",
    "status": "The response of dwellings depends on migrant status itself.",
}
WORLDS: Mapping[str, str] = {
    "prevalence": "A third fewer dwellings with migrants than the plan expects.",
    "response": "The response of dwellings is ten points lower.",
    "prior": "The prior is five years older.",
    "hotspots": "The prior knows no hot spot above 10 %.",
    "costs": "Everything costs a quarter more.",
    "sharper": "The prior has half its error, and the plan counts on it.",
}
Progress = Callable[[str, int, int], None]


def repeated(
    project: Project,
    *,
    count: int,
    seed: int,
    compare: Sequence[str] = (),
    what_if: Sequence[str] = (),
    folder: Path,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Repeat the survey of a project, with other plans and in other worlds.

    All use the same random numbers. What is done is kept in `folder`.

    Parameters
    ----------
    compare, what_if
        Names of `PLANS` and of `WORLDS`.

    Raises
    ------
    OptionError, ProjectError, SimulationError
    """
    for given, known in ((compare, PLANS), (what_if, WORLDS)):
        for name in given:
            if name not in known:
                raise OptionError(
                    "There is no alternative {name!r}. {hint}", name=name, hint=nearest(name, known)
                )
    base = rehearsal(project)
    options: dict[str, Any] = {
        "count": count,
        "seed": seed,
        "workers": workers,
        "progress": progress,
        "rule": project.settings.publication.rule,
    }
    first = simulate(
        {PLAN: base.scheme}, base.population, folder=folder / PLAN, frame=base.frame, **options
    )
    made = [first]
    stock = _stock(base, folder / PLAN / "stock") if compare or what_if else None
    for name in (*compare, *what_if):
        assert stock is not None  # noqa: S101 (there is something to compare)
        scheme, people, rules, frame = _alternative(project, base, stock, name)
        made.append(
            simulate(
                {name: scheme}, people, rules=rules, folder=folder / name, frame=frame, **options
            )
        )
    return Simulation(
        pd.concat([m.table for m in made], ignore_index=True),
        pd.concat([m.load for m in made], ignore_index=True),
        pd.concat([m.runs for m in made], ignore_index=True),
        pd.concat([m.loads for m in made], ignore_index=True),
        seed,
        count,
    )


def _stock(base: Rehearsal, folder: Path) -> Stock:
    return Stock.open(folder) if folder.exists() else condense(base.population)


def _alternative(project: Project, base: Rehearsal, stock: Stock, name: str) -> tuple[Any, ...]:
    """Return scheme, population, response and frame of another plan or world."""
    scheme, rules, frame, people = base.scheme, base.population.field, base.frame, stock
    if name in PLANS:
        scheme = _other_plan(scheme, frame, name)
    elif name == "prevalence":
        language = base.population.setting.language
        people = fewer_migrants(stock, FEWER, seed=project.settings.survey.seed, language=language)
    elif name == "response":
        rules = less_response(rules, POINTS)
    elif name == "costs":
        scheme = replace(scheme, costs={k: v * DEARER for k, v in scheme.costs.items()})
    else:
        frame = _other_prior(project, stock, name)
        error = (1 - SHARPER) ** 2 if name == "sharper" else 1.0
        scheme = replace(scheme, plan=planned(project, frame, error=error))
    return scheme, people, rules, frame


def _other_plan(scheme: Scheme, frame: Frame, name: str) -> Scheme:
    recipe = scheme.weighting
    if name == "proportional":
        other = scheme.plan.replan(rule="proportional", budget=scheme.plan.cost, n=None)
        return replace(scheme, plan=other, planned=scheme.domains_planned())
    if name == "uncalibrated":
        kept = [s for s in recipe.get("persons", ()) if s.get("step") != "calibration"]
        return replace(scheme, weighting={**recipe, "persons": kept})
    if name == "unadjusted":
        return replace(scheme, weighting={**recipe, "dwellings": []})
    if name == "subsample":
        size = str(scheme.size)
        return replace(scheme, take=max(2, round(float(frame.table[size].mean()) / 2)))
    if name == "adaptive":
        return replace(scheme, adaptive=Adaptive(LEADING, neighbor_pairs(frame)))
    return replace(scheme, scenario="status")


def _other_prior(project: Project, stock: Stock, name: str) -> Frame:
    """Return the frame as it would be with another prior: its strata and what is expected."""
    frame = Frame.read(project.source(project.settings.frame.source))
    table = frame.table
    column = frame.description["prior"]["column"]
    group = table[GROUP if GROUP in table.columns else frame.levels[0]]
    prior = table[column].to_numpy(dtype=float)
    if name == "sharper":
        truth = stock.prevalence.reindex(table[frame.key].astype("str")).to_numpy(dtype=float)
        other = sharper_prior(prior, truth, table[project.settings.frame.size], share=SHARPER)
    elif name == "prior":
        seed = project.settings.survey.seed
        other = older_prior(prior, group, years=YEARS, persistence=PERSISTENCE, seed=seed)
    else:
        other = hidden_hot_spots(prior, group, threshold=HOT)
    return prepared(project, frame.replaced(table=table.assign(**{column: other})))
