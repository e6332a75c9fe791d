"""Generalized weight share: people reached through others.

Units of a population B are not sampled themselves, but through links from a sampled population A:
children through their parents, emigrants through relatives who stayed, persons through any of
several frames. With L the number of links that lead to a unit's cluster from *all* of A, each
sampled link is worth the weight of its source divided by L, and totals over links are unbiased.

The survey of links keeps the design of A, so its variance is that of A.

References
----------
Lavallée (2007), Indirect Sampling, ch. 2 and 4; for several frames, Mecatti (2007), Survey
Methodology 33, p. 151-157.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nsm.errors import KeyColumnError, ValueInColumnError, WeightingError
from nsm.estimation.influence import Adjustment
from nsm.files import require_columns
from nsm.weighting.weighting import Step

if TYPE_CHECKING:
    from nsm.estimation import Survey


@dataclass(frozen=True)
class Share(Step, word="share"):
    """A step that divides weights by the number of links, or of frames, that lead to a unit.

    Parameters
    ----------
    multiplicity
        Column with the number of all links that lead to a row's cluster from the whole frame, or of
        the frames that hold the unit; above 0. With `strength`: the sum of their strengths.
    strength
        Column with the strength of the link; None: 1.
    name
        What reports call it.
    """

    multiplicity: str
    strength: str | None = None
    name: str = "weight share"

    def adjust(self, survey: Survey) -> Survey:
        """Return the survey with shared weights.

        Raises
        ------
        ValueInColumnError
            A multiplicity is missing, or not above 0.
        """
        whole = _positive(survey, self.multiplicity)
        part = np.ones(len(survey)) if self.strength is None else _positive(survey, self.strength)
        factor = part / whole
        return survey.adjusted(
            Adjustment(
                self.name,
                len(survey.levels) - 1,
                survey.weights,
                factor,
                lambda before, _=None: np.broadcast_to(factor[:, None], before.shape),
            )
        )


def _positive(survey: Survey, column: str) -> np.ndarray:
    values, observed = survey.table.number(column)
    wrong = values <= 0
    if observed is not None:
        wrong |= ~observed
    if wrong.any():
        raise ValueInColumnError(
            "{column!r} is missing or not above 0 in {count} rows of {table} (rows {rows}). Ask of "
            "every unit how many links lead to it.",
            column=column,
            count=int(wrong.sum()),
            table=survey.table.name,
            rows=[int(i) + 1 for i in np.flatnonzero(wrong)[:6]],
        )
    return values


def share(
    survey: Survey,
    links: pd.DataFrame,
    *,
    on: str,
    to: str,
    multiplicity: str,
    units: pd.DataFrame | None = None,
    strength: str | None = None,
) -> Survey:
    """Return the survey of the units that sampled ones lead to.

    It has a row for each pair of link and unit, so that a unit reached twice counts its two parts;
    `n` counts pairs.

    Parameters
    ----------
    links
        One row per link, with the keys of its source and of its target.
    on, to
        Key of the source, in the survey and in the links; key of the target (a unit or a cluster).
    multiplicity
        Column of `units`, or of `links`, with the number of all links that lead to the target.
    units
        The target's units, with their key `to`; all units of a cluster take its weight. None: what
        stands in `links`.
    strength
        Column of `links`; see `Share`.

    Raises
    ------
    KeyColumnError
        A link leads to no unit, or stands twice.
    WeightingError
        More links lead to a target than its multiplicity says there are.
    """
    require_columns(links, [on, to], "the table of links")
    twice = links.duplicated([on, to])
    if twice.any():
        raise KeyColumnError(
            "{count} links stand twice: {links}. Give each once, with its strength.",
            count=int(twice.sum()),
            links=[f"{row[0]} -> {row[1]}" for row in links.loc[twice, [on, to]].to_numpy()[:6]],
        )
    rows = links
    if units is not None:
        require_columns(units, [to], "the table of units")
        lost = ~links[to].isin(units[to])
        if lost.any():
            raise KeyColumnError(
                "{count} links lead to a {to!r} that is not in the table of units: {keys}.",
                count=int(lost.sum()),
                to=to,
                keys=list(links.loc[lost, to].unique()[:6]),
            )
        rows = links.merge(units, on=to, how="inner", validate="many_to_many")
    require_columns(rows, [multiplicity], "the table of links and units")
    _refuse_too_many(links, rows, to, multiplicity, strength)
    return Share(multiplicity, strength).apply(survey.expand(rows.reset_index(drop=True), on=on))


def _refuse_too_many(
    links: pd.DataFrame, rows: pd.DataFrame, to: str, multiplicity: str, strength: str | None
) -> None:
    size = pd.Series(1.0, index=links.index) if strength is None else links[strength]
    found = size.groupby(links[to]).sum()
    whole = rows.groupby(to)[multiplicity].max().reindex(found.index)
    wrong = found > whole * (1 + 1e-9)
    if wrong.any():
        raise WeightingError(
            "{count} targets have more sampled links than {multiplicity!r} says lead to them: "
            "{keys}. Their weights would count them more than once: correct the multiplicity.",
            count=int(wrong.sum()),
            multiplicity=multiplicity,
            keys=list(found.index[wrong][:6]),
        )


def stack_frames(
    samples: Mapping[str, pd.DataFrame], *, labels: Sequence[str] = ("stratum", "psu")
) -> pd.DataFrame:
    """Put samples from several frames into one table, each frame with its own strata and PSUs.

    Divide the weights by the number of frames that hold each unit, with `Share`.

    Parameters
    ----------
    samples
        Name of the frame -> its sampled units.
    labels
        Columns whose labels are told apart by the frame.

    Returns
    -------
    The rows of all, with a column `frame`.

    Examples
    --------
    >>> a = pd.DataFrame({"stratum": [1], "psu": [7]})
    >>> stack_frames({"areas": a, "register": a})["stratum"].tolist()
    ['areas 1', 'register 1']
    """
    parts = []
    for name, table in samples.items():
        require_columns(table, labels, f"the sample of frame {name!r}")
        apart = {label: f"{name} " + table[label].astype(str) for label in labels}
        parts.append(table.assign(frame=name, **apart))
    return pd.concat(parts, ignore_index=True)
