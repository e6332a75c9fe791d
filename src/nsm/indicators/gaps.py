"""Gaps between two groups, such as immigrants and natives, with their standard errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from nsm.errors import NsmError, OptionError, nearest
from nsm.estimation import Estimates, Survey
from nsm.indicators.compute import Computed, Failure, Piece, Surveys, joined, require, survey_of
from nsm.indicators.registry import Indicator, checked, chosen

GAP = "gap"
_UNABLE = {"quantile", "median", "gini", "quintile_share_ratio", "poverty_line", "poverty_rate"}


def gaps(
    survey: Surveys,
    codes: Sequence[str] = (),
    *,
    between: tuple[str, str] = ("immigrant", "native"),
    on: str = "status",
    by: Sequence[str] = (),
    registry: Mapping[str, Indicator] | None = None,
) -> Computed:
    """Estimate the first group's indicators minus the second's.

    Both groups live in the same areas, so their covariance counts. Totals have no gap, and
    indicators whose universe is one group have none.

    Parameters
    ----------
    survey, codes, registry
        As of `compute`.
    between, on
        Two labels of a column.
    by
        Columns whose labels, together, are the domains.

    Returns
    -------
    As of `compute`; `statistic` is `gap`, `note` begins with the groups.

    Examples
    --------
    >>> import nsm, pandas as pd
    >>> t = pd.DataFrame({"status": ["immigrant", "native"] * 2, "age": [20, 30, 40, 50]})
    >>> s = nsm.Survey(t.assign(psu=[1, 1, 2, 2], w=10.0), weight="w", psu="psu")
    >>> gaps(s, ["mean_age"]).table[["estimate", "se"]].to_numpy().tolist()
    [[-10.0, 0.0]]
    """
    wanted = chosen(checked(registry), codes)
    wanted = [one for one in wanted if one.unit != "persons" and on not in one.variables]
    failures: list[Failure] = []
    pieces = []
    for one in wanted:
        try:
            source = survey_of(survey, one)
            require(source, [*one.variables, on, *by])
            light = source.active({*one.variables, on, *by})
            _both(light, on, between)
            pieces.append(Piece(_gap(light, one, on, between, tuple(by)), (one,)))
        except NsmError as error:
            failures.append(Failure(one.code, tuple(by), error))
    if not pieces:
        raise OptionError(
            "There is no gap in {column!r} to estimate: none of the indicators can be computed for "
            "both groups. First: {reason}",
            column=on,
            reason=failures[0].reason if failures else "-",
        )
    made = joined(pieces, [one.code for one in wanted], failures)
    said = [f"{' - '.join(between)}{'; ' + n if n else ''}" for n in made.table["note"]]
    return replace(made, table=made.table.assign(note=said, statistic=GAP))


def _both(survey: Survey, on: str, between: tuple[str, str]) -> None:
    known = [str(label) for label in survey.table.codes(on).labels]
    for label in between:
        if label not in known:
            raise OptionError(
                "The column {column!r} has no label {label!r}. {hint}",
                column=on,
                label=label,
                hint=nearest(label, known),
            )


def _gap(
    survey: Survey, one: Indicator, on: str, between: tuple[str, str], by: tuple[str, ...]
) -> Estimates:
    sides = [f"{on} == {_quoted(label)}" for label in between]
    universe = one.universe or None
    try:
        texts = dict(_texts(survey, one, sides))
    except OptionError:
        return _contrasted(survey, one, on, between, by)
    made = survey.estimate(texts, by=list(by), where=universe)
    table = made.table
    said = [v[len(one.code) + 1 :] or None for v in table["variable"]]
    category = pd.Series(said, index=table.index, dtype=object)
    return replace(made, table=table.assign(variable=one.code, category=category))


def _texts(survey: Survey, one: Indicator, sides: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give the text of each gap; of a proportion, one for each category."""
    tree = ast.parse(one.statistic.strip(), mode="eval").body
    match tree:
        case ast.Call(func=ast.Name(id="proportion"), args=[ast.Name(id=column)], keywords=[]):
            for level in survey.table.codes(column).labels:
                y = f"{column} == {_quoted(str(level))}"
                parts = [
                    f"mean({y!r}, where={f'{s} and {column} is not missing'!r})" for s in sides
                ]
                yield f"{one.code} {level}", " - ".join(parts)
        case _:
            first, second = (ast.unparse(_Restricted(side).visit(_copy(tree))) for side in sides)
            yield f"{one.code} ", f"({first}) - ({second})"


def _copy(tree: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(tree), mode="eval").body


class _Restricted(ast.NodeTransformer):
    """Put a condition into every total of a statistic."""

    def __init__(self, side: str) -> None:
        self.side = side

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Add the condition to one total."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in _UNABLE:
            raise OptionError("{name}() takes no condition.", name=name)
        said = [k.value for k in node.keywords if k.arg == "where"]
        said += node.args if name == "count" else []
        text = self.side
        if said and isinstance(said[0], ast.Constant):
            text = f"({said[0].value!s}) and {self.side}"
        others = [k for k in node.keywords if k.arg != "where"]
        node.keywords = [*others, ast.keyword("where", ast.Constant(text))]
        if name == "count" and node.args:
            node.args = []
        return node


def _quoted(label: str) -> str:
    return f"'{label}'" if "'" not in label else f'"{label}"'


def _contrasted(
    survey: Survey, one: Indicator, on: str, between: tuple[str, str], by: tuple[str, ...]
) -> Estimates:
    """Subtract the rows of both groups, for statistics that take no condition."""
    if by:
        raise OptionError(
            "The gap of {code!r} is not estimated by domain, because its statistic takes no "
            "condition.",
            code=one.code,
        )
    made = survey.estimate({one.code: one.statistic}, by=[on], where=one.universe or None)
    places = {label: np.flatnonzero(made.table[on].astype(str) == label) for label in between}
    if any(len(rows) != 1 for rows in places.values()):
        raise OptionError("{column!r} does not hold both {labels}.", column=on, labels=[*between])
    vector = np.zeros(len(made))
    vector[places[between[0]]], vector[places[between[1]]] = 1.0, -1.0
    return made.contrast(list(vector), name=one.code)
