"""Weighting: from the probabilities of the sample to weights that hit the census."""

from __future__ import annotations

from nsm.weighting.base import area_survey
from nsm.weighting.calibration import Calibration, poststratification
from nsm.weighting.controls import check_controls, control_template
from nsm.weighting.links import Share, share, stack_frames
from nsm.weighting.nonresponse import Nonresponse
from nsm.weighting.reference import Reference, Volunteers, volunteers
from nsm.weighting.subsample import Subsample, Within
from nsm.weighting.trimming import Trimming
from nsm.weighting.weighting import Step, Weighting, read_step

__all__ = [
    "Calibration",
    "Nonresponse",
    "Reference",
    "Share",
    "Step",
    "Subsample",
    "Trimming",
    "Volunteers",
    "Weighting",
    "Within",
    "area_survey",
    "check_controls",
    "control_template",
    "poststratification",
    "read_step",
    "share",
    "stack_frames",
    "volunteers",
]
