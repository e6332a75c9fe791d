"""May this number be printed? A verdict on each estimate, with the step that decided."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
import pandas as pd

from nsm.errors import OptionError, nearest
from nsm.estimation.estimates import COLUMNS, Estimates
from nsm.language import translate
from nsm.publication.precision import inputs
from nsm.publication.rules import (
    CAUTION,
    NOT_PUBLISHABLE,
    PUBLISHABLE,
    VERDICTS,
    Rule,
    in_language,
    read_rule,
)

E = TypeVar("E", bound=Estimates)

FLAGS = ("rule", "kind", "planned", "verdict", "step", "reason")
ALL = "all"
# A total that every sample reproduces was known before the survey: se at most this share of it.
KNOWN = 1e-9

_SHARED = {
    "no_estimate": "There is no estimate in this domain.",
    "no_precision": "The standard error cannot be estimated.",
    "known": "This total was known before the survey: it is a control.",
    "passed": "Every step of the rule was passed.",
}
_WORDS = {
    PUBLISHABLE: "publishable",
    CAUTION: "use with caution",
    NOT_PUBLISHABLE: "not publishable",
}


def flag(
    estimates: E,
    rule: str | os.PathLike[str] | Mapping[str, Any] | Rule = "eclac2023",
    *,
    planned: Sequence[object] | bool = False,
    justified: Sequence[object] | bool = False,
    kinds: Mapping[str, str] | None = None,
    log_cv: str = "symmetric",
    language: str = "en",
) -> E:
    """Return the estimates with a verdict on each.

    Parameters
    ----------
    rule
        `eclac2023`, `eclac2020`, `ine_cl_2020`, `inegi2018`, `nchs`, `cv(0.15, 0.30)`, the path of
        an office's own TOML, or its content as a mapping.
    planned
        The domains that the sample was designed for: domain columns (all that they form alone),
        labels, tuples of labels, `all` (everyone); or True for each. One list serves all tables of
        a survey: what a table does not have is passed over.
    justified
        The planned domains whose few degrees of freedom are justified, in the same way.
    kinds
        Variable -> `proportion`, `magnitude` or `difference`, where the statistic does not tell.
    log_cv
        `symmetric`, or `package` for the form of R's `calidad`.

    Returns
    -------
    Estimates whose table has, after its own columns, `rule, kind, planned`, the inputs that the
    rule keeps, and `verdict` (publishable, caution, not_publishable), `step`, `reason`.

    Raises
    ------
    OptionError, ConfigError
        The rule, a kind or a form of the log-CV is unknown.
    """
    read = read_rule(rule)
    table = estimates.table[[*estimates.by, *COLUMNS]].reset_index(drop=True)
    domain = table[list(estimates.by)]
    seen = table.assign(
        **inputs(table, kinds, log_cv),
        planned=_among(domain, planned),
        justified=_among(domain, justified),
    )
    step, verdict, reason = _decide(seen, read, language)
    flagged = table.assign(
        rule=read.name,
        kind=seen["kind"],
        planned=seen["planned"],
        **{name: seen[name] for name in read.kept},
        verdict=verdict,
        step=step,
        reason=reason,
    )
    return replace(estimates, table=flagged)


def _decide(
    seen: pd.DataFrame, rule: Rule, language: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the step, the verdict and the reason of each row."""
    reasons = {code: translate(text, language) for code, text in _SHARED.items()}
    reasons |= {s.code: in_language(s.text, language) for s in rule.steps}
    step = _before(seen)
    verdict = np.where(step == "known", PUBLISHABLE, NOT_PUBLISHABLE).astype(object)
    frame = nw.from_native(seen)
    for one in rule.steps:
        holds = frame.select(holds=one.when.where(frame))["holds"].to_numpy().astype(bool)
        here = holds & (step == "")
        step[here], verdict[here] = one.code, one.verdict
    passed = step == ""
    step[passed], verdict[passed] = "passed", PUBLISHABLE
    return step, verdict, np.array([reasons[code] for code in step], object)


def _before(seen: pd.DataFrame) -> np.ndarray:
    """Return the steps that stand before every rule, and `""` where the rule decides."""
    estimate, se = seen["estimate"].to_numpy(float), seen["se"].to_numpy(float)
    total = seen["statistic"].isin(["total", "count"]).to_numpy()
    step = np.full(len(seen), "", object)
    step[total & (estimate != 0) & (se <= KNOWN * np.abs(estimate))] = "known"
    step[np.isnan(se)] = "no_precision"
    step[np.isnan(estimate) | (seen["n"] == 0).to_numpy()] = "no_estimate"
    return step


def _among(domain: pd.DataFrame, wanted: Sequence[object] | bool) -> np.ndarray:  # noqa: FBT001 (all or none)
    """Say for each row whether its domain is one of those wanted."""
    if isinstance(wanted, bool):
        return np.full(len(domain), wanted)
    if isinstance(wanted, str):
        wanted = [wanted]
    rows = list(domain.itertuples(index=False, name=None))
    labels = [tuple(str(v) for v in row if not _blank(v)) for row in rows]
    formed = [
        {c for c, v in zip(domain.columns, row, strict=True) if not _blank(v)} for row in rows
    ]
    found = np.zeros(len(domain), bool)
    for one in wanted:
        key = tuple(str(v) for v in one) if isinstance(one, tuple | list) else (str(one),)
        whole = key == (ALL,)
        found |= [
            (whole and not label) or label == key or names == set(key)
            for label, names in zip(labels, formed, strict=True)
        ]
    return found


def _blank(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def verdict_word(verdict: str, language: str) -> str:
    """Return the words for a verdict's code.

    >>> verdict_word("caution", "es")
    'usar con precaución'
    """
    if verdict not in VERDICTS:
        raise OptionError(
            "There is no verdict {verdict!r}. {hint}",
            verdict=verdict,
            hint=nearest(verdict, VERDICTS),
        )
    return translate(_WORDS[verdict], language)


def table_passes(flagged: Estimates, rule: str | Mapping[str, Any] | Rule | None = None) -> bool:
    """Say whether enough cells of a table are publishable for the whole to be published.

    Only some rules ask for it (INE Chile: half of the cells); for the others it is True.
    """
    names = flagged.table["rule"].unique()
    share = read_rule(names[0] if rule is None else rule).table_share if len(names) else None
    if share is None:
        return True
    return bool((flagged.table["verdict"] == PUBLISHABLE).mean() >= share)
