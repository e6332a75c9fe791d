"""Publication: which numbers may be printed, and the tables, pictures and reports with them."""

from nsm.publication.charts import interval_chart
from nsm.publication.delivery import FORMATS, deliver
from nsm.publication.disclosure import Protection, audit, contributions, protect, protect_all
from nsm.publication.grid import Shown
from nsm.publication.guard import Geography
from nsm.publication.maps import outlines, region_map
from nsm.publication.pyramid import pyramid
from nsm.publication.quality import flag
from nsm.publication.records import Declared, Edition, Series, records
from nsm.publication.release import Release, release
from nsm.publication.report import Drawn, Headline, Meta, Section, write_report
from nsm.publication.rounding import round_counts
from nsm.publication.workbook import write_workbook

__all__ = [
    "FORMATS",
    "Declared",
    "Drawn",
    "Edition",
    "Geography",
    "Headline",
    "Meta",
    "Protection",
    "Release",
    "Section",
    "Series",
    "Shown",
    "audit",
    "contributions",
    "deliver",
    "flag",
    "interval_chart",
    "outlines",
    "protect",
    "protect_all",
    "pyramid",
    "records",
    "region_map",
    "release",
    "round_counts",
    "write_report",
    "write_workbook",
]
