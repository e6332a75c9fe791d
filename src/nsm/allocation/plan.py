"""`Plan`: how many units to draw in each stratum, what it costs and how precise it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from nsm.allocation.problem import Problem

FACTORS = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)  # on the target CVs, for the curve


@dataclass(frozen=True)
class Plan:
    """An allocation.

    Attributes
    ----------
    table
        One row per stratum: `stratum`, domain columns, `population, n, probability` (n over
        population, the mean of the stratum), `expected_<y>` in the sample, `cv_<y>` of the
        stratum's total, `cost`; in two stages also `n_psu` and `take`.
    precision
        One row per domain and variable: `domain, value, variable, total, cv` (expected), `target,
        binding, multiplier` (cost saved per relative rise of the variance allowed), `point_cost`
        (cost saved if the target CV rises by 0.01). Where strata are left out, `covered` stands
        beside `total`: it is the total of the sampled strata, and this its share of the whole.
    rule
        How it was made.
    cost, bound
        Its cost, and a bound that no allocation with the same targets undercuts (null where the
        rule has none).
    scale
        Factor on the target CVs that n or the budget forced; 1 if they hold as given.
    excluded
        Strata that are left out on purpose: `stratum`, domains, `population, total_<y>`; None if
        there are none. No estimate speaks of them.
    problem, replan, settings
        What the plan was made from, for `compare` and `curve`.
    """

    table: pd.DataFrame
    precision: pd.DataFrame
    rule: str
    cost: float
    bound: float | None = None
    scale: float = 1.0
    excluded: pd.DataFrame | None = None
    problem: Problem | None = field(default=None, repr=False, compare=False)
    replan: Callable[..., Plan] | None = field(default=None, repr=False, compare=False)
    settings: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def n(self) -> int:
        """Units to draw in all."""
        return int(self.table["n"].sum())

    @property
    def whole(self) -> pd.DataFrame:
        """The table with the strata left out at its end, where n is 0: what is drawn from."""
        if self.excluded is None:
            return self.table
        import pandas as pd

        known = [c for c in self.excluded.columns if c in self.table.columns]
        none = {c: 0 for c in self.table.columns if c in {"n", "n_psu", "probability", "cost"}}
        rows = pd.concat([self.table, self.excluded[known].assign(**none)], ignore_index=True)
        return rows.astype({c: self.table[c].dtype for c in [*known, *none]})

    @property
    def gap(self) -> float | None:
        """How far the cost is above the bound, relative to it."""
        return None if self.bound is None or self.bound <= 0 else self.cost / self.bound - 1

    def compare(self) -> pd.DataFrame:
        """Compare expected CVs with those of proportional allocation at the same cost.

        Returns
        -------
        DataFrame: `domain, value, variable, target, cv, cv_proportional, ratio`. Sizes and costs,
        also of the proportional allocation that meets the same targets, are in
        `nsm.allocation.comparison`.
        """
        return self._compared.copy()

    @cached_property
    def _compared(self) -> pd.DataFrame:
        from nsm.allocation.compare import precision_compared

        return precision_compared(self)

    def curve(self, factors: Sequence[float] = FACTORS) -> pd.DataFrame:
        """Trace precision against cost: the allocation again with CVs (or size) times each factor.

        Returns
        -------
        DataFrame: `factor, cost, n`, then `domain, value, variable, cv`, one row per factor and
        target. A factor that puts a target out of reach is left out.
        """
        if tuple(factors) == FACTORS:
            return self._curve.copy()
        from nsm.allocation.compare import precision_curve

        return precision_curve(self, factors)

    @cached_property
    def _curve(self) -> pd.DataFrame:
        from nsm.allocation.compare import precision_curve

        return precision_curve(self, FACTORS)

    def plot(self, kind: str = "allocation", language: str = "en") -> Figure:
        """Draw the `allocation`, the `precision` or the `curve`, as a matplotlib figure."""
        from nsm.allocation.figures import plan_figure

        return plan_figure(self, kind, language)

    def report(self, language: str = "en") -> dict[str, pd.DataFrame | Figure]:
        """Return the sections of a report: headings to tables and figures."""
        from nsm.allocation.figures import plan_report

        return plan_report(self, language)
