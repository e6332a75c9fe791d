"""What comes back from the field: intake, validation, dispositions, progress, imputation."""

from nsm.fieldwork.delivery import Delivery, read_delivery
from nsm.fieldwork.derived import derive, derived_variables
from nsm.fieldwork.outcomes import dispositions, phases, response_rates
from nsm.fieldwork.validation import Validation, tally, validate

__all__ = [
    "Delivery",
    "Validation",
    "derive",
    "derived_variables",
    "dispositions",
    "phases",
    "read_delivery",
    "response_rates",
    "tally",
    "validate",
]
