"""Estimation: surveys, statistics, and the variance of what they estimate."""

from __future__ import annotations

from nsm.estimation.estimates import Estimates
from nsm.estimation.statistic import Statistic, count, mean, proportion, ratio, total
from nsm.estimation.survey import Survey

__all__ = ["Estimates", "Statistic", "Survey", "count", "mean", "proportion", "ratio", "total"]
