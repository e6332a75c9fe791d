"""Base weights: the drawn areas, with those that were not reached."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from nsm.errors import WeightingError
from nsm.estimation import Survey
from nsm.files import require_columns
from nsm.totals import Memory

if TYPE_CHECKING:
    import pandas as pd


def area_survey(
    sample: pd.DataFrame,
    reached: Iterable[Any],
    *,
    empty: Iterable[Any] = (),
    key: str = "area",
    **design: Any,
) -> Survey:
    """Return the survey of the drawn areas, ready for a non-response step and for `expand`.

    A released reserve is an area like the others: `Sample.release` has changed the probabilities of
    its stratum to those of the larger draw. The area that it was released for stays a
    non-respondent. Reserves that were not released are no part of the sample.

    Parameters
    ----------
    sample
        The table of an `nsm.Sample`, after the releases: `stratum, probability, base_weight,
        certainty, role` and the key.
    reached
        Keys of the areas in which fieldwork was done.
    empty
        Keys of areas that were visited and have no dwelling: they are part of the population, and
        have nobody.
    design
        Further arguments of `Survey`, such as `pps="brewer"` or `certainty="certainty"`.

    Returns
    -------
    A survey of areas with the column `disposition`: `respondent` or `nonrespondent`.

    Raises
    ------
    WeightingError
        An area that was reached is not in the sample, or is a reserve that was not released.
    """
    require_columns(sample, [key, "stratum", "probability", "base_weight", "role"], "the sample")
    done = {str(k) for k in reached} | {str(k) for k in empty}
    keys = sample[key].astype(str)
    unknown = sorted(done - set(keys))
    waiting = sorted(done & set(keys[sample["role"] != "main"]))
    if unknown or waiting:
        raise WeightingError(
            "Areas with fieldwork are not part of the sample: {unknown} are unknown, {waiting} are "
            "reserves that were not released. Release them (Sample.release), which changes the "
            "probabilities of their stratum, or leave their dwellings out.",
            unknown=unknown,
            waiting=waiting,
        )
    table = sample[sample["role"] == "main"].reset_index(drop=True)
    answered = table[key].astype(str).isin(done)
    words = np.where(answered, "respondent", "nonrespondent").astype(object)
    options = {"weight": "base_weight", "stratum": "stratum", "psu": key, **design}
    if options.get("pps"):
        options.setdefault("probability", "probability")
    return Survey(Memory(table.assign(disposition=words), "areas"), **options)
