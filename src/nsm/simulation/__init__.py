"""Synthetic populations and repeated surveys: for rehearsal, never for publication."""

from nsm.simulation.adaptive import Adaptive
from nsm.simulation.characteristics import characteristics, load_table
from nsm.simulation.counted import Counted, count_population
from nsm.simulation.description import Description, read_description
from nsm.simulation.fidelity import fidelity
from nsm.simulation.field import fieldwork, respond
from nsm.simulation.handmade import HandMade
from nsm.simulation.population import Population
from nsm.simulation.reading import named_files, read_population
from nsm.simulation.resampled import Resampled
from nsm.simulation.scheme import Scheme
from nsm.simulation.stock import Stock, condense
from nsm.simulation.surveys import Simulation, simulate

__all__ = [
    "Adaptive",
    "Counted",
    "Description",
    "HandMade",
    "Population",
    "Resampled",
    "Scheme",
    "Simulation",
    "Stock",
    "characteristics",
    "condense",
    "count_population",
    "fidelity",
    "fieldwork",
    "load_table",
    "named_files",
    "read_description",
    "read_population",
    "respond",
    "simulate",
]
