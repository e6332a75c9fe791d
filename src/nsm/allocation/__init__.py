"""Allocation: strata, sample sizes, and how a sample is divided, with its cost and precision.

`allocate` makes a `Plan` from a table of strata; `areas_at` makes that table from a frame of areas
drawn with probability proportional to size and taken whole.
"""

from nsm.allocation.allocate import RULES, allocate
from nsm.allocation.answers import change_power, detectable_change, point_costs, second_phase
from nsm.allocation.areas import area_strata, areas_at
from nsm.allocation.cluster import cluster_size
from nsm.allocation.compare import comparison
from nsm.allocation.components import variance_components
from nsm.allocation.order import alike, credit_order
from nsm.allocation.plan import Plan
from nsm.allocation.prior import PriorError, Response, prior_error
from nsm.allocation.sample_size import sample_size, sample_size_steps
from nsm.allocation.stratify import Stratification, stratify

__all__ = [
    "RULES",
    "Plan",
    "PriorError",
    "Response",
    "Stratification",
    "alike",
    "allocate",
    "area_strata",
    "areas_at",
    "change_power",
    "cluster_size",
    "comparison",
    "credit_order",
    "detectable_change",
    "point_costs",
    "prior_error",
    "sample_size",
    "sample_size_steps",
    "second_phase",
    "stratify",
    "variance_components",
]
