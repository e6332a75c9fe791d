"""Control totals: read, compared with the data, made into regressors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.errors import CalibrationError, OptionError
from nsm.files import require_columns
from nsm.totals import Cells, compressed

if TYPE_CHECKING:
    from nsm.totals import Memory

Margins = Mapping[Any, Any] | pd.DataFrame | Sequence[Mapping[str, Any]]
CROSS = "*"
AGREE = 0.5


@dataclass(frozen=True)
class Control:
    """One margin: the totals of the categories of one or several crossed columns, or of a number.

    Parameters
    ----------
    columns
        The columns that are crossed; one for a number.
    totals
        Label of each category, as text, -> total; for a number, () -> total.
    """

    columns: tuple[str, ...]
    totals: Mapping[tuple[str, ...], float]

    @property
    def numeric(self) -> bool:
        """Whether it is the total of a number."""
        return tuple(self.totals) == ((),)

    @property
    def name(self) -> str:
        """The crossed columns, as one word."""
        return CROSS.join(self.columns)

    @property
    def labels(self) -> list[str]:
        """What messages and reports call each of its totals."""
        if self.numeric:
            return [self.name]
        return [f"{self.name}={CROSS.join(label)}" for label in self.totals]


def as_code(value: object) -> str:
    """Return a label as text: 1, 1.0 and "1" are one, "01" is another.

    >>> as_code(1.0), as_code("01"), as_code(True)
    ('1', '01', '1')
    """
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def read_margins(margins: Margins) -> list[Control]:
    """Return the controls of a mapping or of a tidy table.

    Parameters
    ----------
    margins
        `{"sex": {"M": 5.1e6, "F": 5.2e6}, ("region", "age"): {("N", "0-14"): 3e5}, "income":
        1e9}`, or a table with columns `variable, category, total`, where crossed variables and
        their categories are joined by `*` and a number has a blank category.

    Raises
    ------
    CalibrationError
        A total is missing, negative, or given twice.
    OptionError
        It is neither of these, or empty.
    """
    if isinstance(margins, list | tuple):
        margins = pd.DataFrame(list(margins))
    if isinstance(margins, pd.DataFrame):
        margins = _from_table(margins)
    if not isinstance(margins, Mapping) or not margins:
        raise OptionError(
            "Margins are a mapping such as {example}, or a table with columns variable, category, "
            "total; not {given}.",
            example='{"sex": {"M": 5.1e6, "F": 5.2e6}}',
            given=type(margins).__name__ if not isinstance(margins, Mapping) else "empty",
        )
    controls = []
    for key, value in margins.items():
        columns = tuple(key) if isinstance(key, tuple | list) else tuple(str(key).split(CROSS))
        if isinstance(value, Mapping | pd.Series):
            totals = {_label(label, columns): float(total) for label, total in value.items()}
            if len(totals) < len(value):
                raise CalibrationError(
                    "Margin {margin!r} gives a category twice.", margin=CROSS.join(columns)
                )
        else:
            totals = {(): float(value)}
        controls.append(Control(columns, totals))
    _refuse_totals(controls)
    return controls


def read_partitions(margins: Any, by: str) -> dict[str, list[Control]]:
    """Return the controls of each partition.

    Parameters
    ----------
    margins
        A mapping from the label of a partition to its margins, or a table with a column `by`.

    Raises
    ------
    OptionError, CalibrationError
        It is neither, or the margins of a partition are wrong.
    """
    if isinstance(margins, list | tuple):
        margins = pd.DataFrame(list(margins))
    if isinstance(margins, pd.DataFrame):
        require_columns(margins, (by,), "the control table")
        labels = margins[by].map(as_code)
        margins = {label: margins[labels == label] for label in dict.fromkeys(labels)}
    if not isinstance(margins, Mapping) or not all(
        isinstance(m, Mapping | pd.DataFrame | list | tuple) for m in margins.values()
    ):
        raise OptionError(
            "Calibration by {by!r} needs the margins of each partition: a mapping from its label, "
            "or a table with that column.",
            by=by,
        )
    return {as_code(label): read_margins(part) for label, part in margins.items()}


def _label(label: object, columns: Sequence[str]) -> tuple[str, ...]:
    if isinstance(label, tuple | list):
        parts = tuple(as_code(part) for part in label)
    else:
        parts = tuple(as_code(label).split(CROSS)) if len(columns) > 1 else (as_code(label),)
    if len(parts) != len(columns):
        raise CalibrationError(
            "Category {label!r} of margin {margin!r} has {given} parts; {columns} columns are "
            "crossed.",
            label=label,
            margin=CROSS.join(columns),
            given=len(parts),
            columns=len(columns),
        )
    return parts


def _from_table(table: pd.DataFrame) -> dict[Any, Any]:
    require_columns(table, ("variable", "category", "total"), "the control table")
    margins: dict[Any, Any] = {}
    for variable, part in table.groupby("variable", sort=False):
        blank = part["category"].isna() | (part["category"].astype(str) == "")
        if blank.all() and len(part) == 1:
            margins[variable] = float(part["total"].iloc[0])
            continue
        codes = part["category"].map(as_code)
        if blank.any() or codes.duplicated().any():
            raise CalibrationError(
                "Margin {margin!r} of the control table has a blank or repeated category: {codes}.",
                margin=str(variable),
                codes=list(codes[blank | codes.duplicated()]),
            )
        margins[variable] = dict(zip(codes, part["total"], strict=True))
    return margins


def _refuse_totals(controls: Sequence[Control]) -> None:
    for control in controls:
        wrong = [
            label
            for label, total in zip(control.labels, control.totals.values(), strict=True)
            if not np.isfinite(total) or (total < 0 and not control.numeric)
        ]
        if wrong:
            raise CalibrationError(
                "These controls are missing, infinite or negative: {controls}.", controls=wrong
            )
    grand = {c.name: sum(c.totals.values()) for c in controls if not c.numeric}
    if grand and max(grand.values()) - min(grand.values()) > AGREE:
        raise CalibrationError(
            "The margins do not add up to one population: {totals}. They differ by "
            "{difference:,.1f}. "
            "Take them from one source, or rescale them on purpose.",
            totals=", ".join(f"{name}: {total:,.1f}" for name, total in grand.items()),
            difference=max(grand.values()) - min(grand.values()),
        )


@dataclass(frozen=True)
class Controls:
    """Controls joined to data.

    Parameters
    ----------
    cells
        Regressors of each row.
    totals
        What their weighted sums must be (controls,).
    labels
        What messages call them.
    """

    cells: Cells
    totals: np.ndarray
    labels: tuple[str, ...]


def join_controls(
    controls: Sequence[Control], table: Memory, inside: np.ndarray | None = None
) -> Controls:
    """Turn controls into regressors of the rows of a table.

    Parameters
    ----------
    inside
        Rows that are calibrated (rows,); the regressors of the others are 0. None: all.

    Raises
    ------
    CalibrationError
        A row has no category, a category is unknown to the controls, a control has no row.
    """
    inside = np.ones(table.rows, bool) if inside is None else inside
    codes, matrix, totals, labels = np.zeros(table.rows, np.int64), [], [], []
    categorical = [c for c in controls if not c.numeric]
    parts = [_positions(control, table, inside) for control in categorical]
    for part, control in zip(parts, categorical, strict=True):
        codes = codes * (len(control.totals) + 1) + part
        totals.append(list(control.totals.values()))
        labels += control.labels
    cells = int(np.prod([len(c.totals) + 1 for c in categorical], dtype=float))
    code, present = compressed(codes + 1, cells)
    index = np.unravel_index(present, [len(c.totals) + 1 for c in categorical]) if parts else ()
    for position, control in zip(index, categorical, strict=True):
        matrix.append((position[:, None] == np.arange(1, len(control.totals) + 1)).astype(float))
    joined = Cells(code - 1, np.concatenate(matrix, axis=1) if matrix else np.zeros((1, 0)))
    numbers = [c for c in controls if c.numeric]
    if numbers:
        joined = Cells(
            np.arange(table.rows),
            _side_by_side(joined, [_number(control, table, inside) for control in numbers]),
        )
        totals.append([c.totals[()] for c in numbers])
        labels += [c.name for c in numbers]
    return Controls(joined, np.concatenate([np.asarray(t, float) for t in totals]), tuple(labels))


def _number(control: Control, table: Memory, inside: np.ndarray) -> np.ndarray:
    values, observed = table.number(control.columns[0])
    if observed is not None:
        _refuse_missing(control.columns[0], np.flatnonzero(inside & ~observed), table)
    return values if inside.all() else np.where(inside, values, 0.0)


def _side_by_side(cells: Cells, columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return regressors of each row, of cells and of numbers (rows, regressors), by column."""
    first = cells.matrix.shape[1]
    matrix = np.empty((len(cells.codes), first + len(columns)), order="F")
    for k in range(first):
        matrix[:, k] = cells.matrix[cells.codes, k]
    for k, column in enumerate(columns, first):
        matrix[:, k] = column
    return matrix


def _positions(control: Control, table: Memory, inside: np.ndarray) -> np.ndarray:
    """Return 1 + the index of each row's category in the control; 0 for rows outside."""
    parts = [table.codes(name) for name in control.columns]
    whole = bool(inside.all())
    for name, part in zip(control.columns, parts, strict=True):
        if len(part.codes) and part.codes.min() == 0:
            _refuse_missing(name, np.flatnonzero(inside & (part.codes == 0)), table)
    shape = [len(part.labels) for part in parts]
    joint = parts[0].codes
    for part in parts[1:]:
        joint = (joint - 1) * len(part.labels) + part.codes
    if whole and len(parts) == 1:
        code, present = joint, np.arange(shape[0])
    else:
        joint = joint if whole else np.where(inside, joint, 0)
        code, present = compressed(joint, int(np.prod(shape)))
    index = np.unravel_index(present, shape)
    texts = list(
        zip(
            *([as_code(v) for v in p.labels.take(i)] for p, i in zip(parts, index, strict=True)),
            strict=True,
        )
    )
    known = {label: k + 1 for k, label in enumerate(control.totals)}
    unknown = [text for text in texts if text not in known]
    if unknown:
        raise CalibrationError(
            "Margin {margin!r} has no total for {count} categories of {table}: {categories}.{hint}",
            margin=control.name,
            count=len(unknown),
            table=table.name,
            categories=[CROSS.join(u) for u in unknown],
            hint=_near_miss(unknown[0], list(known)),
        )
    empty = [label for label, total in control.totals.items() if total > 0 and label not in texts]
    if empty:
        raise CalibrationError(
            "No unit of {table} is in these categories of margin {margin!r}, so their totals "
            "cannot be "
            "met: {categories}.{hint} Join them to others.",
            margin=control.name,
            table=table.name,
            categories=[CROSS.join(e) for e in empty],
            hint=_near_miss(empty[0], texts),
        )
    return np.array([0, *(known[text] for text in texts)])[code]


def _near_miss(label: tuple[str, ...], known: Sequence[tuple[str, ...]]) -> str:
    plain = [part.strip().lstrip("0").casefold() for part in label]
    for other in known:
        if [part.strip().lstrip("0").casefold() for part in other] == plain:
            return f" {CROSS.join(label)!r} is not {CROSS.join(other)!r}: write both alike."
    return ""


def _refuse_missing(column: str, rows: np.ndarray, table: Memory) -> None:
    if len(rows):
        raise CalibrationError(
            "Control {column!r} is missing for {count} units of {table} (rows {rows}). Every unit "
            "needs its controls: impute them, or leave the units out with `where`.",
            column=column,
            count=len(rows),
            table=table.name,
            rows=[int(i) + 1 for i in rows[:6]],
        )
