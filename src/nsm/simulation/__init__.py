"""Synthetic populations and repeated surveys: for rehearsal, never for publication."""

from nsm.simulation.counted import Counted, count_population
from nsm.simulation.description import Description, read_description
from nsm.simulation.fidelity import fidelity
from nsm.simulation.field import fieldwork, respond
from nsm.simulation.population import Population
from nsm.simulation.reading import read_population

__all__ = [
    "Counted",
    "Description",
    "Population",
    "count_population",
    "fidelity",
    "fieldwork",
    "read_description",
    "read_population",
    "respond",
]
