"""What an output shows of an estimate: one state, the same in every format.

A suppressed cell is right and would reveal somebody; an unreliable one reveals nobody and cannot
be trusted. They never share a mark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nsm.language import translate
from nsm.publication.rules import CAUTION, NOT_PUBLISHABLE

if TYPE_CHECKING:
    import pandas as pd

SHOWN, LOW, UNRELIABLE, SUPPRESSED, EMPTY = "shown", "caution", "unreliable", "suppressed", "empty"


class Mark(NamedTuple):
    """How a state is printed: its sign, its words, and its SDMX observation status.

    `short` is what fits into a column of a table.
    """

    sign: str
    words: str
    sdmx: str
    short: str


MARKS = {
    SHOWN: Mark("", "publishable", "A", "publishable"),
    LOW: Mark("△", "use with caution", "U", "caution"),
    UNRELIABLE: Mark("(u)", "not publishable: too imprecise", "O", "imprecise"),
    SUPPRESSED: Mark("(c)", "confidential: too few persons", "Q", "confidential"),
    EMPTY: Mark("\N{EN DASH}", "nobody in the sample", "M", "nobody"),
}


def states(table: pd.DataFrame) -> np.ndarray:
    """Return the state of each estimate (rows,), from `suppressed` and `verdict` where it has them.

    Confidentiality comes before precision: who reads `unreliable` learns that no rule of disclosure
    was broken.
    """
    found = np.full(len(table), SHOWN, object)
    if "verdict" in table.columns:
        verdict = table["verdict"].to_numpy(object)
        found[verdict == CAUTION] = LOW
        found[verdict == NOT_PUBLISHABLE] = UNRELIABLE
    found[table["estimate"].isna().to_numpy()] = EMPTY
    if "suppressed" in table.columns:
        found[table["suppressed"].notna().to_numpy()] = SUPPRESSED
    return found


def legend(shown: set[str], language: str) -> list[tuple[str, str]]:
    """Return the signs that a table uses, with their words."""
    return [
        (mark.sign, translate(mark.words, language))
        for state, mark in MARKS.items()
        if state in shown and mark.sign
    ]
