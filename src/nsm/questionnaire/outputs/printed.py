"""The questionnaire on paper: one page of HTML that prints, with the arrows of the skips."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsm.condition import Condition
from nsm.language import said as in_words
from nsm.questionnaire.model import Question, Section
from nsm.questionnaire.outputs.codebook import codebook, labels, limits, missing
from nsm.questionnaire.outputs.numbers import module_letters, numbers, printed
from nsm.questionnaire.outputs.skips import skips
from nsm.questionnaire.outputs.words import Words
from nsm.questionnaire.xpath import PLACEHOLDER

if TYPE_CHECKING:
    import jinja2

    from nsm.questionnaire.questionnaire import Questionnaire

LONG_LIST = 24  # codes; longer lists stand once at the end
BOXES = 8  # at most, for the digits of a number
_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Answer:
    """A code on paper: its label, and where it leads."""

    code: str
    label: str
    arrow: str = ""
    missing: bool = False


@dataclass(frozen=True)
class Item:
    """A question on paper."""

    number: str
    text: str
    hint: str
    kind: str
    when: str
    answers: list[Answer] = field(default_factory=list)
    list: str = ""
    limits: str = ""
    boxes: int = 0
    protocol: str = ""


@dataclass(frozen=True)
class Block:
    """A section on paper; `roster` is what each sheet is for."""

    title: str
    letter: str
    depth: int
    when: str
    roster: bool
    items: list[Item | Block]
    hint: str = ""


def printed_form(form: Questionnaire, language: str) -> str:
    """Return the printable questionnaire as HTML that needs nothing else."""
    writer = _Paper(form, language)
    blocks = [block for s in form.contents if (block := writer.section(s, 0)) is not None]
    return _render(
        "printed.html",
        form=form,
        language=language,
        title=form.text("title", language),
        blocks=blocks,
        lists=writer.lists(),
    )


def codebook_page(form: Questionnaire, language: str) -> str:
    """Return the codebook as HTML."""
    table = codebook(form, language)
    modules = {
        module: table[table["module"] == module].to_dict("records")
        for module in dict.fromkeys(table["module"])
    }
    return _render(
        "codebook.html",
        form=form,
        language=language,
        title=form.text("title", language),
        modules={form.text(name, language): rows for name, rows in modules.items()},
    )


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_DATA), autoescape=True, undefined=jinja2.StrictUndefined
    )


def _render(name: str, **values: Any) -> str:
    language = values["language"]
    environment = _environment()

    def say(text: str, **more: object) -> str:
        said = in_words(text, language)
        return said.format(**more) if more else said

    return environment.get_template(name).render(say=say, **values)


class _Paper:
    """Writes the sections of a form in one language."""

    def __init__(self, form: Questionnaire, language: str) -> None:
        self.form, self.language = form, language
        self.numbers = numbers(form)
        self.letters = module_letters(form)
        self.words = Words(form, language, self.numbers)
        self.long: dict[str, None] = {}
        self.arrows = {(s.question, str(s.code)): self._arrow(s.to) for s in skips(form)}

    def _arrow(self, to: str | None) -> str:
        return self.numbers[to] if to else in_words("end", self.language)

    def section(self, section: Section, depth: int) -> Block | None:
        """Return a section, or None if nothing of it is printed."""
        parts: list[Item | Block] = []
        for part in section.contents:
            if isinstance(part, Section):
                inner = self.section(part, depth + 1)
                parts += [inner] if inner is not None else []
            elif printed(part):
                parts.append(self._item(part))
        if not parts:
            return None
        letter = self.letters.get(section.name, "") if section.kind == "module" else ""
        return Block(
            self._text(section.name),
            letter,
            depth,
            self._when(section.ask),
            section.kind == "roster",
            parts,
            self._hint(section.name),
        )

    def _when(self, ask: Condition | None) -> str:
        return "" if ask is None else self.words.say(ask)

    def _text(self, key: str) -> str:
        """Return a text; what it shows of other answers stands in brackets."""
        text = self.form.text(key, self.language)
        return PLACEHOLDER.sub(lambda found: self._blank(found.group(1)), text)

    def _blank(self, name: str) -> str:
        number = self.numbers.get(name)
        return f"[{number}]" if number else "[…]"

    def _hint(self, key: str) -> str:
        key = f"{key}.hint"
        return self._text(key) if self.form.texts[self.language].get(key) else ""

    def _item(self, question: Question) -> Item:
        named = [*labels(self.form, question, self.language)]
        absent = missing(self.form, question, self.language)
        shared = len(named) > LONG_LIST and bool(question.list)
        if shared:
            self.long[str(question.list)] = None
        shown = [] if shared else named
        answers = [self._answer(question, code, label) for code, label in shown]
        answers += [
            self._answer(question, code, label, absent=True)
            for code, label in absent
            if not (shared and code in {c for c, _ in named})
        ]
        said = question.name in self.form.texts[self.language]
        day = in_words("Date of the interview", self.language)
        return Item(
            self.numbers.get(question.name, ""),
            self._text(question.name) if said or question.type != "today" else day,
            self._hint(question.name),
            self._kind(question),
            self._when(question.own),
            answers,
            str(question.list) if shared else "",
            limits(question),
            self._boxes(question),
            str(question.about.get("protocol", "")) if question.about.get("sensitive") else "",
        )

    def _answer(self, question: Question, code: str, label: str, *, absent: bool = False) -> Answer:
        arrow = self.arrows.get((question.name, code), "")
        return Answer(code, label, arrow, absent)

    @staticmethod
    def _kind(question: Question) -> str:
        if question.type == "note":
            return "note"
        if question.type in {"one", "boolean", "many"}:
            return "many" if question.type == "many" else "one"
        return "number" if question.kind == "number" else "line"

    @staticmethod
    def _boxes(question: Question) -> int:
        if question.type == "position":
            return 2
        if question.kind != "number" or question.type in {"one", "boolean"}:
            return 0
        ends = [len(str(int(limit))) for limit in question.range if limit is not None]
        return min(BOXES, max([*ends, *(len(str(code)) for code in question.missing), 1]))

    def lists(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return the long lists that questions refer to."""
        return [
            (
                name,
                [
                    (str(code.code), self.form.text(f"{name}: {code.code}", self.language))
                    for code in self.form.lists[name].codes
                ],
            )
            for name in self.long
        ]
