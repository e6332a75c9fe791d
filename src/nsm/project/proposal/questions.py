"""The section that answers a funder's questions: what precision costs, what else could be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nsm.publication import Section, Shown

if TYPE_CHECKING:
    from nsm.project.proposal.page import Words


def questions(page: Words) -> Section:
    """Say what a point of CV costs, which change is seen, and what else the money could do."""
    asked, made = page.material.asked, page.material.answers
    text = page.say(
        "Each answer is the cheapest plan again, with one thing changed. A change since the last "
        "round is seen if the two-sided test at 5 % finds it; {overlap} of the areas are taken to "
        "be in both rounds, and the counts of such an area to have a correlation of {correlation}.",
        overlap=page.percent(asked.overlap),
        correlation=page.number(asked.correlation, "decimal2"),
    )
    return Section(
        page.say("Questions of planning"),
        text,
        tables={
            page.say("What one point of CV costs"): _points(page, made["points"]),
            page.say("Changes since the last round that would be seen"): _changes(
                page, made["change"]
            ),
            page.say("A second phase: interviews of a share of those found"): _phase(
                page, made["second_phase"]
            ),
            page.say("A better frame: less error of the prior"): _prior(page, made["prior"]),
        },
    )


def _goal(page: Words, table: pd.DataFrame) -> dict[str, list[str]]:
    pairs = zip(table["domain"], table["value"], strict=True)
    return {
        "domain": [page.domain(d, v) for d, v in pairs],
        "variable": [page.variable(y) for y in table["variable"]],
    }


def _points(page: Words, table: pd.DataFrame) -> Shown:
    shown = pd.DataFrame(
        {
            **_goal(page, table),
            "target": table["target"].to_numpy(),
            "saved_point": table["saved"].to_numpy(),
            "dearer": table["dearer"].to_numpy(),
        }
    )
    note = page.say(
        "With one target moved and all others kept. 0: other targets or the least sample decide. "
        "Blank: out of reach."
    )
    formats = {"target": "percent", "saved_point": "integer", "dearer": "integer"}
    return Shown(shown, formats, note)


def _changes(page: Words, table: pd.DataFrame) -> Shown:
    simulated = table["simulated"].notna().all()
    shown = pd.DataFrame(
        {
            **_goal(page, table),
            "cv": table["simulated" if simulated else "cv"].to_numpy(dtype=float),
            "fall": table["fall"].to_numpy(),
            "rise": table["rise"].to_numpy(),
            "tenth": table["power_-10%"].to_numpy(),
            "fifth": table["power_-20%"].to_numpy(),
        }
    )
    note = page.say(
        "Fall and rise are the least that are seen with a probability of {power}. {source}",
        power=page.percent(page.material.asked.power),
        source=page.say("CVs are those of simulated surveys.")
        if simulated
        else page.say("CVs are those expected."),
    )
    return Shown(shown, dict.fromkeys(("cv", "fall", "rise", "tenth", "fifth"), "percent"), note)


def _phase(page: Words, table: pd.DataFrame) -> Shown:
    columns = {
        "share": "interviewed",
        "interviews": "interviews",
        "saved_replanned": "saved_plan",
        "cv": "cv_half",
        "efficiency": "efficiency",
    }
    note = page.say(
        "Counts come from the screening and stay as precise. Worth: what the same precision of "
        "the interviews' answers costs with all interviewed, over what it costs so; below 1 it is "
        "better to interview all. Correlation of answers inside areas: {homogeneity}.",
        homogeneity=page.number(page.material.asked.homogeneity, "decimal2"),
    )
    formats = {
        "interviewed": "percent",
        "interviews": "integer",
        "saved_plan": "integer",
        "cv_half": "percent",
        "efficiency": "decimal2",
    }
    return Shown(table[[*columns]].rename(columns=columns), formats, note)


def _prior(page: Words, table: pd.DataFrame) -> Shown:
    shown = table.rename(columns={"error": "error_left", "saved": "saved_plan"})
    note = page.say(
        "Variance of the prior's errors that is left, with strata as they are; the last row is a "
        "frame that knows each area's number. nsm simulate --what-if sharper tries it on the "
        "synthetic population."
    )
    formats = {"error_left": "percent", "n": "integer", "cost": "integer", "saved_plan": "integer"}
    return Shown(shown, formats, note)
