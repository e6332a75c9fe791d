"""Response classes, joined until each has respondents enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from nsm.estimation.influence import Adjustment, Phase, Repeat
from nsm.totals import Cells
from nsm.weighting.propensity import ResponseModel, quantile_classes
from nsm.weighting.tree import Grown, Predictor, crossed_cells, grow, predictors

if TYPE_CHECKING:
    from nsm.estimation import Survey
    from nsm.totals import Memory


def response_classes(
    codes: Sequence[np.ndarray], respondent: np.ndarray, eligible: np.ndarray, minimum: int = 1
) -> np.ndarray:
    """Return the class of each row.

    Classes are the crossed codes. One with fewer than `minimum` respondents among its eligible
    units is joined to its neighbor with the fewest, under the same codes of the columns before;
    where those together are too few, they go up a column and are joined there.

    Parameters
    ----------
    codes
        Codes of the class columns, each (rows,); none is one class.
    respondent, eligible
        Masks (rows,).

    Returns
    -------
    ndarray (rows,) of classes from 0.
    """
    rows = len(respondent)
    if not codes:
        return np.zeros(rows, np.int64)
    keys = pd.DataFrame({f"c{i}": c for i, c in enumerate(codes)})
    groups = keys.groupby(list(keys.columns), sort=True)
    cell = groups.ngroup().to_numpy()
    labels = list(keys.drop_duplicates().sort_values(list(keys.columns)).itertuples(index=False))
    answered = np.bincount(cell[respondent & eligible], minlength=len(labels)).astype(int)
    wanted = np.bincount(cell[eligible], minlength=len(labels))
    # Bins of cells in order: (prefix, cells, respondents).
    bins = [
        (tuple(label)[:-1], [i], int(answered[i]))
        for i, label in enumerate(labels)
        if wanted[i] > 0
    ]
    for depth in range(len(codes) - 1, -1, -1):
        joined: list[tuple[tuple[int, ...], list[int], int]] = []
        for prefix in dict.fromkeys(b[0][:depth] for b in bins):
            inside = [b for b in bins if b[0][:depth] == prefix]
            joined += [(prefix, b[1], b[2]) for b in _joined(inside, minimum)]
        bins = joined
    result = np.zeros(len(labels), np.int64)
    for number, (_, cells, _) in enumerate(bins):
        result[cells] = number
    return result[cell]


def _joined(
    bins: list[tuple[tuple[int, ...], list[int], int]], minimum: int
) -> list[tuple[tuple[int, ...], list[int], int]]:
    """Join small neighbors until all have the minimum or one is left."""
    bins = list(bins)
    while len(bins) > 1:
        smallest = min(range(len(bins)), key=lambda i: bins[i][2])
        if bins[smallest][2] >= minimum:
            break
        beside = [i for i in (smallest - 1, smallest + 1) if 0 <= i < len(bins)]
        other = min(beside, key=lambda i: bins[i][2])
        first, second = sorted((smallest, other))
        merged = (
            bins[first][0],
            bins[first][1] + bins[second][1],
            bins[first][2] + bins[second][2],
        )
        bins[first : second + 1] = [merged]
    return bins


class ClassRule(Protocol):
    """How rows are put into response classes, given weights."""

    def classes(self, before: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the class of each row (rows,), and the names of the classes."""
        ...

    @property
    def fixed(self) -> bool:
        """Whether the classes are the same whatever the weights."""
        ...


@dataclass(frozen=True)
class FixedClasses:
    """Classes that the weights do not change."""

    codes: np.ndarray
    names: tuple[str, ...]
    fixed: bool = True

    def classes(self, before: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:  # noqa: ARG002 (of the protocol)
        """Return them."""
        return self.codes, self.names


@dataclass(frozen=True)
class PropensityClasses:
    """Classes of about equal weight, by the probability that a model gives."""

    model: ResponseModel
    count: int
    minimum: int
    fixed: bool = False

    def classes(self, before: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        """Fit the model and cut its probabilities."""
        model = self.model
        p = model.probability(model.fit(before))
        codes = np.zeros(len(before), np.int64)
        mine = model.eligible
        codes[mine] = quantile_classes(p[mine], before[mine], self.count)
        codes = response_classes([codes], model.respondent, mine, max(self.minimum, 1))
        names = [
            f"p {p[mine & (codes == k)].min():.3f}-{p[mine & (codes == k)].max():.3f}"
            for k in np.unique(codes[mine])
        ]
        return codes, tuple(names)


@dataclass(frozen=True)
class TreeClasses:
    """Classes that a tree finds."""

    columns: tuple[Predictor, ...]
    codes: np.ndarray
    groups: np.ndarray
    respondent: np.ndarray
    eligible: np.ndarray
    minimum: int
    fixed: bool = False

    @classmethod
    def of(
        cls,
        table: Memory,
        names: Sequence[str],
        respondent: np.ndarray,
        eligible: np.ndarray,
        minimum: int,
    ) -> TreeClasses:
        """Return the rule of some columns of a table."""
        columns = tuple(predictors(table, names))
        codes, groups = crossed_cells(columns)
        return cls(columns, codes, groups, respondent, eligible, minimum)

    def classes(self, before: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        """Grow the tree; a class is a leaf."""
        size, used = len(self.groups), before > 0
        data = Grown(
            *(
                np.bincount(self.codes, before * who, size)
                for who in (self.respondent, self.eligible)
            ),
            *(
                np.bincount(self.codes, used & who, size)
                for who in (self.respondent, self.eligible)
            ),
        )
        leaves = grow(self.columns, self.groups, data, self.minimum)
        found = np.zeros(size, np.int64)
        for number, leaf in enumerate(leaves):
            found[leaf.cells] = number
        return found[self.codes], tuple(" & ".join(leaf.path) or "all" for leaf in leaves)


def joined_names(
    table: Memory, columns: Sequence[str], classes: np.ndarray, most: int = 3
) -> tuple[str, ...]:
    """Return the name of each class: the labels that it joins."""
    count = int(classes.max(initial=0)) + 1
    if not columns:
        return ("all",) * count
    texts = pd.DataFrame({c: table.series(c).astype("object").fillna("blank") for c in columns})
    distinct = texts.assign(_class=classes).drop_duplicates().sort_values(["_class", *columns])
    own = distinct[list(columns)].astype(str).agg(" x ".join, axis=1)
    names = []
    for k in range(count):
        mine = list(own[distinct["_class"] == k])
        names.append(" + ".join(mine[:most]) + (" + ..." if len(mine) > most else ""))
    return tuple(names)


def class_adjustment(
    survey: Survey, rule: ClassRule, respondent: np.ndarray, eligible: np.ndarray, name: str
) -> Adjustment:
    """Return the step in which respondents take the weight of all eligible units of their class.

    Parameters
    ----------
    rule
        The classes; those that depend on weights are made anew in every replicate.
    respondent, eligible
        Who answers, and for whom they stand (rows,); the others' weight becomes 0.
    """
    before = survey.weights
    classes, names = rule.classes(before)
    count = len(names)

    def ratios(codes: np.ndarray, weight: np.ndarray) -> np.ndarray:
        wanted = np.bincount(codes, weight * eligible, int(codes.max(initial=0)) + 1)
        given = np.bincount(codes, weight * respondent, len(wanted))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(given > 0, wanted / given, 0.0)
        return ratio[codes] * respondent

    def refit(before: np.ndarray, repeat: Repeat | None = None) -> np.ndarray:
        moving = repeat is not None and not rule.fixed
        columns = [ratios(rule.classes(w)[0] if moving else classes, w) for w in before.T]
        return np.stack(columns).T

    factor = ratios(classes, before)
    given = np.bincount(classes[respondent], before[respondent], count)
    wanted = np.bincount(classes[eligible], before[eligible], count)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.diag(np.where(given > 0, 1 / given, 0.0))
        rate = np.where(wanted > 0, given / wanted, 1.0)
    return Adjustment(
        name,
        len(survey.levels) - 1,
        before,
        factor,
        refit,
        cells=Cells(classes, np.eye(count)),
        effect=np.where(eligible, 1 - factor, 0.0),
        entry=respondent.astype(float),
        inverse=inverse,
        phase=Phase(np.where(eligible, rate[classes], 1.0)),
        labels=names,
    )
