"""Publication: which numbers may be printed, and the tables, pictures and reports with them."""

from nsm.publication.charts import interval_chart
from nsm.publication.disclosure import protect
from nsm.publication.grid import Shown
from nsm.publication.quality import flag
from nsm.publication.report import Drawn, Headline, Meta, Section, write_report

__all__ = [
    "Drawn",
    "Headline",
    "Meta",
    "Section",
    "Shown",
    "flag",
    "interval_chart",
    "protect",
    "write_report",
]
