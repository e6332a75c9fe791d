"""National goals of the settings: the distance to each, and where the last change goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nsm.errors import NsmError
from nsm.estimation import Estimates
from nsm.indicators import Target, compare, compute, distances
from nsm.project.stages.indicators import registry, surveys

if TYPE_CHECKING:
    from nsm.project.project import Project


def goals(project: Project) -> tuple[pd.DataFrame, dict[str, NsmError]]:
    """Return how far the goals are, as `nsm.indicators.distances`, and those that failed.

    The round before is that of `[publication] previous`; without it there is no change.
    """
    targets = project.settings.indicators.targets
    rows, failures = [], {}
    if not targets:
        return pd.DataFrame(), {}
    known, sources, before = registry(project), surveys(project), _before(project)
    for code, goal in targets.items():
        try:
            now = compute(sources, [code], registry=known)
            change, since = None, None
            if before is not None:
                since = before.settings.survey.year
                change = _change(before, project, code)
            target = Target(goal.value, goal.year, goal.better)
            year = project.settings.survey.year
            rows.append(distances(now, {code: target}, year, change=change, since=since))
        except NsmError as error:
            failures[code] = error
    return (pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()), failures


def _before(project: Project) -> Project | None:
    folder = project.settings.publication.previous
    return None if folder is None else type(project)(project.source(folder) / "survey.toml")


def _change(before: Project, project: Project, code: str) -> Estimates | None:
    """Return the change since the round before; None where that round did not ask it."""
    both = (registry(before), registry(project))
    try:
        return compare(surveys(before), surveys(project), [code], registries=both)
    except NsmError:
        if code in both[0] and _computable(before, code):
            raise
        return None


def _computable(project: Project, code: str) -> bool:
    try:
        compute(surveys(project), [code], registry=registry(project))
    except NsmError:
        return False
    return True
