"""Disclosure control of tables of estimates."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from nsm.estimation.estimates import Estimates

E = TypeVar("E", bound=Estimates)


def protect(estimates: E, *, minimum: int = 10) -> E:
    """Return the estimates with `suppressed`: `primary` where fewer than `minimum` contribute."""
    table = estimates.table
    few = ((table[["n", "cases"]].min(axis=1) < minimum) & (table["n"] > 0)).to_numpy()
    suppressed = np.full(len(table), None, object)
    suppressed[few] = "primary"
    return replace(estimates, table=table.assign(suppressed=suppressed))
