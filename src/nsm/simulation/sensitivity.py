"""What if the world is not as planned: fewer migrants, less response, a worse prior."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from nsm.errors import OptionError
from nsm.simulation.field_rules import FieldRules
from nsm.simulation.stock import STATUS, Stock


def fewer_migrants(stock: Stock, share: float, *, seed: int, language: str) -> Stock:
    """Return a population in which a share of the dwellings of migrants holds natives.

    The persons of a dwelling that is taken, at random, keep sex and age and become natives who
    speak the language of the country.

    Parameters
    ----------
    share
        Of the dwellings where anybody is of foreign origin, 0 to 1.
    language
        Of the country, as `stock.languages` has it.

    Raises
    ------
    OptionError
        The share is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise OptionError("A share lies between 0 and 1, not at {share}.", share=share)
    rng = np.random.Generator(np.random.PCG64(seed))
    taken = (rng.random(len(stock.foreign)) < share) & stock.foreign
    home = np.repeat(taken, np.diff(stock.first_household))
    counts = np.array(stock.counts)
    cells = counts.reshape(len(counts), -1, len(STATUS))
    native = STATUS.index("native")
    whole = cells[home].sum(axis=2, dtype=np.int64)
    cells[home] = 0
    cells[home, :, native] = whole
    eligible = np.array(stock.eligible)
    eligible[home] = np.column_stack([np.zeros(home.sum()), eligible[home].sum(axis=1)])
    spoken = np.array(stock.language)
    spoken[taken & stock.occupied] = stock.languages.index(language)
    return replace(
        stock,
        counts=counts,
        eligible=eligible,
        language=spoken,
        foreign=np.asarray(stock.foreign) & ~taken,
    )


def less_response(rules: FieldRules, points: float) -> FieldRules:
    """Return rules under which the response of dwellings is lower by `points` (a fraction).

    Raises
    ------
    OptionError
        Nobody would answer, or more than all.
    """
    base = rules.response.base - points
    if not 0 < base <= 1:
        raise OptionError(
            "A base response of {base} is not between 0 and 1: lower it by less than {most}.",
            base=f"{base:.3f}",
            most=f"{rules.response.base:.3f}",
        )
    return replace(rules, response=replace(rules.response, base=base))


def older_prior(
    prior: np.ndarray, group: pd.Series, *, years: float, persistence: float, seed: int
) -> np.ndarray:
    """Return a prior that is older by some years.

    An area keeps its prior with probability persistence^years, and has that of another area of its
    group otherwise: its correlation with the truth falls by that factor, its spread stays.

    Parameters
    ----------
    prior, group
        Of each area, and its municipality (areas,).
    persistence
        Share of a deviation from the group's mean that is left after a year, 0 to 1.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    moved = rng.random(len(prior)) > persistence**years
    out = np.array(prior, dtype=float)
    rows = pd.Series(np.arange(len(prior)))
    for _, mine in rows[moved].groupby(group.to_numpy()[moved]):
        out[mine] = out[rng.permutation(mine)]
    return out


def sharper_prior(
    prior: np.ndarray, truth: np.ndarray, size: np.ndarray | pd.Series, *, share: float
) -> np.ndarray:
    """Return a prior from which a share of its error is gone.

    Parameters
    ----------
    prior, truth, size
        By area (areas,). The truth is first brought to the prior's level: what a prior counts may
        not be all that the survey counts.
    share
        Of the error, 0 to 1.

    Raises
    ------
    OptionError
        The share is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise OptionError("A share lies between 0 and 1, not at {share}.", share=share)
    weight = np.asarray(size, dtype=float)
    level = float(prior @ weight) / max(float(truth @ weight), 1e-300)
    return np.clip((1 - share) * prior + share * level * truth, 0.0, 1.0)


def hidden_hot_spots(prior: np.ndarray, group: pd.Series, *, threshold: float) -> np.ndarray:
    """Return a prior that knows no hot spots: those above `threshold` have their group's median."""
    median = pd.Series(prior).groupby(group.to_numpy()).transform("median").to_numpy()
    return np.where(prior > threshold, np.minimum(median, threshold), prior)
