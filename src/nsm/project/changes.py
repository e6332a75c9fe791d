"""Changes since the last round: the headline figures of two finished projects, with their tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nsm.errors import ConfigError
from nsm.estimation import Estimates, change
from nsm.indicators.comparison import with_tests
from nsm.project.stages.estimation import weighted
from nsm.publication import Protection, flag, protect

if TYPE_CHECKING:
    from nsm.project.project import Project

LEVEL = 0.05


def changes(project: Project, previous: Project) -> Estimates:
    """Return the change of the headline figures since the round before, protected.

    Areas that both rounds drew, in the same stratum, bring their covariance. A column `p` has the
    two-sided p-value of no change (t, with the degrees of freedom of the change), and `adjusted`
    the same after Holm (1979) for all figures together.

    Raises
    ------
    ConfigError
        The previous round is not older.
    ProjectError
        It has not been run.
    """
    settings = project.settings
    if previous.settings.survey.year >= settings.survey.year:
        raise ConfigError(
            "[publication] previous is a round of {year}; the one before {this} is wanted.",
            year=previous.settings.survey.year,
            this=settings.survey.year,
        )
    asked = settings.estimation.tables[settings.estimation.headline]
    derived = settings.estimation.derived
    first, second = (weighted(one, asked.of, derived) for one in (previous, project))
    made = change(first, second, dict(asked.statistics), by=list(asked.by), where=asked.where)
    flagged = flag(made, settings.publication.rule, planned=asked.planned)
    safe = protect(flagged, Protection(minimum=settings.publication.minimum_cases))
    table = with_tests(safe.table)
    return Estimates(table, safe.by, safe.level, safe.unknown)
