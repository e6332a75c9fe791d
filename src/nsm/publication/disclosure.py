"""Disclosure control: which cells would tell about somebody, and what else must go with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from nsm.errors import ConfigError, OptionError, PublicationError, nearest
from nsm.estimation.estimates import Estimates
from nsm.publication.guard import check_legal
from nsm.publication.relations import cells, masses
from nsm.publication.rules import known_keys
from nsm.publication.suppression import Demand, Range, deduced, in_parts

E = TypeVar("E", bound=Estimates)

PRIMARY, SECONDARY = "primary", "secondary"
_COUNTS = ("total", "count", "proportion")
REASONS = {
    "cases": "Too few persons contribute.",
    "psus": "The persons live in too few areas.",
    "dominance": "One or two contributors make most of the total.",
    "full": "Everybody in the domain has the sensitive attribute.",
    "empty": "Nobody in the domain has the sensitive attribute.",
    "rest": "Too few persons do not have the sensitive attribute.",
    "sums": "A hidden cell could be computed from this one.",
}


@dataclass(frozen=True)
class Protection:
    """What a public table may not show.

    Parameters
    ----------
    minimum
        Least number of unweighted persons behind a count, a total or a proportion.
    minimum_averages
        Least number of unweighted persons behind a mean, a ratio or a quantile.
    minimum_psus
        Least number of areas that they live in: one area is one place.
    sensitive
        Variables whose full and empty cells tell about everybody in the domain.
    share
        A hidden cell must stay uncertain by this share of its value, on both sides.
    largest, p_percent
        Dominance: the `k` largest contributors may not make more than `largest` of a total, and
        the second largest may not learn the largest to within `p_percent` of it.
    """

    minimum: int = 10
    minimum_averages: int = 30
    minimum_psus: int = 3
    sensitive: tuple[str, ...] = ()
    share: float = 0.2
    largest: float = 0.75
    k: int = 2
    p_percent: float = 0.1

    def __post_init__(self) -> None:
        """Refuse numbers out of their range."""
        for name in ("share", "largest", "p_percent"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise OptionError(
                    "{option}={value} is not a fraction above 0, up to 1.", option=name, value=value
                )
        for name in ("minimum", "minimum_averages", "minimum_psus", "k"):
            if getattr(self, name) < 1:
                raise OptionError(
                    "{option}={value} is not a whole number of 1 or more.",
                    option=name,
                    value=getattr(self, name),
                )

    @classmethod
    def from_mapping(cls, described: Mapping[str, Any]) -> Protection:
        """Return the protection that a section of a TOML file describes.

        Raises
        ------
        ConfigError, OptionError
            A key is unknown, or a number out of its range.
        """
        known_keys(described, tuple(cls.__dataclass_fields__), "disclosure")
        sensitive = described.get("sensitive", ())
        if isinstance(sensitive, str):
            raise ConfigError(
                "disclosure: sensitive is {value!r}; it must be a list.", value=sensitive
            )
        return cls(**{**described, "sensitive": tuple(sensitive)})


@dataclass(frozen=True)
class Contributions:
    """The largest contributors of each cell of a total, as shares of it; see `contributions`.

    Parameters
    ----------
    variable
        The total's variable.
    table
        Domain columns, `largest` (share of the k largest), `first` and `second` (shares).
    """

    variable: str
    table: pd.DataFrame = field(repr=False)


def contributions(
    table: pd.DataFrame, y: str, *, by: Sequence[str] = (), weight: str | None = None, k: int = 2
) -> Contributions:
    """Return how much of each domain's total of `y` its largest contributors make.

    Weighted contributions are meant: a person with a weight of 30 stands for 30 of the total.
    """
    values = table[y].fillna(0).abs() * (1 if weight is None else table[weight])
    keys = [table[c] for c in by] or [pd.Series(0, index=table.index)]
    rows = []
    for domain, mine in values.groupby(keys, dropna=False, sort=True):
        total = mine.sum()
        first = mine.nlargest(max(k, 2)).to_numpy() / total if total > 0 else np.zeros(2)
        first = np.pad(first, (0, max(0, 2 - len(first))))
        label = dict(zip(by, domain, strict=True)) if by else {}
        rows.append({**label, "largest": first[:k].sum(), "first": first[0], "second": first[1]})
    return Contributions(y, pd.DataFrame(rows))


def protect(
    estimates: E,
    protection: Protection | None = None,
    *,
    sums: Mapping[str, Sequence[str]] | None = None,
    dominance: Sequence[Contributions] = (),
    margins: bool = True,
    also: np.ndarray | None = None,
) -> E:
    """Return the estimates with what must not be shown marked: `suppressed` and `disclosure`.

    Parameters
    ----------
    sums
        Variable -> variables that add up to it in this table (`{"foreign": ["immigrant",
        "descendant"]}`).
    dominance
        The largest contributors of totals of magnitudes.
    margins
        Add secondary suppression. Without it a hidden cell can be computed from the margins.
    also
        Further cells to hide, for instance hidden in another table (rows,).

    Returns
    -------
    Estimates whose table has, after its other columns, `suppressed` (`primary`, `secondary`, or
    null) and `disclosure` (why: `cases, psus, dominance, full, empty, rest, sums`).

    Raises
    ------
    PublicationError
        Legal status stands beside a precise place, or no pattern protects the table.
    """
    rule = protection or Protection()
    check_legal([*estimates.by, *estimates.table["variable"].unique()], "This table")
    table = estimates.table.reset_index(drop=True)
    why = _primary(table, rule, dominance, estimates.by)
    if also is not None:
        why[also & pd.isna(why)] = "sums"
    primary = pd.notna(why)
    pattern = primary
    if margins and primary.any():
        system = cells(replace(estimates, table=table), sums)
        pattern = in_parts(system, _demand(table, primary, rule))
        why[pattern & ~primary] = "sums"
    state = np.full(len(table), None, object)
    state[pattern], state[primary] = SECONDARY, PRIMARY
    return replace(estimates, table=table.assign(suppressed=state, disclosure=why))


def protect_all(
    tables: Mapping[str, E], protection: Protection | None = None, **options: Any
) -> dict[str, E]:
    """Protect several tables of one survey together.

    The same cell (domain, variable, category) in two tables is hidden in both; totals, counts and
    proportions of the same persons are the same cell.
    """
    found = {name: protect(one, protection, **options) for name, one in tables.items()}
    keys = {name: _cell_keys(one) for name, one in found.items()}
    while True:
        hidden: set[object] = set()
        for name, one in found.items():
            gone = one.table["suppressed"].notna().to_numpy()
            hidden |= {key for key, g in zip(keys[name], gone, strict=True) if g and key}
        again = {}
        for name, one in found.items():
            also = np.array([key in hidden for key in keys[name]], bool)
            if (also & one.table["suppressed"].isna().to_numpy()).any():
                again[name] = protect(tables[name], protection, also=also, **options)
        if not again:
            return found
        found |= again


def audit(estimates: Estimates, sums: Mapping[str, Sequence[str]] | None = None) -> pd.DataFrame:
    """Attack a protected table, and return what a reader deduces of each hidden cell.

    Returns
    -------
    One row per hidden cell: domain columns, `variable, statistic, category, estimate, low, high`
    and `width` (as a share of the estimate). A width of 0 is a cell that can be computed.
    """
    table = estimates.table.reset_index(drop=True)
    gone = table["suppressed"].notna().to_numpy()
    system = cells(replace(estimates, table=table), sums)
    found: Range = deduced(system, gone)
    mass = masses(table)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(mass > 0, np.abs(table["estimate"]) / mass, 1.0)
        width = (found.high - found.low) / mass
    columns = [*estimates.by, "variable", "statistic", "category", "estimate"]
    return (
        table[columns]
        .assign(low=found.low * scale, high=found.high * scale, width=width)[gone]
        .reset_index(drop=True)
    )


def _primary(
    table: pd.DataFrame, rule: Protection, dominance: Sequence[Contributions], by: Sequence[str]
) -> np.ndarray:
    """Return why each cell may not be shown, null where it may (rows,)."""
    n, cases, psus = (table[c].to_numpy(float) for c in ("n", "cases", "psus"))
    count = table["statistic"].isin(_COUNTS).to_numpy()
    sensitive = table["variable"].isin(rule.sensitive).to_numpy()
    persons = np.where(count, cases, np.minimum(n, cases))
    least = np.where(count, rule.minimum, rule.minimum_averages)
    share = table["statistic"].eq("proportion").to_numpy()
    there = n > 0
    why = np.full(len(table), None, object)
    tests: dict[str, np.ndarray] = {
        "dominance": _dominated(table, rule, dominance, by),
        "rest": sensitive & share & (n - cases > 0) & (n - cases < rule.minimum),
        "psus": (cases > 0) & (psus < rule.minimum_psus),
        "cases": (persons > 0) & (persons < least),
        "empty": sensitive & count & (cases == 0),
        "full": sensitive & share & (cases == n),
    }
    for code, found in tests.items():
        why[found & there] = code
    return why


def _dominated(
    table: pd.DataFrame, rule: Protection, dominance: Sequence[Contributions], by: Sequence[str]
) -> np.ndarray:
    found = np.zeros(len(table), bool)
    for given in dominance:
        if given.variable not in set(table["variable"]):
            raise OptionError(
                "dominance: no estimate is called {name!r}. {hint}",
                name=given.variable,
                hint=nearest(given.variable, set(table["variable"])),
            )
        shares = given.table
        rest = 1 - shares["first"] - shares["second"]
        bad = (shares["largest"] > rule.largest) | (rest < rule.p_percent * shares["first"])
        keys = [c for c in by if c in shares.columns]
        gone = {tuple(map(str, row)) for row in shares.loc[bad, keys].itertuples(index=False)}
        mine = (table["variable"] == given.variable).to_numpy()
        mine = mine & table["statistic"].isin(["total", "mean"]).to_numpy()
        labels = [tuple(map(str, row)) for row in table[keys].itertuples(index=False)]
        found |= mine & np.array([label in gone for label in labels], bool)
    return found


def _demand(table: pd.DataFrame, primary: np.ndarray, rule: Protection) -> Demand:
    mass = masses(table)
    positive = mass[mass > 0]
    least = float(positive.min()) if len(positive) else 1.0
    width = np.where(mass > 0, rule.share * mass, least)
    return Demand(primary, width, (table["cases"] == 1).to_numpy())


def _cell_keys(estimates: Estimates) -> list[object]:
    """Return what names the persons of each cell, in any table of the survey; None if nothing."""
    table = estimates.table
    keys: list[object] = []
    label: Callable[[Any], str | None] = lambda v: None if pd.isna(v) else str(v)  # noqa: E731
    for row in table.to_dict("records"):
        domain = frozenset((c, str(row[c])) for c in estimates.by if label(row[c]) is not None)
        counted = row["statistic"] in _COUNTS
        keys.append((domain, row["variable"], label(row["category"])) if counted else None)
    return keys


def check_protected(estimates: Estimates, where: str) -> None:
    """Refuse estimates that did not go through `protect`.

    Raises
    ------
    PublicationError
    """
    if "suppressed" not in estimates.table.columns:
        raise PublicationError(
            "{where}: these estimates did not go through the disclosure rules. Call "
            "nsm.publication.protect(estimates) before they are shown to the public.",
            where=where,
        )
