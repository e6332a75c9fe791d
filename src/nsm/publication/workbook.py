"""Excel workbooks of estimates."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nsm.files import atomic

if TYPE_CHECKING:
    from nsm.estimation.estimates import Estimates


def write_estimates(estimates: Estimates, path: str | os.PathLike[str]) -> None:
    """Write the table of estimates as a workbook."""
    import pandas as pd

    with atomic(path) as partial, pd.ExcelWriter(partial, engine="xlsxwriter") as book:
        estimates.table.to_excel(book, index=False)
