"""What a prior tells of areas, and who answers: the model behind expected CVs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from nsm.errors import OptionError


class PriorError(NamedTuple):
    """What a prior tells of the count y of an area, mu being the count it gives.

    y has expectation m = level x size + slope x mu and variance constant x size + spread x m +
    relative x m^2. The default takes the prior at its word and y for a Poisson count. `alike` is
    the share of that variance which neighbors in the list have in common, so that a systematic
    sample does not show it (`nsm.allocation.alike` estimates it); it counts if there is an order.
    """

    constant: float = 0.0
    spread: float = 1.0
    relative: float = 0.0
    level: float = 0.0
    slope: float = 1.0
    alike: float = 0.0

    def mean(self, mu: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Return the expectation of y by area."""
        return self.level * size + self.slope * mu

    def sharper(self, factor: float) -> PriorError:
        """Return a prior whose errors have this multiple of the variance."""
        return self._replace(
            constant=factor * self.constant,
            spread=factor * self.spread,
            relative=factor * self.relative,
        )

    def variance(self, mu: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Return the variance of y by area."""
        m = self.mean(mu, size)
        return self.constant * size + self.spread * m + self.relative * m**2


class Response(NamedTuple):
    """Who answers: a share of the dwellings.

    `together` is the mean number of y in the dwelling of one y: their spread inside an area.
    """

    share: float = 1.0
    together: float = 1.0


def prior_error(
    expected: np.ndarray, observed: np.ndarray, size: np.ndarray | None = None
) -> PriorError:
    """Estimate what a prior tells, from areas where it and the count are both known.

    The expectation is fitted first, then the squared errors around it, all coefficients at least
    0. Areas are weighted by the inverse of mu + size, so that neither small nor large ones lead
    alone; both fits are scaled to the sum they explain. Fit each stratum or concentration class by
    itself where enough areas are known: hot spots that the prior misses make the errors of low
    classes another thing.

    Parameters
    ----------
    expected, observed
        Counts by area (areas,): what the prior gives, and what was found.
    size
        Measure of size (areas,); 1 if None.
    """
    mu, y = np.asarray(expected, dtype=float), np.asarray(observed, dtype=float)
    size = np.ones(len(mu)) if size is None else np.asarray(size, dtype=float)
    weight = 1 / (mu + size)
    level, slope = _fit(np.column_stack([size, mu]), y, weight)
    m = level * size + slope * mu
    constant, spread, relative = _fit(np.column_stack([size, m, m**2]), (y - m) ** 2, weight)
    return PriorError(constant, spread, relative, level, slope)


def _fit(terms: np.ndarray, y: np.ndarray, weight: np.ndarray) -> list[float]:
    """Return coefficients of at least 0 whose fit adds up to the sum of y."""
    from scipy.optimize import nnls

    fit, _ = nnls(terms * weight[:, None], y * weight)
    total = (terms @ fit).sum()
    return [float(f) for f in fit * (y.sum() / total if total > 0 else 1.0)]


def check_model(costs: tuple[float, float, float], error: Any, response: Any) -> None:
    """Refuse costs (of an area, a screening, an interview), errors and shares that cannot be.

    Raises
    ------
    OptionError
    """
    named = zip(("area_cost", "screening_cost", "interview_cost"), costs, strict=True)
    low = {name: cost for name, cost in named if not cost >= 0}
    for e in _leaves(error):
        if isinstance(e, PriorError):
            low |= {name: v for name, v in e._asdict().items() if not v >= 0}
    if low:
        raise OptionError(
            "{name} is {value}; it must not be below 0.", name=min(low), value=low[min(low)]
        )
    if not sum(costs) > 0:
        raise OptionError("An area costs nothing. Give area_cost=, screening_cost= or both.")
    for r in _leaves(response):
        if not 0 < r.share <= 1:
            raise OptionError(
                "{option} is {value}; it must be above 0 and at most 1.",
                option="response",
                value=r.share,
            )


def _leaves(given: Any) -> list[Any]:
    """Return what a value, or a mapping of mappings of it, holds."""
    if isinstance(given, Mapping):
        return [leaf for inner in given.values() for leaf in _leaves(inner)]
    return [] if given is None else [given]
