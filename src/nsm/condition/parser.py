"""Read a condition: text to tree, by recursive descent.

```
condition  = both { "or" both }
both       = one { "and" one }
one        = "not" one | test
test       = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum
                 | ["not"] "in" "(" literal { "," literal } ")"
                 | "is" ["not"] "missing" ]
sum        = product { ("+" | "-") product }
product    = signed { ("*" | "/") signed }
signed     = "-" signed | operand
operand    = number | text | "true" | "false" | name | "(" condition ")"
           | "date" "(" text ")" | "selected" "(" name "," literal ")"
           | "count" "(" roster [ "," condition ] ")" | "any" "(" roster "," condition ")"
           | ("min" | "max" | "sum") "(" roster "," sum [ "," condition ] ")"
```
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from nsm.condition.tree import (
    Aggregate,
    And,
    Arithmetic,
    Compare,
    In,
    Literal,
    Missing,
    Name,
    Node,
    Not,
    Or,
    Selected,
)
from nsm.errors import ConditionError

LONGEST = 10_000
DEEPEST = 40
LARGEST = 2**53
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "missing", "true", "false"})
AGGREGATES = ("any", "count", "max", "min", "sum")
FUNCTIONS = (*AGGREGATES, "date", "selected")
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
_TOKEN = re.compile(
    r"""(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
      | (?P<text>"[^"\n]*"|'[^'\n]*')
      | (?P<name>[^\W\d]\w*)
      | (?P<sign>==|!=|<=|>=|&&|\|\||<>|[-+*/<>=(),&|!])""",
    re.VERBOSE,
)
_BLANK = re.compile(r"\s*")
_SPELLING = {
    "=": "==",
    "<>": "!=",
    "!": "not",
    "&": "and",
    "&&": "and",
    "|": "or",
    "||": "or",
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "IN": "in",
    "IS": "is",
    "True": "true",
    "False": "false",
    "TRUE": "true",
    "FALSE": "false",
}
_AROUND = 60


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text; its kind is `number, text, name, word, sign` or `end`."""

    kind: str
    text: str
    place: int


def where(text: str, place: int) -> dict[str, object]:
    """Give what a message needs to point at a place: its column, and the line with a caret."""
    first = max(0, place - _AROUND)
    line = text[first : place + _AROUND].replace("\n", " ").replace("\t", " ")
    shown = f"    {line}\n    {' ' * (place - first)}^"
    return {"column": place + 1, "shown": shown, "condition": text}


def tokens(text: str) -> list[Token]:
    """Cut a condition into its words."""
    found: list[Token] = []
    place = 0
    while True:
        place = _BLANK.match(text, place).end()  # type: ignore[union-attr]  # it always matches
        if place == len(text):
            return [*found, Token("end", "<end>", place)]
        match = _TOKEN.match(text, place)
        if match is None:
            _unreadable(text, place)
        kind, word = str(match.lastgroup), match.group()
        if word in _SPELLING:
            raise ConditionError(
                "Write {right} instead of {found} (column {column}).\n{shown}",
                right=_SPELLING[word],
                found=word,
                **where(text, place),
            )
        found.append(Token("word" if word in KEYWORDS else kind, word, place))
        place = match.end()


def _unreadable(text: str, place: int) -> NoReturn:
    if text[place] in "\"'":
        raise ConditionError(
            "The text that begins at column {column} has no closing quote.\n{shown}",
            **where(text, place),
        )
    raise ConditionError(
        "{found!r} (column {column}) has no meaning in a condition.\n{shown}",
        found=text[place],
        **where(text, place),
    )


class Parser:
    """Reads one text; each method reads one rule of the grammar."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ConditionError(
                "The condition has {length} characters; at most {most} are read. "
                "Make a calculated variable of a part of it.",
                length=len(text),
                most=LONGEST,
            )
        self.text = text
        self.words = tokens(text)
        self.at = 0
        self.depth = 0
        self.roster = False

    @property
    def word(self) -> Token:
        """The next word."""
        return self.words[self.at]

    def read(self) -> Node:
        """Read the whole text."""
        if self.word.kind == "end":
            raise ConditionError("The condition is empty. Leave it out, or write true.")
        node = self._condition()
        if self.word.kind != "end":
            self._unexpected("and, or, <end>")
        return node

    def _unexpected(self, wanted: str) -> NoReturn:
        """Refuse the next word."""
        raise ConditionError(
            "Expected {wanted} at column {column}, found {found}.\n{shown}",
            wanted=wanted,
            found=self.word.text,
            **where(self.text, self.word.place),
        )

    def _take(self, *texts: str) -> Token | None:
        """Step over the next word if it is one of `texts`."""
        word = self.word
        if word.kind in {"sign", "word"} and word.text in texts:
            self.at += 1
            return word
        return None

    def _need(self, text: str) -> None:
        """Step over `text`, which must be next."""
        if not self._take(text):
            self._unexpected(text)

    def _nested(self, rule: Callable[[], Node]) -> Node:
        """Read a rule one level deeper."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise ConditionError(
                "The condition is nested more than {most} deep at column {column}. "
                "Make a calculated variable of a part of it.\n{shown}",
                most=DEEPEST,
                **where(self.text, self.word.place),
            )
        node = rule()
        self.depth -= 1
        return node

    def _condition(self) -> Node:
        return self._series("or", self._both, Or)

    def _both(self) -> Node:
        return self._series("and", self._one, And)

    def _series(self, word: str, rule: Callable[[], Node], kind: type[And | Or]) -> Node:
        place, parts = self.word.place, [rule()]
        while self._take(word):
            parts.append(rule())
        return kind(tuple(parts), place=place) if len(parts) > 1 else parts[0]

    def _one(self) -> Node:
        if word := self._take("not"):
            return Not(self._nested(self._one), place=word.place)
        return self._test()

    def _test(self) -> Node:
        left = self._sum()
        if word := self._take(*_COMPARISONS):
            node: Node = Compare(word.text, left, self._sum(), place=left.place)
        elif self._take("is"):
            negated = self._take("not")
            self._need("missing")
            node = Missing(left, place=left.place)
            node = Not(node, place=left.place) if negated else node
        elif self.word.text in {"in", "not"} and self.word.kind == "word":
            negated = self._take("not")
            self._need("in")
            node = In(left, self._choices(), place=left.place)
            node = Not(node, place=left.place) if negated else node
        else:
            return left
        if self.word.text in {*_COMPARISONS, "in", "is"}:
            raise ConditionError(
                "Two comparisons in a row (column {column}): write a < b and b < c.\n{shown}",
                **where(self.text, self.word.place),
            )
        return node

    def _choices(self) -> tuple[Literal, ...]:
        self._need("(")
        found = [self._literal()]
        while self._take(","):
            found.append(self._literal())
        self._need(")")
        return tuple(found)

    def _sum(self) -> Node:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._chain(("*", "/"), self._signed)

    def _chain(self, signs: tuple[str, str], rule: Callable[[], Node]) -> Node:
        left, links = rule(), 0
        while word := self._take(*signs):
            links += 1
            if links > DEEPEST:
                self.at -= 1
                self._unexpected("<end>")
            left = Arithmetic(word.text, left, rule(), place=left.place)
        return left

    def _signed(self) -> Node:
        if word := self._take("-"):
            operand = self._nested(self._signed)
            if isinstance(operand, Literal) and type(operand.value) in {int, float}:
                return Literal(-operand.value, place=word.place)  # type: ignore[operator]  # a number
            return Arithmetic("-", Literal(0, place=word.place), operand, place=word.place)
        return self._operand()

    def _operand(self) -> Node:
        word, after = self.word, self.words[min(self.at + 1, len(self.words) - 1)]
        if self._take("("):
            node = self._nested(self._condition)
            self._need(")")
            return node
        if word.kind == "name" and after.text == "(" and after.kind == "sign":
            return self._function()
        if word.kind == "name":
            self.at += 1
            return Name(word.text, place=word.place)
        return self._literal()

    def _literal(self) -> Literal:
        word = self.word
        if word.kind == "name" and word.text == "date":
            node = self._function()
            if isinstance(node, Literal):
                return node
        sign = self._take("-")
        value = self._constant(self.word)
        if sign and (isinstance(value, bool) or not isinstance(value, int | float)):
            self._unexpected("<number>")
        self.at += 1
        return Literal(-value if sign else value, place=word.place)  # type: ignore[operator]  # a number

    def _constant(self, word: Token) -> bool | int | float | str:
        match word.kind, word.text:
            case "word", "true" | "false":
                return word.text == "true"
            case "number", text:
                value = int(text) if text.isdigit() else float(text)
                if not abs(value) <= LARGEST:
                    self._unexpected("<number below 2**53>")
                return value
            case "text", text:
                if not text[1:-1].strip():
                    raise ConditionError(
                        "Blank text is a missing value (column {column}): write x is missing, "
                        "or x is not missing.\n{shown}",
                        **where(self.text, word.place),
                    )
                return text[1:-1]
            case _:
                return self._unexpected("<value>")

    def _function(self) -> Node:
        word = self.word
        if word.text not in FUNCTIONS:
            raise ConditionError(
                "There is no function {name} (column {column}). Known: {known}.\n{shown}",
                name=word.text,
                known=FUNCTIONS,
                **where(self.text, word.place),
            )
        self.at += 1
        self._need("(")
        if word.text == "date":
            node: Node = self._date(word)
        elif word.text == "selected":
            node = self._selected(word)
        else:
            node = self._aggregate(word)
        self._need(")")
        return node

    def _date(self, word: Token) -> Literal:
        value = self.word
        self.at += 1
        try:
            day = date.fromisoformat(value.text[1:-1])
        except ValueError:
            day = None
        if day is None or value.kind != "text":
            raise ConditionError(
                'Column {column} needs a date such as date("2027-01-15"), found {found}.\n{shown}',
                found=value.text,
                **where(self.text, value.place),
            )
        return Literal(day, place=word.place)

    def _selected(self, word: Token) -> Selected:
        operand = Name(self._name("<name>"), place=word.place)
        self._need(",")
        place = self.word.place
        value = self._literal().value
        code = str(value)
        if isinstance(value, bool | float | date) or len(code.split()) != 1:
            raise ConditionError(
                "selected() takes one code without blanks, not {found} (column {column}).\n{shown}",
                found=code,
                **where(self.text, place),
            )
        return Selected(operand, code, place=word.place)

    def _name(self, wanted: str) -> str:
        if self.word.kind != "name":
            self._unexpected(wanted)
        self.at += 1
        return self.words[self.at - 1].text

    def _aggregate(self, word: Token) -> Aggregate:
        if self.roster:
            raise ConditionError(
                "A roster inside a roster (column {column}): make a calculated variable of the "
                "inner one.\n{shown}",
                **where(self.text, word.place),
            )
        self.roster = True
        roster, value, chosen = self._name("<roster>"), None, None
        if word.text in {"min", "max", "sum"}:
            self._need(",")
            value = self._nested(self._sum)
        if word.text == "any":
            self._need(",")
            chosen = self._nested(self._condition)
        elif self._take(","):
            chosen = self._nested(self._condition)
        self.roster = False
        return Aggregate(word.text, roster, value, chosen, place=word.place)
