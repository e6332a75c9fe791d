"""What a condition may say, and how the rest is refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm.condition import parse
from nsm.condition.parser import DEEPEST, LONGEST
from nsm.condition.tree import Arithmetic, Compare, In, Literal, Missing, Name, Not, write
from nsm.errors import ConditionError

READ = {
    "age>=15": "age >= 15",
    "a or b and not c": "a or b and not c",
    "(a or b) and c": "(a or b) and c",
    "not (a and b)": "not (a and b)",
    "x not in ('a', \"b\")": 'x not in ("a", "b")',
    "x in (-1, 2.50)": "x in (-1, 2.5)",
    "x is missing or y is not missing": "x is missing or y is not missing",
    "a - (b - c) > -2": "a - (b - c) > -2",
    "a / b * c == 1e3": "a / b * c == 1000",
    "d < date('2027-01-15')": 'd < date("2027-01-15")',
    "selected(documents, 3)": 'selected(documents, "3")',
    "count(members) > 0": "count(members) > 0",
    "count(members, age < 5) == 1": "count(members, age < 5) == 1",
    "any(members, sex == 'F' and age > 14)": 'any(members, sex == "F" and age > 14)',
    "max(members, age - 1, sex == 'F') < 60": 'max(members, age - 1, sex == "F") < 60',
    "text == 'say \"hi\"'": "text == 'say \"hi\"'",
    "count == 1 and date is missing": "count == 1 and date is missing",
    "edad_años >= 15": "edad_años >= 15",
    "-x < 1": "0 - x < 1",
}

REFUSED = {
    "age = 15": "Write == instead of = (column 5).\n    age = 15\n        ^",
    "age <> 15": "Write != instead of <> (column 5).",
    "a && b": "Write and instead of && (column 3).",
    "a AND b": "Write and instead of AND (column 3).",
    "!a": "Write not instead of ! (column 1).",
    "employed == True": "Write true instead of True (column 13).",
    "": "The condition is empty. Leave it out, or write true.",
    "age >": "Expected <value> at column 6, found <end>.",
    "age > 15 sex": "Expected and, or, <end> at column 10, found sex.",
    "(age > 15": "Expected ) at column 10, found <end>.",
    "0 < age < 15": "Two comparisons in a row (column 9): write a < b and b < c.",
    "sex == 'F": "The text that begins at column 8 has no closing quote.",
    "sex == ''": "Blank text is a missing value (column 8): write x is missing",
    "x in ()": "Expected <value> at column 7, found ).",
    "x in (y)": "Expected <value> at column 7, found y.",
    "x is 5": "Expected missing at column 6, found 5.",
    "x; y": "';' (column 2) has no meaning in a condition.",
    "x.y > 1": "'.' (column 2) has no meaning in a condition.",
    "15years > 1": "'1' (column 1) has no meaning in a condition.",
    "__import__('os')": "There is no function __import__ (column 1). Known: 'any', 'count'",
    "d > date('2027-13-01')": "needs a date such as date(\"2027-01-15\"), found '2027-13-01'.",
    "d > date(2027)": "needs a date such as",
    "selected(x, 'a b')": "selected() takes one code without blanks, not a b (column 13).",
    "selected(x, 1.5)": "selected() takes one code without blanks",
    "count(r, any(s, x)) > 1": "A roster inside a roster (column 10)",
    "any(r)": "Expected , at column 6, found ).",
    "x > 99999999999999999999": "Expected <number below 2**53> at column 5",
    "x in (-'a')": "Expected <number> at column 8",
    "'a' < 3": '"a" is text, which has no order (column 1): use ==, != or in.',
    "x == 1 or 5": "5 is neither true nor false (column 11): compare it with something.",
    "x and 'a'": '"a" is neither true nor false (column 7)',
    "x + 'a' > 1": '"a" is no number and cannot be computed with (column 5).',
    "(x > 1) == (y > 1)": "x > 1 is true or false, not a value (column 2).",
    "1 == 'a'": '1 (number) and "a" (text) cannot be compared (column 1).',
    "x + date('2020-01-01') > 1": 'date("2020-01-01") is no number',
    "min(r, 'a') == 1": '"a" is text, which has no order',
}


@pytest.mark.parametrize(("text", "canonical"), READ.items())
def test_is_read_and_written_again(text: str, canonical: str) -> None:
    condition = parse(text)
    assert str(condition) == canonical
    assert condition.text == text
    assert parse(canonical) == condition


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert message in str(caught.value)


def test_the_caret_stays_in_sight_in_a_long_text() -> None:
    text = " or ".join(["age > 1"] * 40) + " or age = 1"
    with pytest.raises(ConditionError) as caught:
        parse(text)
    line, caret = str(caught.value).splitlines()[1:]
    assert line[caret.index("^")] == "="
    assert len(line) < 130


def test_trees_know_their_names() -> None:
    condition = parse("age > 1 and count(members, sex == 'F' and age < size) > n and age < 9")
    assert condition.names == ("age", "n")
    assert condition.all_names == ("age", "sex", "size", "n")
    assert [node.roster for node in condition.aggregates] == ["members"]


def test_the_tree_is_what_was_said() -> None:
    day = Literal(date(2027, 1, 15))
    assert parse("d <= date('2027-01-15')").tree == Compare("<=", Name("d"), day)
    assert parse("x not in (1)").tree == Not(In(Name("x"), (Literal(1),)))
    assert parse("x is missing").tree == Missing(Name("x"))
    assert parse("a - b - c").tree == Arithmetic(
        "-", Arithmetic("-", Name("a"), Name("b")), Name("c")
    )


@pytest.mark.parametrize(
    "text",
    [
        "(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1),
        "not " * (DEEPEST + 1) + "a",
        "-" * (DEEPEST + 1) + "a > 1",
        "+".join("a" * (DEEPEST + 2)) + " > 1",
        "a > 1 or " * LONGEST + "a > 1",
        "(" * LONGEST,
    ],
)
def test_depth_and_length_are_bounded(text: str) -> None:
    with pytest.raises(ConditionError):
        parse(text)


def test_a_long_list_of_codes_is_read() -> None:
    codes = ", ".join(f"'{n:03d}'" for n in range(900))
    assert len(parse(f"country in ({codes})").tree.choices) == 900


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = parse(text).tree
    except ConditionError:
        return
    assert parse(write(tree)).tree == tree
