"""Interviewers whose work is unlike that of the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nsm.fieldwork.outcomes import dispositions
from nsm.files import require_columns
from nsm.questionnaire.questionnaire import Questionnaire

LEAST = 10  # dwellings of an interviewer below which nothing is said
LIMIT = 3.0  # standard deviations
RATES = ("response", "refusal", "missing", "errors", "foreign")
MEANS = ("persons", "minutes")


def interviewers(
    form: Questionnaire,
    tables: Mapping[str, pd.DataFrame],
    failures: pd.DataFrame | None = None,
    *,
    least: int = LEAST,
    limit: float = LIMIT,
    by: str = "interviewer",
) -> pd.DataFrame:
    """Return the indicators of each interviewer, and where they are outliers.

    Interviewers work in different areas, so a deviation is a reason to look, not a verdict.

    Parameters
    ----------
    failures
        Of `validate`: rows that break a rule.
    least
        Dwellings from which an interviewer is judged.
    limit
        Deviations from the others' middle, in standard deviations, beyond which one is an outlier.
    by
        `interviewer` or `team`.

    Returns
    -------
    `interviewer, dwellings, response` (completed among eligible), `refusal, persons` per household,
    `foreign` (share of foreign origin, if `status` is there), `missing` (required questions left
    blank, per household), `errors` (rows with an error, per household), `minutes` (median), and
    `outlier`: the indicators that deviate, with their sign.

    Raises
    ------
    ColumnError

    References
    ----------
    Spiegelhalter (2005), Statistics in Medicine 24:1185-1202: a funnel with additive
    overdispersion; here middle and spread are the median and 1.4826 times the median deviation.
    """
    first = next(iter(form.tables.values()))
    require_columns(tables[first.name], [by], f"The table {first.name}")
    dwellings = dispositions(tables[first.name], form)
    groups = dwellings.groupby(by)
    found = pd.DataFrame({"dwellings": groups.size()})
    completed = groups["aapor"].apply(lambda g: g.isin(["I", "P"]).sum())
    eligible = groups["aapor"].apply(lambda g: g.isin(["I", "P", "R", "NC", "O"]).sum())
    refused = groups["aapor"].apply(lambda g: (g == "R").sum())
    found["response"], found["refusal"] = completed / eligible, refused / eligible
    owner = dwellings.drop_duplicates(first.key).set_index(first.key)[by]
    found = found.join(_of_persons(tables.get("persons"), owner, first.key, completed))
    if failures is not None:
        found = found.join(_of_failures(failures, by, completed))
    minutes = lengths(form, dwellings)
    if minutes is not None:
        found["minutes"] = minutes.groupby(dwellings[by]).median()
    bases = {"response": eligible, "refusal": eligible}
    found["outlier"] = _outliers(found, bases, completed, least, limit)
    return found.reset_index().sort_values(
        ["outlier", by], key=lambda c: c.eq("") if c.name == "outlier" else c, ignore_index=True
    )


def lengths(form: Questionnaire, dwellings: pd.DataFrame) -> pd.Series | None:
    """Return the minutes from the start to the end of each visit, if the device recorded them."""
    first = next(iter(form.tables))
    clock = {q.type: name for name, q in form.columns(first).items() if q.type in {"start", "end"}}
    if set(clock) != {"start", "end"} or not set(clock.values()) <= set(dwellings.columns):
        return None
    began, ended = (pd.to_datetime(dwellings[clock[key]]) for key in ("start", "end"))
    return (ended - began).dt.total_seconds() / 60


def _of_persons(
    persons: pd.DataFrame | None, owner: pd.Series, key: str, completed: pd.Series
) -> pd.DataFrame:
    if persons is None or key not in persons.columns:
        return pd.DataFrame(index=completed.index)
    of = persons[key].map(owner)
    found = pd.DataFrame({"persons": of.value_counts().reindex(completed.index)})
    found["persons"] = found["persons"] / completed.where(completed > 0)
    if "status" in persons.columns:
        foreign = persons["status"].isin(["immigrant", "descendant"])
        found["foreign"] = foreign.groupby(of).mean()
    return found


def _of_failures(failures: pd.DataFrame, by: str, completed: pd.Series) -> pd.DataFrame:
    wrong = failures[failures["severity"] == "error"]
    blank = wrong["code"] == "V103"
    base = completed.where(completed > 0)
    counts = {
        "missing": wrong[blank].groupby(by).size(),
        "errors": wrong[~blank].groupby(by)["key"].nunique(),
    }
    return pd.DataFrame({k: v.reindex(base.index, fill_value=0) / base for k, v in counts.items()})


def _outliers(
    found: pd.DataFrame,
    bases: Mapping[str, pd.Series],
    completed: pd.Series,
    least: int,
    limit: float,
) -> pd.Series:
    """Name the indicators by which each interviewer deviates: `refusal+ minutes-`."""
    judged = found["dwellings"] >= least
    said = pd.Series("", index=found.index)
    for name in (*RATES, *MEANS):
        if name not in found.columns or judged.sum() < 3:
            continue
        values = found[name].astype("float64")
        base = bases.get(name, completed).astype("float64")
        z = deviations(values[judged], base[judged], rate=name in RATES)
        high = z.index[z > limit]
        low = z.index[z < -limit]
        said[high] += f"{name}+ "
        said[low] += f"{name}- "
    return said.str.strip()


def deviations(values: pd.Series, base: pd.Series, *, rate: bool) -> pd.Series:
    """Return how many standard deviations each value lies from the middle.

    The variance of a rate is p (1 - p) / n of sampling and the spread between interviewers; that of
    a mean the spread only.
    """
    middle = float(values.median())
    spread = 1.4826 * float((values - middle).abs().median())
    share = min(max(middle, 0.0), 1.0)
    sampling = share * (1 - share) / base.where(base > 0) if rate else 0 * base
    variance = sampling.fillna(np.inf) + spread**2
    floor = max(1e-12, (0.05 * abs(middle)) ** 2)  # all alike but one: 5 % is no deviation
    return (values - middle) / np.sqrt(np.maximum(variance, floor))
