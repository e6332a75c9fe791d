"""Two rounds or countries beside each other: differences, tests for many at once, what compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from nsm.errors import NsmError, OptionError, nearest
from nsm.estimation import change
from nsm.indicators.adjustments import ADJUSTMENTS, adjusted
from nsm.indicators.compute import Computed, Failure, Piece, Surveys, joined, require, survey_of
from nsm.indicators.registry import Indicator, checked, chosen

if TYPE_CHECKING:
    import pandas as pd

HIGHER, LOWER, UNCLEAR = "higher", "lower", "no clear difference"
NEW = "not in the first registry"
DIFFER = {
    "universe": "the definitions differ in the universe",
    "statistic": "the definitions differ in the statistic",
    "standard": "the definitions differ in the standard",
    "version": "the definitions differ in the version of the standard",
}


def compare(
    first: Surveys,
    second: Surveys,
    codes: Sequence[str] = (),
    *,
    by: Sequence[str] = (),
    common: bool = True,
    registries: tuple[Mapping[str, Indicator] | None, Mapping[str, Indicator] | None] = (
        None,
        None,
    ),
    crosswalk: pd.DataFrame | None = None,
    adjustment: str = "holm",
    significance: float = 0.05,
) -> Computed:
    """Estimate the second survey's indicators minus the first's, on the second's definitions.

    Parameters
    ----------
    first, second
        Rounds of one survey, or surveys of two countries; as of `compute`.
    by
        Columns whose labels, together, are the domains; they must be in both.
    common
        Whether areas with the same stratum and label are the same areas, which bring their
        covariance (`nsm.change`); False for two countries.
    registries
        Of both; where a definition differs, the note says in what.
    crosswalk
        From the first questionnaire to the second (`nsm.questionnaire.draft_crosswalk`): what is
        partial or impossible comes into the notes.
    adjustment
        For the number of tests: `holm`, `bonferroni`, `benjamini-hochberg`, `none`.

    Returns
    -------
    As of `compute`, with `p`, `adjusted` and `verdict` (`higher`, `lower`, `no clear difference`)
    at the end.
    """
    if adjustment not in ADJUSTMENTS:
        raise OptionError(
            "adjustment={given!r} is not known. {hint}",
            given=adjustment,
            hint=nearest(adjustment, ADJUSTMENTS),
        )
    old, new = (checked(registry) for registry in registries)
    pieces, failures = [], []
    wanted = chosen(new, codes)
    for one in wanted:
        try:
            rounds = [survey_of(survey, one) for survey in (first, second)]
            for survey in rounds:
                require(survey, [*one.variables, *by])
            light = [survey.active({*one.variables, *by}) for survey in rounds]
            made = change(
                light[0],
                light[1],
                {one.code: one.statistic},
                by=list(by),
                where=one.universe or None,
                common=common,
            )
            pieces.append(Piece(made, (one,)))
        except NsmError as error:
            failures.append(Failure(one.code, tuple(by), error))
    if not pieces:
        reason = failures[0].reason if failures else "-"
        raise OptionError(
            "None of {count} indicators is in both surveys. First: {reason}",
            count=len(wanted),
            reason=reason,
        )
    found = joined(pieces, [one.code for one in wanted], failures)
    notes = {one.code: comparability(old.get(one.code), one, crosswalk) for one in wanted}
    table = with_tests(found.table, adjustment)
    table["note"] = [
        "; ".join(t for t in (notes[v], n) if t) or None
        for v, n in table[["variable", "note"]].to_numpy()
    ]
    clear = table["adjusted"] < significance
    table["verdict"] = np.select([clear & (table["estimate"] > 0), clear], [HIGHER, LOWER], UNCLEAR)
    return Computed(table, found.by, found.level, found.unknown, None, found.failures)


def comparability(
    old: Indicator | None, new: Indicator, crosswalk: pd.DataFrame | None
) -> str | None:
    """Say in what two definitions differ, and what the crosswalk loses."""
    said = []
    if old is None:
        said.append(NEW)
    else:
        said += [text for key, text in DIFFER.items() if getattr(old, key) != getattr(new, key)]
    if crosswalk is not None:
        rows = crosswalk[crosswalk["target"].isin(new.variables) & (crosswalk["status"] != "full")]
        said += [
            f"{r['target']}: {r['status']}" + (f" ({r['note']})" if r["note"] else "")
            for r in rows.fillna("").to_dict("records")
        ]
    return "; ".join(said) or None


def with_tests(table: pd.DataFrame, adjustment: str = "holm") -> pd.DataFrame:
    """Return differences with `p` of no difference (t) and `adjusted`; null without an SE."""
    se = table["se"].to_numpy("float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(table["estimate"].to_numpy("float64")) / np.where(se > 0, se, np.nan)
    p = 2 * stats.t.sf(t, table["df"].to_numpy("float64"))
    return table.assign(p=p, adjusted=adjusted(p, adjustment))
