"""XPath of forms as conditions: true where the form's test is true."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nsm.condition.logic import holds
from nsm.condition.rows import Python
from nsm.condition.tree import write
from nsm.errors import ConditionError
from nsm.questionnaire.adopt.conditions import Answerable, Reader
from nsm.questionnaire.adopt.xpath import read_xpath

KINDS = {
    "sex": Answerable("one"),
    "age": Answerable("integer", numbers=True, missing=frozenset({998})),
    "tall": Answerable("integer", numbers=True),
    "works": Answerable("boolean", numbers=True),
    "langs": Answerable("many"),
}
READER = Reader(KINDS, {"second_sex": "sex"}, {"members": "members"})
READ = {
    "${age} >= 15": "age >= 15",
    "${age} != '' and ${age} >= 15": "age >= 15",
    "${age} != 998 and ${age} >= 15": "age >= 15",
    "${sex} != 'M'": 'sex != "M" or sex is missing',
    "${sex} != '' and ${sex} != 'M'": 'sex != "M"',
    "not(${sex} = 'M')": 'sex != "M" or sex is missing',
    "selected(${sex}, 'M')": 'sex == "M"',
    "selected(${langs}, 'spa')": 'selected(langs, "spa")',
    "${sex} = 'M' or ${sex} = 'F'": 'sex in ("M", "F")',
    "${works} = 1": "works",
    "${works} = 0 and ${age} = ''": "not works and age is missing",
    "15 <= ${age}": "age >= 15",
    "${second_sex} = 'F'": 'sex == "F"',
    "count(${members}[./group/age > 5]) > 0": "any(members, age > 5)",
    "count(${members}) > 2": "count(members) > 2",
    "sum(${members}[./age != '']/age) > 9": "sum(members, age) > 9",
    "(${age} + 1) * 2 div 3 > 4": "(age + 1) * 2 / 3 > 4",
    "number(${age}) = number(${tall})": "age == tall",
    "decimal-date-time(${age}) > decimal-date-time(date('2027-01-31'))": (
        'age > date("2027-01-31")'
    ),
}


@pytest.mark.parametrize("xpath", READ)
def test_xpath_is_read(xpath: str) -> None:
    assert write(READER.test(read_xpath(xpath))) == READ[xpath]


@pytest.mark.parametrize(
    "xpath",
    ["${age} >", "age(", "'open", "${age} ~ 3", "if(${age}, 1, 2)", "jr:choice-name(${sex}, 'x')"],
)
def test_what_has_no_words_is_said(xpath: str) -> None:
    with pytest.raises(ConditionError):
        READER.test(read_xpath(xpath))


def test_depth_and_length_are_bounded() -> None:
    for text in ("(" * 500 + "1" + ")" * 500, "1 + " * 9000 + "1"):
        with pytest.raises(ConditionError):
            read_xpath(text)


atom = st.one_of(
    st.builds(
        "${{{}}} {} {}".format,
        st.sampled_from(["age", "tall"]),
        st.sampled_from(["=", "!=", "<", ">="]),
        st.integers(0, 3),
    ),
    st.builds("${{sex}} {} '{}'".format, st.sampled_from(["=", "!="]), st.sampled_from(["M", "F"])),
    st.sampled_from(["${sex} = ''", "'' != ${sex}"]),
    st.builds("selected(${{langs}}, '{}')".format, st.sampled_from(["a", "b"])),
    st.builds("${{works}} {} {}".format, st.sampled_from(["=", "!="]), st.integers(0, 1)),
    st.sampled_from(["${age} < ${tall}", "${age} + ${tall} > 3", "true()", "${age} != ''"]),
)
tests = st.recursive(
    atom,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("not({})".format, inner)
    ),
    max_leaves=6,
)
rows = st.fixed_dictionaries(
    {
        "age": st.sampled_from([None, 0, 1, 2, 3]),
        "tall": st.sampled_from([None, 0, 1, 2, 3]),
        "sex": st.sampled_from([None, "M", "F"]),
        "works": st.sampled_from([None, 0, 1]),
        "langs": st.sampled_from([None, "a", "b", "a b"]),
    }
)


@settings(max_examples=400, deadline=None)
@given(xpath=tests, row=rows)
def test_a_condition_holds_where_the_form_says_so(xpath: str, row: dict[str, Any]) -> None:
    condition = READER.test(read_xpath(xpath))
    assert holds(Python(row), condition) is in_a_form(xpath, row)


def in_a_form(xpath: str, row: dict[str, Any]) -> bool:
    """What libxml2 says of the answers."""
    root = etree.Element("data")
    for name, value in row.items():
        etree.SubElement(root, name).text = "" if value is None else str(value)
    text = xpath.replace("${", "/data/").replace("}", "")
    functions = {(None, "selected"): _selected}
    return bool(etree.XPathEvaluator(root, extensions=functions)(f"boolean({text})"))


def _selected(_: Any, nodes: list[Any], code: str) -> bool:
    return code in (nodes[0].text or "").split()
