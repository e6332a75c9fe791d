"""The explorer of a project: its strata at several prevalences, and its targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from nsm.errors import ConfigError
from nsm.project.stages.allocation import strata_at
from nsm.simulation.proposal import PREVALENCES, Explored, World, tabulated

if TYPE_CHECKING:
    from nsm.project.proposal.material import Material
    from nsm.project.proposal.page import Words

HALF = 0.5


def explored_strata(material: Material) -> list[dict[str, Any]]:
    """Return what the explorer holds of each stratum."""
    project, frame = material.project, material.frame
    expected = [*project.settings.frame.expected]
    worlds = []
    for prevalence in PREVALENCES:
        scaled = frame.table[expected] * prevalence
        other = frame.replaced(table=frame.table.assign(**{y: scaled[y] for y in expected}))
        worlds.append(
            World(strata_at(project, other, response=1.0), strata_at(project, other, response=HALF))
        )
    return tabulated(worlds, expected, list(project.settings.allocation.domains))


def explored(page: Words) -> Explored:
    """Return what else the page needs.

    Raises
    ------
    ConfigError
        The price list is below the cost of fieldwork that the allocation takes.
    """
    material, settings = page.material, page.settings
    plan, whole = material.plan, material.totals["whole"]
    if whole <= plan.cost:
        raise ConfigError(
            "{file}: the whole budget is {whole}, but the allocation takes {cost} for fieldwork "
            "alone. Bring the prices and the costs in [allocation] of survey.toml together.",
            file=material.prices.file,
            whole=f"{whole:,.0f}",
            cost=f"{plan.cost:,.0f}",
        )
    goals = plan.precision[plan.precision["target"].notna()]
    return Explored(
        overhead=whole - plan.cost,
        budget=whole,
        response=settings.allocation.response,
        minimum=settings.allocation.minimum,
        plan=[int(n) for n in plan.table["n"]],
        targets=pd.DataFrame([_target(page, row) for row in goals.to_dict("records")]),
        rule=settings.publication.rule,
        currency=material.prices.currency,
        locale=page.locale,
        title=page.text(settings.survey.name),
        notice=page.notice,
        provenance=page.provenance,
    )


def _target(page: Words, row: dict[Any, Any]) -> dict[str, Any]:
    where, variable = page.domain(row["domain"], row["value"]), page.variable(row["variable"])
    everywhere = row["domain"] == "all"
    group = where if everywhere else page.say(str(row["domain"]).capitalize())
    return {
        "domain": row["domain"],
        "value": str(row["value"]),
        "variable": row["variable"],
        "target": row["target"],
        "words": f"{variable}, {where}",
        "domain_words": where,
        "variable_words": variable,
        "group_words": f"{variable}, {group}",
    }
