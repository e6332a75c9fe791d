"""Indicators: their definitions, what they need, and their estimates by any domain."""

from nsm.indicators.compute import Computed, Failure, compute
from nsm.indicators.coverage import coverage, listed
from nsm.indicators.registry import Indicator, described, read_registry

__all__ = [
    "Computed",
    "Failure",
    "Indicator",
    "compute",
    "coverage",
    "described",
    "listed",
    "read_registry",
]
