"""How far the fieldwork is: by day, and by area against the sample."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nsm.fieldwork.outcomes import dispositions, interview_outcomes
from nsm.files import require_columns
from nsm.questionnaire.questionnaire import Questionnaire

DONE = 0.95  # of the expected dwellings: an area is done
IDLE = 7  # days without a visit: a started area is behind
STATES = ("not started", "working", "behind", "done")
_DAYS = ("today", "start", "end", "date")


def day_column(form: Questionnaire, table: pd.DataFrame) -> str | None:
    """Return the column that says when a dwelling was visited, if there is one."""
    first = next(iter(form.tables))
    for kind in _DAYS:
        for name, question in form.columns(first).items():
            if question.type == kind and name in table.columns and table[name].notna().any():
                return name
    return None


def days_of(form: Questionnaire, table: pd.DataFrame) -> pd.Series:
    """Return the day of each visit; missing where it was not recorded."""
    column = day_column(form, table)
    if column is None:
        return pd.Series(pd.NaT, index=table.index, dtype="datetime64[us]")
    return pd.to_datetime(table[column], errors="coerce").dt.normalize()


def by_day(
    form: Questionnaire, tables: Mapping[str, pd.DataFrame], expected: float | None = None
) -> pd.DataFrame:
    """Return what was done on each day.

    Parameters
    ----------
    expected
        Dwellings of the sample.

    Returns
    -------
    `day, visits, completed` (complete and partial), `refused, persons` (on the lists), `interviews`
    (individual ones answered), `cumulative` visits and, if `expected` is given, their `share`, a
    fraction. Visits without a day are left out.
    """
    first = next(iter(form.tables.values()))
    dwellings = dispositions(tables[first.name], form)
    dwellings = dwellings.assign(day=days_of(form, dwellings))
    counts = dwellings.groupby("day").agg(
        visits=("aapor", "size"),
        completed=("aapor", lambda group: int(group.isin(["I", "P"]).sum())),
        refused=("aapor", lambda group: int((group == "R").sum())),
    )
    day = dwellings.drop_duplicates(first.key).set_index(first.key)["day"]
    persons = tables.get("persons")
    counts["persons"] = _per_day(persons, first.key, day)
    asked = interview_outcomes(form, tables)
    answered = None if asked is None else asked[asked["aapor"].isin(["I", "P"])]
    counts["interviews"] = _per_day(answered, first.key, day)
    counts = counts.fillna({"persons": 0, "interviews": 0})
    counts = counts.astype({"persons": "int64", "interviews": "int64"}).reset_index()
    counts["cumulative"] = counts["visits"].cumsum()
    if expected:
        counts["share"] = counts["cumulative"] / expected
    return counts


def _per_day(rows: pd.DataFrame | None, key: str, day: pd.Series) -> pd.Series:
    if rows is None or key not in rows.columns:
        return pd.Series(dtype="float64")
    return rows[key].map(day).value_counts().astype("float64")


def by_area(
    form: Questionnaire,
    tables: Mapping[str, pd.DataFrame],
    sample: pd.DataFrame,
    *,
    today: str | pd.Timestamp | None = None,
    done: float = DONE,
    idle: int = IDLE,
) -> pd.DataFrame:
    """Return every area of the sample and how far it is.

    Parameters
    ----------
    sample
        `area`, and `dwellings`, the number that the frame expects; other columns are kept out.
    today
        The day to judge by; by default the last day with a visit.
    done
        Share of the expected dwellings from which an area is done. Frames are old: areas can end
        above 1, and below.
    idle
        Days without a visit after which a started area is behind.

    Returns
    -------
    `area, state` (not started, working, behind, done), `expected, visited, completed, share` of
    expected dwellings visited, `response` (RR5 among visited and eligible), `first, last` day, and
    `idle` days, the areas that are behind first.

    Raises
    ------
    ColumnError
    """
    first = next(iter(form.tables.values()))
    area = str(first.of)
    require_columns(sample, [area, "dwellings"], "The sample")
    visits = dispositions(tables[first.name], form)
    visits = visits.assign(day=days_of(form, visits))
    groups = visits.groupby(area)
    found = sample.drop_duplicates(area)[[area, "dwellings"]].set_index(area)
    found = found.rename(columns={"dwellings": "expected"})
    found["visited"] = groups.size()
    found["completed"] = groups["aapor"].apply(lambda g: int(g.isin(["I", "P"]).sum()))
    eligible = groups["aapor"].apply(lambda g: int(g.isin(["I", "P", "R", "NC", "O"]).sum()))
    found["response"] = found["completed"] / eligible.where(eligible > 0)
    found["first"], found["last"] = groups["day"].min(), groups["day"].max()
    found = found.fillna({"visited": 0, "completed": 0})
    found["share"] = found["visited"] / found["expected"].where(found["expected"] > 0)
    now = pd.Timestamp(today) if today is not None else visits["day"].max()
    found["idle"] = (now - found["last"]).dt.days
    behind = (found["share"] < done) & (found["idle"] > idle)
    found["state"] = np.select(
        [found["visited"] == 0, found["share"] >= done, behind],
        ["not started", "done", "behind"],
        "working",
    )
    order = {"behind": 0, "not started": 1, "working": 2, "done": 3}
    found = found.astype({"visited": "int64", "completed": "int64"}).reset_index()
    found = found.assign(order=found["state"].map(order)).sort_values(["order", "share", area])
    columns = [area, "state", "expected", "visited", "completed", "share", "response"]
    return found[[*columns, "first", "last", "idle"]].reset_index(drop=True)


def unexpected_areas(
    form: Questionnaire, tables: Mapping[str, pd.DataFrame], sample: pd.DataFrame
) -> list[str]:
    """Return the areas that answers came from, but that are not in the sample."""
    first = next(iter(form.tables.values()))
    area = str(first.of)
    visited = tables[first.name][area].dropna().astype("str")
    return sorted(set(visited) - set(sample[area].astype("str")))
