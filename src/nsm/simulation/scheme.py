"""How a simulated survey is made: plan, draw, response, weights, targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nsm.errors import OptionError, nearest
from nsm.simulation.adaptive import Adaptive

STATUS = {
    "immigrants": "status == 'immigrant'",
    "descendants": "status == 'descendant'",
    "foreign": "status in ('immigrant', 'descendant')",
}
Recipe = Mapping[str, Sequence[Mapping[str, Any]]]
LEVELS = ("dwellings", "persons")


@dataclass(frozen=True)
class Scheme:
    """One way to make the survey.

    Parameters
    ----------
    plan
        Areas by stratum: an `nsm.Plan`, a table with `stratum` and `n`, or a mapping.
    method, size, sort, spread, balance
        How areas are drawn: see `nsm.draw`.
    take
        Dwellings of an area that are visited, at random; None: all (compact clusters).
    adaptive
        Whether hot spots lead to their neighbors; None: no.
    weighting
        The recipe: `dwellings` and `persons`, lists of steps as in `survey.toml`.
    scenario
        Of the population's response model.
    counts
        What is counted: name -> condition on `sex`, `age_band` and `status`.
    by
        Domains: sets of columns of the frame, `sex` and `age_band`; () is everybody.
    costs
        Cost of an `area`, a `screening` (a household) and an `interview`.
    planned
        The sets of domains that the plan was made for, columns joined by a comma; those that the
        plan names, if None.
    """

    plan: Any
    method: str = "systematic"
    size: str | None = "households"
    sort: tuple[str, ...] = ()
    spread: tuple[str, ...] = ()
    balance: tuple[str, ...] = ()
    take: int | None = None
    adaptive: Adaptive | None = None
    weighting: Recipe = field(default_factory=dict)
    scenario: str = "recorded"
    counts: Mapping[str, str] = field(default_factory=lambda: dict(STATUS))
    by: tuple[tuple[str, ...], ...] = ((),)
    costs: Mapping[str, float] = field(default_factory=dict)
    planned: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse a recipe for levels that there are not, and a take of nothing."""
        for level in self.weighting:
            if level not in LEVELS:
                raise OptionError(
                    "A simulated survey weights dwellings and persons, not {level!r}. {hint}",
                    level=level,
                    hint=nearest(level, LEVELS),
                )
        if self.take is not None and self.adaptive is not None:
            raise OptionError(
                "A simulated survey that is adaptive visits whole areas: leave take out."
            )
        if self.take is not None and self.take < 2:
            raise OptionError(
                "take={take} dwellings of an area show no variance between them. Take 2 or more.",
                take=self.take,
            )

    def settled(self) -> Scheme:
        """Return the scheme with the bare numbers of its plan, to be sent to other processes."""
        table = getattr(self.plan, "whole", self.plan)
        if not isinstance(table, Mapping):
            size = "n_psu" if "n_psu" in table.columns else "n"
            table = dict(zip(table["stratum"].astype(str), table[size], strict=True))
        return replace(self, plan=table, planned=self.domains_planned())

    def domains_planned(self) -> tuple[str, ...]:
        """Return the sets of domains that the plan was made for; all, if it does not say."""
        if self.planned is not None:
            return self.planned
        precision = getattr(self.plan, "precision", None)
        if precision is None:
            return tuple(", ".join(columns) or "all" for columns in self.by)
        return tuple(str(name) for name in precision["domain"].unique())
