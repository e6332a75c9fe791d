"""Compute the indicators of the registry by the disaggregations that the settings ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nsm.errors import ColumnError, NsmError, OptionError, Phrase, nearest
from nsm.estimation import Survey
from nsm.files import write_table
from nsm.indicators import Computed, Failure, Indicator, compute, gaps, read_registry
from nsm.language import translate
from nsm.project.project import Made
from nsm.project.stages.estimation import FILES, weighted

if TYPE_CHECKING:
    from nsm.project.project import Project
    from nsm.project.settings import IndicatorSettings

ALL = "all"
SELECTED = "selected"  # one a household, where the weighting has made them
INDICATORS, GAPS, MISSING = "indicators", "gaps", "missing"


def make(project: Project, folder: Path) -> Made:
    """Write the indicators, the gaps, and `missing.csv`: what cannot be computed, and why."""
    settings = project.settings.indicators
    known = registry(project)
    codes = expanded(settings.codes, known)
    failures: list[Failure] = []
    rows = made = 0
    if codes:
        sources = surveys(project)
        by, failures = _formable(sources, disaggregations(settings))
        found = compute(sources, codes, by=by, registry=known, declared=True)
        _write(found, folder, INDICATORS)
        failures += found.failures
        rows, made = len(found), found.table["variable"].nunique()
        if settings.gap:
            failures += _gaps(project, sources, codes, folder)
    missing = _missing(failures)
    write_table(missing, folder / f"{MISSING}.csv")
    return Made(
        {"indicators": made, "estimates": rows, "missing": sorted(set(missing["code"]) - {""})},
        Phrase(
            "{rows:,} estimates of {made} indicators, {missing} not computed",
            rows=rows,
            made=made,
            missing=len(set(missing["code"]) - {""}),
        ),
    )


def registry(project: Project) -> dict[str, Indicator]:
    """Return the registry of a project."""
    own = project.settings.indicators.registry
    return read_registry(project.source(own) if own else None)


def surveys(project: Project) -> dict[str, Survey]:
    """Return the weighted surveys by who was asked: persons, interviews, selected."""
    project.results("weighting", FILES["persons"])
    folder = project.folder / "results" / "weighting"
    found = {
        name: weighted(project, name) for name, file in FILES.items() if (folder / file).exists()
    }
    one = folder / f"{SELECTED}.parquet"
    return {**found, SELECTED: Survey(one)} if one.exists() else found


def disaggregations(settings: IndicatorSettings) -> list[tuple[str, ...]]:
    """Return what the indicators are divided by: nothing, what is asked, and the gap's column.

    A gap may only be shown where both of its sides may be.
    """
    sides = [(settings.gap_on,)] if settings.gap else []
    return list(dict.fromkeys([(), *settings.by, *sides]))


def _formable(
    sources: dict[str, Survey], by: list[tuple[str, ...]]
) -> tuple[list[tuple[str, ...]], list[Failure]]:
    """Return the disaggregations that a survey has the columns of, and one failure for another."""
    known = {name for one in sources.values() for name in one.table.columns}
    failures = [
        Failure("", keys, ColumnError("The survey has no column {columns}.", columns=missing))
        for keys in by
        if (missing := [name for name in keys if name not in known])
    ]
    lost = {failure.by for failure in failures}
    return [keys for keys in by if keys not in lost], failures


def expanded(wanted: tuple[str, ...], known: dict[str, Indicator]) -> list[str]:
    """Return codes in place of families and of `all`.

    Raises
    ------
    OptionError
        A name is neither a code nor a family.
    """
    names = {one.family for one in known.values()}
    codes: list[str] = []
    for name in wanted:
        if name in known:
            codes.append(name)
        elif name in names or name == ALL:
            codes += [c for c, one in known.items() if name in (ALL, one.family) and one.computable]
        else:
            raise OptionError(
                "[indicators] codes has {name!r}, which is neither a code nor a family. {hint}",
                name=name,
                hint=nearest(name, [*known, *names, ALL]),
            )
    return list(dict.fromkeys(codes))


def _gaps(
    project: Project, sources: dict[str, Survey], codes: list[str], folder: Path
) -> list[Failure]:
    """Write the gaps; indicators that have none are in no list, as totals never have one."""
    settings = project.settings.indicators
    if len(settings.gap) != 2:
        raise OptionError(
            "[indicators] gap = {gap} needs two labels of the column {column!r}.",
            gap=list(settings.gap),
            column=settings.gap_on,
        )
    between = (settings.gap[0], settings.gap[1])
    try:
        found = gaps(
            sources, codes, between=between, on=settings.gap_on, registry=registry(project)
        )
    except OptionError as error:
        return [Failure("", (settings.gap_on,), error)]
    _write(found, folder, GAPS)
    return []


def _write(found: Computed, folder: Path, name: str) -> None:
    write_table(found.table, folder / f"{name}.parquet")
    write_table(found.table, folder / f"{name}.csv")


def _missing(failures: list[Failure]) -> pd.DataFrame:
    """Return `code, by` and the reason in each language; once where it fails for everyone."""
    never = {f.code for f in failures if not f.by}
    rows = [
        {
            "code": failure.code,
            "by": ", ".join(failure.by),
            **{f"reason_{language}": _said(failure, language) for language in ("en", "es")},
        }
        for failure in failures
        if not failure.by or failure.code not in never
    ]
    return pd.DataFrame(rows, columns=["code", "by", "reason_en", "reason_es"])


def _said(failure: Failure, language: str) -> str:
    def words(text: str) -> str:
        return translate(text, language)

    reason = failure.reason
    if isinstance(reason, NsmError):
        return reason.render(words)
    return reason.said(words) if isinstance(reason, Phrase) else words(reason)
