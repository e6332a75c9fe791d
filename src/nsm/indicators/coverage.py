"""What a questionnaire and its data allow: which indicators can be computed, what is missing."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from nsm.files import local_path, read_table
from nsm.indicators.registry import CLASSES, Indicator, checked, chosen, families
from nsm.language import SOURCE, translate
from nsm.questionnaire.checks.coverage import by_concept

if TYPE_CHECKING:
    from nsm.questionnaire import Questionnaire

NO_SURVEY = "survey of {of}"


def listed(registry: Mapping[str, Indicator] | None = None, language: str = SOURCE) -> pd.DataFrame:
    """Return the registry as a table: `code, name, family, class, unit, standard, series`."""
    known, titles = checked(registry), families(language)
    rows = [
        {
            "code": one.code,
            "name": one.title(language),
            "family": titles.get(one.family, one.family),
            "class": translate(CLASSES[one.kind], language),
            "unit": one.unit,
            "standard": one.standard,
            "series": one.series,
        }
        for one in known.values()
    ]
    return pd.DataFrame(rows)


def coverage(
    registry: Mapping[str, Indicator] | None = None,
    *,
    codes: Collection[str] = (),
    columns: Mapping[str, Collection[str]] | None = None,
    form: Questionnaire | None = None,
    derived: Collection[str] = (),
    language: str = SOURCE,
) -> pd.DataFrame:
    """Say of each indicator whether form and data have what it needs.

    Parameters
    ----------
    columns
        Survey (`persons, interviews, selected`) -> its columns; `{"": columns}` serves all. None:
        there are no data yet.
    form
        The questionnaire; None: it is not looked at.
    derived
        Columns that are made after fieldwork, beside those of `nsm.fieldwork.derive`.

    Returns
    -------
    `code, name, class, data, missing, questionnaire, not_asked`: whether the data have all, and
    what they lack; whether the form asks all, and what it does not ask. Null where not looked at,
    and for what no household survey gives.
    """
    known = checked(registry)
    wanted = chosen(known, codes) if codes else list(known.values())
    asked = None if form is None else _Asked(form, derived)
    rows = []
    for one in wanted:
        lacking = _lacking(one, columns) if columns is not None and one.computable else None
        unasked = asked.lacking(one) if asked is not None and one.computable else None
        rows.append(
            {
                "code": one.code,
                "name": one.title(language),
                "class": translate(CLASSES[one.kind], language),
                "data": None if lacking is None else not lacking,
                "missing": ", ".join(lacking or ()),
                "questionnaire": None if unasked is None else not unasked,
                "not_asked": ", ".join(unasked or ()),
            }
        )
    return pd.DataFrame(rows)


def _lacking(one: Indicator, columns: Mapping[str, Collection[str]]) -> list[str]:
    held = columns.get(one.of, columns.get(""))
    if held is None:
        return [NO_SURVEY.format(of=one.of)]
    return [name for name in one.variables if name not in held]


def columns_of(path: str | os.PathLike[str]) -> list[str]:
    """Return the columns of a local table; of Parquet without reading it."""
    file = local_path(path)
    if file.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        return list(pq.read_schema(file).names)
    return list(read_table(file).columns)


class _Asked:
    """What a questionnaire gives: variables by name, and by concept."""

    def __init__(self, form: Questionnaire, derived: Iterable[str]) -> None:
        from nsm.fieldwork.derived import definitions

        self.concepts = set(by_concept(form))
        self.names = {*form.questions, *(form.options.get("frame") or ()), *definitions()}
        self.names |= {*derived, "age_band"}

    def lacking(self, one: Indicator) -> list[str]:
        """Return variables that are not asked, and concepts of its definition that are not."""
        names = [name for name in one.variables if name not in self.names]
        needs = (one.asks or {}).get("needs", {})
        concepts = [c for c in needs if c not in self.concepts and c not in self.names]
        return list(dict.fromkeys([*names, *concepts]))
