"""The table of control totals: a template to fill in, and a check before it is used.

| code | what is found |
|---|---|
| W101 | a control table that cannot be read, or totals that are missing or negative |
| W102 | crossed margins that disagree with those they add up to |
| W103 | categories of the data without a total, or controls missing for units |
| W104 | totals of categories that no unit is in |
| W105 | categories with few units |
| W106 | controls that repeat each other (they agree, so nothing is wrong) |
| W107 | a population that is far from the sum of weights |
| W108 | controls that cannot be met together within the bounds |
| W109 | households that cannot share a factor |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.errors import CalibrationError, NsmError
from nsm.frame.findings import Finding, finding, findings_table
from nsm.language import translate
from nsm.weighting.calibration import Calibration, inside_of
from nsm.weighting.feasibility import conflict_table, conflicts
from nsm.weighting.margins import (
    AGREE,
    CROSS,
    Control,
    as_code,
    read_margins,
    read_partitions,
)

if TYPE_CHECKING:
    from nsm.estimation import Survey

FEW = 30
FAR = 0.05


def control_template(step: Calibration, survey: Survey) -> pd.DataFrame:
    """Return the control table that a calibration needs, its totals blank.

    Parameters
    ----------
    step
        A calibration with `controls`, or with margins whose variables are taken.
    survey
        The survey before the step.

    Returns
    -------
    `[by,] variable, category, total, units, weighted`: the last two are what the sample has, to see
    what to look for; calibration does not read them.

    Raises
    ------
    CalibrationError
        The step names no controls.
    """
    names = list(step.controls) or [c.name for c in _first_margins(step)]
    if not names:
        raise CalibrationError(
            "Step {name!r} does not say what it calibrates to. Name its controls, such as "
            'controls = ["sex", "region*age_band", "income"].',
            name=step.name,
        )
    inside = inside_of(survey, step.where)
    parts = [("", inside)]
    if step.by is not None:
        codes, labels = survey.table.codes(step.by)
        parts = [(as_code(label), inside & (codes == k)) for k, label in enumerate(labels, 1)]
    rows: list[dict[str, Any]] = []
    for label, mask in parts:
        for name in names:
            found = _rows_of(name, survey, mask)
            rows += [{step.by: label, **row} if step.by else row for row in found]
    return pd.DataFrame(rows)


def _first_margins(step: Calibration) -> list[Control]:
    if isinstance(step.margins, str) or step.margins is None:
        return []
    if step.by is None:
        return read_margins(step.margins)
    parts = list(read_partitions(step.margins, step.by).values())
    return list({c.name: c for part in parts for c in part}.values())


def _rows_of(name: str, survey: Survey, mask: np.ndarray) -> list[dict[str, Any]]:
    """Return the rows of one control: its categories, or a number."""
    columns = name.split(CROSS)
    series = [survey.table.series(column) for column in columns]
    weight = survey.weights
    if len(columns) == 1 and series[0].dtype.kind == "f":
        value = float(np.nansum(series[0].to_numpy()[mask] * weight[mask]))
        units = int((mask & (weight > 0)).sum())
        return [
            {"variable": name, "category": "", "total": None, "units": units, "weighted": value}
        ]
    keys = pd.DataFrame(dict(zip(columns, series, strict=True)))[mask]
    keys = keys.assign(units=(weight[mask] > 0).astype(int), weighted=weight[mask])
    sums = keys.groupby(columns, observed=True, sort=True)[["units", "weighted"]].sum()
    return [
        {
            "variable": name,
            "category": CROSS.join(
                as_code(p) for p in (label if isinstance(label, tuple) else (label,))
            ),
            "total": None,
            "units": int(row["units"]),
            "weighted": float(row["weighted"]),
        }
        for label, row in sums.iterrows()
    ]


def check_controls(step: Calibration, survey: Survey, language: str = "en") -> pd.DataFrame:
    """Check the controls of a calibration against each other and against the data.

    Parameters
    ----------
    survey
        The survey before the step.
    language
        Of the messages.

    Returns
    -------
    Findings `code, severity, where, count, message, examples`, as all checks give them. None of
    severity `error`: the calibration can be tried, and nothing known stands against it.
    """
    found: list[Finding] = []
    try:
        parts = (
            {"": read_margins(step.margins)}
            if step.by is None
            else read_partitions(step.margins, step.by)
        )
        inside = inside_of(survey, step.where)
        for label, controls in parts.items():
            mask = inside
            if step.by is not None:
                column, texts = survey.table.codes(step.by)
                places = [k for k, text in enumerate(texts, 1) if as_code(text) == label]
                mask = inside & np.isin(column, places)
            found += _check_part(label or step.name, controls, survey, mask)
    except NsmError as error:
        found += _said(step.name, "W101", error, language)
    if not any(f.severity == "error" for f in found):
        try:
            found += _check_problem(step, survey)
        except NsmError as error:
            code = "W109" if "unit" in error.details else "W103"
            found += _said(step.name, code, error, language)
    return findings_table(found, language)


def _said(where: str, code: str, error: NsmError, language: str) -> list[Finding]:
    message = error.render(lambda text: translate(text, language))
    return finding(code, "error", where, [where], "{message}", message=message)


def _check_part(
    where: str, controls: Sequence[Control], survey: Survey, mask: np.ndarray
) -> Iterator[Finding]:
    yield from _nested(where, controls)
    sizes = {sum(c.totals.values()) for c in controls if not c.numeric}
    total = float(survey.weights[mask].sum())
    for size in list(sizes)[:1]:
        if abs(size / total - 1) > FAR:
            yield from finding(
                "W107",
                "warning",
                where,
                [f"{size:,.0f} / {total:,.0f}"],
                "The controls count {size:,.0f}, the weights before add up to {total:,.0f} "
                "({ratio:.2f} times). Check that both are about the same population and date.",
                size=size,
                total=total,
                ratio=size / total,
            )
    for control in controls:
        yield from _against_data(where, control, survey, mask)


def _against_data(
    where: str, control: Control, survey: Survey, mask: np.ndarray
) -> Iterator[Finding]:
    """Compare the categories of one control with those of the data."""
    if control.numeric:
        observed = survey.table.number(control.columns[0]).observed
        missing = np.flatnonzero(mask & ~(True if observed is None else observed))
        yield from finding(
            "W103",
            "error",
            f"{where}: {control.name}",
            [f"row {int(i) + 1}" for i in missing],
            "{count} units have no value of the control.",
        )
        return
    parts = [survey.table.codes(column) for column in control.columns]
    blank = mask & np.any([p.codes == 0 for p in parts], axis=0)
    place = f"{where}: {control.name}"
    yield from finding(
        "W103",
        "error",
        place,
        [f"row {int(i) + 1}" for i in np.flatnonzero(blank)],
        "{count} units have no value of the control.",
    )
    rows = mask & ~blank & (survey.weights > 0)
    table = pd.DataFrame({k: p.codes[rows] for k, p in enumerate(parts)})
    counts = table.groupby(list(table.columns)).size() if len(table) else pd.Series(dtype=int)
    seen = {
        tuple(
            as_code(p.labels[code - 1])
            for p, code in zip(parts, key if isinstance(key, tuple) else (key,), strict=True)
        ): int(n)
        for key, n in counts.items()
    }
    named = {CROSS.join(label): n for label, n in seen.items() if label not in control.totals}
    yield from finding(
        "W103", "error", place, list(named), "{count} categories of the data have no total."
    )
    empty = [CROSS.join(k) for k, t in control.totals.items() if t > 0 and k not in seen]
    yield from finding(
        "W104",
        "error",
        place,
        empty,
        "{count} categories have a total, and no unit is in them. Join them to others.",
    )
    few = [f"{CROSS.join(k)} ({n})" for k, n in seen.items() if n < FEW and k in control.totals]
    yield from finding(
        "W105",
        "warning",
        place,
        few,
        "{count} categories have fewer than {few} units, so their factors will be unsure.",
        few=FEW,
    )


def _nested(where: str, controls: Sequence[Control]) -> Iterator[Finding]:
    """Compare each margin with what crossed ones add up to."""
    categorical = [c for c in controls if not c.numeric]
    for fine, coarse in permutations(categorical, 2):
        if not set(coarse.columns) < set(fine.columns):
            continue
        places = [fine.columns.index(column) for column in coarse.columns]
        sums: dict[tuple[str, ...], float] = {}
        for label, total in fine.totals.items():
            key = tuple(label[k] for k in places)
            sums[key] = sums.get(key, 0.0) + total
        wrong = [
            f"{CROSS.join(key)}: {sums.get(key, 0.0):,.0f} / {total:,.0f}"
            for key, total in coarse.totals.items()
            if abs(sums.get(key, 0.0) - total) > AGREE
        ]
        yield from finding(
            "W102",
            "error",
            f"{where}: {fine.name}",
            wrong,
            "{count} categories of {coarse!r} are not what {fine!r} adds up to. Take both from one "
            "source.",
            coarse=coarse.name,
            fine=fine.name,
        )
        if not wrong:
            yield from finding(
                "W106",
                "info",
                f"{where}: {coarse.name}",
                [coarse.name],
                "{coarse!r} follows from {fine!r}; it may be left out.",
                coarse=coarse.name,
                fine=fine.name,
            )


def _check_problem(step: Calibration, survey: Survey) -> list[Finding]:
    """Look for controls that cannot be met together within the bounds."""
    problem = step.problem(survey)
    before = survey.weights
    grid = problem.grid(before)
    weight = np.bincount(grid.codes, before, len(grid.matrix))
    found: list[Finding] = []
    for cells, part in problem.parts(grid):
        wanted = problem.controls.totals[part]
        within = problem.within(grid, cells)
        give = conflicts(grid.matrix[cells, part], weight[cells], wanted, within)
        table = conflict_table(problem.labels(part), wanted, give)
        shown = [
            f"{row.control}: {row.total:,.1f} -> {row.reachable:,.1f} ({row.relative:+.1%})"
            for row in table.itertuples()
        ]
        found += finding(
            "W108",
            "error",
            step.name,
            shown,
            "{count} controls cannot be met together within the bounds; if these gave so far, all "
            "would be met.",
        )
    return found
