"""The words of a model formula, and refusals that point at one of them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NoReturn

from nsm.condition.parser import where
from nsm.errors import OptionError
from nsm.estimation.terms import Arithmetic

LONGEST = 2_000
DEEPEST = 20
FUNCTIONS = "C(), Treatment(), bs(), log(), poly(), sqrt()"
_TOKEN = re.compile(
    r"""(?P<number>(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:[eE][+-]?[0-9]{1,2})?(?![\w.]))
      | (?P<text>"[^"\\\n]{0,200}"|'[^'\\\n]{0,200}')
      | (?P<name>[^\W\d]\w{0,199}(?!\w))
      | (?P<sign>[~+\-:*^(),=])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text; its kind is `number, text, name, sign` or `end`."""

    kind: str
    text: str
    place: int


def tokens(text: str) -> list[Token]:
    """Cut a formula into its words.

    Raises
    ------
    OptionError
        A character or name has no place in a formula.
    """
    found: list[Token] = []
    place = 0
    while place < len(text):
        if text[place] in " \t\n\r":
            place += 1
            continue
        match = _TOKEN.match(text, place)
        if match is None:
            raise OptionError(
                "{found!r} (column {column}) has no place in a formula, which has columns, "
                "numbers, + - : * ^ ~ and {known}.\n{shown}",
                found=text[place],
                known=FUNCTIONS,
                **where(text, place),
            )
        kind, word = str(match.lastgroup), match.group()
        plain = unicodedata.normalize("NFKC", word) == word and not word.startswith("__")
        if kind == "name" and not plain:
            raise OptionError(
                "A formula may not use the name {found!r} (column {column}): rename the column "
                "in plain letters.\n{shown}",
                found=word,
                **where(text, place),
            )
        found.append(Token(kind, word, place))
        place = match.end()
    return [*found, Token("end", "<end>", len(text))]


class Words:
    """The words of a text, and a place among them.

    Raises
    ------
    OptionError
        The text is too long, or holds what no formula has.
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise OptionError(
                "A formula is text such as {example!r}, not {given}.",
                example="employed ~ sex + C(origin)",
                given=type(text).__name__,
            )
        if len(text) > LONGEST:
            raise OptionError(
                "The formula has {length} characters; at most {most} are read. Make columns of its "
                "parts.",
                length=len(text),
                most=LONGEST,
            )
        self.text = text
        self.words = tokens(text)
        self.at = 0
        self.depth = 0

    @property
    def word(self) -> Token:
        """The next word."""
        return self.words[self.at]

    @property
    def calls(self) -> bool:
        """Whether the next word is a name before a parenthesis."""
        return self.word.kind == "name" and self.words[self.at + 1].text == "("

    def next(self) -> str:
        """Step over the next word."""
        self.at += 1
        return self.words[self.at - 1].text

    def sees(self, *signs: str) -> bool:
        """Tell whether the next word is one of these signs."""
        return self.word.kind == "sign" and self.word.text in signs

    def took(self, sign: str) -> bool:
        """Step over a sign if it is next."""
        here = self.sees(sign)
        self.at += here
        return here

    def need(self, sign: str) -> None:
        """Step over a sign, which must be next."""
        if not self.took(sign):
            self.refuse(sign)

    def end(self) -> None:
        """Refuse further words."""
        if self.word.kind != "end":
            self.refuse("<operator>, <end>")

    def refuse(self, wanted: str, token: Token | None = None) -> NoReturn:
        """Refuse the next word, or a given one."""
        token = token or self.word
        raise OptionError(
            "Expected {wanted} at column {column}, found {found}.\n{shown}",
            wanted=wanted,
            found=token.text,
            **where(self.text, token.place),
        )

    def unknown(self) -> NoReturn:
        """Refuse the next word as a function."""
        raise OptionError(
            "There is no function {found} in formulas (column {column}). Known: {known}.\n{shown}",
            found=self.word.text,
            known=FUNCTIONS,
            **where(self.text, self.word.place),
        )

    def opened(self) -> None:
        """Step over a parenthesis, one level deeper."""
        self.need("(")
        self.depth += 1
        if self.depth > DEEPEST:
            raise OptionError(
                "The formula is nested more than {most} deep (column {column}).\n{shown}",
                most=DEEPEST,
                **where(self.text, self.word.place),
            )

    def closed(self) -> None:
        """Step over the parenthesis that ends it."""
        self.need(")")
        self.depth -= 1

    def whole(self, most: int) -> int:
        """Read a whole number from 1 to `most`."""
        token = self.word
        if token.kind != "number" or not token.text.isdigit() or not 1 <= int(token.text) <= most:
            self.refuse(f"<1 ... {most}>")
        return int(self.next())

    def column(self) -> Arithmetic:
        """Read the name of a column."""
        if self.word.kind != "name" or self.calls:
            self.refuse("<column>")
        return Arithmetic("column", self.next())
