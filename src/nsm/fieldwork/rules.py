"""The rules that answers must keep, made from the questionnaire.

| code | a row breaks it where |
|---|---|
| V101 | a number is out of its range |
| V102 | a code is not in the list, or is excluded by the filter |
| V103 | a question was asked and has no answer |
| V104 | a question was not asked and has an answer |
| V105 | a text has not the form that is asked |
| V106 | a rule refuses the answers (V107: doubts them) |
| V108 | a computed answer differs from what its definition gives |
| V109 | a roster has not as many rows as were counted |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nsm.condition import Condition, every
from nsm.condition.logic import holds
from nsm.condition.tables import roster_column
from nsm.condition.tree import (
    Aggregate,
    And,
    Compare,
    In,
    Literal,
    Missing,
    Name,
    Node,
    Not,
    Or,
    walk,
)
from nsm.questionnaire.model import Question, Section
from nsm.questionnaire.questionnaire import Questionnaire
from nsm.questionnaire.reach import Reach

if TYPE_CHECKING:
    import narwhals as nw

    from nsm.condition.tables import Narwhals

Build = Callable[["Narwhals"], "nw.Expr"]


@dataclass(frozen=True)
class Check:
    """One rule for one table.

    Parameters
    ----------
    name
        What findings call it: a question or a rule of the form.
    broken
        Makes the test that says where a row breaks the rule.
    trees
        The conditions in it, which say the columns it needs.
    message
        What a finding says, with `values`; for rules of the form, the key of their text.
    """

    code: str
    name: str
    table: str
    broken: Build
    trees: tuple[Node, ...]
    message: str = ""
    values: dict[str, object] = field(default_factory=dict)

    @property
    def severity(self) -> str:
        """Return `error`, or `warning` for what is only doubted."""
        return "warning" if self.code == "V107" else "error"

    @property
    def needs(self) -> set[str]:
        """The columns it needs in the widened table."""
        return self.names | {roster_column(node) for node in self.aggregates}

    @property
    def names(self) -> set[str]:
        """The names it needs in the row, outside rosters."""
        parts = [part for tree in self.trees for part in walk(tree, rosters=False)]
        return {part.name for part in parts if isinstance(part, Name)}

    @property
    def aggregates(self) -> list[Aggregate]:
        """The aggregates over rosters that it needs."""
        parts = [part for tree in self.trees for part in walk(tree)]
        return [part for part in parts if isinstance(part, Aggregate)]


def checks(form: Questionnaire) -> Iterator[Check]:
    """Give every rule of a form."""
    for question in form.every_question:
        if question.held:
            yield from _question(form, question)
    reach = Reach(form)
    for rule in form.rules:
        code = "V106" if rule.severity == "error" else "V107"
        asked = [form.questions[rule.at].asked] if rule.at in form.questions else []
        tree = every([*asked, rule.when]).tree
        yield _simple(code, rule.name, rule.table, tree, rule.name)
    for section in form.sections:
        if section.kind == "roster" and section.of is None and section.count is not None:
            yield _counted(form, reach, section, section.count)


def _simple(code: str, name: str, table: str, tree: Node, message: str, **values: object) -> Check:
    """Return a rule that is broken where a condition is true."""
    return Check(code, name, table, lambda e: holds(e, tree), (tree,), message, values)


def _question(form: Questionnaire, question: Question) -> Iterator[Check]:
    name, table = Name(question.name), question.table
    asked = question.asked.tree
    answered: Node = Not(Missing(name))
    yield from _range(question, name)
    codes = form.codes(question) if question.type == "one" else ()
    if codes:
        listed = Not(In(name, tuple(Literal(code) for code in codes)))
        message = "{count} answers are no code of the list {list}."
        yield _simple("V102", question.name, table, listed, message, list=question.list)
    if question.filter is not None and question.list is not None:
        yield _filtered(form, question, question.filter)
    if question.required and not question.silent:
        blank = And((asked, Missing(name)))
        message = "{count} were asked and have no answer."
        yield _simple("V103", question.name, table, blank, message)
    if not (isinstance(asked, Literal) or question.type in {"start", "end", "today"}):
        yield Check(
            "V104",
            question.name,
            table,
            lambda e: holds(e, answered) & ~holds(e, asked),
            (answered, asked),
            "{count} have an answer but were not to be asked ({condition}).",
            {"condition": str(question.asked)},
        )
    if question.pattern is not None:
        yield _patterned(question, question.pattern)
    if question.cases or (question.value is not None):
        yield _computed(question)


def _range(question: Question, name: Name) -> Iterator[Check]:
    low, high = question.range
    sides: list[Node] = []
    if low is not None:
        sides.append(Compare("<", name, Literal(low)))
    if high is not None:
        sides.append(Compare(">", name, Literal(high)))
    if sides:
        outside = Or(tuple(sides)) if len(sides) > 1 else sides[0]
        message = "{count} answers are not between {low} and {high}."
        limits = {"low": "" if low is None else low, "high": "" if high is None else high}
        yield _simple("V101", question.name, question.table, outside, message, **limits)


def _patterned(question: Question, pattern: str) -> Check:
    tree = Not(Missing(Name(question.name)))

    def broken(engine: Narwhals) -> nw.Expr:
        text = engine.name(Name(question.name)).expression
        return holds(engine, tree) & ~text.str.contains(f"^{pattern}$").fill_null(value=True)

    message = "{count} answers do not have the form {pattern}."
    return Check(
        "V105", question.name, question.table, broken, (tree,), message, {"pattern": pattern}
    )


def _filtered(form: Questionnaire, question: Question, condition: Condition) -> Check:
    """Return the rule that a code passes its filter: code by code, those with equal attributes."""
    groups: dict[tuple[tuple[str, Any], ...], list[Literal]] = {}
    for code in form.lists[str(question.list)].codes:
        groups.setdefault(tuple(code.attributes.items()), []).append(Literal(code.code))
    parts: list[Node] = []
    for attributes, codes in groups.items():
        refused = Not(condition.bind(dict(attributes)).tree)
        parts.append(And((In(Name(question.name), tuple(codes)), refused)))
    tree = Or(tuple(parts)) if len(parts) > 1 else parts[0]
    message = "{count} answers are excluded by the filter {condition}."
    return _simple("V102", question.name, question.table, tree, message, condition=str(condition))


def _computed(question: Question) -> Check:
    """Return the rule that a computed answer is what its definition gives."""
    name = Name(question.name)
    answered: Node = Not(Missing(name))
    if question.value is not None:
        tree = _differs(question, name, question.value.tree)
        return _simple("V108", question.name, question.table, tree, _COMPUTED)
    cases = [(code, case.tree) for code, case in question.cases]

    def broken(engine: Narwhals) -> nw.Expr:
        import narwhals as nw

        if question.otherwise is None:
            right = holds(engine, Missing(name))
        else:
            right = holds(engine, Compare("==", name, Literal(question.otherwise)))
        for code, case in reversed(cases):
            same = holds(engine, Compare("==", name, Literal(code)))
            right = nw.when(holds(engine, case)).then(same).otherwise(right)
        return holds(engine, answered) & ~right

    trees = (answered, *(case for _, case in cases))
    return Check("V108", question.name, question.table, broken, trees, _COMPUTED)


_COMPUTED = "{count} differ from what the definition gives."


def _differs(question: Question, name: Name, value: Node) -> Node:
    if question.kind == "boolean":
        return Or((And((name, Not(value))), And((Not(name), value))))
    return Compare("!=", name, value)


def _counted(form: Questionnaire, reach: Reach, section: Section, count: Condition) -> Check:
    """Return the rule that a roster has as many rows as were counted."""
    rows = Aggregate("count", reach.roster(section.name))
    tree: Node = Compare("!=", count.tree, rows)
    if section.ask is not None:
        tree = And((section.ask.tree, tree))
    first = next(q for q in form.every_question if q.name in count.names)
    message = "{count} have not as many rows of {roster} as were counted."
    return _simple("V109", section.name, first.table, tree, message, roster=section.name)
