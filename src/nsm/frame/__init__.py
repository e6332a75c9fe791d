"""Sampling frames: read, check, roll up, merge and split areas, geometry, prior prevalence."""

from nsm.frame.aging import expected_cvs, persistence
from nsm.frame.checks import compare, level_sums
from nsm.frame.contiguity import neighbor_pairs
from nsm.frame.frame import Frame
from nsm.frame.persons import from_persons
from nsm.frame.places import locate, overlap, with_places
from nsm.frame.strata import strata_table
from nsm.frame.versions import changes

__all__ = [
    "Frame",
    "changes",
    "compare",
    "expected_cvs",
    "from_persons",
    "level_sums",
    "locate",
    "neighbor_pairs",
    "overlap",
    "persistence",
    "strata_table",
    "with_places",
]
