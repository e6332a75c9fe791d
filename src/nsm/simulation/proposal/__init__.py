"""The survey's proposal: prices, budget, routes, calendar, document and explorer."""

from nsm.simulation.proposal.book import write_budget
from nsm.simulation.proposal.budget import budget, completed, disbursed, shared, totals
from nsm.simulation.proposal.calendar import calendar, gantt
from nsm.simulation.proposal.enlarging import enlarged
from nsm.simulation.proposal.explorer import (
    PREVALENCES,
    Explored,
    World,
    tabulated,
    write_explorer,
)
from nsm.simulation.proposal.prices import Prices, Team, read_prices
from nsm.simulation.proposal.routes import routes, workload

__all__ = [
    "PREVALENCES",
    "Explored",
    "Prices",
    "Team",
    "World",
    "budget",
    "calendar",
    "completed",
    "disbursed",
    "enlarged",
    "gantt",
    "read_prices",
    "routes",
    "shared",
    "tabulated",
    "totals",
    "workload",
    "write_budget",
    "write_explorer",
]
