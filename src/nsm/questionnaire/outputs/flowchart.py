"""The routing as a picture: questions from top to bottom, and an arc for every skip."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from nsm.language import said as in_words
from nsm.questionnaire.model import Question
from nsm.questionnaire.outputs.codebook import plain_label
from nsm.questionnaire.outputs.numbers import module_letters, numbers, printed
from nsm.questionnaire.outputs.skips import Skip, skips
from nsm.questionnaire.outputs.words import Words

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

ROW, WIDTH, LEFT, GAP, PAGE = 46, 430, 40, 18, 2_600
LONGEST = 58  # letters of a question in its box
_STYLE = """
text{font:12px "Liberation Sans","Helvetica Neue",Arial,sans-serif;fill:#1a2530}
.m{font-weight:700;font-size:14px;fill:#0b5c7a}.n{font-weight:700;fill:#0b5c7a}
.w{font-size:10px;fill:#4b5a66}.b{fill:#fff;stroke:#9aa7b2}.c{fill:#eef2f5;stroke:#0b5c7a}
.f{stroke:#9aa7b2;fill:none}.s{stroke:#b4531a;fill:none;stroke-width:1.3}.l{font-size:10px;fill:#b4531a}
"""


@dataclass(frozen=True)
class _Arc:
    first: int
    last: int
    label: str
    lane: int = 0


def flowchart(form: Questionnaire, language: str) -> str:
    """Return the routing as one SVG: a column for each module, boxes for its questions.

    A shaded box has a condition, which stands below its text. An arc leads from a question to the
    one that an answer goes to; arcs out of the module end below it.
    """
    drawn = _Chart(form, language)
    shown = [q for q in form.every_question if printed(q) and q.held]
    modules = [(name, list(group)) for name, group in groupby(shown, key=lambda q: q.module)]
    parts: list[str] = []
    left, top, height, widest = LEFT, 0, 0, 0
    for name, questions in modules:
        column, width = drawn.column(name, questions)
        if left + width > PAGE and left > LEFT:
            left, top, height = LEFT, top + height, 0
        parts.append(f'<g transform="in_words({left} {top})">{column}</g>')
        left += width + GAP
        widest = max(widest, left)
        height = max(height, (len(questions) + 2) * ROW + 60)
    height += top
    title = escape(form.text("title", language))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" '
        f'width="{widest}" height="{height}" viewBox="0 0 {widest} {height}"><title>{title}</title>'
        f'<style>{_STYLE}</style><defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#b4531a"/>'
        f"</marker></defs>{''.join(parts)}</svg>\n"
    )


class _Chart:
    def __init__(self, form: Questionnaire, language: str) -> None:
        self.form, self.language = form, language
        self.numbers = numbers(form)
        self.letters = module_letters(form)
        self.words = Words(form, language, self.numbers)
        self.skips: dict[str, list[Skip]] = {}
        for skip in skips(form):
            self.skips.setdefault(skip.question, []).append(skip)

    def column(self, module: str, questions: list[Question]) -> tuple[str, int]:
        """Return a module as SVG, and its width."""
        title = f"{self.letters[module]} {self.form.text(module, self.language)}"
        parts = [f'<text class="m" x="0" y="30">{escape(_short(title))}</text>']
        parts += [self._box(q, 50 + place * ROW) for place, q in enumerate(questions)]
        for place in range(len(questions) - 1):
            y = 50 + place * ROW + 36
            parts.append(f'<path class="f" d="M20 {y}v{ROW - 36}"/>')
        arcs = _laned(self._arcs(questions))
        for arc in arcs:
            bend = WIDTH + 24 + arc.lane * 64
            y, to = 68 + arc.first * ROW, 68 + arc.last * ROW
            parts.append(
                f'<path class="s" marker-end="url(#a)" d="M{WIDTH} {y}H{bend}V{to}H{WIDTH + 2}"/>'
                f'<text class="l" x="{bend - 20}" y="{y - 4}">{escape(arc.label)}</text>'
            )
        lanes = max((arc.lane for arc in arcs), default=-1) + 1
        if any(arc.last == len(questions) for arc in arcs):
            end = in_words("end of the module", self.language)
            y = 72 + len(questions) * ROW
            parts.append(f'<text class="w" x="8" y="{y}">■ {escape(end)}</text>')
        return "".join(parts), WIDTH + 30 + lanes * 64

    def _box(self, question: Question, top: int) -> str:
        text = _short(plain_label(self.form, question, self.language))
        when = "" if question.own is None else self.words.say(question.own)
        said = (
            f'<text class="w" x="48" y="{top + 30}">{escape(_short(when, 72))}</text>'
            if when
            else ""
        )
        kind = "c" if when else "b"
        middle = top + (16 if when else 22)
        return (
            f'<rect class="{kind}" x="0" y="{top}" width="{WIDTH}" height="36" rx="4"/>'
            f'<text class="n" x="8" y="{middle}">{self.numbers[question.name]}</text>'
            f'<text x="48" y="{middle}">{escape(text)}</text>{said}'
        )

    def _arcs(self, questions: list[Question]) -> list[_Arc]:
        place = {q.name: number for number, q in enumerate(questions)}
        found = []
        for question in questions:
            by_target: dict[int, list[str]] = {}
            for skip in self.skips.get(question.name, ()):
                to = place.get(skip.to, len(questions)) if skip.to else len(questions)
                if to > place[question.name] + 1 or to == len(questions):
                    by_target.setdefault(to, []).append(str(skip.code))
            for to, codes in by_target.items():
                label = ",".join(codes[:2]) + ("…" if len(codes) > 2 else "")
                found.append(_Arc(place[question.name], to, _short(label, 16)))
        return found


def _laned(arcs: list[_Arc]) -> list[_Arc]:
    """Give each arc a lane in which it crosses no other."""
    ends: list[int] = []
    found = []
    for arc in sorted(arcs, key=lambda a: (a.first, a.last)):
        lane = next((n for n, last in enumerate(ends) if last < arc.first), len(ends))
        if lane == len(ends):
            ends.append(arc.last)
        ends[lane] = arc.last
        found.append(_Arc(arc.first, arc.last, arc.label, lane))
    return found


def _short(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
