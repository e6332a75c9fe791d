"""Names that every data format can hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nsm.condition.parser import FUNCTIONS, KEYWORDS
from nsm.questionnaire.findings import Finding
from nsm.questionnaire.reach import Reach

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

LONGEST = 32  # Stata; SPSS takes 64 bytes, CSPro 32
_LEGAL = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*_?")
# Words that SPSS, Stata or SQL keep for themselves, beside those of conditions.
_SOFTWARE = """
    all and by eq ge gt le lt ne not or to with if in using double float long byte int str strl
    select from where group order table null case when then else key parent_key
"""
RESERVED = frozenset(_SOFTWARE.split()) | KEYWORDS | set(FUNCTIONS)


def check_names(form: Questionnaire, reach: Reach) -> Iterator[Finding]:
    """Find names that clash, or that a format refuses."""
    questions = [(q.name, f"{q.module}.{q.name}") for q in form.every_question]
    sections = [(s.name, s.name) for s in form.sections]
    said = Counter(name for name, _ in (*questions, *sections))
    folded: dict[str, str] = {}
    copies = {f"{s}_{q}" for s in reach.rosters if reach.rosters[s].of for q, _ in questions}
    for name, where in dict((*sections, *questions)).items():
        if said[name] > 1:
            yield Finding(
                "Q101",
                where,
                "The name {name!r} stands {times} times. Every question and section has its own.",
                name=name,
                times=said[name],
            )
        if not _LEGAL.fullmatch(name) or len(name) > LONGEST or name in copies:
            yield Finding(
                "Q102",
                where,
                "The name {name!r} does not fit the data formats: at most {most} letters, digits "
                "and single _, beginning with a letter.",
                name=name,
                most=LONGEST,
            )
        if name.lower() in RESERVED:
            yield Finding(
                "Q103", where, "{name!r} is a reserved word. Choose another name.", name=name
            )
        other = folded.setdefault(name.lower(), name)
        if other != name:
            yield Finding(
                "Q104",
                where,
                "{name!r} and {other!r} differ in upper and lower case only, which SPSS ignores.",
                name=name,
                other=other,
            )
