"""Say what it would take to enlarge a household survey that is there, instead of a new one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nsm.allocation import sample_size
from nsm.errors import OptionError


def enlarged(
    counts: pd.Series, population: float, *, target: pd.Series, size: float, deff: float, n: float
) -> pd.DataFrame:
    """Return the households that a general survey needs to count a rare group.

    For a share p of the population and n persons, CV^2 = deff (1 - p) / (p n): what is known
    without that survey's data.

    Parameters
    ----------
    counts
        Variable -> persons of the group in the population.
    target
        Variable -> CV that is wanted.
    size
        Persons in a household.
    deff
        Design effect of a share of the group: large, because they live together.
    n
        Households that the survey has.

    Returns
    -------
    One row per variable: `variable, share, cv` (with the households it has), `target, needed`
    (households), `more` (needed over those it has).

    Raises
    ------
    OptionError
        A share is not between 0 and 1, or a size, design effect or target not above 0.

    References
    ----------
    Kish (1965), Survey Sampling, sec. 2.6 and 8.2.

    Examples
    --------
    >>> one = enlarged(pd.Series({"y": 100.0}), 1000.0, target=pd.Series({"y": 0.1}),
    ...     size=1.0, deff=1.0, n=900.0)
    >>> one[["cv", "needed"]].to_numpy().round(6).tolist()
    [[0.1, 900.0]]
    """
    share = counts / population
    if not ((share > 0) & (share < 1)).all() or min(size, deff, n, target.min()) <= 0:
        raise OptionError(
            "Shares must lie between 0 and 1, and sizes, design effect and targets above 0: "
            "shares {shares}, size {size}, deff {deff}, n {n}.",
            shares=[round(float(p), 4) for p in share],
            size=size,
            deff=deff,
            n=n,
        )
    wanted = target[counts.index].to_numpy(dtype=float)
    pairs = zip(share, wanted, strict=True)
    persons = [sample_size("proportion", p=float(p), cv=cv, deff=deff) for p, cv in pairs]
    needed = np.array(persons) / size
    return pd.DataFrame(
        {
            "variable": counts.index,
            "share": share.to_numpy(),
            "cv": wanted * np.sqrt(needed / n),
            "target": wanted,
            "needed": needed,
            "more": needed / n,
        }
    )
