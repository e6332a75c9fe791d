"""Where commands on indicators take their surveys from: the project, or another survey's file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nsm.cli.app import Session

if TYPE_CHECKING:
    import pandas as pd

    from nsm.estimation import Survey
    from nsm.indicators import Computed
    from nsm.project import Project

MEASURES = ("estimate", "se", "cv", "lower", "upper", "n")
MAPPING = "TOML that maps another survey's file to our columns; the project if left out."


def surveys_of(session: Session, mapping: str | None) -> dict[str, Survey] | Survey:
    """Return the surveys of the project by name, or the one that a mapping describes."""
    if mapping is not None:
        from nsm.indicators import read_other

        return read_other(mapping)
    return project_surveys(session.project())


def project_surveys(project: Project) -> dict[str, Survey]:
    """Return the weighted surveys of a project: of persons and, where there are, interviews."""
    from nsm.project.stages.indicators import surveys

    return surveys(project)


def keys_of(by: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return disaggregations: columns that cross are joined by a comma; everyone is the first.

    >>> keys_of(("sex", "status,sex"))
    [(), ('sex',), ('status', 'sex')]
    """
    sets = [tuple(name.strip() for name in text.split(",") if name.strip()) for text in by]
    return [(), *(keys for keys in sets if keys)]


def show_computed(session: Session, found: Computed, *more: str) -> None:
    """Write estimates, and to standard error what could not be made."""
    table = found.table
    for failure in found.failures:
        reason = failure.reason
        render = getattr(reason, "render", None)
        said = render(session.words) if render else session.words(str(reason))
        place = f" ({', '.join(failure.by)})" if failure.by else ""
        click.echo(f"{failure.code}{place}: {said}", err=True)
    session.show(table, lambda: lined(session, table, [*found.by, "variable", "category"], more))


def lined(
    session: Session, table: pd.DataFrame, keys: list[str], more: tuple[str, ...] = ()
) -> str:
    """Return rows as lines of text, each column as wide as its longest cell."""
    columns = [c for c in keys if table[c].notna().any()]
    columns += [c for c in (*MEASURES, *more) if c in table.columns]
    rows = [[session.words(c) for c in columns]]
    rows += [[cell(session, c, row[c]) for c in columns] for row in table.to_dict("records")]
    widths = [max(len(row[k]) for row in rows) for k in range(len(columns))]
    return "\n".join(
        "  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def cell(session: Session, name: str, value: Any) -> str:
    """Return a value as text: counts whole, CVs in percent, missing values as a dash."""
    if value is None or value != value:  # noqa: PLR0124 (a missing number)
        return "-"
    if isinstance(value, str):
        return "; ".join(_said(session, part) for part in value.split("; "))
    if name == "cv":
        return f"{value:.1%}"
    if name == "year":
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 or name == "n" else f"{value:,.4g}"


def _said(session: Session, text: str) -> str:
    """Return a part of a note in the reader's words; what stands before a colon is a column."""
    head, mark, rest = text.partition(": ")
    return f"{head}{mark}{session.words(rest)}" if mark else session.words(text)


def is_project(path: str) -> bool:
    """Whether a path is a project or its folder; otherwise it is a mapping."""
    place = Path(path)
    return place.is_dir() or place.name == "survey.toml"
