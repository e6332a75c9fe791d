"""Where the parts of a questionnaire lie: modules, code lists, standards and texts.

A questionnaire is a folder with `survey.yaml`. Its parts are looked for in its own folder, then in
the folder above it, then in the library that comes with nsm; the first that has a part gives it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from nsm.errors import FileError, QuestionnaireError, nearest
from nsm.files import library, local_path
from nsm.questionnaire.findings import Finding
from nsm.questionnaire.model import Answer, Code, CodeList
from nsm.questionnaire.source import read_yaml

SURVEY = "survey.yaml"
LIST_KEYS = ("codes", "standard", "from", "only", "first", "note")
_STANDARDS = "standards"


@cache
def standards() -> dict[str, dict[str, dict[str, str]]]:
    """Return standard classification -> code -> language -> name."""
    folder = library("questionnaires") / _STANDARDS
    found: dict[str, dict[str, dict[str, str]]] = {}
    for file in sorted(folder.glob("*.yaml")):
        content = read_yaml(file)
        found[str(content["standard"])] = content["codes"]
    return found


@dataclass
class Library:
    """The folders of a questionnaire, and what was found wrong while reading them."""

    folders: tuple[Path, ...]
    problems: list[Finding] = field(default_factory=list)
    origins: dict[str, int] = field(default_factory=dict)  # module or list -> its folder

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Library:
        """Return the library of the questionnaire in the folder `path`."""
        folder = local_path(path)
        folder = folder.parent if folder.name == SURVEY else folder
        if not (folder / SURVEY).is_file():
            raise QuestionnaireError(
                "{file} holds no survey.yaml, which names the modules of a questionnaire.",
                file=str(folder),
            )
        above = [folder.parent] if (folder.parent / "modules").is_dir() else []
        return cls(tuple(dict.fromkeys((folder, *above, library("questionnaires")))))

    def survey(self) -> dict[str, Any]:
        """Read `survey.yaml`."""
        return read_yaml(self.folders[0] / SURVEY)

    def module(self, name: str) -> dict[str, Any]:
        """Read a module.

        Raises
        ------
        FileError
            No folder has it.
        """
        for number, folder in enumerate(self.folders):
            file = folder / "modules" / f"{name}.yaml"
            if file.is_file() and "/" not in name:
                self.origins[name] = number
                return read_yaml(file)
        known = {f.stem for folder in self.folders for f in folder.glob("modules/*.yaml")}
        raise FileError(
            "There is no module {module!r}. {hint}", module=name, hint=nearest(name, known)
        )

    def lists(self) -> dict[str, CodeList]:
        """Read the code lists; a nearer folder replaces a list whole."""
        found: dict[str, CodeList] = {}
        for folder in reversed(self.folders):
            own: dict[str, CodeList] = {}
            for file in sorted(folder.glob("codes/*.yaml")):
                for name, content in read_yaml(file).items():
                    source = f"codes/{file.name}"
                    self.add_list(own, name, content, source, shared=folder != self.folders[0])
            found |= own
            self.origins |= {f"{name}: ": self.folders.index(folder) for name in own}
        return found

    def add_list(
        self,
        lists: dict[str, CodeList],
        name: str,
        content: Any,
        source: str,
        *,
        shared: bool = False,
    ) -> None:
        """Add a list, unless it contradicts one of the same name."""
        new = replace(self._list(name, content, source), shared=shared)
        old = lists.setdefault(name, new)
        if old.codes != new.codes:
            self.problems.append(
                Finding(
                    "Q405",
                    f"{source}: {name}",
                    "The code list {name!r} of {one} has other codes in {other}: {codes}. Keep one "
                    "list, or give them two names.",
                    name=name,
                    one=old.source,
                    other=source,
                    codes=sorted(
                        {str(c.code) for c in old.codes} ^ {str(c.code) for c in new.codes}
                    ),
                )
            )

    def _list(self, name: str, content: Any, source: str) -> CodeList:
        if isinstance(content, list):
            content = {"codes": content}
        if not isinstance(content, dict):
            content = {}
        where = f"{source}: {name}"
        self.known_keys(where, content, LIST_KEYS)
        codes = _codes(content.get("codes"))
        standard = content.get("from") or content.get("standard")
        if "from" in content:
            codes = _placed(self._standard(where, content), codes)
        if not all(isinstance(code.code, int) for code in codes):
            codes = tuple(replace(code, code=str(code.code)) for code in codes)  # one kind
        return CodeList(name, codes, standard, source)

    def _standard(self, where: str, content: dict[str, Any]) -> tuple[Code, ...]:
        known = standards()
        if content["from"] not in known:
            self.problems.append(
                Finding(
                    "Q209",
                    where,
                    "There is no standard {value!r}. {hint}",
                    value=content["from"],
                    hint=nearest(content["from"], known),
                )
            )
            return ()
        codes = content.get("only") or [*known[content["from"]]]
        first = content.get("first") or []
        return tuple(Code(code) for code in dict.fromkeys([*first, *codes]))

    def known_keys(self, where: str, content: dict[str, Any], known: tuple[str, ...]) -> None:
        """Note every key that has no meaning."""
        self.problems.extend(
            Finding(
                "Q209",
                where,
                "The key {value!r} has no meaning here. {hint}",
                value=key,
                hint=nearest(key, known),
            )
            for key in content
            if key not in known
        )

    def texts(self, language: str, owners: Mapping[str, str]) -> dict[str, str]:
        """Read the texts of a language as key -> text; a nearer folder's texts win.

        The file `roster.yaml` holds the texts of the module `roster`; the other files hold those of
        the survey as a whole and of its code lists, whose labels have keys such as `sex: M`.

        Parameters
        ----------
        owners
            Key -> the module it belongs to. A module of this survey does not borrow the text of a
            question of the same name in the library, nor a code list the labels of another.
        """
        found: dict[str, str] = {}
        for number, folder in reversed(list(enumerate(self.folders))):
            said = self.texts_of(folder, language)
            for key, owner in owners.items():
                own = said.get(f"{owner}/{key}", said.get(key))
                if own is not None and self.origins.get(owner, 0) >= number:
                    found[key] = own
            for key, text in said.items():
                origin = self.origins.get(key.split(": ")[0] + ": ", len(self.folders))
                if "/" not in key and key not in owners and origin >= number:
                    found[key] = text
        return found

    def texts_of(self, folder: Path, language: str) -> dict[str, str]:
        """Read the texts of one folder; a module's have its name before their key."""
        own: dict[str, str] = {}
        files = [*folder.glob(f"i18n/{language}.yaml"), *folder.glob(f"i18n/{language}/*.yaml")]
        for file in sorted(files):
            module = file.stem if (folder / "modules" / file.name).is_file() else ""
            self._add_texts(own, read_yaml(file), f"i18n/{language}/{file.name}", module)
        return own

    def _add_texts(
        self, texts: dict[str, str], content: dict[str, Any], source: str, module: str
    ) -> None:
        for name, value in _flat(content):
            key = f"{module}/{name}" if module else name
            if texts.setdefault(key, value) != value:
                self.problems.append(
                    Finding(
                        "Q405",
                        source,
                        "The text of {name!r} stands twice, and differs. Keep one.",
                        name=name,
                    )
                )


def _flat(content: dict[str, Any]) -> list[tuple[str, str]]:
    """Return key -> text; the labels of a list `sex` stand under `sex: {M: ..., F: ...}`."""
    found: list[tuple[str, str]] = []
    for key, value in content.items():
        if isinstance(value, dict):
            found.extend((f"{key}: {code}", str(text or "")) for code, text in value.items())
        else:
            found.append((str(key), str(value or "")))
    return found


def _placed(standard: tuple[Code, ...], own: tuple[Code, ...]) -> tuple[Code, ...]:
    """Return the codes of a standard, then a list's own; one named in `first` stands there."""
    mine = {code.code: code for code in own if code.attributes.get("own")}
    early = {code.code for code in standard} & {*mine}
    left = [code for code in own if code.code not in early]
    return (*(mine.get(code.code, code) for code in standard), *left)


def _codes(content: Any) -> tuple[Code, ...]:
    if isinstance(content, dict):
        content = [{"code": code, **(more or {})} for code, more in content.items()]
    found = []
    for each in content or ():
        more = dict(each) if isinstance(each, dict) else {"code": each}
        code: Answer = more.pop("code", "")
        missing = bool(more.pop("missing", False))
        found.append(Code(code if isinstance(code, int) else str(code), missing, more))
    return tuple(found)
