"""All checks of a questionnaire."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nsm.questionnaire.findings import Finding
    from nsm.questionnaire.questionnaire import Questionnaire


def findings(form: Questionnaire) -> list[Finding]:
    """Return everything found, in the order of the form."""
    return list(form.problems)
