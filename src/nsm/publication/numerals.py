"""Numbers as readers of a language and country write them."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

from nsm.errors import OptionError, nearest
from nsm.language import SOURCE

KINDS = ("integer", "decimal", "decimal2", "decimal3", "percent", "percent2", "general", "text")
_DIGITS = {"integer": 0, "decimal": 1, "decimal2": 2, "decimal3": 3, "percent": 1, "percent2": 2}
_COUNTRIES = {"DOM": "DO", "MEX": "MX", "GTM": "GT", "SLV": "SV", "HND": "HN", "NIC": "NI"} | {
    "CRI": "CR",
    "PAN": "PA",
    "COL": "CO",
    "ECU": "EC",
    "PER": "PE",
    "CHL": "CL",
    "ARG": "AR",
    "URY": "UY",
    "PRY": "PY",
    "BOL": "BO",
    "VEN": "VE",
    "ESP": "ES",
    "USA": "US",
    "CAN": "CA",
    "BLZ": "BZ",
}
MINUS = "\N{MINUS SIGN}"


class Marks(NamedTuple):
    """The marks of a locale."""

    decimal: str
    group: str
    percent: str


def locale_for(language: str, country: str | None = None) -> str:
    """Return the locale of a language in a country (ISO 3166 alpha-3).

    >>> locale_for("es", "DOM"), locale_for("es"), locale_for("en", "DOM")
    ('es_DO', 'es', 'en')
    """
    region = _COUNTRIES.get(country or "")
    return f"{language}_{region}" if region and language != SOURCE else language


@cache
def marks(locale: str) -> Marks:
    """Return the decimal mark, the group mark and the percent sign of a locale.

    Raises
    ------
    OptionError
        The locale is unknown.
    """
    from babel import Locale, UnknownLocaleError

    try:
        found = Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise OptionError(
            "The locale {locale!r} is unknown. Give a language such as 'es' or 'en', with a "
            "country if wanted: 'es_DO'.",
            locale=locale,
        ) from error
    symbols = found.number_symbols["latn"]
    gap = (
        "\N{NO-BREAK SPACE}" if "\N{NO-BREAK SPACE}" in found.percent_formats[None].pattern else ""
    )
    return Marks(symbols["decimal"], symbols["group"], f"{gap}%")


def written(value: object, kind: str = "general", locale: str = SOURCE) -> str:
    r"""Write a number; nothing where it is missing.

    Parameters
    ----------
    kind
        `integer`, `decimal` (1 digit), `decimal2`, `decimal3`, `percent` (of a fraction),
        `percent2`, `general` (four significant digits), `text`.

    >>> written(570933.4, "integer", "es"), written(0.0561, "percent", "es")
    ('570.933', '5,6\xa0%')
    >>> written(570933.4, "integer", "es_DO"), written(0.5, "decimal", "en")
    ('570,933', '0.5')
    """
    if kind not in KINDS:
        raise OptionError(
            "The number format {kind!r} is unknown. {hint}", kind=kind, hint=nearest(kind, KINDS)
        )
    if value is None or isinstance(value, str):
        return value or ""
    number = float(value)  # type: ignore[arg-type]  # numpy numbers, Decimal, bool
    if math.isnan(number):
        return ""
    if math.isinf(number):
        return "∞" if number > 0 else f"{MINUS}∞"
    marked = marks(locale)
    scaled = 100 * number if kind.startswith("percent") else number
    text = _grouped(scaled, kind, marked)
    return text + marked.percent if kind.startswith("percent") else text


def rounded(value: float, kind: str) -> float:
    """Return a number as exactly as `written` shows it.

    >>> rounded(0.05611, "percent"), rounded(570933.4, "integer")
    (0.056, 570933.0)
    """
    return round(value, _digits(value, kind) + 2 * kind.startswith("percent"))


def _digits(number: float, kind: str) -> int:
    if kind in {"general", "text"}:
        return 0 if abs(number) >= 1000 or number == int(number) else _significant(number)
    return _DIGITS[kind]


def _grouped(number: float, kind: str, marked: Marks) -> str:
    text = f"{number:,.{_digits(number, kind)}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    swapped = {",": marked.group, ".": marked.decimal, "-": MINUS}
    return "".join(swapped.get(c, c) for c in text)


def _significant(number: float, digits: int = 4) -> int:
    return max(0, min(8, digits - 1 - math.floor(math.log10(abs(number)))))


def interval(low: object, high: object, kind: str, locale: str) -> str:
    """Write the limits of an interval, with one percent sign.

    >>> interval(0.051, 0.062, "percent", "en") == "5.1 \N{EN DASH} 6.2%"
    True
    """
    first, last = written(low, kind, locale), written(high, kind, locale)
    if not first or not last:
        return ""
    sign = marks(locale).percent
    return f"{first.removesuffix(sign)} \N{EN DASH} {last}"
