"""Conditions: one small language for skips, universes, domains and cells.

`age >= 15 and birth_country != "DO"` is read into a tree, and the tree is compiled for tables of
any engine, for Python rows and, by `nsm.questionnaire`, for XPath. Nothing is evaluated as code.

Logic is three-valued: a condition on a missing value is neither true nor false, and only *true*
counts. Blank text, null and NaN are one thing: missing. A division by zero is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nsm.condition.kinds import TESTS, Kind, Scope, check
from nsm.condition.logic import holds, value
from nsm.condition.parser import Parser
from nsm.condition.rows import Python, Rosters, Row
from nsm.condition.tree import Aggregate, And, Literal, Name, Node, Value, rewrite, walk, write

if TYPE_CHECKING:
    import narwhals as nw

    from nsm.condition.tables import Narwhals

__all__ = ["Condition", "Kind", "Scope", "every", "parse"]


@dataclass(frozen=True)
class Condition:
    """A condition or a value that was read from text; `parse` makes it.

    Parameters
    ----------
    text
        As it was written. `str()` gives the one spelling of its meaning.
    """

    text: str = field(compare=False)
    tree: Node

    def __str__(self) -> str:
        """Write the condition in the one spelling of its meaning."""
        return write(self.tree)

    @property
    def names(self) -> tuple[str, ...]:
        """The names used outside rosters, each once, in order."""
        return _names(self.tree, rosters=False)

    @property
    def all_names(self) -> tuple[str, ...]:
        """The names used anywhere, each once, in order."""
        return _names(self.tree, rosters=True)

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        """The aggregates over rosters."""
        return tuple(node for node in walk(self.tree) if isinstance(node, Aggregate))

    def bind(self, constants: Mapping[str, Value]) -> Condition:
        """Return the condition with the names of constants replaced by their values.

        Examples
        --------
        >>> str(parse("birth_country != home").bind({"home": "DOM"}))
        'birth_country != "DOM"'
        """

        def change(node: Node) -> Node:
            if isinstance(node, Name) and node.name in constants:
                return Literal(constants[node.name], place=node.place)
            return node

        return Condition(self.text, rewrite(self.tree, change))

    def check(self, scope: Scope, *, boolean: bool | None = None) -> Kind:
        """Return the kind of the value, with the names of `scope`.

        Raises
        ------
        ColumnError, ConditionError
            A name is unknown, or kinds cannot be compared or computed with.
        """
        return check(self.tree, self.text, scope, boolean=boolean)

    def where(self, table: Any, *, truth: bool = True) -> nw.Expr:
        """Say for each row of a table whether the condition is true.

        Parameters
        ----------
        table
            pandas, Polars (eager or lazy), pyarrow, DuckDB relation, Spark, or a narwhals frame.
        truth
            With False: whether it is false. Where neither, it is unknown.

        Returns
        -------
        A boolean narwhals expression for that table, never null.

        Examples
        --------
        >>> import narwhals as nw, pandas as pd
        >>> ages = nw.from_native(pd.DataFrame({"age": [7, None, 40]}))
        >>> ages.filter(parse("not age >= 15").where(ages))["age"].to_list()
        [7.0]
        """
        engine = self._engine(table, boolean=True)
        found = holds(engine, self.tree, truth=truth)
        return found if self.all_names else engine.spread(found)

    def value_expr(self, table: Any) -> nw.Expr:
        """Give the value for each row of a table, null where it is missing."""
        import narwhals as nw

        found = value(self._engine(table, boolean=False), self.tree)
        return (
            found.expression if found.there is None else nw.when(found.there).then(found.expression)
        )

    def join(self, table: Any, rosters: Mapping[str, Any], *, key: Sequence[str]) -> Any:
        """Return the table (a narwhals frame) with the columns that aggregates over rosters need.

        Parameters
        ----------
        rosters
            Roster -> its table, of the same engine.
        key
            The columns that link a roster's rows to the table's.
        """
        from nsm.condition.rosters import join

        return join(self.aggregates, table, rosters, key=key)

    def evaluate(self, row: Row, rosters: Rosters | None = None) -> Any:
        """Evaluate one row in Python.

        Returns
        -------
        True, False or None for a condition; for a value, the value, or None where it is missing.

        Examples
        --------
        >>> parse("age >= 15 and pay > 0").evaluate({"age": 30, "pay": None})
        >>> parse("age >= 15 and pay > 0").evaluate({"age": 3, "pay": None})
        False
        """
        engine = Python(row, rosters or {})
        self.check(engine.scope())
        if not isinstance(self.tree, TESTS) and not _is_any(self.tree):
            return value(engine, self.tree)
        if holds(engine, self.tree):
            return True
        return False if holds(engine, self.tree, truth=False) else None

    def holds(self, row: Row, rosters: Rosters | None = None) -> bool:
        """Say whether the condition is true of one row."""
        engine = Python(row, rosters or {})
        self.check(engine.scope(), boolean=True)
        return holds(engine, self.tree)

    def _engine(self, table: Any, *, boolean: bool) -> Narwhals:
        from nsm.condition.tables import Narwhals, frame, kinds_of, roster_column

        kinds = kinds_of(table, self.names)
        inside: dict[str, dict[str, Kind]] = {}
        for node in self.aggregates:
            if roster_column(node) in kinds:
                inside.setdefault(node.roster, {}).update(dict.fromkeys(_names(node, rosters=True)))
        self.check(Scope(kinds, inside), boolean=boolean)
        return Narwhals(dict(frame(table).collect_schema()), kinds)


def _names(tree: Node, *, rosters: bool) -> tuple[str, ...]:
    found = walk(tree, rosters=rosters)
    return tuple(dict.fromkeys(node.name for node in found if isinstance(node, Name)))


def _is_any(tree: Node) -> bool:
    return isinstance(tree, Aggregate) and tree.function == "any"


def every(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that all of `conditions` hold; of none, true."""
    parts: list[Node] = []
    for condition in conditions:
        tree = condition.tree
        parts.extend(tree.parts if isinstance(tree, And) else (tree,))
    if not parts:
        parts.append(Literal(value=True))
    tree = And(tuple(parts)) if len(parts) > 1 else parts[0]
    return Condition(write(tree), tree)


@lru_cache(maxsize=4096)
def parse(text: str) -> Condition:
    """Read a condition, or a value such as `pay / hours`.

    Parameters
    ----------
    text
        Names, numbers, quoted text, `true`, `false`, `date("2027-01-15")`; `+ - * /`;
        `== != < <= > >=`; `and or not`; `x in ("a", "b")`, `x not in (...)`; `x is missing`,
        `x is not missing`; `selected(list, "code")`; and over a roster `count(roster)`,
        `count(roster, condition)`, `any(roster, condition)`, and `min`, `max`, `sum` of
        `(roster, value)` or `(roster, value, condition)`, where names mean the roster's rows first.

    Raises
    ------
    ConditionError
        The text cannot be read; the message points at the place.

    Examples
    --------
    >>> parse("age>=15 and birth_country!='DOM'").names
    ('age', 'birth_country')
    """
    tree = Parser(text).read()
    check(tree, text, Scope())
    return Condition(text, tree)
