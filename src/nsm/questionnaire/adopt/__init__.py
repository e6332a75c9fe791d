"""Adopting an existing XLSForm: it becomes a reviewed source of its own."""

from nsm.questionnaire.adopt.adopt import adopt_xlsform

__all__ = ["adopt_xlsform"]
