"""Allocate the areas to strata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nsm.allocation import Plan, allocate, areas_at
from nsm.allocation.areas import PriorError, Response
from nsm.errors import ConfigError, Phrase, nearest
from nsm.files import write_table, write_text
from nsm.frame import Frame
from nsm.project.project import Made
from nsm.project.settings import AllocationSettings
from nsm.project.stages.frame import stratified

if TYPE_CHECKING:
    from nsm.allocation.allocate import StrataAt
    from nsm.project.project import Project


def make(project: Project, folder: Path) -> Made:
    """Write `plan.csv`, `precision.csv`, `comparison.csv` and `curve.csv`."""
    plan = planned(project)
    write_table(plan.table, folder / "plan.csv")
    write_table(plan.precision, folder / "precision.csv")
    write_table(plan.compare(), folder / "comparison.csv")
    write_table(plan.curve(), folder / "curve.csv")
    facts = {"areas": plan.n, "cost": round(plan.cost, 2), "rule": plan.rule}
    write_text(json.dumps(facts, indent=1) + "\n", folder / "plan.json")
    cost = f"{project.settings.allocation.currency} {plan.cost:,.0f}".lstrip()
    return Made(facts, Phrase("{areas:,} areas, {cost}", areas=plan.n, cost=cost))


def planned(
    project: Project, frame: Frame | None = None, *, error: float = 1.0, interview: float = 1.0
) -> Plan:
    """Return the allocation that the settings ask for.

    Parameters
    ----------
    frame
        With strata and expected counts; that of the project if None.
    error, interview
        Factors on the variance of the prior's errors and on the cost of interviews.
    """
    settings = project.settings.allocation
    return allocate(
        strata_at(project, frame, error=error, interview=interview),
        settings.rule,
        precision=_targets(settings.precision),
        minimum=settings.minimum,
    )


def strata_at(
    project: Project,
    frame: Frame | None = None,
    *,
    response: float | None = None,
    error: float = 1.0,
    interview: float = 1.0,
) -> StrataAt:
    """Return the strata as a function of n, for `allocate`.

    Parameters
    ----------
    frame
        With strata and expected counts; that of the project if None.
    response
        Share of the dwellings that answer; that of the settings if None.
    error, interview
        Factors on the variance of the prior's errors and on the cost of interviews.
    """
    settings, described = project.settings.allocation, project.settings.frame
    expected = list(described.expected)
    for domain, targets in settings.precision.items():
        for y in targets:
            if y not in expected:
                raise ConfigError(
                    "[allocation.precision.{domain}] has a target for {y!r}, of which "
                    "[frame.expected] says nothing. {hint}",
                    domain=domain,
                    y=y,
                    hint=nearest(y, expected),
                )
    return areas_at(
        stratified(project) if frame is None else frame,
        size=described.size,
        y=expected,
        domains=list(settings.domains),
        area_cost=settings.area_cost,
        screening_cost=settings.screening_cost,
        interview_cost=interview * settings.interview_cost,
        error={y: e.sharper(error) for y, e in _error(settings, expected).items()},
        response=Response(settings.response if response is None else response),
    )


def _error(settings: AllocationSettings, expected: list[str]) -> dict[str, PriorError]:
    """Return how the truth varies around what is expected, by variable."""
    for name, known in settings.prior_error.items():
        unknown = set(known) - set(PriorError._fields)
        if unknown:
            raise ConfigError(
                "[allocation.prior_error.{name}] has an unknown key {key!r}. {hint}",
                name=name,
                key=min(unknown),
                hint=nearest(min(unknown), PriorError._fields),
            )
    given = settings.prior_error
    return {name: PriorError(**given.get(name, {})) for name in [*expected, *given]}


def _targets(precision: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {domain: dict(targets) for domain, targets in precision.items()}
