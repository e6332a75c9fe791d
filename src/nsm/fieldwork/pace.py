"""How long interviews took, and visits whose clock cannot be right."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nsm.fieldwork.interviewers import lengths
from nsm.fieldwork.outcomes import dispositions
from nsm.questionnaire.questionnaire import Questionnaire

FAST = 1 / 3  # of the usual time for as many answers
LONG = 300.0  # minutes
NIGHT = (22, 6)  # hours
COLUMNS = ("dwelling", "interviewer", "start", "minutes", "answers", "seconds", "why")


def pace(
    form: Questionnaire, tables: Mapping[str, pd.DataFrame], *, fast: float = FAST
) -> pd.DataFrame:
    """Return completed visits with a clock that asks for a look.

    Parameters
    ----------
    fast
        Share of the usual seconds per answer below which a visit was too fast.

    Returns
    -------
    `dwelling, interviewer, start, minutes, answers` (given at the visit), `seconds` per answer, and
    `why`: one or several of `backward` (ends before it starts), `fast, long, night, overlap` (the
    interviewer's last visit had not ended). Empty if the device recorded no times.
    """
    first = next(iter(form.tables.values()))
    dwellings = dispositions(tables[first.name], form)
    minutes = lengths(form, dwellings)
    if minutes is None:
        return pd.DataFrame(columns=list(COLUMNS))
    clock = {q.type: name for name, q in form.columns(first.name).items()}
    table = pd.DataFrame(
        {
            "dwelling": dwellings[first.key],
            "interviewer": dwellings.get("interviewer"),
            "start": pd.to_datetime(dwellings[clock["start"]]),
            "end": pd.to_datetime(dwellings[clock["end"]]),
            "minutes": minutes,
            "answers": dwellings[first.key].map(_answers(form, tables, first.key)),
        }
    )
    table = table[dwellings["aapor"].isin(["I", "P"]) & minutes.notna()]
    table["seconds"] = table["minutes"] * 60 / table["answers"].where(table["answers"] > 0)
    usual = float(table["seconds"].median())
    reasons = {
        "backward": table["minutes"] < 0,
        "fast": (table["minutes"] >= 0) & (table["seconds"] < fast * usual),
        "long": table["minutes"] > LONG,
        "night": (table["start"].dt.hour >= NIGHT[0]) | (table["start"].dt.hour < NIGHT[1]),
        "overlap": _overlap(table),
    }
    why = np.full(len(table), "", dtype=object)
    for reason, hit in reasons.items():
        why = why + np.where(hit.to_numpy(dtype=bool), f"{reason} ", "")
    table["why"] = pd.Series(why, index=table.index).str.strip()
    return table.loc[table["why"] != "", list(COLUMNS)].reset_index(drop=True)


def _answers(form: Questionnaire, tables: Mapping[str, pd.DataFrame], key: str) -> pd.Series:
    """Return dwelling -> the answers given there, over all tables."""
    counts = []
    for name, table in tables.items():
        asked = [c for c, q in form.columns(name).items() if not q.silent and c in table.columns]
        if key in table.columns and asked:
            counts.append(table[asked].notna().sum(axis=1).groupby(table[key]).sum())
    return pd.concat(counts).groupby(level=0).sum()


def _overlap(table: pd.DataFrame) -> pd.Series:
    """Return whether a visit starts before the same interviewer's last one has ended."""
    ordered = table.sort_values("start")
    groups = ordered.groupby("interviewer", dropna=True)["end"]
    latest = groups.cummax().groupby(ordered["interviewer"]).shift()
    return (ordered["start"] < latest).reindex(table.index, fill_value=False)
