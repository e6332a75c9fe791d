"""National surveys of migrants: from the sampling frame to published estimates.

The names below are the everyday ones; each room holds the rest (`nsm.allocation.sample_size`).
Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nsm.allocation import (
        Plan,
        allocate,
        cluster_size,
        sample_size,
        stratify,
        variance_components,
    )
    from nsm.errors import NsmError, NsmWarning
    from nsm.estimation import (
        Estimates,
        Statistic,
        Survey,
        change,
        count,
        gini,
        mean,
        poverty_gap,
        poverty_line,
        poverty_rate,
        proportion,
        quantile,
        quintile_share_ratio,
        ratio,
        total,
    )
    from nsm.frame import Frame
    from nsm.project import Project
    from nsm.questionnaire import Questionnaire
    from nsm.selection import Sample, draw, inclusion_probabilities, joint_probabilities
    from nsm.simulation import simulate
    from nsm.weighting import Weighting

_HOMES = {
    "Estimates": "estimation",
    "Frame": "frame",
    "NsmError": "errors",
    "NsmWarning": "errors",
    "Plan": "allocation",
    "Project": "project",
    "Questionnaire": "questionnaire",
    "Sample": "selection",
    "Statistic": "estimation",
    "Survey": "estimation",
    "Weighting": "weighting",
    "allocate": "allocation",
    "change": "estimation",
    "cluster_size": "allocation",
    "count": "estimation",
    "draw": "selection",
    "gini": "estimation",
    "inclusion_probabilities": "selection",
    "joint_probabilities": "selection",
    "mean": "estimation",
    "poverty_gap": "estimation",
    "poverty_line": "estimation",
    "poverty_rate": "estimation",
    "proportion": "estimation",
    "quantile": "estimation",
    "quintile_share_ratio": "estimation",
    "ratio": "estimation",
    "sample_size": "allocation",
    "simulate": "simulation",
    "stratify": "allocation",
    "total": "estimation",
    "variance_components": "allocation",
}
_ROOMS = (
    "allocation",
    "cli",
    "condition",
    "errors",
    "estimation",
    "fieldwork",
    "files",
    "frame",
    "indicators",
    "language",
    "project",
    "publication",
    "questionnaire",
    "selection",
    "simulation",
    "totals",
    "weighting",
)

__all__ = [
    "Estimates",
    "Frame",
    "NsmError",
    "NsmWarning",
    "Plan",
    "Project",
    "Questionnaire",
    "Sample",
    "Statistic",
    "Survey",
    "Weighting",
    "allocate",
    "change",
    "cluster_size",
    "count",
    "draw",
    "gini",
    "inclusion_probabilities",
    "joint_probabilities",
    "mean",
    "poverty_gap",
    "poverty_line",
    "poverty_rate",
    "proportion",
    "quantile",
    "quintile_share_ratio",
    "ratio",
    "sample_size",
    "simulate",
    "stratify",
    "total",
    "variance_components",
]


def __getattr__(name: str) -> object:
    """Import a public name, or a room, when it is first used."""
    if name in _HOMES:
        value = getattr(import_module(f"nsm.{_HOMES[name]}"), name)
    elif name in _ROOMS:
        value = import_module(f"nsm.{name}")
    else:
        raise AttributeError(f"module 'nsm' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_HOMES, *_ROOMS, "__version__"})
