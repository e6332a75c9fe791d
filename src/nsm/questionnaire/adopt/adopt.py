"""From an XLSForm to a folder: survey.yaml, modules, code lists, and texts of each language."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from nsm.errors import ConditionError, OptionError
from nsm.files import write_text
from nsm.questionnaire.adopt.answers import (
    DEVICE,
    Adoption,
    calculated,
    calculation,
    constraint,
    known,
    plain,
    shape,
)
from nsm.questionnaire.adopt.conditions import Answerable, link_of
from nsm.questionnaire.adopt.tree import Part, tree
from nsm.questionnaire.adopt.workbook import Line, Workbook, read_workbook
from nsm.questionnaire.adopt.xpath import Call, Ref, read_xpath
from nsm.questionnaire.findings import table
from nsm.questionnaire.xlsform import limit_messages

if TYPE_CHECKING:
    import pandas as pd

_COPY = re.compile(r"indexed-repeat\(\$\{(\w+)\}, \$\{\w+\}, position\(")
_SHOWN = re.compile(r"\$\{([A-Za-z_]\w*)\}")
ROOT = "submissions"
YES = {"yes", "true", "true()", "1"}


def adopt_xlsform(
    path: str | os.PathLike[str], folder: str | os.PathLike[str], language: str = "en"
) -> pd.DataFrame:
    """Write an XLSForm as a questionnaire of its own, to be reviewed and checked.

    A code that a constraint lets in beside the range (`. = 998`) is taken for a missing answer; a
    repeat with `repeat_count` `count(${other})` for a second pass over `other`. Each repeat becomes
    a table of the data.

    Parameters
    ----------
    folder
        Where the questionnaire goes; it must be new or empty.
    language
        Of the findings.

    Returns
    -------
    Findings on what has no words here: `code, severity, where, count, message, examples`. Concepts,
    standards, protocols and indicators are not in an XLSForm: `check` says where they lack.

    Raises
    ------
    FileError, QuestionnaireError
        It is no XLSForm.
    OptionError
        The folder is not empty.
    """
    target = Path(folder)
    if target.exists() and any(target.iterdir()):
        raise OptionError(
            "Folder {folder} is not empty; nothing was written. Name a new folder for the form.",
            folder=str(folder),
        )
    made = _Source(read_workbook(path))
    for name, content in made.files(Path(path).stem).items():
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)
        write_text(text, target / name)
    return table(made.adoption.findings, language)


class _Source:
    """Writes the source of a form."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        lists: dict[str, list[str]] = {}
        for line in book.choices:
            lists.setdefault(line["list_name"], []).append(line["name"])
        self.adoption = Adoption(lists)
        self.texts: dict[str, dict[str, Any]] = {each: {} for each in book.languages}
        self.modules: dict[str, dict[str, Any]] = {}
        self.tables: dict[str, dict[str, str]] = {}
        self.used: dict[str, None] = {}
        self.last = ""  # the question that a note stands under
        for line in book.survey:
            self._know(line)
        self.root = tree(book.survey)

    def _know(self, line: Line) -> None:
        kind, name = line["type"], line["name"]
        copy = _COPY.match(line["calculation"])
        if copy:
            self.adoption.copies[name] = copy.group(1)
        if kind in {"begin_repeat", "begin repeat"}:
            self.adoption.rosters[name] = self._visits(line) or name
        elif name and not kind.startswith(("end", "begin")):
            found = known(self.adoption, line)
            if line["calculation"].startswith("pulldata("):
                found = self._assigned(name)
            self.adoption.kinds[name] = found

    def _assigned(self, name: str) -> Answerable:
        """Return what conditions say of an answer that comes with the assignment."""
        compared = re.compile(r"\$\{" + name + r"\} (?:!?=|[<>]=?) (\d+)")
        numbers = {
            number
            for line in self.book.survey
            for cell in line.cells.values()
            for number in compared.findall(cell)
        }
        if not numbers:
            return Answerable("text")
        return Answerable("boolean" if numbers <= {"0", "1"} else "integer", numbers=True)

    def _visits(self, line: Line) -> str | None:
        """Return the repeat whose rows this one visits again."""
        if not line["repeat_count"]:
            return None
        read = self.adoption.attempt(line, "repeat_count", lambda: read_xpath(line["repeat_count"]))
        match read:
            case Call(name="count", parts=(Ref(name=name),)) if name in self.adoption.rosters:
                return self.adoption.rosters[name]
            case _:
                return None

    def files(self, stem: str) -> dict[str, dict[str, Any]]:
        """Return file -> content."""
        contents = self._contents(self.root, ROOT, "main")
        root = self.adoption.key or "submission"
        name = self.book.settings.get("form_id") or stem
        survey: dict[str, Any] = {
            "name": re.sub(r"\W", "_", name),
            "version": self.book.settings.get("version") or "1",
            "languages": list(self.book.languages),
            "table": ROOT,
            "tables": {ROOT: {"unit": "submission", "key": root}}
            | {k: v | {"of": root} if v["of"] == ROOT else v for k, v in self.tables.items()},
            "contents": contents,
        }
        title = self.book.settings.get("form_title") or name
        made: dict[str, dict[str, Any]] = {"survey.yaml": survey}
        for module, content in self.modules.items():
            made[f"modules/{module}.yaml"] = content
        made["codes/codes.yaml"] = self._lists()
        for language in self.book.languages:
            made[f"i18n/{language}.yaml"] = {"title": title} | self.texts[language]
            made[f"i18n/{language}/codes.yaml"] = self._labels(language)
        return made

    def _contents(self, part: Part, table: str, name: str) -> list[Any]:
        """Return the contents of a section that may hold repeats."""
        found: list[Any] = []
        loose: list[Part | Line] = []
        for each in part.parts:
            if isinstance(each, Part) and (each.kind == "repeat" or each.repeats):
                found += self._loose(loose, name, table)
                loose = []
                found.append(self._section(each, table))
            elif isinstance(each, Part):
                found += self._loose(loose, name, table)
                loose = []
                found.append(self._module(each.name, each.line, each.parts, table))
            else:
                loose.append(each)
        return found + self._loose(loose, name, table)

    def _loose(self, parts: list[Part | Line], name: str, table: str) -> list[str]:
        """Return the module that holds questions which stand in no group."""
        kept = [part for part in parts if not self._beside(part)]
        if not kept:
            return []
        known_names = {*self.modules, *self.adoption.kinds, *self.adoption.rosters}
        module, number = name, 1
        while module in known_names:
            number += 1
            module = f"{name}_{number}"
        head = Line(0, {"name": module}, {"label": dict.fromkeys(self.book.languages, module)})
        return [self._module(module, head, kept, table)]

    def _beside(self, part: Part | Line) -> bool:
        """Whether a row leaves no question: what a device notes, and copies of the first pass."""
        if isinstance(part, Part):
            return False
        return part["type"].split()[0] in DEVICE or part["name"] in self.adoption.copies

    def _section(self, part: Part, table: str) -> dict[str, Any]:
        self._label(part.name, part.line)
        entry: dict[str, Any] = {"roster" if part.kind == "repeat" else "group": part.name}
        if ask := self.adoption.condition(part.line, "relevant"):
            entry["ask"] = ask
        if part.kind == "group":
            return entry | {"contents": self._contents(part, table, f"{part.name}_main")}
        visited = self.adoption.rosters[part.name]
        own = visited if visited != part.name else part.name
        if visited != part.name:
            entry["of"] = visited
        elif part.line["repeat_count"]:
            count = self.adoption.attempt(
                part.line,
                "repeat_count",
                lambda: _written(self.adoption, part.line["repeat_count"]),
            )
            entry |= {"count": count} if count else {}
        entry["table"] = own
        if own not in self.tables:
            above = ROOT if table == ROOT else f"{table}_key"
            self.tables[own] = {"unit": own, "key": f"{own}_key", "of": above}
        entry["contents"] = self._contents(part, own, f"{part.name}_main")
        links = {link_of(p): p for p in sorted(self.adoption.links) if self._holds(part, p)}
        return entry | ({"links": links} if links else {})

    def _holds(self, part: Part, name: str) -> bool:
        return any(
            self._holds(p, name) if isinstance(p, Part) else p["name"] == name for p in part.parts
        )

    def _module(self, name: str, line: Line, parts: list[Part | Line], table: str) -> str:
        self._label(name, line)
        content: dict[str, Any] = {"table": table}
        if ask := self.adoption.condition(line, "relevant"):
            content["ask"] = ask
        rules: list[dict[str, Any]] = []
        content["questions"] = self._questions(parts, rules, table)
        if rules:
            content["rules"] = rules
        self.modules[name] = content
        return name

    def _questions(
        self, parts: list[Part | Line], rules: list[dict[str, Any]], table: str
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for part in parts:
            if self._beside(part):
                continue
            if isinstance(part, Part):
                self._label(part.name, part.line)
                entry: dict[str, Any] = {"group": part.name}
                if ask := self.adoption.condition(part.line, "relevant"):
                    entry["ask"] = ask
                entry["questions"] = self._questions(part.parts, rules, table)
                found.append(entry)
            elif part["type"] == "note" and part["name"].startswith("note_") and part["relevant"]:
                self._rule(part, rules)
            else:
                found.append(self._question(part, table))
        return found

    def _rule(self, line: Line, rules: list[dict[str, Any]]) -> None:
        """Write a note that appears where answers are doubtful as a rule."""
        when = self.adoption.condition(line, "relevant")
        if when is None:
            return
        refuses = line["required"].lower() in YES
        name = line["name"].removeprefix("note_")
        name = name if name not in self.adoption.kinds else f"{name}_rule"
        rule = {"name": name, "refuse" if refuses else "doubt": when}
        rules.append(rule if refuses else rule | {"at": self.last})
        self._label(name, line)

    def _question(self, line: Line, table: str) -> dict[str, Any]:
        name = line["name"]
        kind, listed = shape(self.adoption, line)
        entry: dict[str, Any] = {"name": name, "type": kind}
        if listed:
            entry["list"] = listed
            self.used[listed] = None
        if ask := self.adoption.condition(line, "relevant"):
            entry["ask"] = ask
        if kind == "boolean":
            self._reasons(line, entry)
        constraint(self.adoption, line, entry)
        if kind == "calculated":
            self._computed(line, entry, table)
        asked = kind not in {"calculated", "note", "start", "end", "today"}
        if asked and line["required"].lower() not in YES:
            entry["required"] = False
        if chosen := self.adoption.condition(line, "choice_filter"):
            entry["filter"] = chosen
        self._label(name, line)
        self._messages(line, entry)
        self.last = name
        return entry

    def _computed(self, line: Line, entry: dict[str, Any], table: str) -> None:
        """Write how a question is computed, and its name as its label if it has none."""
        calculation(self.adoption, line, entry)
        if entry["type"] == "position":
            self.tables[table]["position"] = line["name"]
        if entry.get("assigned"):
            entry["type"] = self.adoption.kinds[line["name"]].type
        for language in self.book.languages:
            self.texts[language].setdefault(line["name"], line["name"].replace("_", " "))

    def _messages(self, line: Line, entry: dict[str, Any]) -> None:
        """Write what is said when an answer is refused, and labels for codes of missing ones."""
        if "refuse" in entry:
            for language in self.book.languages:
                said = line.texts.get("constraint_message", {}).get(language, "")
                limits = entry.get("range", (None, None))
                for made in limit_messages(limits, language, pattern="pattern" in entry):
                    said = said.removeprefix(made).strip()
                said = said or str(entry["refuse"])
                self.texts[language][f"{line['name']}.refuse"] = self._shown(said)
        for code, reason in entry.get("missing", {}).items():
            for language in self.book.languages:
                words = self.texts[language].setdefault("missing", {})
                words.setdefault(reason, str(code))

    def _reasons(self, line: Line, entry: dict[str, Any]) -> None:
        """Write the further codes of a yes/no list as reasons for missing answers."""
        name = line["type"].split()[-1]
        missing = {}
        for choice in self.book.choices:
            if choice["list_name"] != name:
                continue
            code = choice["name"]
            if code in {"1", "0"}:
                key, value = "yes_no", code
            else:
                key, value = "missing", f"{name}_{code}"
                missing[int(code)] = value
            for language, text in choice.texts.get("label", {}).items():
                said = self.texts[language].setdefault(key, {})
                said[int(value) if key == "yes_no" else value] = text
        if missing:
            entry["missing"] = missing

    def _label(self, name: str, line: Line) -> None:
        for column, suffix in (("label", ""), ("hint", ".hint")):
            for language, text in line.texts.get(column, {}).items():
                self.texts[language][name + suffix] = self._shown(text)

    def _shown(self, text: str) -> str:
        copies = self.adoption.copies
        return _SHOWN.sub(lambda f: "{" + copies.get(f.group(1), f.group(1)) + "}", text)

    def _lists(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self.used:
            codes: dict[str | int, dict[str, str]] = {}
            for line in self.book.choices:
                if line["list_name"] == name:
                    more = {k: v for k, v in line.cells.items() if k not in {"list_name", "name"}}
                    codes[plain(line["name"])] = more
            found[name] = {"codes": codes}
        return found

    def _labels(self, language: str) -> dict[str, Any]:
        found: dict[str, dict[str | int, str]] = {}
        for line in self.book.choices:
            text = line.texts.get("label", {}).get(language)
            if line["list_name"] in self.used and text:
                found.setdefault(line["list_name"], {})[plain(line["name"])] = text
        return found


def _written(adoption: Adoption, text: str) -> str:
    made = calculated(adoption, read_xpath(text))
    if "value" not in made:
        raise ConditionError("{part} has no words in conditions.", part=text[:40])
    return str(made["value"])
