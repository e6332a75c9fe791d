"""Reachability is decided as exhaustive enumeration decides it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm.condition import Condition, every, parse
from nsm.condition.logic import holds
from nsm.condition.rows import Python
from nsm.questionnaire import Code, CodeList, Question, Questionnaire, Section
from nsm.questionnaire.reach import Reach
from nsm.questionnaire.solve import Solver, Undecided

VERDICTS = ("true", "false", "not true", "not false")
NUMBERS = ("a", "b")
FREE = {
    "a": [0, 1, 2],
    "b": [0, 1, 2],
    "c": ["x", "y", "z"],
    "d": [1, 0],
    "m": [["p"], ["q"], ["p", "q"]],
}


def question(name: str, kind: str, ask: str, **more: Any) -> Question:
    own = parse(ask)
    return Question(name, kind, "m", "households", (own,), own, **more)


def form(asks: dict[str, str], flag: str, cases: tuple[str, str]) -> Questionnaire:
    parts = (
        question("a", "integer", "true", range=(0, 2)),
        question("b", "integer", asks["b"], range=(0, 2)),
        question("c", "one", asks["c"], list="c"),
        question("d", "boolean", asks["d"]),
        question("m", "many", asks["d"], list="m"),
        question("e", "calculated", asks["c"], value=parse(flag)),
        question(
            "f",
            "calculated",
            "true",
            cases=(("one", parse(cases[0])), ("two", parse(cases[1]))),
            otherwise="rest",
        ),
        question("g", "calculated", "true", value=parse("a + b")),
    )
    lists = {
        "c": CodeList("c", tuple(Code(code) for code in "xyz")),
        "m": CodeList("m", tuple(Code(code) for code in "pq")),
    }
    section = Section("m", "module", parts, "households")
    return Questionnaire("t", "1", ("en",), (section,), lists, {"en": {}}, {}).resolved()


def rows(made: Questionnaire) -> list[dict[str, Any]]:
    """Every set of answers that the form allows."""
    found = []
    for values in itertools.product(*([*v, None] for v in FREE.values())):
        row: dict[str, Any] = dict(zip(FREE, values, strict=True))
        fits = True
        for each in made.every_question:
            engine = Python({**dict.fromkeys("efg"), **row})
            asked = holds(engine, each.asked.tree)
            if each.name in FREE:
                fits = fits and (asked or row[each.name] is None)
            elif not asked:
                row[each.name] = None
            elif each.cases:
                hits = (code for code, case in each.cases if holds(engine, case.tree))
                row[each.name] = next(hits, each.otherwise)
            else:
                row[each.name] = each.value.evaluate(engine.row)
        if fits:
            found.append(row)
    return found


def meets(row: dict[str, Any], condition: Condition, verdict: str) -> bool:
    said = holds(Python(row), condition.tree, truth=verdict.endswith("true"))
    return said is not verdict.startswith("not ")


number = st.builds(
    "{} {} {}".format,
    st.sampled_from(NUMBERS),
    st.sampled_from(["==", "!=", "<", ">="]),
    st.integers(0, 2),
)
early = st.one_of(
    number.filter(lambda text: text.startswith("a")),
    st.sampled_from(["a is missing", "a in (0, 2)", "a not in (1, 2)", "true"]),
)
middle = st.one_of(
    early, number, st.sampled_from(["b is not missing", "a == b", "a + b > 2", "a < b"])
)
late = st.one_of(
    middle,
    st.sampled_from(["c == 'x'", "c != 'y'", "c in ('x', 'z')", "c is missing", "d", "d == true"]),
    st.sampled_from(["selected(m, 'p')", "not selected(m, 'q')", "m is missing"]),
)
full = st.one_of(
    late,
    st.sampled_from(["e", "not e", "e is missing", "e == true", "f == 'one'", "f != 'two'"]),
    st.sampled_from(["f in ('two', 'rest')", "f is missing", "g > 3", "g == a", "g is missing"]),
)


def joined(leaf: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
            | st.builds("not ({})".format, inner)
        ),
        max_leaves=4,
    )


@settings(max_examples=120, deadline=None)
@given(
    asks=st.fixed_dictionaries({"b": joined(early), "c": joined(middle), "d": joined(middle)}),
    flag=joined(late),
    cases=st.tuples(joined(late), joined(late)),
    goals=st.lists(st.tuples(joined(full), st.sampled_from(VERDICTS)), min_size=1, max_size=3),
)
def test_the_search_agrees_with_enumeration(
    asks: dict[str, str], flag: str, cases: tuple[str, str], goals: list[tuple[str, str]]
) -> None:
    made = form(asks, flag, cases)
    wanted = [(parse(text), verdict) for text, verdict in goals]
    expected = any(all(meets(row, *goal) for goal in wanted) for row in rows(made))
    found = Solver(made, Reach(made)).find(*wanted)
    assert (found is not None) is expected


def test_a_search_that_is_too_large_says_so() -> None:
    parts = tuple(question(f"x{n}", "decimal", "true") for n in range(3))
    section = Section("m", "module", parts, "households")
    made = Questionnaire("t", "1", ("en",), (section,), {}, {"en": {}}, {}).resolved()
    impossible = every([parse("x0 > x1"), parse("x1 > x2"), parse("x2 > x0")])
    with pytest.raises(Undecided):
        Solver(made, Reach(made)).find((impossible, "true"))
