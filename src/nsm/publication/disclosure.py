"""Disclosure control: which cells would tell about somebody, and what else must go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from nsm.errors import ConfigError, OptionError, PublicationError, nearest
from nsm.estimation.estimates import Estimates
from nsm.publication.guard import check_legal
from nsm.publication.joint import Joint
from nsm.publication.kin import COUNTS, Kin
from nsm.publication.relations import cells, masses
from nsm.publication.rules import known_keys
from nsm.publication.suppression import Demand, Range, deduced

E = TypeVar("E", bound=Estimates)

PRIMARY, SECONDARY = "primary", "secondary"
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

    Returns
    -------
    Estimates whose table has, after its other columns, `suppressed` (`primary`, `secondary`, or
    null) and `disclosure` (why: `cases, psus, dominance, full, empty, rest, sums`).

    Raises
    ------
    PublicationError
        Legal status stands beside a precise place, or no pattern protects the table.
    """
    given = {"": estimates}
    return protect_all(given, protection, sums=sums, dominance=dominance, margins=margins)[""]


def protect_all(
    tables: Mapping[str, E],
    protection: Protection | None = None,
    *,
    sums: Mapping[str, Sequence[str]] | None = None,
    dominance: Sequence[Contributions] = (),
    margins: bool = True,
) -> dict[str, E]:
    """Protect several tables of one survey together: the same cell is hidden or shown in all.

    All tables are one system of sums, so that a margin which stands in many of them is one cell.
    Totals and shares of the same persons are hidden together (`nsm.publication.kin`). Parameters
    are those of `protect`.
    """
    rule = protection or Protection()
    kin = Kin.of(tables.values())
    bare = {name: one.table.reset_index(drop=True) for name, one in tables.items()}
    why = {}
    joint = Joint(kin)
    for name, one in tables.items():
        table = bare[name]
        check_legal([*one.by, *table["variable"].unique()], "This table")
        given = [g for g in dominance if g.variable in set(table["variable"])]
        why[name] = _primary(table, rule, given, one.by)
        joint.add(replace(one, table=table), _demand(table, pd.notna(why[name]), rule), sums)
    _known_variables(tables, dominance)
    pattern = joint.pattern(sums=margins)
    return {
        name: replace(one, table=_marked(bare[name], why[name], hidden))
        for (name, one), hidden in zip(tables.items(), pattern, strict=True)
    }


def _known_variables(tables: Mapping[str, E], dominance: Sequence[Contributions]) -> None:
    known = {v for one in tables.values() for v in one.table["variable"]}
    for given in dominance:
        if given.variable not in known:
            raise OptionError(
                "dominance: no estimate is called {name!r}. {hint}",
                name=given.variable,
                hint=nearest(given.variable, known),
            )


def _marked(table: pd.DataFrame, why: np.ndarray, hidden: np.ndarray) -> pd.DataFrame:
    """Return a table with the state of each cell and why."""
    first = pd.notna(why)
    state = np.full(len(table), None, object)
    state[hidden], state[first] = SECONDARY, PRIMARY
    return table.assign(suppressed=state, disclosure=np.where(hidden & ~first, "sums", why))


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
    count = table["statistic"].isin(COUNTS).to_numpy()
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
