"""Rehearsed answers to a questionnaire: who is asked answers, by rules that are data."""

from nsm.simulation.answers.delivery import answer
from nsm.simulation.answers.rules import AnswerRules

__all__ = ["AnswerRules", "answer"]
