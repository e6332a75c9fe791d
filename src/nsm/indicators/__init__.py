"""Indicators: their definitions, what they need, and their estimates by any domain."""

from nsm.indicators.comparison import compare
from nsm.indicators.compute import Computed, Failure, compute
from nsm.indicators.coverage import coverage, listed
from nsm.indicators.gaps import gaps
from nsm.indicators.need import need
from nsm.indicators.other import read_other
from nsm.indicators.registry import Indicator, described, read_registry
from nsm.indicators.targets import Target, distances

__all__ = [
    "Computed",
    "Failure",
    "Indicator",
    "Target",
    "compare",
    "compute",
    "coverage",
    "described",
    "distances",
    "gaps",
    "listed",
    "need",
    "read_other",
    "read_registry",
]
