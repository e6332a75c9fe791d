"""The price list of a survey: what a proposal needs and no sampling frame knows.

A line has a unit price, and a quantity that is an expression of the plan's quantities (`areas`,
`households`, `person_days` ...), so that the budget follows the plan.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from nsm.errors import nearest
from nsm.simulation.section import Section, read_toml

Text = Mapping[str, str]

ARITHMETIC = re.compile(r"[A-Za-z_0-9.+\-*/() ]+")
_CODE = re.compile(r"[A-Za-z0-9_-]+")


class Team(NamedTuple):
    """A team, and what it does in a day.

    Parameters
    ----------
    teams
        To be had.
    interviewers
        In a team, beside its supervisor.
    households, interviews
        Screened, and interviewed in depth, by one interviewer in a day.
    speed, hours, days
        Of travel, km in an hour; of a working day; of a working week.
    detour
        Length of a road over the straight line between its ends.
    """

    teams: int
    interviewers: int
    households: float
    interviews: float
    speed: float
    hours: float
    days: float
    detour: float


class Phase(NamedTuple):
    """A phase of the calendar: how long it lasts, and the phases that it follows."""

    key: str
    name: Text
    weeks: str
    after: tuple[str, ...]


class Existing(NamedTuple):
    """A household survey that is there: its size, and its design effect for migrants."""

    name: Text
    households: float
    deff: float


class Line(NamedTuple):
    """One line of a price list."""

    code: str
    chapter: str
    item: Text
    unit: Text
    price: float
    quantity: str
    phase: str
    funder: str
    in_kind: bool


@dataclass(frozen=True)
class Prices:
    """A price list.

    Parameters
    ----------
    currency
        Its sign.
    contingency
        Share of all that is paid in money.
    exchange
        Another currency -> what one unit of it costs in this one.
    start
        First day of the first phase.
    training_days
        Days of training of the field staff.
    quantities
        Further quantities: name -> expression of the plan's and of those before it.
    texts
        Paragraphs of the office's own: `background`, `ethics`.
    planning
        Of the questions of planning: `overlap` of the areas with the last round, `correlation` of
        their counts, CV `before`, `power`, `homogeneity` of answers.
    existing
        The household survey that could be enlarged instead.
    """

    currency: str
    contingency: float
    exchange: Mapping[str, float]
    team: Team
    start: date
    training_days: float
    quantities: Mapping[str, str]
    chapters: Mapping[str, Text]
    funders: Mapping[str, Text]
    phases: Mapping[str, Phase]
    lines: tuple[Line, ...]
    texts: Mapping[str, Text]
    planning: Mapping[str, float]
    existing: Existing | None
    file: str


def read_prices(path: str | os.PathLike[str]) -> Prices:
    """Read a price list.

    Raises
    ------
    FileError, ConfigError
        It is not there or no TOML; there are no lines; a line has no price, or names a chapter, a
        phase or a funder that is not there; a key has no meaning.
    """
    whole = read_toml(path)
    head = whole.part("budget")
    chapters, funders = (_names(whole.part(key)) for key in ("chapters", "funders"))
    phases = _phases(whole)
    calendar = whole.part("calendar")
    start = calendar.get("start")
    if not isinstance(start, date):
        calendar.refuse("start", "{file}: {key} must be a date such as 2027-01-11, not {value!r}.")
    known: dict[str, Mapping[str, object]] = {
        "chapter": chapters,
        "phase": phases,
        "funder": funders,
    }
    made = Prices(
        currency=head.text("currency"),
        contingency=head.share("contingency", 0.0),
        exchange=head.named("exchange", default={}),
        team=_team(whole.part("team")),
        start=start,
        training_days=whole.part("training").number("days"),
        quantities={k: _expression(whole.part("quantities", {}), k) for k in _own(whole)},
        chapters=chapters,
        funders=funders,
        phases=phases,
        lines=_lines(whole, known),
        texts=_names(whole.part("texts", {})),
        planning=_planning(whole.part("planning", {})),
        existing=_existing(whole.part("existing_survey")) if "existing_survey" in whole else None,
        file=whole.file,
    )
    for part in (head, calendar, whole):
        part.close()
    return made


def _planning(part: Section) -> dict[str, float]:
    made = {
        key: part.number(key, low=-1.0 if key == "correlation" else 0.0, high=1.0)
        for key in ("overlap", "correlation", "before", "power", "homogeneity")
        if key in part
    }
    part.close()
    return made


def _existing(part: Section) -> Existing:
    made = Existing(
        _text(part, "name"),
        part.number("households", low=1.0),
        part.number("deff", low=0.01),
    )
    part.close()
    return made


def _own(whole: Section) -> list[str]:
    return [*whole.part("quantities", {}).values]


def _names(part: Section) -> dict[str, Text]:
    return {key: _text(part, key) for key in part.values}


def _text(part: Section, key: str) -> Text:
    """Return a text by language: a table of languages, or one text for all."""
    value = part.get(key)
    if isinstance(value, str):
        return {"en": value, "es": value}
    words = part.part(key)
    return {language: words.text(language) for language in words.values}


def _expression(part: Section, key: str) -> str:
    """Return a number or an arithmetic expression of quantities, as text."""
    value = part.get(key)
    text = str(value)
    if isinstance(value, bool) or not ARITHMETIC.fullmatch(text):
        part.refuse(
            key,
            "{file}: {key} must be a number or an expression of quantities with + - * / and "
            "parentheses, not {value!r}.",
        )
    return text


def _team(part: Section) -> Team:
    made = Team(
        teams=part.whole("teams", low=1),
        interviewers=part.whole("interviewers", low=1),
        households=part.number("households", low=0.01),
        interviews=part.number("interviews", low=0.01),
        speed=part.number("speed", 40.0, low=1.0),
        hours=part.number("hours", 8.0, low=1.0, high=24.0),
        days=part.number("days", 5.0, low=1.0, high=7.0),
        detour=part.number("detour", 1.35, low=1.0),
    )
    part.close()
    return made


def _phases(whole: Section) -> dict[str, Phase]:
    made: dict[str, Phase] = {}
    for part in whole.parts("phases"):
        key = part.text("key")
        after = part.texts("after", [*made][-1:])
        for name in after:
            _require(part, "after", name, made)
        made[key] = Phase(key, _text(part, "name"), _expression(part, "weeks"), after)
        part.close()
    if not made:
        whole.refuse("phases", "{file}: {key} is empty: a calendar needs a phase.")
    return made


def _lines(whole: Section, known: Mapping[str, Mapping[str, object]]) -> tuple[Line, ...]:
    parts = whole.parts("lines")
    if not parts:
        whole.refuse("lines", "{file}: {key} is empty: a budget needs prices.")
    lines = [_line(part, known) for part in parts]
    codes = [line.code for line in lines]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        whole.refuse("lines", "{file}: {key} has the codes {twice} twice.", twice=twice)
    return tuple(lines)


def _line(part: Section, known: Mapping[str, Mapping[str, object]]) -> Line:
    chosen = {key: _require(part, key, part.text(key), names) for key, names in known.items()}
    code = part.text("code")
    if not _CODE.fullmatch(code):
        part.refuse("code", "{file}: {key} must be letters, digits, - and _, not {value!r}.")
    if "price" not in part:
        part.refuse("price", "{file}: {key} is missing: line {code!r} has no price.", code=code)
    made = Line(
        code=code,
        item=_text(part, "item"),
        unit=_text(part, "unit"),
        price=part.number("price"),
        quantity=_expression(part, "quantity"),
        in_kind=bool(part.get("in_kind", False)),
        **chosen,
    )
    part.close()
    return made


def _require(part: Section, key: str, name: str, known: Mapping[str, object]) -> str:
    if name not in known:
        part.refuse(
            key,
            "{file}: {key} is {name!r}, which is not known. {hint}",
            name=name,
            hint=nearest(name, known),
        )
    return name
