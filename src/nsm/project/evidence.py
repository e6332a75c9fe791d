"""What `nsm simulate` left in a project's folder, and whether it is of the plan at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nsm.files import read_table

if TYPE_CHECKING:
    import pandas as pd

    from nsm.allocation import Plan
    from nsm.project.project import Project

SIMULATED, PLAN = "simulation", "plan"


def evidence(project: Project) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return the tables of `nsm simulate`, characteristics and load, if they are there."""
    folder = project.folder / SIMULATED
    files = [folder / f"{name}.csv" for name in ("characteristics", "load")]
    if not all(file.exists() for file in files):
        return None
    table, load = (read_table(file) for file in files)
    return table, load


def is_stale(load: pd.DataFrame, plan: Plan) -> bool:
    """Return whether the simulations drew another number of areas than the plan has."""
    drawn = load.loc[(load["scheme"] == PLAN) & (load["quantity"] == "areas"), "mean"]
    return len(drawn) != 1 or abs(float(drawn.iloc[0]) - plan.n) > 0.5


def simulated_cvs(project: Project, plan: Plan) -> dict[tuple[str, str], float]:
    """Return the CVs that simulated surveys had, by target; none if they are of another plan."""
    found = evidence(project)
    if found is None or is_stale(found[1], plan):
        return {}
    own = found[0][found[0]["scheme"] == PLAN]
    columns = (own["domain"], own["variable"], own["sd"], own["truth"])
    return {(str(d), str(v)): float(sd / t) for d, v, sd, t in zip(*columns, strict=True)}
