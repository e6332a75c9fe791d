"""A module of which a survey takes some questions only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nsm.errors import QuestionnaireError, nearest


def chosen(content: dict[str, Any], module: str, only: list[str]) -> dict[str, Any]:
    """Return a module with the named questions only, and the rules that stand at them.

    Raises
    ------
    QuestionnaireError
        The module has no such question.
    """
    held = _names(content.get("questions") or ())
    unknown = [name for name in only if name not in held]
    if unknown:
        raise QuestionnaireError(
            "survey.yaml: the module {module!r} has no question {name!r}. {hint}",
            module=module,
            name=unknown[0],
            hint=nearest(unknown[0], held),
        )
    rules = [rule for rule in content.get("rules") or () if rule.get("at") in only]
    return {**content, "questions": _kept(content["questions"], only), "rules": rules}


def _names(entries: Iterable[Any]) -> list[str]:
    found: list[str] = []
    for entry in entries:
        if isinstance(entry, dict):
            inside = entry.get("questions")
            found += _names(inside or ()) if "group" in entry else [str(entry.get("name"))]
    return found


def _kept(entries: Iterable[Any], only: list[str]) -> list[Any]:
    kept = []
    for entry in entries:
        if isinstance(entry, dict) and "group" in entry:
            inside = _kept(entry.get("questions") or (), only)
            kept += [{**entry, "questions": inside}] if inside else []
        elif isinstance(entry, dict) and entry.get("name") in only:
            kept.append(entry)
    return kept
