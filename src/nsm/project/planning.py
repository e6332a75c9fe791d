"""The planning answers of a project: what precision costs, and what else could be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.allocation import change_power, detectable_change, point_costs, second_phase
from nsm.allocation.compare import comparison, goals
from nsm.errors import OptionError
from nsm.project.evidence import simulated_cvs
from nsm.project.stages.allocation import planned
from nsm.project.stages.frame import stratified
from nsm.simulation.proposal import enlarged

if TYPE_CHECKING:
    from nsm.allocation import Plan
    from nsm.frame import Frame
    from nsm.project.project import Project

SHARPER = (1.0, 0.75, 0.5, 0.25, 0.0)  # variance of the prior's errors
SHARES = (1.0, 0.75, 0.5, 0.25)  # of those found, who are interviewed
CHANGES = (-0.2, -0.1, 0.1, 0.2)


@dataclass(frozen=True)
class Asked:
    """What the planning answers need and no project says.

    Parameters
    ----------
    overlap, correlation
        Share of areas that the last round had too, and correlation of an area's counts in both.
    before
        CV of the last round's estimates; that of the plan if None.
    power
        With which a change is to be seen.
    homogeneity
        Intraclass correlation, in areas, of what only the interview asks.
    households, deff
        Of a household survey that could be enlarged instead; without it that answer is left out.
    """

    overlap: float = 0.0
    correlation: float = 0.0
    before: float | None = None
    power: float = 0.8
    homogeneity: float = 0.05
    households: float | None = None
    deff: float = 6.0


def answers(
    project: Project, asked: Asked | None = None, *, plan: Plan | None = None
) -> dict[str, pd.DataFrame]:
    """Return the planning answers of a project, as tables.

    Parameters
    ----------
    asked
        What the project does not say; the defaults if None.
    plan
        That of the project; it is made if None.

    Returns
    -------
    `cheapest` (the plan, beside proportional ones; `bound`: no plan costs less), `curve`
    (precision against cost), `points` (what a point of CV costs), `change` (which change is seen,
    and with what probability some are), `second_phase`, `prior` (what a better frame saves) and,
    where `asked` names a survey and the country has targets, `existing` (the households it needs).

    Raises
    ------
    AllocationError
        No plan reaches a target; the message has the best CV there can be.
    OptionError
        The plan has no targets, or a number is out of its range.
    """
    asked = asked or Asked()
    frame = stratified(project)
    plan = plan or planned(project, frame)
    made = {
        "cheapest": _cheapest(plan),
        "curve": plan.curve(),
        "points": point_costs(plan),
        "change": changes_seen(plan, asked, simulated_cvs(project, plan)),
        "second_phase": _second_phase(project, plan, frame, asked),
        "prior": _priors(project, plan, frame),
    }
    if asked.households is not None and "all" in set(goals(plan)["domain"]):
        made["existing"] = _existing(project, plan, frame, asked)
    return made


def _cheapest(plan: Plan) -> pd.DataFrame:
    table = comparison(plan)
    bound = float("nan") if plan.bound is None else plan.bound
    return table.assign(bound=np.where(table["allocation"] == "plan", bound, np.nan))


def changes_seen(plan: Plan, asked: Asked, simulated: dict[tuple[str, str], float]) -> pd.DataFrame:
    """Return for each target the change that is seen, and the power for some changes.

    `cv` is the expected one; where surveys were simulated, `simulated` is the CV that they had and
    all other columns follow from it.
    """
    goals = plan.precision[plan.precision["target"].notna()]
    rows = []
    for row in goals.to_dict("records"):
        key = "all" if row["domain"] == "all" else f"{row['domain']}={row['value']}"
        found = simulated.get((key, row["variable"]))
        cv = row["cv"] if found is None else found
        same: dict[str, Any] = {
            "before": asked.before,
            "overlap": asked.overlap,
            "correlation": asked.correlation,
        }
        rows.append(
            {
                "domain": row["domain"],
                "value": row["value"],
                "variable": row["variable"],
                "cv": row["cv"],
                "simulated": found,
                "rise": detectable_change(cv, power=asked.power, **same),
                "fall": detectable_change(cv, power=asked.power, rising=False, **same),
                **{f"power_{c:+.0%}": change_power(c, cv, **same) for c in CHANGES},
            }
        )
    return pd.DataFrame(rows)


def _second_phase(project: Project, plan: Plan, frame: Frame, asked: Asked) -> pd.DataFrame:
    """Return what interviewing a share of the migrants found saves, with the cheapest plan for it.

    `saved` is with the same areas, `saved_replanned` with those that are cheapest then.
    """
    settings = project.settings.allocation
    cases = float(sum(plan.table[f"expected_{y}"].sum() for y in project.settings.frame.expected))
    interviews = cases * settings.response
    interviewing = settings.interview_cost * cases
    table = second_phase(
        areas=plan.n,
        cases=interviews,
        area_cost=(plan.cost - interviewing) / plan.n,
        interview_cost=interviewing / interviews,
        homogeneity=asked.homogeneity,
        shares=SHARES,
    )
    again = [planned(project, frame, interview=share).cost for share in SHARES]
    return table.assign(saved_replanned=[plan.cost - cost for cost in again])


def _priors(project: Project, plan: Plan, frame: Frame) -> pd.DataFrame:
    """Return the cheapest plan for the same targets with sharper priors: `error, n, cost, saved`.

    `error` is the variance of the prior's errors over that which the settings say.
    """
    rows = []
    for factor in SHARPER:
        made = plan if factor == 1.0 else planned(project, frame, error=factor)
        rows.append((factor, made.n, made.cost, plan.cost - made.cost))
    return pd.DataFrame(rows, columns=["error", "n", "cost", "saved"])


def _existing(project: Project, plan: Plan, frame: Frame, asked: Asked) -> pd.DataFrame:
    table = frame.table
    if "population" not in table.columns:
        raise OptionError(
            "The frame has no column 'population', so the share of migrants is not known. Add it."
        )
    own = plan.precision[(plan.precision["domain"] == "all") & plan.precision["target"].notna()]
    targets, persons = own.set_index("variable"), float(table["population"].sum())
    return enlarged(
        targets["total"],
        persons,
        target=targets["target"],
        size=persons / float(table[project.settings.frame.size].sum()),
        deff=asked.deff,
        n=float(asked.households or 0.0),
    )
