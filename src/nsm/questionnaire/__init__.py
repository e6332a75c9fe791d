"""Questionnaires: a reviewed specification from which forms, codebooks and checks are made."""

from nsm.questionnaire.model import Code, CodeList, Question, Rule, Section, Table
from nsm.questionnaire.questionnaire import Questionnaire

__all__ = ["Code", "CodeList", "Question", "Questionnaire", "Rule", "Section", "Table"]
