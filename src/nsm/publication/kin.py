"""Which variables are the same persons under two names, or sums of other variables.

`immigrants`, `immigrant_share` and the category `immigrant` of `status` hide or show the same
persons, and `foreign_origin` is `immigrants + descendants`. What is hidden under one name must be
hidden under all, and a sum gives its last part away. Nobody needs to declare this: counts of
persons that agree in every domain of a table say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from nsm.estimation.estimates import Estimates

COUNTS = ("total", "count", "proportion")
SHARED = 3  # domains in which counts must agree: fewer may agree by chance
Name = tuple[str, str, bool]  # variable, category, whether it is an average


class Sum(NamedTuple):
    """Parts that add up to a whole; to all units of the domain if the whole is empty."""

    parts: tuple[Name, ...]
    whole: tuple[Name, ...] = ()


@dataclass(frozen=True)
class Kin:
    """What counts of persons tell of variables.

    Parameters
    ----------
    names
        Name -> the first name of the same number.
    ties
        Totals and shares of the same persons, which are hidden together.
    sums
        Sums of two parts, and of two or three that make all units.
    """

    names: dict[Name, Name] = field(default_factory=dict)
    ties: tuple[tuple[Name, Name], ...] = ()
    sums: tuple[Sum, ...] = ()

    @classmethod
    def of(cls, tables: Iterable[Estimates]) -> Kin:
        """Find what is kin in some tables."""
        names: dict[Name, Name] = {}
        ties: list[tuple[Name, Name]] = []
        sums: list[Sum] = []
        for group in (one for table in tables for one in _groups(table)):
            first = group.first()
            names |= {name: names.get(own, own) for name, own in first.items() if name not in names}
            ties += group.ties(first)
            sums += group.added(first)
        once = tuple(dict.fromkeys((names.get(a, a), names.get(b, b)) for a, b in ties))
        told = tuple(
            dict.fromkeys(
                Sum(*(tuple(sorted(names.get(n, n) for n in side)) for side in one)) for one in sums
            )
        )
        return cls(names, once, told)

    def name(self, one: Name) -> Name:
        """Return the first name of the same number."""
        return self.names.get(one, one)


def names_of(table: pd.DataFrame) -> list[Name]:
    """Return variable, category (empty where there is none) and kind of each row."""
    category = ["" if pd.isna(c) else str(c) for c in table["category"]]
    average = table["statistic"].isin(("proportion", "mean"))
    return list(zip(table["variable"].astype(str), category, average, strict=True))


class _Group(NamedTuple):
    """Variables of the same units in the same domains: name -> cases and estimates by domain."""

    cases: dict[Name, np.ndarray]
    estimates: dict[Name, np.ndarray]
    n: np.ndarray

    def first(self) -> dict[Name, Name]:
        """Return name -> the first name with the same numbers."""
        found: dict[tuple[bool, bytes], list[Name]] = {}
        first = {}
        for name, cases in self.cases.items():
            if (cases > 0).sum() < SHARED or (cases == self.n).all():
                continue
            alike = found.setdefault((name[2], cases.tobytes()), [])
            mine = self.estimates[name]
            same = [o for o in alike if np.allclose(self.estimates[o], mine, rtol=1e-9)]
            first[name] = same[0] if same else name
            alike += [] if same else [name]
        return first

    def ties(self, first: dict[Name, Name]) -> list[tuple[Name, Name]]:
        """Return pairs of a total and a share of the same persons."""
        totals, shares = self._by_cases(first, average=False), self._by_cases(first, average=True)
        return [
            (one, other)
            for cases, some in totals.items()
            for one in some
            for other in shares.get(cases, ())
        ]

    def added(self, first: dict[Name, Name]) -> Iterator[Sum]:
        """Give the sums of two that are a third, and of two or three that are all units."""
        for average in (False, True):
            by_cases = self._by_cases(first, average=average)
            own = [name for some in by_cases.values() for name in some]
            for a, b in combinations(own, 2):
                both = self.cases[a] + self.cases[b]
                for whole in by_cases.get(both.tobytes(), ()):
                    yield Sum((a, b), (whole,))
                if average and (both == self.n).all():
                    yield Sum((a, b))
                rest = by_cases.get((self.n - both).tobytes(), ()) if average else ()
                for third in rest:
                    if third not in (a, b):
                        yield Sum((a, b, third))

    def _by_cases(self, first: dict[Name, Name], *, average: bool) -> dict[bytes, list[Name]]:
        found: dict[bytes, list[Name]] = {}
        for name, own in first.items():
            if name == own and name[2] == average:
                found.setdefault(self.cases[name].tobytes(), []).append(name)
        return found


def _groups(estimates: Estimates) -> list[_Group]:
    """Group the variables of a table by the domains that they have, and the units in those."""
    table = estimates.table[estimates.table["statistic"].isin(COUNTS)]
    domains = (
        table.groupby(list(estimates.by), dropna=False, sort=True).ngroup()
        if (estimates.by)
        else pd.Series(0, index=table.index)
    )
    numbers = table[["cases", "n", "estimate"]].to_numpy(float)
    seen: dict[Name, dict[int, np.ndarray]] = {}
    for name, domain, row in zip(names_of(table), domains, numbers, strict=True):
        seen.setdefault(name, {})[int(domain)] = row
    groups: dict[object, _Group] = {}
    for name, by_domain in seen.items():
        order = sorted(by_domain)
        cases, n, estimate = np.array([by_domain[d] for d in order]).T
        key = (tuple(order), n.tobytes())
        group = groups.setdefault(key, _Group({}, {}, n))
        group.cases[name], group.estimates[name] = cases, estimate
    return list(groups.values())
