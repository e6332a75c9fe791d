"""Monitoring: where the fieldwork stands and what asks for a look, made anew from each delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from nsm.fieldwork.copies import copied_households, copied_interviews
from nsm.fieldwork.interviewers import interviewers
from nsm.fieldwork.outcomes import phases
from nsm.fieldwork.pace import pace
from nsm.fieldwork.progress import by_area, by_day, unexpected_areas
from nsm.frame.findings import finding, findings_table
from nsm.questionnaire.questionnaire import Questionnaire


class Monitoring(NamedTuple):
    """Where the fieldwork stands.

    Parameters
    ----------
    phases
        Response by phase (see `phases`).
    days, areas
        Progress (see `progress.by_day` and `progress.by_area`).
    interviewers
        Indicators and outliers; empty if nobody is named.
    copies
        Households and interviews that stand twice.
    visits
        Visits whose clock asks for a look.
    findings
        All of it in short: `code, severity, where, count, message, examples`.
    strange
        Areas that sent answers but are not in the sample.
    """

    phases: pd.DataFrame
    days: pd.DataFrame
    areas: pd.DataFrame
    interviewers: pd.DataFrame
    copies: pd.DataFrame
    visits: pd.DataFrame
    findings: pd.DataFrame
    strange: tuple[str, ...] = ()

    def said_in(self, language: str) -> Monitoring:
        """Return the same with its findings in another language."""
        return self._replace(findings=_findings(self, language))


def monitor(
    form: Questionnaire,
    tables: Mapping[str, pd.DataFrame],
    sample: pd.DataFrame,
    failures: pd.DataFrame | None = None,
    *,
    today: str | None = None,
    language: str = "en",
) -> Monitoring:
    """Say where the fieldwork stands and what asks for a look.

    Parameters
    ----------
    tables
        As `read_delivery` gives them.
    sample
        The sampled areas: `area, dwellings` (those the frame expects).
    failures
        Of `validate`.
    today
        The day to judge by (ISO 8601); by default the last day with a visit.
    language
        Of the findings.
    """
    first = next(iter(form.tables.values()))
    known = "interviewer" in tables[first.name].columns
    people = interviewers(form, tables, failures) if known else pd.DataFrame()
    pairs = [copied_households(form, tables), copied_interviews(form, tables)]
    pairs = [each for each in pairs if len(each)] or pairs[:1]
    found = Monitoring(
        phases(form, tables, sample[str(first.of)]),
        by_day(form, tables, float(sample["dwellings"].sum())),
        by_area(form, tables, sample, today=today),
        people,
        pd.concat(pairs, ignore_index=True),
        pace(form, tables),
        pd.DataFrame(),
        tuple(unexpected_areas(form, tables, sample)),
    )
    return found.said_in(language)


def _findings(seen: Monitoring, language: str) -> pd.DataFrame:
    areas, people, copies, visits = seen.areas, seen.interviewers, seen.copies, seen.visits
    key = str(areas.columns[0])
    behind = areas.loc[areas["state"] == "behind", key]
    found = finding(
        "M101", "warning", "areas", behind, "{count} areas were started and are behind."
    )
    found += finding(
        "M102",
        "error",
        "areas",
        seen.strange,
        "{count} areas sent answers but are not in the sample.",
    )
    over = areas.loc[areas["share"] > 1.5, key]
    found += finding(
        "M103",
        "warning",
        "areas",
        over,
        "{count} areas have half as many dwellings more than the frame said. Check their limits.",
    )
    if len(people):
        unlike = people.loc[people["outlier"] != "", people.columns[0]]
        found += finding(
            "M201", "warning", "interviewers", unlike, "{count} interviewers are unlike the others."
        )
    for code, kind, text in (
        ("M301", "household", "{count} households have the same persons as another."),
        ("M302", "interview", "{count} interviews have almost the same answers as another."),
    ):
        found += finding(
            code, "warning", "copies", copies.loc[copies["kind"] == kind, "other"], text
        )
    for code, reason, text in (
        ("M401", "backward", "{count} visits end before they start."),
        ("M402", "fast", "{count} visits took less than a third of the usual time per answer."),
        ("M403", "long", "{count} visits took more than five hours."),
        ("M404", "night", "{count} visits began at night."),
        ("M405", "overlap", "{count} visits began before the interviewer's last one had ended."),
    ):
        hit = visits.loc[visits["why"].str.contains(reason, regex=False), "dwelling"]
        found += finding(code, "warning", "visits", hit, text)
    return findings_table(found, language)
