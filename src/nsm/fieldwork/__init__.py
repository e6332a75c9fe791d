"""What comes back from the field: intake, validation, dispositions, progress, imputation."""

from nsm.fieldwork.delivery import Delivery, read_delivery
from nsm.fieldwork.validation import Validation, tally, validate

__all__ = ["Delivery", "Validation", "read_delivery", "tally", "validate"]
