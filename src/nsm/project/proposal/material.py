"""What the proposal is made from: the run, the price list, and the simulations that are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nsm.errors import ProjectError
from nsm.files import content_hash
from nsm.project.evidence import SIMULATED, evidence, is_stale
from nsm.project.lock import read_lock
from nsm.project.planning import Asked, answers
from nsm.project.project import LOCK
from nsm.project.stages.allocation import planned
from nsm.project.stages.frame import stratified
from nsm.questionnaire import Questionnaire
from nsm.questionnaire.length import routes as interview_routes
from nsm.selection import Sample
from nsm.simulation.proposal import (
    Prices,
    budget,
    calendar,
    completed,
    routes,
    totals,
    workload,
)

if TYPE_CHECKING:
    from nsm.allocation import Plan
    from nsm.frame import Frame
    from nsm.project.project import Project


@dataclass(frozen=True)
class Material:
    """A project's run and its price list, read once for all languages."""

    project: Project
    prices: Prices

    @cached_property
    def frame(self) -> Frame:
        """The frame with its strata."""
        return stratified(self.project)

    @cached_property
    def plan(self) -> Plan:
        """The allocation."""
        return planned(self.project)

    @cached_property
    def sample(self) -> Sample:
        """The drawn areas."""
        return Sample.load(self.project.results("selection"))

    @cached_property
    def form(self) -> Questionnaire:
        """The questionnaire."""
        return Questionnaire.read(self.project.source(self.project.settings.questionnaire.source))

    @cached_property
    def lengths(self) -> pd.DataFrame:
        """Route through the form -> questions and minutes."""
        return interview_routes(self.form)

    @property
    def region(self) -> str:
        """The frame's widest level."""
        return str(self.frame.levels[0])

    @cached_property
    def areas(self) -> pd.DataFrame:
        """The drawn areas with what each gives to do: `households, interviews` and its center."""
        settings, main = self.project.settings, self.sample.main
        response = settings.allocation.response
        migrants = main[[*settings.frame.expected]].sum(axis=1).to_numpy(dtype=float)
        persons = _persons(main)
        natives = (persons - migrants).clip(min=0) if persons is not None else 0.0 * migrants
        lon, lat = self._centers(main)
        return pd.DataFrame(
            {
                "area": main[self.frame.key].astype("str").to_numpy(),
                self.region: main[self.region].astype("str").to_numpy(),
                "lon": lon,
                "lat": lat,
                "households": main[settings.frame.size].to_numpy(dtype=float),
                "migrants": migrants,
                "migrant_interviews": migrants * response,
                "native_interviews": natives * settings.field.native_fraction * response,
            }
        ).assign(interviews=lambda t: t["migrant_interviews"] + t["native_interviews"])

    def _centers(self, main: pd.DataFrame) -> tuple[Any, Any]:
        if {"lon", "lat"} <= set(main.columns):
            return main["lon"].to_numpy(dtype=float), main["lat"].to_numpy(dtype=float)
        if self.frame.boundaries is None:
            raise ProjectError(
                "The frame has neither boundaries nor the columns lon and lat, so routes cannot be "
                "planned. Add the centers of the areas to it."
            )
        shapes = self.frame.boundaries.set_index(self.frame.key).to_crs(4326).geometry
        points = shapes.loc[main[self.frame.key]].representative_point()
        return points.x.to_numpy(), points.y.to_numpy()

    @cached_property
    def routes(self) -> pd.DataFrame:
        """Area -> team, place in its route, days."""
        return routes(self.areas, self.prices.team, region=self.region)

    @cached_property
    def workload(self) -> pd.DataFrame:
        """What each region has to do."""
        return workload(self.routes)

    @cached_property
    def quantities(self) -> dict[str, float]:
        """All quantities that the budget may name."""
        return completed(self.prices, self._planned)

    @cached_property
    def _planned(self) -> dict[str, float]:
        """The quantities of the plan."""
        team, work, areas = self.prices.team, self.workload, self.areas
        teams, days = int(work["teams"].sum()), float(work["team_days"].sum())
        persons = _persons(self.sample.main)
        known = {} if persons is None else {"persons": float(persons.sum())}
        return {
            "areas": float(len(areas)),
            "reserve_areas": float(len(self.sample.table) - len(areas)),
            "strata": float(len(self.plan.table)),
            "households": float(areas["households"].sum()),
            **known,
            "migrants": float(areas["migrants"].sum()),
            "migrant_interviews": float(areas["migrant_interviews"].sum()),
            "native_interviews": float(areas["native_interviews"].sum()),
            "interviews": float(areas["interviews"].sum()),
            "teams": float(teams),
            "supervisors": float(teams),
            "interviewers": float(teams * team.interviewers),
            "team_days": days,
            "person_days": days * team.interviewers,
            "travel_km": float(work["km"].sum()),
            "field_weeks": float(ceil(float(work["days"].max()) / team.days)),
            "training_days": self.prices.training_days,
            "questions": float(len(self.form.questions)),
        }

    @cached_property
    def lines(self) -> pd.DataFrame:
        """The budget, line by line."""
        return budget(self.prices, self.quantities)

    @cached_property
    def totals(self) -> dict[str, float]:
        """The sums of the budget."""
        return totals(self.lines, self.prices.contingency)

    @cached_property
    def calendar(self) -> pd.DataFrame:
        """When each phase begins and ends."""
        return calendar(self.prices, self.quantities)

    @cached_property
    def unit_costs(self) -> dict[str, float]:
        """What one more area, household or interview costs by the price list, with contingencies.

        Work in a household or interview is that of the team; travel is part of the area.
        """
        team, now = self.prices.team, self._planned
        travel = now["travel_km"] / team.speed / team.hours / now["areas"]
        effort = {
            "areas": travel,
            "households": 1 / team.households / team.interviewers,
            "interviews": 1 / team.interviews / team.interviewers,
        }
        made = {}
        for name, days in effort.items():
            more = dict(now)
            more[name] += 1
            if name == "areas":
                more["travel_km"] += now["travel_km"] / now["areas"]
            more["team_days"] += days
            more["person_days"] += days * team.interviewers
            lines = budget(self.prices, completed(self.prices, more))
            made[name] = totals(lines, self.prices.contingency)["whole"] - self.totals["whole"]
        return made

    @property
    def asked(self) -> Asked:
        """What the price list says for the questions of planning."""
        return Asked(**self.prices.planning)

    @cached_property
    def answers(self) -> dict[str, pd.DataFrame]:
        """The answers to the questions of planning."""
        return answers(self.project, self.asked, plan=self.plan)

    @cached_property
    def evidence(self) -> tuple[pd.DataFrame, pd.DataFrame] | None:
        """The tables of `nsm simulate`, if it was run with this plan."""
        return evidence(self.project)

    @cached_property
    def evidence_is_stale(self) -> bool:
        """Whether the simulations were made with another number of areas than the plan has."""
        return self.evidence is not None and is_stale(self.evidence[1], self.plan)

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """What the numbers come from -> its SHA-256."""
        records = read_lock(self.project.folder / LOCK)
        made = {
            "frame": str(records["frame"].facts.get("hash", "")),
            "plan": records["allocation"].outputs["plan.csv"],
            "expected precision": records["allocation"].outputs["precision.csv"],
            "questionnaire": content_hash(
                self.project.source(self.project.settings.questionnaire.source)
            ),
            "price list": content_hash(Path(self.prices.file)),
        }
        simulated = self.project.folder / SIMULATED / "characteristics.csv"
        if self.evidence is not None:
            made["simulations"] = content_hash(simulated)
        return made


def _persons(table: pd.DataFrame) -> Any:
    """Return the persons of each area, where the frame knows them."""
    return table["population"].to_numpy(dtype=float) if "population" in table.columns else None
