"""Synthetic populations and repeated surveys: for rehearsal, never for publication."""

from nsm.simulation.description import Description, read_description
from nsm.simulation.fidelity import fidelity
from nsm.simulation.field import fieldwork, respond
from nsm.simulation.population import Population, make_population, read_population

__all__ = [
    "Description",
    "Population",
    "fidelity",
    "fieldwork",
    "make_population",
    "read_description",
    "read_population",
    "respond",
]
