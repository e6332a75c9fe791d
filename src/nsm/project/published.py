"""All estimates of a project as they may be published: with verdicts, protected together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.estimation import Estimates
from nsm.project.stages import indicators as stage
from nsm.publication import Protection, flag, protect_all
from nsm.publication.disclosure import SECONDARY
from nsm.publication.rules import VERDICTS

if TYPE_CHECKING:
    from nsm.indicators import Indicator
    from nsm.project.project import Project
    from nsm.project.settings import IndicatorSettings

SEPARATOR = "-"
_SAID = ("verdict", "step", "reason")
KINDS = ("mean(", "proportion(")  # statistics of a fraction that are proportions


@dataclass(frozen=True)
class Published:
    """What a project publishes.

    Parameters
    ----------
    tables
        Declared table -> its estimates.
    indicators
        Disaggregation (`()` is everyone) -> the indicators by it.
    gaps
        Gaps between two groups; None if none are asked for.
    """

    project: Project
    tables: Mapping[str, Estimates]
    indicators: Mapping[tuple[str, ...], Estimates]
    gaps: Estimates | None

    @cached_property
    def registry(self) -> dict[str, Indicator]:
        """The project's registry."""
        return stage.registry(self.project)

    @cached_property
    def missing(self) -> pd.DataFrame:
        """What could not be computed, and why."""
        return pd.read_csv(self.project.results("indicators", f"{stage.MISSING}.csv"), dtype=str)

    @property
    def every(self) -> list[Estimates]:
        """All estimates, table by table."""
        gaps = [self.gaps] if self.gaps is not None else []
        return [*self.tables.values(), *self.indicators.values(), *gaps]


def published(project: Project) -> Published:
    """Return all estimates with verdicts and the disclosure rules applied to all tables at once.

    A gap is hidden where one of its two sides is: the other side would give it away.
    """
    settings = project.settings
    rule = settings.publication.rule
    flagged: dict[str, Estimates] = {}
    disaggregations = {}
    for name, asked in settings.estimation.tables.items():
        table = pd.read_parquet(project.results("estimation", f"{name}.parquet"))
        flagged[name] = flag(Estimates(table, asked.by), rule, planned=asked.planned)
    known = stage.registry(project)
    for keys, made in _by_disaggregation(project).items():
        kinds = _kinds(made, known)
        disaggregations[keys] = named(keys)
        flagged[named(keys)] = flag(made, rule, kinds=kinds, planned=settings.indicators.planned)
    minimum = Protection(minimum=settings.publication.minimum_cases)
    safe = protect_all(flagged, minimum)
    sets = {keys: _inside(safe[name]) for keys, name in disaggregations.items()}
    return Published(
        project,
        {name: safe[name] for name in settings.estimation.tables},
        sets,
        _gaps(project, sets.get((settings.indicators.gap_on,)), minimum),
    )


def named(keys: tuple[str, ...]) -> str:
    """Return the name of a disaggregation's file."""
    return SEPARATOR.join(["indicators", *keys])


def _by_disaggregation(project: Project) -> dict[tuple[str, ...], Estimates]:
    """Return the indicators of each disaggregation with their margins, which stand elsewhere too.

    A hidden cell could be computed from the margins, so they are protected together.
    """
    file = project.results("indicators") / f"{stage.INDICATORS}.parquet"
    if not file.exists():
        return {}
    table = pd.read_parquet(file)
    asked = stage.disaggregations(project.settings.indicators)
    columns = [c for c in dict.fromkeys(c for keys in asked for c in keys) if c in table.columns]
    found = {}
    for keys in asked:
        if not set(keys) <= set(columns):
            continue
        others = [c for c in columns if c not in keys]
        part = table[table[others].isna().all(axis=1)].drop(columns=others)
        mine = part.loc[part[list(keys)].notna().all(axis=1), "variable"]
        part = part[part["variable"].isin(mine)].reset_index(drop=True)
        if len(part):
            found[tuple(keys)] = Estimates(part, tuple(keys))
    return found


def _inside(made: Estimates) -> Estimates:
    """Return estimates without their margins."""
    rows = made.table[list(made.by)].notna().all(axis=1)
    return replace(made, table=made.table[rows].reset_index(drop=True))


def _kinds(made: Estimates, known: Mapping[str, Indicator]) -> dict[str, str]:
    """Say which variables are proportions: their statistic is called a mean."""
    there = set(made.table["variable"])
    return {
        code: "proportion"
        for code, one in known.items()
        if code in there and one.unit == "fraction" and one.statistic.startswith(KINDS)
    }


def _gaps(project: Project, sides: Estimates | None, rule: Protection) -> Estimates | None:
    file = project.results("indicators") / f"{stage.GAPS}.parquet"
    settings = project.settings
    if not file.exists():
        return None
    made = flag(Estimates(pd.read_parquet(file), ()), settings.publication.rule)
    safe = protect_all({"gaps": made}, rule)["gaps"]
    if sides is None:
        return safe
    return replace(safe, table=_as_their_sides(safe.table, sides.table, settings.indicators))


def _badness(said: tuple[str, ...]) -> int:
    return VERDICTS.index(said[0])


def _as_their_sides(
    gaps: pd.DataFrame, sides: pd.DataFrame, asked: IndicatorSettings
) -> pd.DataFrame:
    """Return gaps with the verdict of the worse side, hidden where one of them is.

    The rules of quality are for levels: a gap near zero has a large CV and is still a finding.
    """
    mine = sides[sides[asked.gap_on].isin(list(asked.gap))]
    worst: dict[tuple[str, str], tuple[str, ...]] = {}
    for variable, category, *said in mine[["variable", "category", *_SAID]].to_numpy():
        key = (str(variable), str(category))
        worst[key] = max(worst.get(key, tuple(said)), tuple(said), key=_badness)
    gone = mine[mine["suppressed"].notna()]
    hidden = {(str(v), str(c)) for v, c in gone[["variable", "category"]].to_numpy()}
    keys = [(str(v), str(c)) for v, c in gaps[["variable", "category"]].to_numpy()]
    found = gaps.copy()
    own = [tuple(row) for row in gaps[[*_SAID]].to_numpy()]
    found[[*_SAID]] = [worst.get(key, one) for key, one in zip(keys, own, strict=True)]
    more = np.array([k in hidden for k in keys]) & found["suppressed"].isna().to_numpy()
    return found.assign(
        suppressed=found["suppressed"].mask(more, SECONDARY),
        disclosure=found["disclosure"].mask(more, "sums"),
    )
