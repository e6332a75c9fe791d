"""Questionnaires: a reviewed specification from which forms, codebooks and checks are made."""

from nsm.questionnaire.adopt import adopt_xlsform
from nsm.questionnaire.compare import diff
from nsm.questionnaire.crosswalk import check_crosswalk, draft_crosswalk, harmonize
from nsm.questionnaire.model import Code, CodeList, Question, Rule, Section, Table
from nsm.questionnaire.questionnaire import Questionnaire

__all__ = [
    "Code",
    "CodeList",
    "Question",
    "Questionnaire",
    "Rule",
    "Section",
    "Table",
    "adopt_xlsform",
    "check_crosswalk",
    "diff",
    "draft_crosswalk",
    "harmonize",
]
