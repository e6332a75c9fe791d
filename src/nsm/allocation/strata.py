"""The table of strata: what it must hold, and what is assumed where a column is absent.

| column | meaning | if absent |
|---|---|---|
| `stratum`, `population` | name; number of units (areas, dwellings, persons) | refused |
| `cost` | cost of one more unit | 1 |
| `base_cost` | cost that does not depend on n | 0 |
| `minimum`, `maximum` | bounds of n; a minimum equal to the population takes all | 2; the
population |
| `response` | share of units that answer | 1 |
| `mean_<y>`, `sd_<y>` | mean and standard deviation of y in the stratum (n - 1 divisor) | |
| `credit_<y>` | what a census subtracts from the variance of the total | population x sd^2 |
| `drawn_<y>` | expected y of one drawn unit, where draws are unequal | `mean_<y>` |
| `take_none` | true where nothing is drawn on purpose | false |
| `prevalence` | share of the rare population | |
| `screening_cost`, `interview_cost` | of one unit; of one member of the rare population | |
| any other text column | a domain | |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from nsm.errors import AllocationError, ColumnError, ValueInColumnError
from nsm.files import require_columns

NUMBERS = (
    "population",
    "cost",
    "base_cost",
    "minimum",
    "maximum",
    "response",
    "prevalence",
    "screening_cost",
    "interview_cost",
)
PREFIXES = ("mean_", "sd_", "credit_", "drawn_", "icc_")


def checked_strata(strata: pd.DataFrame, minimum: int = 2) -> pd.DataFrame:
    """Return the table of strata with every column it may lack, checked.

    Raises
    ------
    ColumnError, ValueInColumnError, AllocationError
    """
    require_columns(strata, ["stratum", "population"], "The table of strata")
    table = strata.reset_index(drop=True).copy()
    if table.empty:
        raise AllocationError("The table of strata is empty.")
    table["stratum"] = table["stratum"].astype("str")
    twice = table.loc[table["stratum"].duplicated(), "stratum"]
    if len(twice):
        raise AllocationError(
            "{count} strata stand in the table more than once: {strata}.",
            count=len(twice),
            strata=list(twice),
        )
    for column in ("population", *(c for c in table.columns if _is_number(c))):
        table[column] = _numeric(table, column)
    table = _defaults(table, minimum)
    _in_range(table, "population", lambda v: v > 0, "> 0")
    _in_range(table, "cost", lambda v: v > 0, "> 0")
    _in_range(table, "response", lambda v: (v > 0) & (v <= 1), "> 0, <= 1")
    for column in table.columns:
        if str(column).startswith("sd_"):
            _in_range(table, column, lambda v: v >= 0, ">= 0")
        if column == "prevalence":
            _in_range(table, column, lambda v: (v >= 0) & (v <= 1), ">= 0, <= 1")
        if column in {"screening_cost", "interview_cost"}:
            _in_range(table, column, lambda v: v >= 0, ">= 0")
    _check_bounds(table)
    return table


def _is_number(column: object) -> bool:
    return str(column) in NUMBERS or str(column).startswith(PREFIXES)


def _numeric(table: pd.DataFrame, column: str) -> pd.Series:
    values = pd.to_numeric(table[column], errors="coerce").astype(float)
    lost = table.loc[~np.isfinite(values), "stratum"]
    if len(lost):
        raise ValueInColumnError(
            "{column!r} is missing or no number in {count} strata: {strata}.",
            column=column,
            count=len(lost),
            strata=list(lost),
        )
    return values


def _defaults(table: pd.DataFrame, minimum: int) -> pd.DataFrame:
    given = table.columns
    table = table.assign(
        **{
            name: value
            for name, value in (("cost", 1.0), ("base_cost", 0.0), ("response", 1.0))
            if name not in given
        }
    )
    if "maximum" not in given:
        table["maximum"] = table["population"]
    if "minimum" not in given:
        table["minimum"] = np.minimum(np.minimum(minimum, table["population"]), table["maximum"])
    return table


def _in_range(
    table: pd.DataFrame, column: str, rule: Callable[[pd.Series], pd.Series], text: str
) -> None:
    bad = table.loc[~rule(table[column]), "stratum"]
    if len(bad):
        raise ValueInColumnError(
            "{column!r} must be {rule}, but is not in {count} strata: {strata}. Correct the table.",
            column=column,
            rule=text,
            count=len(bad),
            strata=list(bad),
        )


def _check_bounds(table: pd.DataFrame) -> None:
    for column, most in (
        ("minimum", "maximum"),
        ("maximum", "population"),
        ("minimum", "population"),
    ):
        bad = table[table[column] > table[most]]
        if len(bad):
            raise AllocationError(
                "The {column} is above the {most} in {count} strata: {strata}. Lower it.",
                column=column,
                most=most,
                count=len(bad),
                strata=list(bad["stratum"]),
            )
    bad = table[(table["minimum"] < 0) | (np.floor(table["maximum"]) < 1)]
    if len(bad):
        raise AllocationError(
            "The minimum is negative or the maximum below 1 in {count} strata: {strata}.",
            count=len(bad),
            strata=list(bad["stratum"]),
        )


def variables(table: pd.DataFrame) -> list[str]:
    """Return the variables whose mean and standard deviation are known.

    `prevalence` counts as one: the share of the rare population.
    """
    found = [str(c)[3:] for c in table.columns if str(c).startswith("sd_")]
    known = [y for y in found if f"mean_{y}" in table.columns]
    return [*known, *(["prevalence"] if "prevalence" in table.columns else [])]


def domain_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns that can be domains: text beside the known columns."""
    return [
        str(c)
        for c in table.columns
        if c != "stratum" and not _is_number(c) and not pd.api.types.is_float_dtype(table[c])
    ]


def moments(table: pd.DataFrame, y: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return total, variance times n (a) and credit (b) of variable `y` by stratum.

    Raises
    ------
    ColumnError
        The mean or standard deviation of `y` is not in the table.
    """
    population, response = table["population"].to_numpy(), table["response"].to_numpy()
    if y == "prevalence" and "sd_prevalence" not in table.columns:
        p = table["prevalence"].to_numpy()
        square = p * (1 - p) * population / np.maximum(population - 1, 1)
        mean = p
    else:
        for column in (f"mean_{y}", f"sd_{y}"):
            if column not in table.columns:
                raise ColumnError(
                    "The table of strata has no column {column!r}, which target {y!r} needs. "
                    "Variables with mean and standard deviation: {known}.",
                    column=column,
                    y=y,
                    known=variables(table),
                )
        mean, square = table[f"mean_{y}"].to_numpy(), table[f"sd_{y}"].to_numpy() ** 2
    credit = population * square
    if f"credit_{y}" in table.columns:
        credit = table[f"credit_{y}"].to_numpy()
    return population * mean, population**2 * square / response, credit


def rare_moments(table: pd.DataFrame, y: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return total, a and b of `y` within the rare population, found by screening.

    `mean_<y>` and `sd_<y>` are those of its members; without them all have standard deviation 1.
    Of a sample of n units, n times prevalence are members, and the variance is that of a mean over
    them, times their number (Kalton & Anderson 1986, sec. 3).
    """
    if y == "prevalence":
        return moments(table, y)
    members = (table["population"] * table["prevalence"]).to_numpy()
    mean = table[f"mean_{y}"].to_numpy() if f"mean_{y}" in table.columns else np.ones(len(table))
    sd = table[f"sd_{y}"].to_numpy() if f"sd_{y}" in table.columns else np.ones(len(table))
    found = (table["prevalence"] * table["response"]).to_numpy()
    a = np.divide(members**2 * sd**2, found, out=np.zeros(len(table)), where=found > 0)
    return members * mean, a, members * sd**2
