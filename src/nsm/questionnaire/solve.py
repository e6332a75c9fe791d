"""Can these conditions all hold? Decided by propagation and search.

Each goal says that a condition is true, false, not true or not false. Goals are taken apart: what
must hold narrows the answers a question can have (`domains`), what may hold opens branches. A
question has an answer only where it is asked, and a computed one is what its definition gives. What
compares answers with each other is tried out over the answers that are left. What cannot be
enumerated, such as a count over a roster, may take any value: then "never" is certain and
"possible" is not claimed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from nsm.condition import Condition
from nsm.condition.logic import holds
from nsm.condition.rows import Python
from nsm.condition.tree import (
    Aggregate,
    And,
    Arithmetic,
    Missing,
    Name,
    Node,
    Not,
    Or,
    rewrite,
    walk,
    write,
)
from nsm.questionnaire.domains import OTHER, Undecided, Uses, domain, sampled
from nsm.questionnaire.reach import Reach

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

__all__ = ["OTHER", "Goal", "Solver", "Undecided"]

BRANCHES = 4_000
TRIED = 60_000

Goal = tuple[Condition, str]  # and its verdict: `true`, `false`, `not true`, `not false`
Constraint = tuple[Node, str]
NEGATED = {"true": "false", "false": "true", "not true": "not false", "not false": "not true"}


@dataclass
class State:
    """What is known on one branch.

    Parameters
    ----------
    domains
        Name -> the values it can still have; None is a blank.
    choices
        Disjunctions: at least one alternative, each a list of constraints, must hold.
    open
        Constraints between several answers, tried out at the end.
    done
        Constraints that were taken apart already.
    """

    domains: dict[str, list[Any]] = field(default_factory=dict)
    choices: list[list[list[Constraint]]] = field(default_factory=list)
    open: list[Constraint] = field(default_factory=list)
    done: set[tuple[int, str]] = field(default_factory=set)

    def copy(self) -> State:
        """Return a branch of its own."""
        return State(dict(self.domains), list(self.choices), list(self.open), set(self.done))


class Solver:
    """Searches for answers that make conditions true or false."""

    def __init__(self, form: Questionnaire, reach: Reach) -> None:
        self.form = form
        self.reach = reach
        self.computed: dict[str, Node] = {}
        for question in form.every_question:
            if question.value is not None:
                self.computed[question.name] = self._prepared(question.value)
        self.asked = {q.name: self._prepared(q.asked) for q in form.every_question}
        self.cases = {
            q.name: [(code, self._prepared(case)) for code, case in q.cases]
            for q in form.every_question
            if q.cases
        }
        self.answers: dict[tuple[tuple[str, str], ...], dict[str, Any] | None] = {}
        self.trees: dict[str, Node] = {}
        self.uses = self._uses()

    def _prepared(self, condition: Condition) -> Node:
        """Give aggregates names of their own, and computed values their definitions."""

        def change(node: Node) -> Node:
            if isinstance(node, Aggregate):
                return Name("#" + write(node))
            if isinstance(node, Name):
                value = self.computed.get(node.name)
                return value if isinstance(value, Arithmetic | Name) else node
            return node

        return rewrite(condition.tree, change)

    def _uses(self) -> Uses:
        trees = [*self.asked.values(), *self.computed.values()]
        trees += [case for cases in self.cases.values() for _, case in cases]
        return Uses([*trees, *(self._prepared(rule.when) for rule in self.form.rules)])

    def find(self, *goals: Goal) -> dict[str, Any] | None:
        """Return answers that meet all goals, or None if there are none.

        Raises
        ------
        Undecided
            The search is too large.
        """
        key = tuple((str(condition), verdict) for condition, verdict in goals)
        if key not in self.answers:
            found = _Search(self, goals).run()
            self.answers[key] = found
        return self.answers[key]

    def tree(self, condition: Condition) -> Node:
        """Return the tree of a goal as the search wants it: one object for each meaning."""
        text = str(condition)
        if text not in self.trees:
            self.trees[text] = self._prepared(condition)
        return self.trees[text]


class _Search:
    def __init__(self, solver: Solver, goals: tuple[Goal, ...]) -> None:
        self.solver, self.form = solver, solver.form
        self.goals = [(solver.tree(condition), verdict) for condition, verdict in goals]
        self.uses = Uses((tree for tree, _ in self.goals), before=solver.uses)
        self.branches = 0

    def run(self) -> dict[str, Any] | None:
        return self._solve(State(), list(self.goals))

    def _solve(self, state: State, todo: list[Constraint]) -> dict[str, Any] | None:
        self.branches += 1
        if self.branches > BRANCHES:
            raise Undecided
        if not self._narrowed(state, todo):
            return None
        alternatives = self._next(state)
        if alternatives is None:
            return self._tried(state)
        for alternative in alternatives:
            found = self._solve(state.copy(), list(alternative))
            if found is not None:
                return found
        return None

    def _next(self, state: State) -> list[list[Constraint]] | None:
        """Take the choice with the fewest alternatives; drop those that fail at once."""
        best: list[list[Constraint]] | None = None
        chosen = -1
        for number, alternatives in enumerate(state.choices):
            kept = [a for a in alternatives if not self._refuted(state, a)]
            state.choices[number] = kept
            if best is None or len(kept) < len(best):
                best, chosen = kept, number
            if len(kept) < 2:
                break
        if chosen >= 0:
            state.choices.pop(chosen)
        return best

    def _refuted(self, state: State, alternative: list[Constraint]) -> bool:
        """Whether an alternative contradicts the domains as they stand."""
        for node, verdict in alternative:
            if isinstance(node, And | Or | Not):
                continue
            names = _names(node)
            if len(names) == 1 and self._free(names[0]):
                held = self._domain(state, names[0])
                if not any(_judged(node, verdict, {names[0]: value}) for value in held):
                    return True
        return False

    def _free(self, name: str) -> bool:
        return name not in self.solver.cases and name not in self.solver.computed

    def _narrowed(self, state: State, todo: list[Constraint]) -> bool:
        """Take constraints apart until only choices are left; False if they contradict."""
        while todo:
            node, verdict = todo.pop()
            if (id(node), verdict) in state.done:
                continue
            state.done.add((id(node), verdict))
            match node:
                case Not(operand=operand):
                    todo.append((operand, NEGATED[verdict]))
                case And(parts=parts) | Or(parts=parts):
                    each = [(part, verdict) for part in parts]
                    if isinstance(node, And) is (verdict in {"true", "not false"}):
                        todo.extend(each)
                    else:
                        state.choices.append([[part] for part in each])
                case _:
                    if not self._atom(state, node, verdict, todo):
                        return False
        return True

    def _atom(self, state: State, node: Node, verdict: str, todo: list[Constraint]) -> bool:
        names = _names(node)
        if not names:
            return _judged(node, verdict, {})
        if len(names) > 1 or (isinstance(node, Missing) and isinstance(node.operand, Arithmetic)):
            self._between(state, node, verdict, names)
            return True
        name = names[0]
        if name in self.solver.computed:
            return self._by_definition(state, node, verdict, name, todo)
        before = self._domain(state, name)
        kept = [value for value in before if _judged(node, verdict, {name: value})]
        return self._narrow(state, name, before, kept, todo)

    def _narrow(
        self, state: State, name: str, before: list[Any], kept: list[Any], todo: list[Constraint]
    ) -> bool:
        """Keep some values of a name, with what follows from them."""
        if not kept:
            return False
        if len(kept) == len(before):
            return True
        state.domains[name] = kept
        asked = self.solver.asked.get(name)
        if name in self.solver.cases:
            state.choices.append([self._outcome(name, code) for code in kept if code is not None])
            if None in kept:
                state.choices[-1].extend(self._no_outcome(name))
        if None not in kept and asked is not None:
            todo.append((asked, "true"))
        return True

    def _outcome(self, name: str, code: Any) -> list[Constraint]:
        """Return what makes a computed question have a code: its case, and none before."""
        cases = self.solver.cases[name]
        own = [number for number, (each, _) in enumerate(cases) if each == code]
        found: list[Constraint] = [(self.solver.asked[name], "true")]
        last = own[0] if own else len(cases)
        found += [(case, "not true") for _, case in cases[:last]]
        return [*found, (cases[last][1], "true")] if own else found

    def _no_outcome(self, name: str) -> list[list[Constraint]]:
        found: list[list[Constraint]] = [[(self.solver.asked[name], "not true")]]
        if self.form.questions[name].otherwise is None:
            found.append([(case, "not true") for _, case in self.solver.cases[name]])
        return found

    def _by_definition(
        self, state: State, node: Node, verdict: str, name: str, todo: list[Constraint]
    ) -> bool:
        """Replace a computed condition by its definition, where it is computed."""
        value, asked = self.solver.computed[name], self.solver.asked[name]
        if isinstance(node, Missing):
            known = [[(value, "true")], [(value, "false")]]
            unknown: list[Constraint] = [(value, "not true"), (value, "not false")]
            if verdict in {"true", "not false"}:
                state.choices.append([[(asked, "not true")], unknown])
            else:
                todo.append((asked, "true"))
                state.choices.append(known)
            return True
        yes, no = (_judged(node, "true", {name: flag}) for flag in (1, 0))
        if yes is no:  # the answer does not matter, only that there is one
            return (verdict == "true") is yes or verdict.startswith("not ")
        said = verdict if yes else NEGATED[verdict]
        if said in {"true", "false"}:
            todo.extend([(asked, "true"), (value, said)])
        else:
            state.choices.append([[(asked, "not true")], [(value, said)]])
        return True

    def _between(self, state: State, node: Node, verdict: str, names: list[str]) -> None:
        """Keep a constraint between several answers: all there, or one missing."""
        missing = isinstance(node, Missing)
        if verdict in ({"false", "not true"} if missing else {"true", "false"}):
            there: list[Constraint] = [(_present(name), "true") for name in names]
            state.choices.append([there])
            state.open.append((node, verdict))
            return
        state.open.append((node, verdict))

    def _domain(self, state: State, name: str) -> list[Any]:
        """Return the values that a name can still have."""
        if name not in state.domains:
            state.domains[name] = self._all(name)
        return state.domains[name]

    def _all(self, name: str) -> list[Any]:
        if name.startswith("#"):
            return self._opaque(name)
        question = self.form.questions[self.solver.reach.base(name)]
        if name in self.solver.cases:
            return [*self.form.results(question), None]
        return [*domain(self.form, question, self.uses, name), None]

    def _opaque(self, name: str) -> list[Any]:
        if name.startswith("#any("):
            return [1, 0, None]
        said = [float(n) for n in self.uses.said.get(name, []) if isinstance(n, int | float)]
        points = {point + shift for point in said or [0.0] for shift in (-1.0, 0.0, 1.0)}
        return [*sorted(points), None]

    def _tried(self, state: State) -> dict[str, Any] | None:
        """Try the open constraints over the answers that are left."""
        names = list(dict.fromkeys(n for node, _ in state.open for n in _names(node)))
        known = {name: held[0] for name, held in state.domains.items()}
        if not names:
            return known
        domains = [self._domain(state, name) for name in names]
        for values in islice(_spread(domains), TRIED):
            row = dict(zip(names, values, strict=True))
            if all(_judged(node, verdict, row) for node, verdict in state.open):
                return known | row
        size = 1
        for each in domains:
            size *= len(each)
        if size > TRIED or any(self._sampled(name) for name in names):
            raise Undecided
        return None

    def _sampled(self, name: str) -> bool:
        """Whether the values of a name are only some of those it can have."""
        question = self.form.questions.get(self.solver.reach.base(name))
        if question is None or name.startswith("#"):
            return True
        free = question.kind == "text" and not self.form.codes(question)
        return free or sampled(question, self.uses, name)


def _names(node: Node) -> list[str]:
    return list(dict.fromkeys(part.name for part in walk(node) if isinstance(part, Name)))


def _present(name: str) -> Node:
    return Not(Missing(Name(name)))


def _judged(node: Node, verdict: str, row: dict[str, Any]) -> bool:
    """Say whether a condition has a verdict for the answers in `row`."""
    said = holds(Python(row), node, truth=verdict.endswith("true"))
    return said is not verdict.startswith("not ")


def _spread(domains: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    """Give combinations of values, the ends of each range first."""
    ends = [
        [*dict.fromkeys((0, len(each) - 1, len(each) // 2, max(len(each) - 2, 0)))]
        for each in domains
    ]
    for picked in product(*ends):
        yield tuple(each[number] for each, number in zip(domains, picked, strict=True))
    yield from product(*domains)
