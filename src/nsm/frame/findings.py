"""Findings of a check: what is wrong, how grave, where, how often, with examples.

Codes are stable: a code keeps its meaning for good, and a retired one is not used again.

| codes | about |
|---|---|
| F101-F113 | keys, codes and names |
| F201-F207 | parts and wholes, totals |
| F301-F309 | sizes and classes |
| F401-F412 | polygons and points |
| F501-F503 | coverage against a census |
| F601-F605 | changes between two versions |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import pandas as pd

from nsm.errors import PREVIEWED
from nsm.language import worded

COLUMNS = ["code", "severity", "where", "count", "message", "examples"]
CASES = ["code", "severity", "where", "case", "message"]
SEVERITY = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Finding:
    """One thing found: `template` with its `values` says it in any language.

    `examples` are the first of the `cases`.
    """

    code: str
    severity: str
    where: str
    count: int
    template: str
    values: dict[str, object]
    examples: tuple[str, ...]
    cases: Sequence[object] | pd.Series = field(default=(), repr=False, compare=False)


def finding(
    code: str,
    severity: str,
    where: str,
    cases: Sequence[object] | pd.Series,
    template: str,
    **values: object,
) -> list[Finding]:
    """Return a finding about `cases`, or none if there are none.

    `{count}` in the template stands for their number.
    """
    count = len(cases)
    if not count:
        return []
    shown = tuple(str(c) for c in islice(iter(cases), PREVIEWED))
    known = {"count": count, **values}
    return [Finding(code, severity, where, count, template, known, shown, cases)]


def findings_table(found: Iterable[Finding], language: str = "en") -> pd.DataFrame:
    """Return findings as a table, the gravest first, then by code and place."""
    rows = [
        (f.code, f.severity, f.where, f.count, _said(f, language), ", ".join(f.examples))
        for f in _ordered(found)
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.astype(
        {"count": "int64"} | dict.fromkeys([c for c in COLUMNS if c != "count"], "str")
    )


def cases_table(found: Iterable[Finding], language: str = "en") -> pd.DataFrame:
    """Return every case of findings, one row each: `code, severity, where, case, message`."""
    rows = [
        (f.code, f.severity, f.where, str(case), _said(f, language))
        for f in _ordered(found)
        for case in f.cases
    ]
    return pd.DataFrame(rows, columns=CASES, dtype="str")


def _ordered(found: Iterable[Finding]) -> list[Finding]:
    return sorted(found, key=lambda f: (SEVERITY[f.severity], f.code, f.where))


def _said(found: Finding, language: str) -> str:
    return worded(found.template, found.values, language)
