"""Hot-deck imputation within classes: a missing answer is taken from a donor who is like.

One imputed table underestimates variance, because donors' answers count twice. So `impute` flags
what it filled, and `multiply_impute` gives several tables whose donors are drawn from resampled
pools; estimate from each and combine the results by Rubin's rules (`nsm.estimation.combine`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from nsm.condition import parse
from nsm.errors import FieldworkError, OptionError
from nsm.files import require_columns

FLAG = "_imputed"


class _Draw(NamedTuple):
    """How donors are drawn: the generator, the order of rows, their weights."""

    rng: np.random.Generator
    order: np.ndarray
    shares: np.ndarray | None
    resample: bool


def impute(
    table: pd.DataFrame,
    variables: Sequence[str | tuple[str, ...]],
    classes: Sequence[str],
    *,
    seed: int,
    where: str | None = None,
    weight: str | None = None,
) -> pd.DataFrame:
    """Fill missing answers from random donors of the same class.

    Parameters
    ----------
    table
        One row per unit.
    variables
        What is filled. A tuple of variables is filled from one donor, so that the answers fit each
        other; donors have all of them.
    classes
        Columns that make the classes, the most important first. Where a class has no donor, its
        last column is left out, and so on; the table as a whole is the last resort. A missing
        class value is a class of its own.
    seed
        Of the draw, made in the order of the index, so that the order of the rows does not matter.
    where
        Condition that says who should have answered; by default everybody. Others stay blank.
    weight
        Column that makes heavy donors likelier, so that means of classes are those of the weighted
        respondents (Rao & Shao 1992).

    Returns
    -------
    The table, with `<variable>_imputed` (true where it was filled) beside the variables.

    Raises
    ------
    ColumnError, ConditionError
    FieldworkError
        Nobody answered a variable, so there is no donor.
    OptionError
        A variable is also a class.

    References
    ----------
    Andridge & Little (2010), International Statistical Review 78:40-64.

    Examples
    --------
    >>> people = pd.DataFrame({"sex": ["F", "F", "M"], "pay": [10.0, None, 90.0]})
    >>> impute(people, ["pay"], ["sex"], seed=1)[["pay", "pay_imputed"]].to_numpy().tolist()
    [[10.0, False], [10.0, True], [90.0, False]]
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    return _imputed(table, variables, classes, rng, where=where, weight=weight, pool="all")


def multiply_impute(
    table: pd.DataFrame,
    variables: Sequence[str | tuple[str, ...]],
    classes: Sequence[str],
    *,
    count: int = 5,
    seed: int,
    where: str | None = None,
    weight: str | None = None,
) -> list[pd.DataFrame]:
    """Return several imputed tables, to be combined by Rubin's rules.

    In each, the donors of a class are first resampled with replacement (the approximate Bayesian
    bootstrap), so that the tables differ as much as the answers are uncertain.

    Raises
    ------
    As `impute`; OptionError also if `count` is below 2.

    References
    ----------
    Rubin & Schenker (1986), Journal of the American Statistical Association 81:366-374.
    """
    if count < 2:
        raise OptionError(
            "count={count}: multiple imputation needs 2 tables at least; impute() gives one.",
            count=count,
        )
    generators = [np.random.Generator(np.random.PCG64([seed, n])) for n in range(count)]
    return [
        _imputed(table, variables, classes, rng, where=where, weight=weight, pool="resampled")
        for rng in generators
    ]


def _imputed(
    table: pd.DataFrame,
    variables: Sequence[str | tuple[str, ...]],
    classes: Sequence[str],
    rng: np.random.Generator,
    *,
    where: str | None,
    weight: str | None,
    pool: str,
) -> pd.DataFrame:
    blocks = [(each,) if isinstance(each, str) else tuple(each) for each in variables]
    names = [name for block in blocks for name in block]
    require_columns(table, [*names, *classes, *([weight] if weight else [])], "The table")
    both = sorted(set(names) & set(classes))
    if both:
        raise OptionError(
            "{names} cannot be imputed and make the classes too. Take them out of one list.",
            names=both,
        )
    universe = _universe(table, where)
    filled = table.copy()
    order = np.argsort(table.index.astype("str").to_numpy(), kind="stable")
    shares = None if weight is None else table[weight].to_numpy(dtype=float)
    draw = _Draw(rng, order, shares, pool == "resampled")
    for block in blocks:
        missing = table[list(block)].isna().any(axis=1).to_numpy(dtype=bool)
        has, needs = universe & ~missing, universe & missing
        if needs.any() and not has.any():
            raise FieldworkError(
                "Nobody answered {names}, so there is no donor. Leave the variable out.",
                names=list(block),
            )
        donors = _donors(table, has, needs, classes, draw)
        blank = donors >= 0
        for name in block:
            need = blank & table[name].isna().to_numpy()
            values = table[name].to_numpy(dtype=object).copy()
            values[need] = table[name].to_numpy(dtype=object)[donors[need]]
            filled[name] = pd.Series(values, index=table.index).astype(table[name].dtype)
            filled[f"{name}{FLAG}"] = need
    return filled


def _universe(table: pd.DataFrame, where: str | None) -> np.ndarray:
    if where is None:
        return np.ones(len(table), dtype=bool)
    from nsm.condition.tables import frame

    whole = frame(table)
    said = whole.select(parse(where).where(whole).alias("in"))
    return said.to_pandas()["in"].to_numpy(dtype=bool)


def _donors(
    table: pd.DataFrame, has: np.ndarray, needs: np.ndarray, classes: Sequence[str], draw: _Draw
) -> np.ndarray:
    """Return the row of the donor of each row that needs one, -1 for the others."""
    donors, needs = np.full(len(table), -1), needs.copy()
    for depth in range(len(classes), -1, -1):
        if not needs.any():
            break
        groups = _groups(table, classes[:depth])
        for group in np.unique(groups[needs]):
            inside = draw.order[groups[draw.order] == group]
            pool = inside[has[inside]]
            takers = inside[needs[inside]]
            if len(pool):
                donors[takers] = _drawn(pool, len(takers), draw)
                needs[takers] = False
    return donors


def _groups(table: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    if not classes:
        return np.zeros(len(table), dtype="int64")
    return table.groupby(list(classes), dropna=False, observed=True, sort=True).ngroup().to_numpy()


def _drawn(pool: np.ndarray, count: int, draw: _Draw) -> np.ndarray:
    """Draw donors with replacement, in proportion to their weights if there are any."""
    p = None
    if draw.shares is not None and draw.shares[pool].sum() > 0:
        p = draw.shares[pool] / draw.shares[pool].sum()
    if draw.resample:
        pool, p = draw.rng.choice(pool, size=len(pool), replace=True, p=p), None
    return draw.rng.choice(pool, size=count, replace=True, p=p)
