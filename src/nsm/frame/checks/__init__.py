"""Look for what is wrong with a frame.

Each module of this package looks for one kind of fault and returns findings; none changes the
frame. What a check needs and the frame does not have (polygons, levels, a prior) is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nsm.frame.checks.codes import check_codes
from nsm.frame.checks.coverage import check_coverage
from nsm.frame.checks.names import check_names
from nsm.frame.checks.shapes import check_shapes
from nsm.frame.checks.sizes import check_sizes
from nsm.frame.checks.sums import check_parts, check_totals, compare, level_sums
from nsm.frame.findings import Finding, findings_table

if TYPE_CHECKING:
    import pandas as pd

    from nsm.frame.frame import Frame

__all__ = ["check", "compare", "level_sums"]


def check(
    frame: Frame,
    *,
    against: pd.DataFrame | None = None,
    totals: Mapping[str, float] | None = None,
    language: str = "en",
) -> pd.DataFrame:
    """Run every check that the frame has the means for; see `Frame.check`."""
    return findings_table(all_findings(frame, against=against, totals=totals), language)


def all_findings(
    frame: Frame,
    *,
    against: pd.DataFrame | None = None,
    totals: Mapping[str, float] | None = None,
) -> list[Finding]:
    """Return the findings of every check, with all their cases."""
    found = [
        *check_codes(frame),
        *check_names(frame),
        *check_parts(frame),
        *check_totals(frame, totals or {}),
        *check_sizes(frame),
        *check_shapes(frame),
    ]
    if against is not None:
        found += check_coverage(frame, against)
    return found
