"""Allocate the areas to strata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsm.allocation import Plan, allocate, areas_at, comparison, credit_order
from nsm.allocation.areas import PriorError, Response
from nsm.errors import ConfigError, Phrase, nearest
from nsm.files import read_table, require_columns, write_table, write_text
from nsm.frame import Frame, expected_cvs
from nsm.frame.rollup import prior_column
from nsm.project.project import Made
from nsm.project.stages.frame import stratified

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from nsm.allocation.allocate import StrataAt
    from nsm.project.project import Project


def make(project: Project, folder: Path) -> Made:
    """Write `plan.csv`, `precision.csv`, `comparison.csv` and `curve.csv`.

    `sizes.csv` is of plans with targets, `excluded.csv` of those with take-none strata. Where
    [frame.aging] says how old the prior is, `aging.csv` has what that does to expected CVs.
    """
    plan = planned(project)
    write_table(plan.whole, folder / "plan.csv")
    write_table(plan.precision, folder / "precision.csv")
    write_table(plan.compare(), folder / "comparison.csv")
    if plan.precision["target"].notna().any():
        write_table(comparison(plan), folder / "sizes.csv")
    if plan.excluded is not None:
        write_table(plan.excluded, folder / "excluded.csv")
    write_table(plan.curve(), folder / "curve.csv")
    if project.settings.frame.aging is not None:
        write_table(_aged(project, plan), folder / "aging.csv")
    areas = int(plan.table["n_psu"].sum()) if "n_psu" in plan.table.columns else plan.n
    load = expected_load(project, plan, areas)
    facts = {"areas": areas, "cost": round(plan.cost, 2), "rule": plan.rule, "fieldwork": load}
    write_text(json.dumps(facts, indent=1) + "\n", folder / "plan.json")
    cost = f"{project.settings.allocation.currency} {plan.cost:,.0f}".lstrip()
    return Made(facts, Phrase("{areas:,} areas, {cost}", areas=areas, cost=cost))


def expected_load(project: Project, plan: Plan, drawn: int) -> dict[str, float]:
    """Return what the fieldwork of a plan is expected to take, interviews of natives included.

    The cost of the plan itself is what the allocation moves between strata: every household of an
    area screened, and every immigrant and descendant interviewed.

    Parameters
    ----------
    drawn
        Number of areas that are drawn.

    Returns
    -------
    Households screened, interviews of the persons sought and of the others, and the cost of all
    with the areas. Interviews of others are 0 where the frame does not say how many persons there
    are.
    """
    settings, described = project.settings.allocation, project.settings.frame
    areas = stratified(project).table
    rate = areas["stratum"].map(plan.table.set_index("stratum")["probability"]).fillna(0.0)
    sought = areas[[*described.expected]].sum(axis=1).to_numpy(dtype=float)
    people = areas["population"].to_numpy(dtype=float) if "population" in areas else sought
    share = rate.to_numpy(dtype=float) * settings.response
    screened = float(share @ areas[described.size].to_numpy(dtype=float))
    interviews = float(share @ sought)
    others = float(share @ (people - sought).clip(min=0)) * project.settings.field.native_fraction
    cost = (
        drawn * settings.area_cost
        + screened * settings.screening_cost
        + (interviews + others) * settings.interview_cost
    )
    return {
        "households": round(screened, 1),
        "interviews": round(interviews, 1),
        "interviews_natives": round(others, 1),
        "cost": round(cost, 2),
    }


def planned(
    project: Project, frame: Frame | None = None, *, error: float = 1.0, interview: float = 1.0
) -> Plan:
    """Return the allocation that the settings ask for.

    Targets are met without the order of the list, and with the same errors of the prior all over
    the country. Where the sample is systematic, `cv_ordered` says beside `cv` what to expect with
    the order, and with what the settings know of the errors in single domains.

    Parameters
    ----------
    frame
        With strata and expected counts; that of the project if None.
    error, interview
        Factors on the variance of the prior's errors and on the cost of interviews.
    """
    settings, selection = project.settings.allocation, project.settings.selection
    frame = stratified(project) if frame is None else frame
    world: dict[str, Any] = {"error": error, "interview": interview}
    given = _given(project) if settings.strata else None
    plan = allocate(
        strata_at(project, frame, **world) if given is None else given,
        settings.rule,
        n=settings.n,
        budget=settings.budget,
        precision=_targets(settings.precision) or None,
        y=settings.y,
        power=settings.power,
        importance=settings.importance,
        minimum=settings.minimum,
    )
    if selection.method != "systematic" or given is not None:
        return plan
    return credit_order(plan, strata_at(project, frame, order=list(selection.order), **world))


def _given(project: Project) -> pd.DataFrame:
    """Return the table of strata that the settings name."""
    settings = project.settings.allocation
    text = ["stratum", *settings.domains]
    table = read_table(project.source(settings.strata), text=text)
    require_columns(table, text, settings.strata)
    return table


def strata_at(
    project: Project,
    frame: Frame | None = None,
    *,
    order: list[str] | None = None,
    response: float | None = None,
    error: float = 1.0,
    interview: float = 1.0,
) -> StrataAt:
    """Return the strata as a function of n, for `allocate`.

    Parameters
    ----------
    frame
        With strata and expected counts; that of the project if None.
    order
        Columns that order the list from which a systematic sample comes, which also brings in
        what is known of the errors in single domains; no order if None.
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
    frame = stratified(project) if frame is None else frame
    at = areas_at(
        frame,
        size=described.size,
        y=expected,
        domains=list(settings.domains),
        order=order,
        area_cost=settings.area_cost,
        screening_cost=settings.screening_cost,
        interview_cost=interview * settings.interview_cost,
        error=_errors(project, frame, error, local=order is not None),
        response=Response(settings.response if response is None else response),
    )
    return _sampled(at, settings.take_none) if settings.take_none else at


def _sampled(at: StrataAt, take_none: tuple[str, ...]) -> StrataAt:
    """Return the strata with those marked of which nothing is drawn."""
    known = list(at(None)["stratum"])
    for name in take_none:
        if name not in known:
            raise ConfigError(
                "[allocation] take_none names {stratum!r}, which is no stratum. {hint}",
                stratum=name,
                hint=nearest(name, known),
            )

    def marked(n: np.ndarray | None) -> pd.DataFrame:
        table = at(n)
        return table.assign(take_none=table["stratum"].isin(take_none))

    return marked


def _aged(project: Project, plan: Plan) -> pd.DataFrame:
    """Return what the age of the prior does to the expected CVs of the plan's number of areas."""
    settings = project.settings
    aging = settings.frame.aging
    assert aging is not None  # noqa: S101 (the caller asked)
    frame = stratified(project)
    name = prior_column(frame) or "prior"
    before = frame.table.assign(**{name: frame.table[f"{name}_before"]})
    trusted = frame.replaced(table=before[before["stratum"].isin(plan.table["stratum"])])
    return expected_cvs(
        trusted,
        plan.n,
        age=aging.age,
        persistence=aging.persistence,
        by=next(iter(settings.allocation.domains), None),
        size=settings.frame.size,
        minimum=settings.allocation.minimum,
    )


def _errors(
    project: Project, frame: Frame, factor: float, *, local: bool
) -> dict[str, PriorError | dict[str, PriorError]]:
    """Return how the truth varies around what is expected: by variable, if `local` by stratum."""
    settings = project.settings.allocation
    expected = list(project.settings.frame.expected)
    given = {
        y: _error("prior_error", y, settings.prior_error.get(y, {})).sharper(factor)
        for y in [*expected, *settings.prior_error]
    }
    if not (local and settings.prior_error_in):
        return dict(given)
    made = {y: dict.fromkeys(frame.table["stratum"].astype("str"), e) for y, e in given.items()}
    for column, known in settings.prior_error_in.items():
        require_columns(frame.table, [column], "The frame")
        for value, of in known.items():
            inside = frame.table.loc[frame.table[column].astype("str") == value, "stratum"]
            for y, coefficients in of.items():
                if inside.empty or y not in made:
                    raise ConfigError(
                        "[allocation.prior_error_in.{column}] speaks of {y!r} in {value!r}, which "
                        "the frame or [frame.expected] does not have. Correct the name.",
                        column=column,
                        value=value,
                        y=y,
                    )
                error = _error(f"prior_error_in.{column}.{value}", y, coefficients)
                made[y] |= dict.fromkeys(inside.astype("str"), error.sharper(factor))
    return dict(made)


def _error(part: str, name: str, known: Mapping[str, float]) -> PriorError:
    unknown = set(known) - set(PriorError._fields)
    if unknown:
        raise ConfigError(
            "[allocation.{part}.{name}] has an unknown key {key!r}. {hint}",
            part=part,
            name=name,
            key=min(unknown),
            hint=nearest(min(unknown), PriorError._fields),
        )
    return PriorError(**known)


def _targets(precision: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {domain: dict(targets) for domain, targets in precision.items()}
