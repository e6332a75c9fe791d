"""What a formula means, and that nothing else is read."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsm.errors import NsmError, OptionError
from nsm.estimation import Survey
from nsm.estimation.formula import parse_formula, parse_terms
from nsm.estimation.matrix import encode
from nsm.totals import Memory

MEANINGS = {
    "y ~ a": ("a",),
    "y ~ a + b": ("a", "b"),
    "y ~ a:b + a": ("a", "a:b"),
    "y ~ a * b": ("a", "b", "a:b"),
    "y ~ a * b * c - a:b:c": ("a", "b", "c", "a:b", "a:c", "b:c"),
    "y ~ (a + b + c)^2": ("a", "b", "c", "a:b", "a:c", "b:c"),
    "y ~ (a + b):c": ("a:c", "b:c"),
    "y ~ a + b - a": ("b",),
    "y ~ a:a + a": ("a",),
    "y ~ b:a + a:b": ("b:a",),
    "y ~ C(a) + C(a, Treatment) + C(b, Treatment('x'))": ("C(a)", "C(b, Treatment('x'))"),
    "y ~ log(a + 1) + sqrt(2*a^2)": ("log(a + 1)", "sqrt(2 * a^2)"),
    "y ~ poly((a), 2) + bs(log(a), df=4, degree=2)": ("poly(a, 2)", "bs(log(a), df=4, degree=2)"),
}
INTERCEPTS = {
    "y ~ 1": True,
    "y ~ 0": False,
    "y ~ a - 1": False,
    "y ~ -1 + a": False,
    "y ~ a + 0": False,
    "y ~ 0 + a + 1": True,
    "y ~ a - 0": True,
}


@pytest.mark.parametrize("text", MEANINGS)
def test_a_formula_is_a_list_of_terms(text: str) -> None:
    read = parse_formula(text)
    assert tuple(str(term) for term in read.terms) == MEANINGS[text]
    assert read.intercept


@pytest.mark.parametrize("text", INTERCEPTS)
def test_the_intercept_is_there_unless_taken_away(text: str) -> None:
    assert parse_formula(text).intercept is INTERCEPTS[text]


def test_names_are_the_columns_that_are_read() -> None:
    read = parse_formula("log(pay + 1) ~ C(origin) * poly(age, 2) + sqrt(a * b - 3)")
    assert read.names == ("pay", "origin", "age", "a", "b")
    assert [str(term) for term in parse_terms("~ sex + sex:age + 1")] == ["sex", "sex:age", "1"]


HOSTILE = {
    "import": "y ~ __import__('os').system('touch /tmp/x')",
    "import as a column": "y ~ __import__",
    "builtins": "y ~ log(__builtins__)",
    "dunder attribute": "y ~ x.__class__.__mro__",
    "attribute": "y ~ np.log(x)",
    "method": "y ~ x.to_csv('f')",
    "eval": "y ~ eval('1')",
    "exec": "exec('1') ~ x",
    "open": "y ~ open('/etc/passwd')",
    "getattr": "y ~ getattr(x, 'y')",
    "backticks": "y ~ `x`",
    "quoted code": "y ~ {__import__('os').getcwd()}",
    "Q": "y ~ Q('x')",
    "I": "y ~ I(x + 1)",
    "hashed": "y ~ hashed(x)",
    "stateful transform": "y ~ scale(x)",
    "lambda": "y ~ lambda: 1",
    "lambda call": "y ~ (lambda x: x)(1)",
    "comprehension": "y ~ [i for i in x]",
    "generator": "y ~ log(i for i in x)",
    "subscript": "y ~ x[0]",
    "walrus": "y ~ (x := 1)",
    "conditional": "y ~ x if y else z",
    "comparison": "y ~ x > 1",
    "assignment": "y ~ a = b",
    "statement": "y ~ a; import os",
    "comment": "y ~ a # b",
    "line continuation": "y ~ a \\\n + b",
    "string expression": "y ~ 'x'",
    "f-string": "y ~ f'{x}'",
    "nested quotes": "y ~ C(x, Treatment('a\\'b'))",
    "joined strings": "y ~ C(x, Treatment('a' 'b'))",
    "added strings": "y ~ C(x, Treatment('a' + 'b'))",
    "triple quotes": 'y ~ C(x, Treatment("""a"""))',
    "open quote": "y ~ C(x, Treatment('a",
    "call in Treatment": "y ~ C(x, Treatment(open('f')))",
    "call in C": "y ~ C(eval('x'))",
    "contrasts": "y ~ C(x, contr.treatment)",
    "second call": "y ~ log(x)(y)",
    "keyword": "y ~ log(x, where=0)",
    "keyword of bs": "y ~ bs(x, df=4, extrapolation='clip')",
    "starred": "y ~ log(*x)",
    "power operator": "y ~ a ** 2",
    "matrix product": "y ~ a @ b",
    "dot": "y ~ .",
    "bar": "y ~ a | b",
    "slash": "y ~ a / b",
    "percent": "y ~ a %in% b",
    "two tildes": "y ~ a ~ b",
    "two responses": "y + z ~ a",
    "fullwidth letters": "y ~ \uff45\uff56\uff41\uff4c(x)",
    "fullwidth column": "y ~ \uff58",
    "ligature": "y ~ \ufb01",
    "fullwidth tilde": "y \uff5e a",
    "fullwidth parenthesis": "y ~ log\uff08x)",
    "right to left": "y ~ a\u202e",
    "zero width": "y ~ a\u200b",
    "other digits": "y ~ bs(x, df=\u0664)",
    "nul": "y ~ a\x00b",
    "escape": "y ~ a\x1b[31m",
    "number": "y ~ 2",
    "number in a product": "y ~ a:1",
    "no intercept inside": "y ~ (a - 1)",
    "huge number": "y ~ log(x + 1e999)",
    "long number": "y ~ log(x + " + "9" * 400 + ")",
    "huge power": "y ~ (a + b)^99",
    "power tower": "y ~ a^2^2",
    "huge basis": "y ~ bs(x, df=1000000000)",
    "huge degree": "y ~ poly(x, 1000000000)",
    "few columns for a cubic": "y ~ bs(x, df=2)",
    "fraction": "y ~ poly(x, 2.5)",
    "too long": "y ~ " + " + ".join(["a"] * 5000),
    "too deep": "y ~ " + "(" * 500 + "a" + ")" * 500,
    "too deep in log": "y ~ " + "log(" * 100 + "a" + ")" * 100,
    "long chain": "y ~ log(" + "+".join(["a"] * 300) + ")",
    "too many terms": "y ~ " + "*".join(f"a{i}" for i in range(200)),
    "exploding powers": "y ~ ((((a+b+c+d+e+f)^6 + g)^6 + h)^6 + i)^6",
    "open parenthesis": "y ~ (a",
    "closing parenthesis": "y ~ a)",
    "nothing": "",
    "no tilde": "y",
    "no terms": "y ~",
    "operator at the end": "y ~ a +",
    "two operators": "y ~ a + * b",
    "basis as response": "poly(y, 2) ~ a",
    "category as response": "C(y) ~ a",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_everything_else_is_refused(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*_: object, **__: object) -> None:
        pytest.fail("a hostile formula reached formulaic")

    monkeypatch.setattr("formulaic.Formula.__call__", reached, raising=False)
    monkeypatch.setattr("formulaic.Formula.__new__", reached, raising=False)
    table = pd.DataFrame(
        {"y": [1.0, 2.0, 3.0], "x": [1.0, 2.0, 4.0], "a": [3.0, 1.0, 2.0], "w": 1.0}
    )
    started = time.process_time()
    with pytest.raises(OptionError):
        Survey(table, weight="w").glm(HOSTILE[case])
    assert time.process_time() - started < 1


def test_no_formula_runs_code() -> None:
    code = (
        "import sys, pandas as pd, nsm\n"
        "t = pd.DataFrame({'y': [1., 2., 4.], '__import__(\"os\")': [1., 2., 3.], 'w': 1.0})\n"
        "s = nsm.Survey(t, weight='w')\n"
        "sys.addaudithook(lambda e, a: e in {'os.system', 'subprocess.Popen'} and sys.exit(9))\n"
        "for f in ('y ~ __import__(\"os\")', 'y ~ `__import__(\"os\")`', 'y ~ Q(1)'):\n"
        "    try: s.glm(f)\n"
        "    except nsm.NsmError as e: print('refused')\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["refused"] * 3


@given(st.text(alphabet="ayC(),.:~+-*^ 019'\"\\[]{}`_=log\u202e", max_size=40))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    said = ""
    try:
        read = parse_formula(text)
    except OptionError as error:
        said = str(error)
    if said:
        assert "column" in said or "more than" in said
    else:
        assert set("".join(str(term) for term in read.terms)) <= set(text + " (),'Treatment=")


def test_refusals_say_the_place() -> None:
    with pytest.raises(OptionError) as raised:
        parse_formula("y ~ a + b.c")
    assert str(raised.value).splitlines()[0].startswith("'.' (column 10) has no place in a formula")
    assert str(raised.value).splitlines()[-1].index("^") == len("    y ~ a + b")
    with pytest.raises(OptionError, match=r"There is no function exp in formulas \(column 5\)"):
        parse_formula("y ~ exp(x)")
    with pytest.raises(OptionError, match="Expected <column> at column 8, found \\*"):
        parse_formula("y ~ a ** 2")
    with pytest.raises(OptionError, match="not int"):
        parse_formula(3)  # type: ignore[arg-type]


def test_only_invented_names_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    import formulaic

    seen: list[str] = []
    outside = formulaic.Formula

    def listening(text: str) -> object:
        seen.append(text)
        return outside(text)

    monkeypatch.setattr("formulaic.Formula", listening)
    names = {"año": [1.0, 2.0, 3.0, 4.0], "class": list("abab"), "nsm_0_": [1.0, 3.0, 2.0, 9.0]}
    table = Memory(pd.DataFrame(names))
    text = "y ~ log(año + 1) * C(class, Treatment('b')) + poly(nsm_0_, 2)"
    made = encode(parse_formula(text), table, np.arange(4)).encoding
    assert seen == ["1 + nsm_0_ + nsm_1_ + poly(nsm_2_, degree=2) + nsm_0_:nsm_1_"]
    assert made.names[2] == "C(class, Treatment('b'))[T.a]"


def test_labels_are_data_and_never_code() -> None:
    table = pd.DataFrame({"y": range(6), "g": ["__import__('os')", "a:b", "{x}"] * 2, "w": 1.0})
    model = Survey(table, weight="w").glm("y ~ g")
    assert list(model.table["term"]) == ["Intercept", "g[T.a:b]", "g[T.{x}]"]


def test_a_text_of_labels_that_are_numbers_stays_a_category() -> None:
    table = Memory(pd.DataFrame({"code": ["01", "1", "02"], "flag": [True, False, True]}))
    made = encode(parse_formula("~ code + flag"), table, np.arange(3))
    assert made.encoding.names == ("Intercept", "code[T.02]", "code[T.1]", "flag")
    np.testing.assert_array_equal(made.matrix[:, -1], [1, 0, 1])


def test_bases_agree_with_their_definition() -> None:
    x = np.random.default_rng(1).normal(5, 2, 50)
    table = Memory(pd.DataFrame({"x": x}))
    made = encode(parse_formula("~ 0 + poly(x, 3)"), table, np.arange(50))
    np.testing.assert_allclose(made.matrix.T @ made.matrix, np.eye(3), atol=1e-10)
    again = made.encoding.matrix(table, np.arange(7))
    np.testing.assert_allclose(again, made.matrix[:7])
    with pytest.raises(NsmError, match="needs more than 3 different values"):
        encode(parse_formula("~ poly(x, 3)"), Memory(pd.DataFrame({"x": [1.0, 1.0]})), np.arange(2))
