"""YAML as questionnaires are written in it: safe, strict, and without surprises.

Only `true` and `false` are booleans, so `no` and `NO` stay codes; `01` stays text, so codes keep
their zeros; dates and `12:30` stay text. A key that is said twice, an alias, or a file that is not
UTF-8 is refused with its file and line.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml

from nsm.errors import QuestionnaireError
from nsm.files import local_path

LARGEST = 5_000_000
_ALIAS = "aliases (*name) are not followed"


class _Loader(yaml.SafeLoader):
    """The safe loader, with the scalars of YAML 1.2 and without aliases."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # as the base class has it

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases, which can blow a small file up."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, _ALIAS, event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # as the base class has it
        """Refuse a key that is said twice."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, list | dict) or key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def read_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Raises
    ------
    QuestionnaireError
        The file cannot be read; the message names the file and the line.
    FileError
        It is not a local file, or not there.
    """
    file = local_path(path)
    return parse_yaml(_text(file), str(file))


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """Read YAML text that holds a mapping; `name` stands for it in messages."""
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise QuestionnaireError(
            "{file}, line {line} cannot be read: {problem}.",
            file=name,
            line=(mark.line + 1) if mark else 1,
            problem=error.problem or error.context or "",
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise QuestionnaireError(
            "{file} is no YAML: {problem}", file=name, problem=str(error).splitlines()[0]
        ) from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise QuestionnaireError(
            "{file} must hold `key: value` lines, not a {kind}.",
            file=name,
            kind=type(found).__name__,
        )
    return found


def _text(file: Path) -> str:
    if not file.is_file() or file.stat().st_size > LARGEST:
        raise QuestionnaireError(
            "{file} is no file of at most {most} bytes.", file=str(file), most=LARGEST
        )
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise QuestionnaireError(
            "{file}, line {line}: this is not UTF-8. Save the file as UTF-8.",
            file=str(file),
            line=raw[: error.start].count(b"\n") + 1,
        ) from error
