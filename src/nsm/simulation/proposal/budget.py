"""The budget that a price list makes with the quantities of a plan."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nsm.condition import parse
from nsm.errors import ConditionError, ConfigError, nearest
from nsm.simulation.proposal.prices import Prices
from nsm.totals import Memory


def evaluated(expression: str, quantities: Mapping[str, float], where: str) -> float:
    """Return the value of an expression of quantities.

    Parameters
    ----------
    where
        What it is the quantity of, for messages.

    Raises
    ------
    ConfigError
        It cannot be read, or names a quantity that is not there, or has no finite value.
    """
    try:
        names = set(parse(expression).names)
    except ConditionError as error:
        raise ConfigError(
            "The expression {expression!r} of {where} cannot be read: {reason}",
            expression=expression,
            where=where,
            reason=error,
        ) from error
    unknown = names - set(quantities)
    if unknown:
        raise ConfigError(
            "The expression {expression!r} of {where} names {name!r}, which is not known. {hint}",
            expression=expression,
            where=where,
            name=min(unknown),
            hint=nearest(min(unknown), [*quantities]),
        )
    table = Memory(pd.DataFrame({"_": [0.0], **{k: [float(v)] for k, v in quantities.items()}}))
    number = table.number(expression)
    value = float(number.values[0])
    if number.observed is not None and not number.observed[0]:
        value = float("nan")
    if not 0 <= value < float("inf"):
        raise ConfigError(
            "The expression {expression!r} of {where} is {value}; it must be a number, 0 or more.",
            expression=expression,
            where=where,
            value=value,
        )
    return value


def completed(prices: Prices, quantities: Mapping[str, float]) -> dict[str, float]:
    """Return the plan's quantities with those that the price list adds.

    Raises
    ------
    ConfigError
        The list gives a quantity that the plan has, or an expression cannot be used.
    """
    made = dict(quantities)
    for name, expression in prices.quantities.items():
        if name in quantities:
            raise ConfigError(
                "{file}: [quantities] gives {name!r}, which comes from the plan. Choose another "
                "name.",
                file=prices.file,
                name=name,
            )
        made[name] = evaluated(expression, made, name)
    return made


def budget(prices: Prices, quantities: Mapping[str, float]) -> pd.DataFrame:
    """Return the budget, one row per line, in the list's currency.

    Parameters
    ----------
    quantities
        All of them; see `completed`.

    Returns
    -------
    `code, chapter, item, unit, expression, quantity, price, amount, phase, funder, in_kind`, where
    `item` and `unit` are texts by language.
    """
    rows = [
        line._asdict()
        | {
            "expression": line.quantity,
            "quantity": evaluated(line.quantity, quantities, line.code),
        }
        for line in prices.lines
    ]
    table = pd.DataFrame(rows)
    return table.assign(amount=table["price"] * table["quantity"])[
        [
            "code",
            "chapter",
            "item",
            "unit",
            "expression",
            "quantity",
            "price",
            "amount",
            "phase",
            "funder",
            "in_kind",
        ]
    ]


def totals(lines: pd.DataFrame, contingency: float) -> dict[str, float]:
    """Return `lines` (in money), `contingency`, `money` (both), `in_kind` and `whole`."""
    kind = lines["in_kind"].to_numpy(dtype=bool)
    amount = lines["amount"].to_numpy(dtype=float)
    money, given = float(amount[~kind].sum()), float(amount[kind].sum())
    extra = contingency * money
    return {
        "lines": money,
        "contingency": extra,
        "money": money + extra,
        "in_kind": given,
        "whole": money + extra + given,
    }


def shared(prices: Prices, lines: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return what each chapter, phase or funder has.

    Contingencies follow the money of each.

    Returns
    -------
    The column `by` (codes, in the order of the list), `money, contingency, in_kind, whole`.
    """
    known = {"chapter": prices.chapters, "phase": prices.phases, "funder": prices.funders}[by]
    sums = lines.assign(
        money=lines["amount"].where(~lines["in_kind"], 0.0),
        given=lines["amount"].where(lines["in_kind"], 0.0),
    )
    sums = sums.groupby(by)[["money", "given"]].sum().reindex([*known], fill_value=0.0)
    extra = sums["money"] * prices.contingency
    made = pd.DataFrame(
        {
            "money": sums["money"],
            "contingency": extra,
            "in_kind": sums["given"],
            "whole": sums["money"] + extra + sums["given"],
        }
    )
    return made.rename_axis(by).reset_index()


def disbursed(prices: Prices, lines: pd.DataFrame) -> pd.DataFrame:
    """Return what each funder gives in each phase, without contingencies.

    Returns
    -------
    `phase`, and one column per funder.
    """
    wide = lines.pivot_table("amount", "phase", "funder", aggfunc="sum", fill_value=0.0)
    wide = wide.reindex(index=[*prices.phases], columns=[*prices.funders], fill_value=0.0)
    return wide.rename_axis(columns=None).reset_index()
