"""Statistics: smooth functions of weighted totals.

A statistic is an expression over totals. Evaluating it carries along its slope on every total, so
that no linearized variable is derived by hand.

>>> from nsm import mean, total
>>> total("unemployed") / total("labour_force")
total(unemployed) / total(labour_force)
>>> mean("pay", where="sex == 'M'") - mean("pay", where="sex == 'F'")
mean(pay | sex == 'M') - mean(pay | sex == 'F')
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np

from nsm.totals import Term

Missing = Literal["refuse", "zero", "exclude"]
Rule = Callable[..., tuple[np.ndarray, tuple[np.ndarray | float, ...]]]


class Label(NamedTuple):
    """How a statistic is named in a table of estimates."""

    variable: str
    statistic: str
    category: str | None = None
    order: float | None = None


class Required(NamedTuple):
    """A column that must be observed for all units that a term counts."""

    column: str
    units: Term

    @property
    def observed(self) -> Term:
        """The units that have it."""
        return Term(self.units.factors, observed=(self.column,))


class Linear(NamedTuple):
    """A value by domain (domains,), and its slope on each total (domains,)."""

    value: np.ndarray
    slopes: Mapping[Term, np.ndarray]


@dataclass(frozen=True)
class Statistic:
    """An operation on other statistics, with its partial derivatives.

    Parameters
    ----------
    operands
        The statistics that it is made of.
    rule
        Gives the value and its partial derivative on each operand.
    text
        The expression, as a reader writes it.
    label
        Its name in tables; the text if none is given.
    base
        The term whose units `n` counts; by default that of its denominator.
    numerator
        The term whose units `cases` counts.
    """

    operands: tuple[Statistic, ...]
    rule: Rule
    text: str
    label: Label | None = None
    base: Term | None = None
    numerator: Term | None = None

    @property
    def name(self) -> Label:
        """Its label."""
        return self.label or Label(self.text, "expression")

    @property
    def leaves(self) -> tuple[Statistic, ...]:
        """The totals and ranked statistics that it is made of, each once."""
        return tuple(dict.fromkeys(leaf for o in self.operands for leaf in o.leaves))

    @property
    def required(self) -> tuple[Required, ...]:
        """What must be observed for every unit of the domain."""
        return tuple(dict.fromkeys(need for leaf in self.leaves for need in leaf.required))

    @property
    def counted(self) -> Term:
        """The term whose units are the denominator."""
        return self.base if self.base is not None else self.operands[0].counted

    @property
    def observed_cases(self) -> Term:
        """The term whose units are the cases."""
        return self.numerator if self.numerator is not None else self.operands[0].observed_cases

    def linearize(self, at: Mapping[Statistic, Linear]) -> Linear:
        """Evaluate where its leaves have the values and slopes of `at`."""
        parts = [operand.linearize(at) for operand in self.operands]
        with np.errstate(divide="ignore", invalid="ignore"):
            value, partials = self.rule(*(part.value for part in parts))
            slopes: dict[Term, np.ndarray] = {}
            for partial, part in zip(partials, parts, strict=True):
                for term, slope in part.slopes.items():
                    slopes[term] = slopes.get(term, 0.0) + partial * slope
        return Linear(value, slopes)

    def named(self, variable: str, statistic: str | None = None) -> Statistic:
        """Return it with another name for tables."""
        return replace(self, label=Label(variable, statistic or self.name.statistic))

    def __repr__(self) -> str:
        """Show the expression."""
        return self.text

    def __add__(self, other: Statistic | float) -> Statistic:
        return _binary(self, "+", other, operator.add, lambda _a, _b: (1.0, 1.0))

    def __radd__(self, other: float) -> Statistic:
        return _constant(other) + self

    def __sub__(self, other: Statistic | float) -> Statistic:
        return _binary(self, "-", other, operator.sub, lambda _a, _b: (1.0, -1.0))

    def __rsub__(self, other: float) -> Statistic:
        return _constant(other) - self

    def __mul__(self, other: Statistic | float) -> Statistic:
        return _binary(self, "*", other, operator.mul, lambda a, b: (b, a))

    def __rmul__(self, other: float) -> Statistic:
        return _constant(other) * self

    def __truediv__(self, other: Statistic | float) -> Statistic:
        made = _binary(self, "/", other, operator.truediv, lambda a, b: (1 / b, -a / b**2))
        below = _statistic(other)
        return made if isinstance(below, Constant) else replace(made, base=below.observed_cases)

    def __rtruediv__(self, other: float) -> Statistic:
        return _constant(other) / self

    def __pow__(self, power: float) -> Statistic:
        return Statistic(
            (self,), lambda a: (a**power, (power * a ** (power - 1),)), f"{_inner(self)} ** {power}"
        )

    def __neg__(self) -> Statistic:
        return Statistic((self,), lambda a: (-a, (-1.0,)), f"-{_inner(self)}")

    def log(self) -> Statistic:
        """Return its natural logarithm."""
        return Statistic((self,), lambda a: (np.log(a), (1 / a,)), f"log({self.text})")

    def exp(self) -> Statistic:
        """Return its exponential."""
        return Statistic((self,), lambda a: (np.exp(a), (np.exp(a),)), f"exp({self.text})")

    def sqrt(self) -> Statistic:
        """Return its square root."""
        return self**0.5


def leaf_rule(*_: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Stand where an operation has its rule; a leaf has none."""
    raise TypeError("a leaf has no rule")


@dataclass(frozen=True)
class Total(Statistic):
    """The leaf: one weighted total."""

    operands: tuple[Statistic, ...] = ()
    rule: Rule = field(default=leaf_rule, compare=False)
    text: str = ""
    term: Term = field(default_factory=Term)
    complete: Required | None = None

    __repr__ = Statistic.__repr__

    @property
    def leaves(self) -> tuple[Statistic, ...]:
        """Itself, apart from its name."""
        return (Total(term=self.term, complete=self.complete),)

    @property
    def required(self) -> tuple[Required, ...]:
        """What must be observed for every unit of the domain."""
        return () if self.complete is None else (self.complete,)

    @property
    def counted(self) -> Term:
        """All units where its columns are observed."""
        return self.base if self.base is not None else Term(observed=self.term.columns)

    @property
    def observed_cases(self) -> Term:
        """The units that add to it."""
        return self.numerator if self.numerator is not None else self.term

    def linearize(self, at: Mapping[Statistic, Linear]) -> Linear:
        """Look it up."""
        return at[self.leaves[0]]


@dataclass(frozen=True)
class Constant(Statistic):
    """A number in an expression."""

    operands: tuple[Statistic, ...] = ()
    rule: Rule = field(default=leaf_rule, compare=False)
    text: str = ""
    number: float = 0.0

    __repr__ = Statistic.__repr__

    @property
    def leaves(self) -> tuple[Statistic, ...]:
        """It needs no totals."""
        return ()

    @property
    def counted(self) -> Term:
        """All units."""
        return Term()

    observed_cases = counted

    def linearize(self, at: Mapping[Statistic, Linear]) -> Linear:  # noqa: ARG002 (a leaf's signature)
        """Return the number, which has no slope."""
        return Linear(np.asarray(self.number), {})


def _constant(number: float) -> Constant:
    return Constant(text=f"{number:g}", number=float(number))


def _statistic(value: Statistic | float) -> Statistic:
    return value if isinstance(value, Statistic) else _constant(value)


def _inner(part: Statistic) -> str:
    return f"({part.text})" if part.label is None and part.operands else part.text


def _binary(
    left: Statistic,
    sign: str,
    right: Statistic | float,
    value: Callable[[np.ndarray, np.ndarray], np.ndarray],
    partials: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray | float, np.ndarray | float]],
) -> Statistic:
    other = _statistic(right)
    a, b = (left.text, other.text) if sign == "+" else (_inner(left), _inner(other))
    lead = other if isinstance(left, Constant) else left
    return Statistic(
        (left, other),
        lambda x, y: (value(x, y), partials(x, y)),
        f"{a} {sign} {b}",
        base=lead.counted,
        numerator=lead.observed_cases,
    )


def _given(text: str, where: str | None) -> str:
    return f"{text} | {where}" if where else text


def _columns(*names: str | None) -> tuple[str, ...]:
    return tuple(name for name in names if name)


def total(y: str, *, where: str | None = None, missing: Missing = "refuse") -> Statistic:
    """Return the total of `y`, over the units of `where`.

    Parameters
    ----------
    y
        A numeric column, or an expression of them (`"pay * 12"`, `"birth_country != 'DOM'"`).
    missing
        What a missing value is: refused, zero, or a unit that does not count.
    where
        A condition on the units that count; None: all.

    Returns
    -------
    Statistic in the unit of `y`; its weighted sum, sum of w y.

    References
    ----------
    Horvitz & Thompson (1952), Journal of the American Statistical Association 47, eq. 5.
    """
    return Total(
        text=f"total({_given(y, where)})",
        label=Label(_given(y, where), "total"),
        term=Term(_columns(y, where)),
        complete=Required(y, Term(_columns(where))) if missing == "refuse" else None,
        base=Term(_columns(where), observed=(y,) if missing != "zero" else ()),
    )


def count(where: str | None = None) -> Statistic:
    """Return the number of units in the population, of those of `where`.

    Parameters
    ----------
    where
        A condition on the units that count; None: all.

    Returns
    -------
    Statistic in units of the population; the sum of weights.
    """
    return Total(
        text=f"count({where or ''})",
        label=Label(where or "", "count"),
        term=Term(_columns(where)),
    )


def mean(y: str, *, where: str | None = None) -> Statistic:
    """Return the mean of `y` over the units (of `where`) where it is observed.

    Parameters
    ----------
    y
        A numeric column, or an expression; of a condition, the mean is a proportion (0-1).
    where
        A condition on the units that count; None: all.

    Returns
    -------
    Statistic in the unit of `y`: sum of w y over sum of w.

    References
    ----------
    Särndal, Swensson & Wretman (1992), sec. 5.7.
    """
    base = Term(_columns(where), observed=(y,))
    ratio_of_totals = Total(term=Term(_columns(y, where))) / Total(term=base)
    text = _given(y, where)
    return replace(
        ratio_of_totals,
        text=f"mean({text})",
        label=Label(text, "mean"),
        base=base,
        numerator=base,
    )


def ratio(y: str, x: str, *, where: str | None = None) -> Statistic:
    """Return the total of `y` over the total of `x`, where both are observed.

    Parameters
    ----------
    y, x
        Numeric columns, or expressions.
    where
        A condition on the units that count; None: all.

    Returns
    -------
    Statistic in units of `y` by unit of `x`.

    References
    ----------
    Särndal, Swensson & Wretman (1992), result 5.6.1.
    """
    above = Total(term=Term(_columns(y, where), observed=(y, x)))
    below = Total(term=Term(_columns(x, where), observed=(y, x)))
    text = _given(f"{y} / {x}", where)
    return replace(above / below, text=f"ratio({text})", label=Label(text, "ratio"))


@dataclass(frozen=True)
class Proportions:
    """The proportions of all categories of a column; the survey knows which there are."""

    column: str
    where: str | None = None

    def of(self, levels: Iterable[object]) -> list[Statistic]:
        """Return one statistic for each category."""
        return [proportion(self.column, level, where=self.where) for level in levels]


def proportion(column: str, level: object, *, where: str | None = None) -> Statistic:
    """Return the proportion of units in a category, over those whose category is observed.

    Parameters
    ----------
    column
        A column of categories.
    level
        The category, as the column holds it.
    where
        A condition on the units that count; None: all.

    Returns
    -------
    Statistic, a fraction (0-1).
    """
    above = Total(term=Term(_columns(where), levels=((column, level),)))
    below = Total(term=Term(_columns(where), observed=(column,)))
    return replace(
        above / below,
        text=f"proportion({_given(f'{column} == {level!r}', where)})",
        label=Label(_given(column, where), "proportion", category=str(level)),
    )
