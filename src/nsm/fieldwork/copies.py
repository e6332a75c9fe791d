"""Answers that stand twice: copied households and interviews, found by their content."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nsm.questionnaire.questionnaire import Questionnaire

MATCH = 0.9  # share of equal answers
LEAST_ANSWERS = 15
LEAST_PERSONS = 3
MOST_BLOCK = 600  # interviews of one interviewer that are compared with each other

COLUMNS = ("kind", "one", "other", "match", "answers", "interviewer", "other_interviewer")


def copied_households(
    form: Questionnaire, tables: Mapping[str, pd.DataFrame], least: int = LEAST_PERSONS
) -> pd.DataFrame:
    """Return pairs of households with the same list of persons: sexes, ages, birthplaces, ties.

    Small households are alike by chance; those of fewer than `least` persons are not compared.

    Returns
    -------
    `kind` (household), `one, other` (keys), `match` (1), `answers` (compared), `interviewer,
    other_interviewer`. In a group of equal households each is paired with the first.
    """
    table = form.tables.get("persons")
    persons = tables.get("persons")
    if table is None or persons is None or table.of not in persons.columns:
        return pd.DataFrame(columns=list(COLUMNS))
    wanted = ("sex", "age", "relationship", "birth_country", "mother_birth_country")
    columns = [c for c in wanted if c in persons.columns]
    known = persons[persons[[c for c in columns if c in {"sex", "age"}]].notna().all(axis=1)]
    kinds = known.groupby(columns, dropna=False, sort=False).ngroup().to_numpy()
    codes, households = pd.factorize(known[table.of], sort=True)
    order = np.lexsort((kinds, codes))
    count = np.bincount(codes, minlength=len(households))
    ends = np.cumsum(count)
    ordered = kinds[order]
    said = [ordered[end - n : end].tobytes() for end, n in zip(ends, count, strict=True)]
    sizes = pd.Series(count, index=households)
    lists = pd.Series(said, index=households, dtype=object)[sizes >= least]
    kept = lists.drop_duplicates()
    first = pd.Series(kept.index, index=kept.to_numpy())
    pairs = pd.DataFrame({"other": lists.index, "one": lists.map(first).to_numpy()})
    pairs = pairs[pairs["one"] != pairs["other"]]
    pairs["answers"] = sizes.reindex(pairs["other"]).to_numpy() * len(columns)
    return _with_owners(form, tables, pairs.assign(kind="household", match=1.0), str(table.of))


def copied_interviews(
    form: Questionnaire,
    tables: Mapping[str, pd.DataFrame],
    *,
    match: float = MATCH,
    least: int = LEAST_ANSWERS,
    by: str = "interviewer",
) -> pd.DataFrame:
    """Return pairs of individual interviews of one interviewer with almost the same answers.

    Parameters
    ----------
    match
        Share of equal answers, among the questions that both answered.
    least
        Answers that both gave, below which a pair is not judged.

    Returns
    -------
    As `copied_households`, with `kind` interview, the closest first.

    References
    ----------
    Kuriakose & Robbins (2016), Statistical Journal of the IAOS 32:283-291, "percent match"; as
    they warn, short or homogeneous interviews match by chance.
    """
    table = form.tables.get("persons")
    persons = tables.get("persons")
    first = next(iter(form.tables.values()))
    if table is None or persons is None or by not in tables[first.name].columns:
        return pd.DataFrame(columns=list(COLUMNS))
    second = {section.name for section in form.sections if section.of is not None}
    asked = [
        q.name
        for q in form.columns("persons").values()
        if set(q.rosters) & second and not q.silent and q.name in persons.columns
    ]
    answered = persons[persons[asked].notna().sum(axis=1) >= least]
    codes = np.column_stack([_codes(answered[name]) for name in asked]) if asked else None
    if codes is None or not len(answered):
        return pd.DataFrame(columns=list(COLUMNS))
    owner = tables[first.name].drop_duplicates(first.key).set_index(first.key)[by]
    blocks = answered[first.key].map(owner).to_numpy()
    keys = answered[table.key].to_numpy()
    rows = []
    for block in pd.unique(pd.Series(blocks).dropna()):
        places = np.flatnonzero(blocks == block)[:MOST_BLOCK]
        for i, j, share, count in _close(codes[places], match, least):
            rows.append((keys[places[i]], keys[places[j]], share, count))
    pairs = pd.DataFrame(rows, columns=["one", "other", "match", "answers"])
    pairs = pairs.sort_values("match", ascending=False, ignore_index=True)
    return _with_owners(form, tables, pairs.assign(kind="interview"), table.key)


def _codes(column: pd.Series) -> np.ndarray:
    """Return answers as whole numbers, -1 where missing."""
    return pd.factorize(column.astype("object"))[0].astype("int32")


def _close(codes: np.ndarray, match: float, least: int) -> list[tuple[int, int, float, int]]:
    """Return the pairs of rows that match: places, share, and number of common answers."""
    found = []
    for place in range(len(codes) - 1):
        rest = codes[place + 1 :]
        both = (rest >= 0) & (codes[place] >= 0)
        count = both.sum(axis=1)
        equal = ((rest == codes[place]) & both).sum(axis=1)
        share = equal / np.maximum(count, 1)
        hits = np.flatnonzero((share >= match) & (count >= least))
        found += [(place, place + 1 + int(h), float(share[h]), int(count[h])) for h in hits]
    return found


def _with_owners(
    form: Questionnaire, tables: Mapping[str, pd.DataFrame], pairs: pd.DataFrame, key: str
) -> pd.DataFrame:
    """Add who brought each of the two."""
    first = next(iter(form.tables.values()))
    persons = tables["persons"].drop_duplicates(key).set_index(key)
    top = tables[first.name].drop_duplicates(first.key).set_index(first.key)
    for column, name in (("one", "interviewer"), ("other", "other_interviewer")):
        pairs[name] = None
        if first.key in persons.columns and "interviewer" in top.columns:
            pairs[name] = pairs[column].map(persons[first.key]).map(top["interviewer"])
    return pairs[list(COLUMNS)].reset_index(drop=True)
