"""`nsm allocate`: how many areas in each stratum, at what cost, how precise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nsm.cli.app import Session, pass_session
from nsm.cli.stages import run_stages
from nsm.cli.tables import listed

if TYPE_CHECKING:
    import pandas as pd

    from nsm.project import Project

_CV = {
    "covered": ".1%",
    "cv": ".1%",
    "cv_ordered": ".1%",
    "cv_proportional": ".1%",
    "target": ".1%",
}
_TARGET = {"value": "Domain", "variable": "Variable"}


@click.command("allocate")
@click.option("--force", is_flag=True, help="Run it even if it is fresh.")
@click.option("--compare", is_flag=True, help="Show it beside proportional allocation.")
@click.option("--curve", is_flag=True, help="Show how cost and precision go together.")
@click.option("--plot", metavar="FILE", help="Draw the curve (PNG, SVG, PDF).")
@pass_session
def allocate(
    session: Session, *, force: bool, compare: bool, curve: bool, plot: str | None
) -> None:
    r"""Allocate the areas to strata, at the least cost for the targets.

    Shows n by stratum, the expected CV of each target, which targets bind and what a point of CV
    costs. Targets and costs stand in [allocation] of survey.toml.

    \b
    Example:
        nsm allocate
        nsm allocate --compare --curve
        nsm allocate --plot curve.png --json
    """
    project = session.project()
    run_stages(session, project, ("allocation",), force=force)
    tables = _tables(project, compare=compare, curve=curve)
    facts = dict(project.facts("allocation"))
    if plot is not None:
        facts["plot"] = _plotted(session, project, plot)
    session.show({**facts, **tables}, lambda: _said(session, project, tables))


def _tables(project: Project, *, compare: bool, curve: bool) -> dict[str, pd.DataFrame]:
    from nsm.files import read_table

    wanted = {"strata": "plan", "precision": "precision"}
    if project.results("allocation").joinpath("aging.csv").exists():
        wanted["aging"] = "aging"
    if project.results("allocation").joinpath("excluded.csv").exists():
        wanted["excluded"] = "excluded"
    if compare:
        wanted["comparison"] = "comparison"
        if project.results("allocation").joinpath("sizes.csv").exists():
            wanted["sizes"] = "sizes"
    if curve:
        wanted["curve"] = "curve"
    text = ["stratum", "domain", "value", "variable"]
    return {
        name: read_table(project.results("allocation", f"{file}.csv"), text=text)
        for name, file in wanted.items()
    }


def _plotted(session: Session, project: Project, plot: str) -> str:
    from pathlib import Path

    from nsm.errors import OptionError
    from nsm.files import atomic
    from nsm.frame.description import label
    from nsm.project.stages.allocation import planned

    file = Path(plot)
    known = (".pdf", ".png", ".svg")
    if file.suffix.lower() not in known:
        raise OptionError(
            "A picture is written as {known}, not {suffix!r}.",
            known=", ".join(known),
            suffix=file.suffix,
        )
    figure, survey = planned(project).plot("curve", session.language), project.settings.survey
    if survey.synthetic:
        notice = label(survey.notice, session.language, session.words("synthetic"))
        figure.suptitle(notice, fontsize=8, color="firebrick")
    with atomic(file) as partial:
        figure.savefig(partial, dpi=150, format=file.suffix[1:].lower())
    return file.as_posix()


def _said(session: Session, project: Project, tables: dict[str, pd.DataFrame]) -> str:
    facts, words = project.facts("allocation"), session.words
    load = facts["fieldwork"]
    currency, strata = project.settings.allocation.currency, tables["strata"]
    parts = [
        listed(session, strata, _strata_columns(strata), {"probability": ".2%"}),
        _precision(session, tables["precision"]),
        words(
            "{n:,} areas, {currency} {cost:,.0f}",
            n=facts["areas"],
            currency=currency,
            cost=facts["cost"],
        ),
        words(
            "Expected in the field, with those who do not answer and with natives: "
            "{households:,.0f} households screened, {interviews:,.0f} interviews, {currency} "
            "{cost:,.0f}",
            households=load["households"],
            interviews=load["interviews"] + load["interviews_natives"],
            currency=currency,
            cost=load["cost"],
        ),
    ]
    if "excluded" in tables:
        said = "Excluded coverage: nothing is drawn there, totals are of the rest"
        parts += [
            words(said),
            _excluded(session, tables["excluded"]),
            words("Weights must be calibrated to totals of the covered part, not of the whole."),
        ]
    if "aging" in tables:
        parts += [words("What the age of the prior does to CVs:"), _aging(session, tables["aging"])]
    if "comparison" in tables:
        parts += [words("Beside proportional allocation:"), _comparison(session, tables)]
    if "curve" in tables:
        parts += [words("Cost and precision:"), _curve(session, tables["curve"])]
    return "\n\n".join(parts)


def _strata_columns(strata: pd.DataFrame) -> dict[str, str]:
    names = [str(c) for c in strata.columns if str(c).startswith("expected_")]
    expected = {c: c.removeprefix("expected_") for c in names}
    ends = {"stratum": "Stratum", "population": "Areas", "n": "n", "probability": "Probability"}
    if "n_psu" in strata.columns:
        ends = {
            "stratum": "Stratum",
            "psus": "Areas",
            "n_psu": "Areas drawn",
            "take": "Take",
            "population": "Units",
            "n": "Units drawn",
            "probability": "Probability",
        }
    return {**ends, **expected, "cost": "Cost"}


def _precision(session: Session, precision: pd.DataFrame) -> str:
    goals = precision[precision["target"].notna()]
    goals = goals if len(goals) else precision
    columns = {
        **_TARGET,
        "covered": "Covered",
        "cv": "CV",
        "cv_ordered": "CV in order",
        "target": "Target",
        "binding": "Binding",
        "point_cost": "A point of CV costs",
    }
    present = {name: heading for name, heading in columns.items() if name in goals.columns}
    return listed(session, goals, present, _CV)


def _excluded(session: Session, table: pd.DataFrame) -> str:
    totals = {c: c.removeprefix("total_") for c in table.columns if c.startswith("total_")}
    return listed(session, table, {"stratum": "Stratum", "population": "Areas", **totals})


def _aging(session: Session, table: pd.DataFrame) -> str:
    columns = {
        "domain": "Domain",
        "migrants": "Migrants",
        "cv_trusted": "CV, prior still true",
        "cv_expected": "CV with its age",
        "cv_shrunk": "CV, allocation knows its age",
    }
    return listed(session, table, columns, dict.fromkeys(columns, ".1%") | {"migrants": ",.0f"})


def _comparison(session: Session, tables: dict[str, pd.DataFrame]) -> str:
    columns: dict[str, Any] = {
        **_TARGET,
        "target": "Target",
        "cv": "CV",
        "cv_proportional": "CV, proportional at this cost",
        "ratio": "Ratio",
    }
    sizes = {"allocation": "Allocation", "n": "n", "cost": "Cost", "worst": "Worst CV / target"}
    rows = tables["comparison"]
    goals = rows[rows["target"].notna()]
    parts = [listed(session, goals if len(goals) else rows, columns, {**_CV, "ratio": ".2f"})]
    if "sizes" in tables:
        parts.append(listed(session, tables["sizes"], sizes, {"worst": ".2f"}))
    return "\n\n".join(parts)


def _curve(session: Session, curve: pd.DataFrame) -> str:
    whole = curve[curve["domain"] == "all"]
    wide = whole.pivot_table("cv", ["cost", "n"], "variable").reset_index()
    names = [c for c in wide.columns if c not in {"cost", "n"}]
    columns = {"cost": "Cost", "n": "n", **{name: name for name in names}}
    return listed(session, wide, columns, dict.fromkeys(names, ".1%"))
