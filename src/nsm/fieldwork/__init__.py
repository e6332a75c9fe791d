"""What comes back from the field: intake, validation, dispositions, progress, imputation."""

from nsm.fieldwork.delivery import Delivery, read_delivery
from nsm.fieldwork.derived import derive, derived_variables
from nsm.fieldwork.imputation import impute, multiply_impute
from nsm.fieldwork.monitoring import Monitoring, monitor
from nsm.fieldwork.outcomes import dispositions, phases, response_rates
from nsm.fieldwork.validation import Validation, tally, validate

__all__ = [
    "Delivery",
    "Monitoring",
    "Validation",
    "derive",
    "derived_variables",
    "dispositions",
    "impute",
    "monitor",
    "multiply_impute",
    "phases",
    "read_delivery",
    "response_rates",
    "tally",
    "validate",
]
