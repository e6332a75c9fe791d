"""Estimates as rows of a file: every number that may be read, and why the others are blank."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nsm.errors import PublicationError
from nsm.estimation.estimates import Estimates
from nsm.publication.grid import Labels
from nsm.publication.guard import Geography
from nsm.publication.rules import Text
from nsm.publication.states import SUPPRESSED, UNRELIABLE, states

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

KEYS = ("variable", "statistic", "category", "order")
VALUES = ("estimate", "se", "lower", "upper")
PRECISION = ("cv", "df", "deff", "n", "cases", "psus", "n_eff", "log_cv")
WORDS = ("rule", "verdict", "step", "note")


@dataclass(frozen=True)
class Series:
    """A variable of a table as a series of the global SDG data.

    Parameters
    ----------
    code
        Of the list CL_SERIES.
    unit
        Of the list CL_UNIT_MEASURE.
    scale
        What the estimate is multiplied with: 100 makes a fraction a percent.
    dimensions
        Dimension -> code, of what its universe says: `{"AGE": "Y15T24"}`. A column of the table
        that has the same dimension goes before it.
    """

    code: str
    unit: str = "NUMBER"
    scale: float = 1.0
    dimensions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Declared:
    """A table to deliver: estimates that went through `flag` and `protect`, with their words.

    Parameters
    ----------
    across
        Domain columns (or `variable`) that stand side by side in what is read by people; the others
        stand below each other.
    series
        Variable -> its series of the SDGs.
    formats
        Variable -> format of its numbers, where they are printed.
    """

    estimates: Estimates
    title: str | Text
    note: str | Text = ""
    across: tuple[str, ...] = ()
    series: Mapping[str, Series] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Edition:
    """What all files of a publication share.

    Parameters
    ----------
    language
        Of labels in files that have one language only (SPSS, Stata); the first of `languages`.
    country
        ISO 3166 alpha-3.
    notice
        Stands in each file, row by row where it has no other place, if `synthetic`.
    secrets
        Keys of sampled areas, and seeds: a file that holds one is not written.
    geography
        The places that its tables may show.
    """

    title: str | Text
    country: str
    year: int
    languages: tuple[str, ...] = ("es", "en")
    labels: Labels = field(default_factory=dict)
    synthetic: bool = False
    notice: str | Text = ""
    secrets: tuple[object, ...] = ()
    geography: Geography = field(default_factory=Geography)

    @property
    def language(self) -> str:
        """The language of files that have one."""
        return self.languages[0]


def records(estimates: Estimates, notice: str = "") -> pd.DataFrame:
    """Return the rows of a public file, with `state` after the numbers.

    `state` is `shown, caution, unreliable, suppressed` or `empty`. A suppressed row has no
    number at all, not even of persons; an unreliable one has the numbers that say why. Which cells
    were suppressed first, and which to protect them, is not told.

    Parameters
    ----------
    notice
        Text of a last column, on each row.

    Raises
    ------
    PublicationError
        The estimates did not go through `protect`.
    """
    table = estimates.table.reset_index(drop=True)
    if "suppressed" not in table.columns:
        raise PublicationError(
            "{where}: these estimates did not go through the disclosure rules. Call "
            "nsm.publication.protect(estimates) before they are shown to the public.",
            where=", ".join(dict.fromkeys(table["variable"].astype("str"))),
        )
    state = states(table)
    numbers = [c for c in (*VALUES, *PRECISION) if c in table.columns]
    words = [c for c in WORDS if c in table.columns]
    made = table[[*estimates.by, *KEYS, *numbers, *words]].copy()
    for name in (*numbers, *words):
        hidden = state == SUPPRESSED
        if name in VALUES:
            hidden = hidden | (state == UNRELIABLE)
        if name in numbers:
            made[name] = made[name].astype(
                "Float64" if name not in {"n", "cases", "psus"} else "Int64"
            )
        made[name] = made[name].mask(hidden)
    made["df"] = made["df"].mask(np.isinf(made["df"].astype("float64").to_numpy(na_value=np.nan)))
    place = list(made.columns).index("note")
    made.insert(place, "state", state.astype("str"))
    return made.assign(notice=notice) if notice else made
