"""What became of every unit of the sample: dispositions, and response rates by AAPOR's formulas.

A unit has one outcome group: I complete and P partial interview; R refusal, NC no contact and O
other among those known to be eligible; UH and UO of unknown eligibility; NE not eligible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from nsm.errors import FieldworkError, OptionError, ValueInColumnError
from nsm.files import require_columns
from nsm.questionnaire.questionnaire import Questionnaire

GROUPS = ("I", "P", "R", "NC", "O", "UH", "UO", "NE")
CLASSES = {
    "I": "respondent",
    "P": "respondent",
    "R": "nonrespondent",
    "NC": "nonrespondent",
    "O": "nonrespondent",
    "UH": "unknown",
    "UO": "unknown",
    "NE": "ineligible",
}
RATES = (*(f"RR{n}" for n in range(1, 7)), "COOP1", "COOP2", "REF1", "CON1", "eligible")


def dispositions(
    table: pd.DataFrame, form: Questionnaire, outcome: str = "outcome"
) -> pd.DataFrame:
    """Add `disposition` and `aapor` from the outcome of each unit.

    Parameters
    ----------
    outcome
        A question whose code list says the `aapor` group of each code.

    Raises
    ------
    ColumnError, FieldworkError, ValueInColumnError
    """
    require_columns(table, [outcome], "The table")
    question = form.questions.get(outcome)
    codes = form.lists[question.list].codes if question and question.list else ()
    groups = {code.code: str(code.attributes.get("aapor")) for code in codes}
    unclear = [code for code, group in groups.items() if group not in GROUPS]
    if unclear or not groups:
        raise FieldworkError(
            "The outcomes {codes} of {outcome!r} have no AAPOR group. Give each code an `aapor`: "
            "{known}.",
            codes=unclear,
            outcome=outcome,
            known=list(GROUPS),
        )
    group = table[outcome].map(groups)
    strange = table[outcome].notna() & group.isna()
    if strange.any():
        raise ValueInColumnError(
            "{count} rows have an {outcome} that is not in its code list: {codes}.",
            count=int(strange.sum()),
            outcome=outcome,
            codes=list(table.loc[strange, outcome].unique()),
        )
    found = group.fillna("UH")  # a unit without outcome has not been resolved
    return table.assign(disposition=found.map(CLASSES), aapor=found)


def response_rates(
    table: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    weight: str | None = None,
    eligible: float | None = None,
) -> pd.DataFrame:
    """Return counts by outcome group and the response rates RR1 to RR6.

    Parameters
    ----------
    table
        One row per unit, with `aapor` (see `dispositions`), or at least `disposition`.
    by
        Columns to count by.
    weight
        A column of base weights; counts and rates are then weighted.
    eligible
        The share e of the units of unknown eligibility that is eligible, 0 to 1. By default the
        share among the resolved units of the same row (CASRO's allocation).

    Returns
    -------
    The columns of `by`, `n`, the eight groups, `RR1` ... `RR6`, cooperation (`COOP1, COOP2`),
    refusal (`REF1`) and contact (`CON1`) rates, and `eligible`, the e that was used. Fractions;
    null where there is nobody to respond.

    Raises
    ------
    ColumnError, OptionError, ValueInColumnError

    References
    ----------
    AAPOR (2023), Standard Definitions, 10th ed., section "Calculating outcome rates".

    Examples
    --------
    >>> units = pd.DataFrame({"aapor": ["I"] * 6 + ["R"] * 2 + ["UH"] + ["NE"]})
    >>> response_rates(units)[["RR1", "RR3", "RR5"]].round(3).to_numpy().tolist()
    [[0.667, 0.675, 0.75]]
    """
    columns = [by] if isinstance(by, str) else list(by)
    if eligible is not None and not 0 <= eligible <= 1:
        raise OptionError("eligible={eligible} is no share between 0 and 1.", eligible=eligible)
    group = _groups(table)
    require_columns(table, [*columns, *([weight] if weight else [])], "The table")
    amount = pd.Series(1.0, index=table.index) if weight is None else table[weight].astype(float)
    flags = {code: amount.where(group == code, 0.0) for code in GROUPS}
    wide = pd.DataFrame({"n": 1, **flags, **{c: table[c] for c in columns}})
    if columns:
        counts = wide.groupby(columns, dropna=False, observed=True).sum().reset_index()
    else:
        counts = wide.sum().to_frame().T
    whole = {"n": "int64"} | (dict.fromkeys(GROUPS, "int64") if weight is None else {})
    return _rates(counts.astype(whole), eligible)


def _groups(table: pd.DataFrame) -> pd.Series:
    """Return the outcome group of every unit; a disposition alone gives the commonest group."""
    if "aapor" in table.columns:
        known, column = {code: code for code in GROUPS}, "aapor"
    else:
        require_columns(table, ["disposition"], "The table")
        commonest = {"respondent": "I", "nonrespondent": "R", "unknown": "UH", "ineligible": "NE"}
        known, column = commonest, "disposition"
    group = table[column].map(known)
    strange = group.isna()
    if strange.any():
        raise ValueInColumnError(
            "{count} rows have a {column} other than {known}.",
            count=int(strange.sum()),
            column=column,
            known=", ".join(known),
        )
    return group


def _rates(counts: pd.DataFrame, eligible: float | None) -> pd.DataFrame:
    i, p, r, nc, o, uh, uo, ne = (counts[code].astype(float) for code in GROUPS)
    known = i + p + r + nc + o
    unknown = uh + uo
    share = known / (known + ne) if eligible is None else known * 0 + eligible
    share = share.where(known + ne > 0, 1.0) if eligible is None else share
    answered = i + p
    rates = {
        "RR1": i / (known + unknown),
        "RR2": answered / (known + unknown),
        "RR3": i / (known + share * unknown),
        "RR4": answered / (known + share * unknown),
        "RR5": i / known,
        "RR6": answered / known,
        "COOP1": i / (answered + r + o),
        "COOP2": answered / (answered + r + o),
        "REF1": r / (known + unknown),
        "CON1": (answered + r + o) / (known + unknown),
        "eligible": share,
    }
    finite = {name: rate.replace([np.inf, -np.inf], np.nan) for name, rate in rates.items()}
    return counts.assign(**finite)


def phases(
    form: Questionnaire,
    tables: Mapping[str, pd.DataFrame],
    areas: Iterable[object] | None = None,
) -> pd.DataFrame:
    """Return response by phase: areas, dwellings, and the individual interviews.

    Parameters
    ----------
    tables
        As `read_delivery` gives them.
    areas
        The sampled areas; those from which no dwelling came are not contacted.

    Returns
    -------
    `phase`, counts and rates as `response_rates` gives them, and `overall`: the product of RR3 up
    to the phase.
    """
    first = next(iter(form.tables.values()))
    dwellings = dispositions(tables[first.name], form)
    rows = []
    if areas is not None:
        visited = set(dwellings[str(first.of)])
        sampled = list(dict.fromkeys(areas))
        found = pd.DataFrame({"aapor": ["I" if area in visited else "NC" for area in sampled]})
        rows.append(response_rates(found).assign(phase="areas"))
    rows.append(response_rates(dwellings).assign(phase=first.name))
    persons = interview_outcomes(form, tables)
    if persons is not None:
        rows.append(response_rates(persons).assign(phase="interviews"))
    whole = pd.concat(rows, ignore_index=True)
    whole["overall"] = whole["RR3"].cumprod()
    return whole[["phase", *(c for c in whole.columns if c != "phase")]]


def interview_outcomes(
    form: Questionnaire, tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame | None:
    """Return the persons who were to be interviewed, with their `aapor` group.

    The form's `invited` says who they are, or else `interviewed`. Their outcome is the question
    of concept `interview_outcome`, or else whether anything of the second pass was answered.
    """
    flag = form.options.get("invited") or form.options.get("interviewed")
    if not flag or flag not in form.questions:
        return None
    question = form.questions[str(flag)]
    table = tables.get(question.table)
    if table is None or flag not in table.columns:
        return None
    chosen = table[table[flag].eq(other=True).fillna(value=False).astype(bool)]
    about = [q for q in form.questions.values() if q.about.get("concept") == "interview_outcome"]
    if about and about[0].name in chosen.columns:
        return dispositions(chosen, form, about[0].name)
    second = {section.name for section in form.sections if section.of is not None}
    asked = [
        q.name
        for q in form.columns(question.table).values()
        if set(q.rosters) & second and not q.silent and q.name in chosen.columns
    ]
    answered = chosen[asked].notna().any(axis=1)
    group = pd.Series(np.where(answered, "I", "NC"), index=chosen.index)
    return chosen.assign(aapor=group, disposition=group.map(CLASSES))
