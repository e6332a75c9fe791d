"""A project's survey, ready to be repeated on its synthetic population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsm.errors import ProjectError
from nsm.files import read_table
from nsm.frame import Frame
from nsm.project.stages.allocation import planned
from nsm.project.stages.field import controls, known_truth
from nsm.project.stages.frame import stratified
from nsm.selection.methods import method_of
from nsm.simulation import Population, Scheme, read_population

if TYPE_CHECKING:
    from nsm.project.project import Project

OWN = ("sex", "age_band")


@dataclass(frozen=True)
class Rehearsal:
    """A survey as its project plans it, and whom it would ask.

    Parameters
    ----------
    population
        Synthetic.
    frame
        With strata and expected counts.
    scheme
        Plan, selection, weighting, domains, costs.
    """

    population: Population
    frame: Frame
    scheme: Scheme


def rehearsed(project: Project) -> Population:
    """Return the synthetic population that the project names.

    Raises
    ------
    ProjectError
        It names none.
    """
    settings = project.settings
    simulation = settings.field.simulation
    if simulation is None:
        raise ProjectError(
            "The project has no synthetic population. Describe one, and name it in "
            "[field.simulation]."
        )
    return read_population(
        project.source(simulation.population),
        stratified(project).table,
        known_truth(project),
        seed=settings.survey.seed,
    )


def rehearsal(project: Project) -> Rehearsal:
    """Return the survey of a project, ready for `nsm.simulate`.

    Domains are those of the plan and of the tables of persons that the project declares.

    Raises
    ------
    ProjectError
        The project names no synthetic population.
    """
    settings = project.settings
    population, frame = rehearsed(project), stratified(project)
    simulation = settings.field.simulation
    assert simulation is not None  # noqa: S101 (the population has looked)
    costs = settings.allocation
    scheme = Scheme(
        planned(project),
        method=settings.selection.method,
        size=None if method_of(settings.selection.method).equal else settings.frame.size,
        sort=settings.selection.order,
        spread=settings.selection.spread,
        balance=settings.selection.balance,
        weighting={
            "dwellings": settings.weighting.dwellings,
            "persons": _with_margins(project, settings.weighting.persons, population),
        },
        scenario=simulation.scenario,
        by=_domains(project, frame),
        costs={
            "area": costs.area_cost,
            "screening": costs.screening_cost,
            "interview": costs.interview_cost,
        },
    )
    return Rehearsal(population, frame, scheme)


def _with_margins(
    project: Project, steps: Sequence[Mapping[str, Any]], population: Population
) -> list[dict[str, Any]]:
    """Return the steps with their margins: read, or those of the population."""
    made = []
    for step in steps:
        given = step.get("margins")
        if isinstance(given, str):
            file = project.folder / given
            if file.exists():
                given = read_table(file, text=("variable", "category"))
            else:
                given = controls(project, population)
        made.append({**step, "margins": given} if given is not None else dict(step))
    return made


def _domains(project: Project, frame: Frame) -> tuple[tuple[str, ...], ...]:
    settings = project.settings
    known = {*frame.table.columns, *OWN}
    wanted = [(), *((d,) for d in settings.allocation.domains)]
    wanted += [
        table.by
        for table in settings.estimation.tables.values()
        if table.of == "persons" and set(table.by) <= known
    ]
    return tuple(dict.fromkeys(wanted))
