"""From YAML to a questionnaire; what is wrong inside becomes a finding, so all is said at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nsm.condition import Condition, every, parse
from nsm.errors import ConditionError, QuestionnaireError, nearest
from nsm.questionnaire.extract import chosen
from nsm.questionnaire.findings import Finding
from nsm.questionnaire.library import Library
from nsm.questionnaire.model import (
    CODED,
    TYPES,
    Answer,
    CodeList,
    Question,
    Rule,
    Section,
    Table,
)

SURVEY_KEYS = (
    "name",
    "version",
    "country",
    "languages",
    "constants",
    "tables",
    "table",
    "contents",
    "frame",
    "indicators",
    "interviewed",
    "invited",
    "weighting",
    "routes",
    "limits",
    "note",
)
SECTION_KEYS = (
    "module",
    "group",
    "roster",
    "of",
    "table",
    "ask",
    "count",
    "contents",
    "links",
    "only",
)
MODULE_KEYS = ("table", "ask", "questions", "rules", "lists", "about", "links")
GROUP_KEYS = ("group", "ask", "questions", "about", "show")
ABOUT_KEYS = (
    "concept",
    "standard",
    "universe",
    "period",
    "sensitive",
    "protocol",
    "proxy",
    "sdg",
    "note",
)
QUESTION_KEYS = (
    "name",
    "type",
    "list",
    "ask",
    "filter",
    "range",
    "missing",
    "required",
    "refuse",
    "doubt",
    "value",
    "cases",
    "otherwise",
    "pattern",
    "assigned",
    *ABOUT_KEYS,
)
RULE_KEYS = ("name", "refuse", "doubt", "at")
DEFAULT_TABLES = {
    "dwellings": {"unit": "dwelling", "key": "dwelling", "of": "area"},
    "households": {
        "unit": "household",
        "key": "household",
        "of": "dwelling",
        "position": "household_number",
    },
    "persons": {"unit": "person", "key": "person", "of": "household", "position": "line"},
}
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass
class Draft:
    """What has been read so far."""

    library: Library
    constants: dict[str, Answer]
    lists: dict[str, CodeList]
    rules: list[Rule] = field(default_factory=list)
    questions: dict[str, Question] = field(default_factory=dict)

    def note(self, code: str, where: str, message: str, **values: object) -> None:
        """Keep a finding; its message stands in the catalog of the caller."""
        self.library.problems.append(Finding(code, where, message, **values))

    def condition(self, where: str, text: object) -> Condition | None:
        """Read a condition with the survey's constants in place."""
        if text is None:
            return None
        said = str(text).lower() if isinstance(text, bool) else str(text)
        try:
            return parse(said.strip()).bind(self.constants)
        except ConditionError as error:
            self.library.problems.append(
                Finding(
                    "Q207",
                    where,
                    "The condition cannot be read. {reason}",
                    reason=error,
                )
            )
            return None

    def number(self, where: str, value: object) -> float | None:
        """Read a limit: a number, or the name of a constant that is one."""
        said = self.constants.get(value, value) if isinstance(value, str) else value
        if said is None or (isinstance(said, int | float) and not isinstance(said, bool)):
            return said
        self.library.problems.append(
            Finding(
                "Q209",
                where,
                "{value!r} is neither a number nor a constant of the survey. {hint}",
                value=value,
                hint=nearest(value, self.constants) if self.constants else "",
            )
        )
        return None


@dataclass(frozen=True)
class Place:
    """Where in the form a part stands."""

    module: str
    table: str
    asks: tuple[Condition, ...] = ()
    sections: tuple[str, ...] = ()
    rosters: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    def below(self, name: str, ask: Condition | None, **more: Any) -> Place:
        """Return the place inside a section."""
        asks = self.asks if ask is None else (*self.asks, ask)
        return replace(self, asks=asks, sections=(*self.sections, name), **more)


def read_contents(draft: Draft, entries: Iterable[Any], place: Place) -> tuple[Section, ...]:
    """Read the order of a survey: modules, groups and rosters."""
    return tuple(_entry(draft, entry, place) for entry in entries or ())


def _entry(draft: Draft, entry: Any, place: Place) -> Section:
    if isinstance(entry, str):
        entry = {"module": entry}
    if not isinstance(entry, dict) or not set(entry) & {"module", "group", "roster"}:
        raise QuestionnaireError(
            "survey.yaml: an entry of `contents` names a module, a group or a roster, not {entry}.",
            entry=str(entry),
        )
    draft.library.known_keys("survey.yaml", entry, SECTION_KEYS)
    if "module" in entry:
        return _module(draft, str(entry["module"]), entry, place)
    kind = "roster" if "roster" in entry else "group"
    name = str(entry[kind])
    where = f"survey.yaml: {name}"
    ask, count = (draft.condition(where, entry.get(key)) for key in ("ask", "count"))
    table = entry.get("table", place.table)
    rosters = (*place.rosters, name) if kind == "roster" else place.rosters
    inside = place.below(name, ask, table=table, rosters=rosters, module=name)
    contents = read_contents(draft, entry.get("contents", ()), inside)
    links = entry.get("links") or {}
    return Section(name, kind, contents, table, ask, of=entry.get("of"), count=count, links=links)


def _module(draft: Draft, name: str, entry: dict[str, Any], place: Place) -> Section:
    content = draft.library.module(name)
    where = f"modules/{name}.yaml"
    draft.library.known_keys(where, content, MODULE_KEYS)
    if "only" in entry:
        content = chosen(content, name, [str(each) for each in entry["only"]])
    for key, codes in (content.get("lists") or {}).items():
        draft.library.add_list(draft.lists, key, codes, where)
    asks = [draft.condition(where, each.get("ask")) for each in (entry, content)]
    both = [ask for ask in asks if ask is not None]
    about = _about(draft, where, content.get("about") or {})
    table = entry.get("table") or content.get("table") or place.table
    inside = replace(place, module=name, table=table, about=about, asks=(*place.asks, *both))
    inside = replace(inside, sections=(*place.sections, name))
    parts = _questions(draft, content.get("questions") or (), inside)
    for rule in content.get("rules") or ():
        _rule(draft, rule, inside)
    ask = every(both) if both else None
    return Section(name, "module", parts, table, ask, name, about=about)


def _about(draft: Draft, where: str, content: dict[str, Any]) -> dict[str, Any]:
    draft.library.known_keys(where, content, ABOUT_KEYS)
    return content


def _questions(
    draft: Draft, entries: Iterable[Any], place: Place
) -> tuple[Section | Question, ...]:
    found: list[Section | Question] = []
    for entry in entries:
        if not isinstance(entry, dict):
            draft.note(
                "Q209",
                f"modules/{place.module}.yaml",
                "A question is written as `name: ...` with its type, not as {value!r}.",
                value=str(entry),
            )
        elif "group" in entry:
            found.append(_group(draft, entry, place))
        else:
            found.append(_question(draft, entry, place))
    return tuple(found)


def _group(draft: Draft, entry: dict[str, Any], place: Place) -> Section:
    name = str(entry["group"])
    where = f"{place.module}.{name}"
    draft.library.known_keys(where, entry, GROUP_KEYS)
    ask = draft.condition(where, entry.get("ask"))
    about = {**place.about, **_about(draft, where, entry.get("about") or {})}
    inside = replace(place.below(name, ask), about=about)
    parts = _questions(draft, entry.get("questions") or (), inside)
    shown = {"show": entry["show"]} if "show" in entry else {}
    return Section(name, "group", parts, place.table, ask, place.module, about={**about, **shown})


def _pattern(draft: Draft, where: str, text: str | None) -> str | None:
    """Return a pattern with the survey's constants in place: `[0-9]{area_digits}`."""
    if text is None:
        return None

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name in draft.constants:
            return f"{{{draft.constants[name]}}}"
        draft.note(
            "Q209",
            where,
            "The pattern names {name!r}, which is no constant of the survey. Add it to `constants` "
            "in survey.yaml.",
            name=name,
        )
        return "+"

    return re.sub(r"\{([A-Za-z_]\w*)\}", value, str(text))


def _question(draft: Draft, entry: dict[str, Any], place: Place) -> Question:
    name = str(entry.get("name", ""))
    where = f"{place.module}.{name}"
    draft.library.known_keys(where, entry, QUESTION_KEYS)
    kind = str(entry.get("type", ""))
    if kind not in TYPES:
        draft.note(
            "Q209",
            where,
            "There is no type {value!r}. {hint}",
            value=kind,
            hint=nearest(kind, TYPES),
        )
        kind = "text"
    own = draft.condition(where, entry.get("ask"))
    question = Question(
        name,
        kind,
        place.module,
        place.table,
        asks=place.asks if own is None else (*place.asks, own),
        own=own,
        list=_listed(draft, where, kind, entry.get("list")),
        range=_range(draft, where, entry.get("range")),
        missing=_missing(draft, where, entry.get("missing")),
        required=entry.get("required", True) is True,
        filter=draft.condition(where, entry.get("filter")),
        value=draft.condition(where, entry.get("value")),
        cases=_cases(draft, where, entry.get("cases")),
        otherwise=entry.get("otherwise"),
        pattern=_pattern(draft, where, entry.get("pattern")),
        assigned=entry.get("assigned", False) is True,
        sections=place.sections,
        rosters=place.rosters,
        about={**place.about, **{key: entry[key] for key in ABOUT_KEYS if key in entry}},
    )
    draft.questions.setdefault(name, question)
    for key in ("refuse", "doubt"):
        if key in entry:
            _rule(draft, {"name": f"{name}.{key}", key: entry[key], "at": name}, place)
    return question


def _listed(draft: Draft, where: str, kind: str, name: Any) -> str | None:
    if kind in CODED and not name:
        draft.note("Q408", where, "A question of type {kind} needs a `list` of codes.", kind=kind)
    elif name and name not in draft.lists:
        draft.note(
            "Q205",
            where,
            "There is no code list {name!r}. {hint}",
            name=name,
            hint=nearest(name, draft.lists),
        )
    return str(name) if name in draft.lists else None


def _range(draft: Draft, where: str, limits: Any) -> tuple[float | None, float | None]:
    if limits is None:
        return None, None
    if not isinstance(limits, list) or len(limits) != 2:
        draft.note(
            "Q209", where, "A range is written [lowest, highest], not {value!r}.", value=str(limits)
        )
        return None, None
    return draft.number(where, limits[0]), draft.number(where, limits[1])


def _missing(draft: Draft, where: str, content: Any) -> dict[int, str]:
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, int) for key in content):
        draft.note(
            "Q209",
            where,
            "Codes for missing answers are written {{98: dont_know}}, not {value!r}.",
            value=str(content),
        )
        return {}
    return {int(code): str(why) for code, why in content.items()}


def _cases(draft: Draft, where: str, content: Any) -> tuple[tuple[Answer, Condition], ...]:
    read = [(code, draft.condition(where, text)) for code, text in (content or {}).items()]
    return tuple((code, case) for code, case in read if case is not None)


def _rule(draft: Draft, entry: dict[str, Any], place: Place) -> None:
    where = f"{place.module}.{entry.get('name', '')}"
    draft.library.known_keys(where, entry, RULE_KEYS)
    for key, severity in (("refuse", "error"), ("doubt", "warning")):
        when = draft.condition(where, entry.get(key))
        if when is not None:
            draft.rules.append(
                Rule(
                    str(entry.get("name", "")),
                    when,
                    severity,
                    place.module,
                    place.table,
                    entry.get("at"),
                    place.rosters,
                )
            )


def read_tables(content: Mapping[str, Any]) -> dict[str, Table]:
    """Read the levels of the data."""
    return {
        name: Table(
            name,
            each.get("unit", name),
            each.get("key", name),
            each.get("of"),
            each.get("position"),
        )
        for name, each in (content.get("tables") or DEFAULT_TABLES).items()
    }
