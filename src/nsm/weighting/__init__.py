"""Weighting: from the probabilities of the sample to weights that hit the census."""

from __future__ import annotations

from nsm.weighting.calibration import Calibration, poststratification
from nsm.weighting.controls import check_controls, control_template
from nsm.weighting.nonresponse import Nonresponse
from nsm.weighting.subsample import Subsample
from nsm.weighting.trimming import Trimming
from nsm.weighting.weighting import Step, Weighting, read_step

__all__ = [
    "Calibration",
    "Nonresponse",
    "Step",
    "Subsample",
    "Trimming",
    "Weighting",
    "check_controls",
    "control_template",
    "poststratification",
    "read_step",
]
