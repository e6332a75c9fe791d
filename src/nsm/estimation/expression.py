"""Statistics written as text: in `survey.toml` and on the command line.

`total(pay) / total(hours)`, `mean(pay, where="sex == 'F'")`, `proportion(origin)`,
`quantile(pay, 0.5)`. The text is read as an expression of known functions; nothing is evaluated as
code.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from nsm.errors import ConditionError, OptionError, nearest
from nsm.estimation import inequality, rowwise, statistic
from nsm.estimation.quantile import quantile
from nsm.estimation.statistic import Proportions, Statistic

LONGEST = 1000
FUNCTIONS: Mapping[str, Callable[..., Statistic | Proportions]] = {
    "total": statistic.total,
    "count": statistic.count,
    "mean": statistic.mean,
    "ratio": statistic.ratio,
    "proportion": statistic.Proportions,
    "quantile": quantile,
    "median": quantile,
    "variance": rowwise.variance,
    "covariance": rowwise.covariance,
    "correlation": rowwise.correlation,
    "gini": inequality.gini,
    "quintile_share_ratio": inequality.quintile_share_ratio,
    "poverty_line": inequality.poverty_line,
    "poverty_rate": inequality.poverty_rate,
    "poverty_gap": inequality.poverty_gap,
}
OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


def parse_statistic(text: str) -> Statistic | Proportions:
    """Read a statistic.

    Raises
    ------
    ConditionError
        The text cannot be read, or says more than a statistic can.

    Examples
    --------
    >>> parse_statistic("total(unemployed) / total(labour_force)")
    total(unemployed) / total(labour_force)
    """
    if len(text) > LONGEST:
        raise ConditionError(
            "A statistic has at most {longest} characters; this has {given}.",
            longest=LONGEST,
            given=len(text),
        )
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise _unread(text, getattr(error, "offset", None) or 1) from error
    made = _made(tree, text)
    if not isinstance(made, Statistic | Proportions):
        raise _unread(text, 1)
    return made


def _made(node: ast.expr, text: str) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
            sides = _made(left, text), _made(right, text)
            if any(isinstance(side, Proportions) for side in sides):
                raise _unread(text, node.col_offset + 1)
            return OPERATORS[type(operator)](*sides)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_made(operand, text)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords):
            return _called(name, arguments, keywords, text)
    raise _unread(text, node.col_offset + 1)


def _called(
    name: str, arguments: list[ast.expr], keywords: list[ast.keyword], text: str
) -> Statistic | Proportions:
    if name not in FUNCTIONS:
        raise OptionError(
            "There is no statistic {name!r}. {hint}", name=name, hint=nearest(name, FUNCTIONS)
        )
    given = [_argument(a, text) for a in arguments]
    named = {str(k.arg): _argument(k.value, text) for k in keywords if k.arg}
    try:
        return FUNCTIONS[name](*given, **named)
    except TypeError as error:
        raise OptionError(
            "{name}() in {text!r} has arguments that it does not know: {reason}.",
            name=name,
            text=text,
            reason=str(error).split(") ", 1)[-1],
        ) from error


def _argument(node: ast.expr, text: str) -> str | float:
    """Return a column, a quoted expression of columns, or a number."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=str() as value):
            return value
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
    raise _unread(text, node.col_offset + 1)


def _unread(text: str, place: int) -> ConditionError:
    return ConditionError(
        "This statistic cannot be read at character {place}: {text!r}. It is made of total(), "
        "mean(), ratio(), count(), proportion(), quantile() ... of columns or quoted conditions, "
        "numbers and + - * /.",
        place=place,
        text=text,
    )
