"""Model formulas: a small closed language, read without evaluating anything.

```
formula  = [number] "~" sum
sum      = ["+" | "-"] part { ("+" | "-") part }
part     = "0" | "1" | cross
cross    = joined { "*" joined }
joined   = power { ":" power }
power    = atom [ "^" whole ]
atom     = factor | "(" cross { ("+" | "-") cross } ")"
factor   = name | "C" "(" name [ "," "Treatment" [ "(" label ")" ] ] ")"
         | "poly" "(" number "," whole ")" | "bs" "(" number { "," ("df" | "degree") "=" whole } ")"
         | number
number   = name | ("log" | "sqrt") "(" arithmetic ")"
```

`arithmetic` has numbers, names, `log`, `sqrt`, `+ - * ^` and parentheses. Everything else is
refused with its place. Names are columns and never reach an evaluator: a formula becomes terms of
factors, and what `matrix.py` hands on is made of invented names.

>>> [str(term) for term in parse_formula("employed ~ sex * C(origin) - 1").terms]
['sex', 'C(origin)', 'sex:C(origin)']
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import NoReturn

from nsm.errors import OptionError
from nsm.estimation.terms import CALLS, Arithmetic, Factor, Formula, ModelTerm
from nsm.estimation.tokens import Words

LONGEST_CHAIN = 40
MOST_TERMS = 500
MOST_PRODUCTS = 20_000
LARGEST_POWER = 6
LARGEST_BASIS = 50


def parse_formula(text: str) -> Formula:
    """Read a formula such as `employed ~ sex + C(origin)`.

    Raises
    ------
    OptionError
        With the place of what is not in the language.
    """
    return _Parser(text).formula()


def parse_terms(text: str) -> tuple[ModelTerm, ...]:
    """Read terms such as `sex + sex:age`; the intercept is `1`.

    Raises
    ------
    OptionError
        With the place of what is not in the language.
    """
    return _Parser(text).only_terms()


_Terms = dict[frozenset[str], ModelTerm]
_INTERCEPT = ModelTerm()


class _Parser(Words):
    """Reads one text; each method reads one rule of the grammar."""

    def formula(self) -> Formula:
        response = None
        if not self.sees("~"):
            token = self.word
            response = self.factor()
            if response.kind not in {"column", "number"}:
                self.refuse("<column>, log(, sqrt(", token)
        self.need("~")
        terms = self.sum({_INTERCEPT.key: _INTERCEPT})
        self.end()
        intercept = terms.pop(_INTERCEPT.key, None) is not None
        ordered = sorted(terms.values(), key=lambda term: len(term.factors))
        return Formula(self.text, response, tuple(ordered), intercept)

    def only_terms(self) -> tuple[ModelTerm, ...]:
        self.took("~")
        terms = self.sum({})
        self.end()
        return tuple(terms.values())

    def sum(self, terms: _Terms) -> _Terms:
        added = not self.took("-")
        if added:
            self.took("+")
        while True:
            found: _Terms = {_INTERCEPT.key: _INTERCEPT}
            if self.word.kind != "number":
                found = self.cross()
            elif self.depth or self.word.text not in {"0", "1"}:
                self.refuse("<column>")
            else:
                added ^= self.next() == "0"
            if added:
                terms = self.joint(terms, found)
            else:
                terms = {key: term for key, term in terms.items() if key not in found}
            if not self.sees("+", "-"):
                return terms
            added = self.next() == "+"

    def cross(self) -> _Terms:
        terms = self.joined()
        while self.took("*"):
            other = self.joined()
            terms = self.joint(self.joint(terms, other), self.crossed(terms, other))
        return terms

    def joined(self) -> _Terms:
        terms = self.power()
        while self.took(":"):
            terms = self.crossed(terms, self.power())
        return terms

    def power(self) -> _Terms:
        terms = once = self.atom()
        if self.took("^"):
            for _ in range(self.whole(LARGEST_POWER) - 1):
                terms = self.joint(terms, self.crossed(terms, once))
        return terms

    def crossed(self, terms: _Terms, other: _Terms) -> _Terms:
        made: _Terms = {}
        if len(terms) * len(other) > MOST_PRODUCTS:
            self.many()
        for a, b in product(terms.values(), other.values()):
            term = a.times(b)
            made.setdefault(term.key, term)
        return self.joint({}, made)

    def joint(self, terms: _Terms, other: _Terms) -> _Terms:
        made = terms | {key: term for key, term in other.items() if key not in terms}
        if len(made) > MOST_TERMS:
            self.many()
        return made

    def many(self) -> NoReturn:
        raise OptionError("The formula has more than {most} terms.", most=MOST_TERMS)

    def atom(self) -> _Terms:
        if self.sees("("):
            self.opened()
            terms = self.sum({})
            self.closed()
            return terms
        term = ModelTerm((self.factor(),))
        return {term.key: term}

    def factor(self) -> Factor:
        if not self.calls:
            inner = self.column()
            return Factor(inner.text, "column", inner)
        match self.word.text:
            case "C":
                return self.category()
            case "poly":
                return self.polynomial()
            case "bs":
                return self.spline()
            case _:
                inner = self.operand()
                return Factor(inner.text, "number", inner)

    def category(self) -> Factor:
        self.next()
        self.opened()
        inner = self.column()
        reference: str | float | None = None
        if self.took(","):
            if self.word.text != "Treatment":
                self.refuse("Treatment")
            if self.calls:
                self.next()
                self.opened()
                reference = self.label()
                self.closed()
            else:
                self.next()
        self.closed()
        shown = "" if reference is None else f", Treatment({reference!r})"
        return Factor(f"C({inner.text}{shown})", "category", inner, reference)

    def label(self) -> str | float:
        if self.word.kind == "text":
            return self.next()[1:-1]
        negative = self.took("-")
        if self.word.kind != "number":
            self.refuse("<text>, <number>")
        value = float(self.next()) * (-1 if negative else 1)
        return int(value) if value.is_integer() else value

    def polynomial(self) -> Factor:
        self.next()
        self.opened()
        inner = self.arithmetic()
        self.need(",")
        degree = self.whole(LARGEST_BASIS)
        self.closed()
        return Factor(f"poly({inner.text}, {degree})", "poly", inner, options=(("degree", degree),))

    def spline(self) -> Factor:
        self.next()
        self.opened()
        inner = self.arithmetic()
        options: dict[str, int] = {}
        self.need(",")
        while True:
            if self.word.text not in {"df", "degree"} or self.word.text in options:
                self.refuse("df=, degree=")
            option = self.next()
            self.need("=")
            options[option] = self.whole(LARGEST_BASIS)
            if not self.took(","):
                break
        if options.get("df", 0) < options.get("degree", 3):
            self.refuse("df >= degree")
        self.closed()
        shown = ", ".join(f"{name}={value}" for name, value in options.items())
        return Factor(f"bs({inner.text}, {shown})", "bs", inner, options=tuple(options.items()))

    def arithmetic(self) -> Arithmetic:
        return self.chain(("+", "-"), self.multiplied)

    def multiplied(self) -> Arithmetic:
        return self.chain(("*",), self.raised)

    def chain(self, signs: tuple[str, ...], part: Callable[[], Arithmetic]) -> Arithmetic:
        left = part()
        links = 0
        while self.sees(*signs):
            links += 1
            if links > LONGEST_CHAIN:
                self.refuse("<end>")
            sign = self.next()
            right = part()
            left = Arithmetic(sign, f"{left.text} {sign} {right.text}", (left, right))
        return left

    def raised(self) -> Arithmetic:
        left = self.operand()
        if not self.took("^"):
            return left
        right = self.operand()
        return Arithmetic("^", f"{left.text}^{right.text}", (left, right))

    def operand(self) -> Arithmetic:
        if self.word.kind == "number":
            text = self.next()
            return Arithmetic("number", text, value=float(text))
        if self.sees("("):
            self.opened()
            inner = self.arithmetic()
            self.closed()
            return inner if inner.kind == "column" else replace(inner, text=f"({inner.text})")
        if not self.calls:
            return self.column()
        if self.word.text not in CALLS:
            self.unknown()
        name = self.next()
        self.opened()
        inner = self.arithmetic()
        self.closed()
        return Arithmetic(name, f"{name}({inner.text})", (inner,))
