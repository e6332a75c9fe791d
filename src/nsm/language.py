"""The words a user reads, in the user's language.

English text is written where it is said and is its own key; `locale/<language>/*.yaml` maps it to
the other languages, one file per room. Column names and codes are never translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from nsm.errors import OptionError, Phrase, nearest

SOURCE = "en"
_LOCALE = Path(__file__).parent / "locale"


@cache
def catalog(language: str) -> dict[str, str]:
    """Return English text -> text in `language`.

    Raises
    ------
    OptionError
        nsm does not speak `language`.
    """
    if language == SOURCE:
        return {}
    files = sorted((_LOCALE / language).glob("*.yaml"))
    if not files or not language.isalpha():
        known = [SOURCE, *sorted(p.name for p in _LOCALE.iterdir() if p.is_dir())]
        raise OptionError(
            "Language {language!r} is not spoken. {hint}",
            language=language,
            hint=nearest(language, known),
        )
    words: dict[str, str] = {}
    for file in files:
        words |= yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return words


def translate(text: str, language: str) -> str:
    """Return `text` in `language`, or as it is where no translation is kept."""
    return catalog(language).get(text, text)


def worded(template: str, values: Mapping[str, object], language: str) -> str:
    """Return a template in `language` with its values, phrases among them in `language` too."""
    shown = {
        name: value.said(lambda text: translate(text, language))
        if isinstance(value, Phrase)
        else value
        for name, value in values.items()
    }
    return translate(template, language).format(**shown)


def speaks(language: str) -> bool:
    """Whether nsm has words of its own in a language; questionnaires may have others too."""
    return language == SOURCE or (language.isalpha() and (_LOCALE / language).is_dir())


def said(text: str, language: str) -> str:
    """Return `text` in a questionnaire's language, in English where nsm does not speak it."""
    return translate(text, language) if speaks(language) else text
