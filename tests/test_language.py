"""Every message has its Spanish, and every Spanish text its message."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from nsm import errors
from nsm.errors import NsmError, OptionError
from nsm.language import catalog, translate

SOURCE = Path(__file__).parents[1] / "src" / "nsm"
ERRORS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, NsmError)
} | {"Phrase"}


def templates() -> list[tuple[str, str]]:
    """First arguments of raised errors and of phrases, with their place."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            name = node.func.attr if isinstance(node.func, ast.Attribute) else name
            if name not in ERRORS or (
                path.name == "errors.py" and name == "Phrase" and isinstance(node.args[0], ast.Name)
            ):
                continue
            if isinstance(node.args[0], ast.Starred):
                continue
            place = f"{path.relative_to(SOURCE)}:{node.lineno}"
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.append((place, first.value))
            elif not isinstance(first, ast.Name | ast.Attribute):
                found.append((place, f"<not a literal template: {ast.unparse(first)[:60]}>"))
    return found


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_message_has_its_spanish() -> None:
    spanish = catalog("es")
    missing = {text: place for place, text in templates() if text not in spanish}
    assert not missing


def test_translations_keep_the_values() -> None:
    different = {
        english: spanish
        for english, spanish in catalog("es").items()
        if fields(english) != fields(spanish)
    }
    assert not different


def test_an_error_is_said_in_spanish() -> None:
    with pytest.raises(OptionError) as raised:
        catalog("fr")
    text = raised.value.render(lambda english: translate(english, "es"))
    assert text.startswith("El idioma 'fr' no está disponible.")
