"""Selection: draw areas with known probabilities, keep how, and draw them again.

`draw` makes a `Sample`; the methods themselves are functions of inclusion probabilities and a
generator, one file for each family.
"""

from nsm.selection.adaptive import adaptive_weights, networks, to_visit
from nsm.selection.coordination import overlap, permanent_numbers
from nsm.selection.draws import draw
from nsm.selection.figures import sample_map, strata_map
from nsm.selection.joint import joint_probabilities
from nsm.selection.listing import draw_listing
from nsm.selection.methods import METHODS
from nsm.selection.probabilities import inclusion_probabilities
from nsm.selection.quality import spatial_balance
from nsm.selection.rotation import panels, rotation, rotation_overlap, wave_sample
from nsm.selection.sample import Sample

__all__ = [
    "METHODS",
    "Sample",
    "adaptive_weights",
    "draw",
    "draw_listing",
    "inclusion_probabilities",
    "joint_probabilities",
    "networks",
    "overlap",
    "panels",
    "permanent_numbers",
    "rotation",
    "rotation_overlap",
    "sample_map",
    "spatial_balance",
    "strata_map",
    "to_visit",
    "wave_sample",
]
