"""Estimation: surveys, statistics, and the variance of what they estimate."""

from __future__ import annotations

from nsm.estimation.change import change
from nsm.estimation.collapse import collapse
from nsm.estimation.estimates import Estimates
from nsm.estimation.gvf import gvf
from nsm.estimation.imputed import combine
from nsm.estimation.inequality import (
    gini,
    poverty_gap,
    poverty_line,
    poverty_rate,
    quintile_share_ratio,
)
from nsm.estimation.quantile import quantile
from nsm.estimation.rowwise import correlation, covariance, variance
from nsm.estimation.statistic import Statistic, count, mean, proportion, ratio, total
from nsm.estimation.survey import Survey

__all__ = [
    "Estimates",
    "Statistic",
    "Survey",
    "change",
    "collapse",
    "combine",
    "correlation",
    "count",
    "covariance",
    "gini",
    "gvf",
    "mean",
    "poverty_gap",
    "poverty_line",
    "poverty_rate",
    "proportion",
    "quantile",
    "quintile_share_ratio",
    "ratio",
    "total",
    "variance",
]
