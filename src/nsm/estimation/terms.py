"""The parts of a model formula: arithmetic of columns, factors, and terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

CALLS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"log": np.log, "sqrt": np.sqrt}
SIGNS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "^": np.power,
}


@dataclass(frozen=True)
class Arithmetic:
    """A column, a number, or an operation on others.

    Parameters
    ----------
    kind
        `column`, `number`, a function, or a sign.
    text
        As a reader writes it.
    parts
        What the operation is on.
    value
        The number.
    """

    kind: str
    text: str
    parts: tuple[Arithmetic, ...] = ()
    value: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it reads."""
        if self.kind == "column":
            return (self.text,)
        return tuple(dict.fromkeys(name for part in self.parts for name in part.names))

    def evaluate(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Compute it from columns (rows,); not finite where it is not defined."""
        if self.kind == "column":
            return columns[self.text]
        if self.kind == "number":
            return np.asarray(self.value)
        values = [part.evaluate(columns) for part in self.parts]
        with np.errstate(all="ignore"):
            if self.kind in CALLS:
                return CALLS[self.kind](values[0])
            return SIGNS[self.kind](values[0], values[1])


@dataclass(frozen=True)
class Factor:
    """A variable of a model.

    Parameters
    ----------
    text
        As a reader writes it.
    kind
        `column` (its type decides), `category`, `number`, `poly` or `bs`.
    inner
        The column or arithmetic that it is made from.
    reference
        Category that the others are compared with; None: the first.
    options
        Of `poly` (`degree`) and `bs` (`df`, `degree`).
    """

    text: str
    kind: str
    inner: Arithmetic
    reference: str | float | None = None
    options: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class ModelTerm:
    """A product of factors; none is the intercept."""

    factors: tuple[Factor, ...] = ()

    @property
    def key(self) -> frozenset[str]:
        """What makes it the same term, whatever the order of its factors."""
        return frozenset(factor.text for factor in self.factors)

    def __str__(self) -> str:
        return ":".join(factor.text for factor in self.factors) or "1"

    def times(self, other: ModelTerm) -> ModelTerm:
        """Return the product; a factor times itself is itself."""
        return ModelTerm(tuple(dict.fromkeys((*self.factors, *other.factors))))


@dataclass(frozen=True)
class Formula:
    """A formula that was read.

    Parameters
    ----------
    text
        As it was given.
    response
        What is explained; None if the formula has one side.
    terms
        By the number of their factors, without the intercept.
    intercept
        Whether there is one.
    """

    text: str
    response: Factor | None
    terms: tuple[ModelTerm, ...]
    intercept: bool

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The variables, each once."""
        return tuple(dict.fromkeys(factor for term in self.terms for factor in term.factors))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it reads, the response first."""
        every = (*(() if self.response is None else (self.response,)), *self.factors)
        return tuple(dict.fromkeys(name for factor in every for name in factor.inner.names))
