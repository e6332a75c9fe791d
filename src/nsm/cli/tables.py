"""Tables as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from nsm.cli.app import Session


def listed(
    session: Session,
    table: pd.DataFrame,
    columns: Mapping[str, str],
    formats: Mapping[str, str] | None = None,
) -> str:
    """Return a table as aligned text: numbers to the right, headings in the user's language.

    Parameters
    ----------
    columns
        Column of the table -> English heading.
    formats
        Format of numbers by column, such as `.1%`; whole ones `,.0f` where none is given.
    """
    rows = [[session.words(heading) for heading in columns.values()]]
    kinds = [(formats or {}).get(name, "") for name in columns]
    rows += [
        [_cell(v, kind, session) for v, kind in zip(record, kinds, strict=True)]
        for record in table[list(columns)].itertuples(index=False)
    ]
    right = [not _is_text(table[name]) for name in columns]
    return aligned(rows, right)


def aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """Return rows of text in columns of one width."""
    width = [max(len(row[k]) for row in rows) for k in range(len(right))]
    lines = (
        "  ".join(
            cell.rjust(w) if to_right else cell.ljust(w)
            for cell, w, to_right in zip(row, width, right, strict=True)
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _is_text(values: pd.Series) -> bool:
    return str(values.dtype) in {"object", "str", "string", "category", "bool"}


def _cell(value: Any, kind: str, session: Session) -> str:
    if value is None or value != value:  # noqa: PLR0124 (a missing number)
        return "-"
    if isinstance(value, str):
        return session.words(value)
    if str(value) in {"True", "False"}:
        return session.words("yes") if value else ""
    return format(value, kind or ",.0f")
