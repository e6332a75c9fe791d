"""Variables that are the same persons, and tables that are attacked together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from nsm.estimation import Estimates, Survey
from nsm.indicators import compute
from nsm.publication import Protection, protect_all
from nsm.publication.kin import Kin

CODES = ["residents", "immigrants", "descendants", "foreign_origin", "natives"]
SHARES = ["immigrant_share", "status"]


def persons(seed: int = 3) -> Survey:
    """Persons of few strangers, so that many cells are small."""
    rng = np.random.Generator(np.random.PCG64(seed))
    n = 3000
    region = rng.choice(["1", "2", "3", "4", "5"], n, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    status = rng.choice(["immigrant", "descendant", "native"], n, p=[0.04, 0.02, 0.94])
    table = pd.DataFrame({"region": region, "status": status, "sex": rng.choice(["F", "M"], n)})
    table["zone"] = rng.choice(["urban", "rural"], n, p=[0.8, 0.2])
    return Survey(table.assign(psu=np.arange(n) // 15, w=10 + rng.random(n)), weight="w", psu="psu")


@pytest.fixture(scope="module")
def tables() -> dict[str, Estimates]:
    """One table for each disaggregation, with its margins."""
    found = {}
    for by in ("region", "sex", "zone"):
        made = compute(persons(), [*CODES, *SHARES], by=[(), by])
        found[by] = Estimates(made.table, (by,))
    return found


def test_the_same_persons_under_other_names(tables: dict[str, Estimates]) -> None:
    kin = Kin.of(tables.values())
    share = ("immigrant_share", "", True)
    assert kin.name(("status", "immigrant", True)) == share
    assert (("immigrants", "", False), share) in kin.ties
    parts = (("descendants", "", False), ("immigrants", "", False))
    assert (parts, (("foreign_origin", "", False),)) in kin.sums
    assert not any(("residents", "", False) in {*one.parts, *one.whole} for one in kin.sums)


def test_a_share_is_hidden_with_its_total(tables: dict[str, Estimates]) -> None:
    safe = protect_all(tables, Protection(minimum=10))
    for by, one in safe.items():
        table = one.table.assign(domain=one.table[by].astype(object).fillna("all"))
        names = {
            "immigrants": ("immigrants", None),
            "share": ("immigrant_share", None),
            "status": ("status", "immigrant"),
        }
        for domain in table["domain"].unique():
            states = set()
            for variable, category in names.values():
                rows = table[(table["domain"] == domain) & (table["variable"] == variable)]
                rows = rows[rows["category"].eq(category)] if category else rows
                states.add(bool(rows["suppressed"].notna().iloc[0]))
            assert len(states) == 1, (by, domain)
    hidden = sum(int(one.table["suppressed"].notna().sum()) for one in safe.values())
    assert 0 < hidden < 60


def narrowest(safe: dict[str, Estimates]) -> float:
    """Attack with what is printed of totals, as equations for a solver.

    Returns the least width that is left of a hidden cell, as a share of it.
    """
    cells: dict[tuple[str, str], int] = {}
    value: dict[int, float] = {}
    shown: set[int] = set()
    primary: set[int] = set()
    for by, one in safe.items():
        for row in one.table.to_dict("records"):
            if row["statistic"] not in {"total", "count"}:
                continue
            domain = "all" if pd.isna(row[by]) else f"{by}={row[by]}"
            k = cells.setdefault((domain, row["variable"]), len(cells))
            value[k] = row["estimate"]
            if pd.isna(row["suppressed"]):
                shown.add(k)
            if row["suppressed"] == "primary":
                primary.add(k)
    rows = np.array([*_equations(cells, list(safe))])
    bounds = [(value[k], value[k]) if k in shown else (0, None) for k in range(len(cells))]
    widths = []
    for k in primary:
        cost = np.eye(len(cells))[k]
        low, high = (
            linprog(sign * cost, A_eq=rows, b_eq=np.zeros(len(rows)), bounds=bounds)
            for sign in (1, -1)
        )
        assert low.success, low.message
        unbounded = high.status == 3
        widths.append(np.inf if unbounded else (-high.fun - low.fun) / value[k])
    return min(widths)


def _equations(cells: dict[tuple[str, str], int], tables: list[str]) -> Iterator[np.ndarray]:
    domains = {domain for domain, _ in cells}
    for by, variable in product(tables, CODES):
        line = np.zeros(len(cells))
        line[[cells[d, variable] for d in domains if d.startswith(f"{by}=")]] = 1.0
        line[cells["all", variable]] = -1.0
        yield line
    for domain in domains:
        for *parts, whole in (
            ("immigrants", "descendants", "foreign_origin"),
            ("foreign_origin", "natives", "residents"),
        ):
            line = np.zeros(len(cells))
            line[[cells[domain, part] for part in parts]] = 1.0
            line[cells[domain, whole]] = -1.0
            yield line


def test_a_reader_of_all_tables_cannot_compute_a_hidden_total(
    tables: dict[str, Estimates],
) -> None:
    assert narrowest(protect_all(tables, Protection(minimum=10))) > 0.1


def test_the_same_attack_finds_what_is_not_protected(tables: dict[str, Estimates]) -> None:
    assert narrowest(protect_all(tables, Protection(minimum=10), margins=False)) < 1e-6
