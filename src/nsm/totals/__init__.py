"""The only pass over microdata: weighted sums by group.

A table goes in, with the totals that are wanted; sums by domain and by sampling unit come out. All
that follows (statistics, variances, weights) works on these small tables. `memory` makes the pass
in numpy on cached integer codes, `pushdown` hands it to the engine that holds the table.
"""

from __future__ import annotations

from nsm.totals.memory import Cells, ColumnFile, Grouping, Memory, compressed, distinct
from nsm.totals.pushdown import Pushdown, UnitIndex
from nsm.totals.term import Measure, Term, Totals

__all__ = [
    "Cells",
    "ColumnFile",
    "Grouping",
    "Measure",
    "Memory",
    "Pushdown",
    "Term",
    "Totals",
    "UnitIndex",
    "compressed",
    "distinct",
]
