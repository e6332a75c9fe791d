"""Quality rules: an ordered list of steps, the first whose condition holds decides.

The rules that nsm brings are `data/rules/*.toml`; an office's own has the same form, as a file or a
mapping:

```toml
title = {en = "Our office", es = "Nuestra oficina"}
reference = "Resolution 12/2025"

[[steps]]
code = "cases"
when = "cases < 40"
verdict = "not_publishable"
text = {en = "There are fewer than 40 cases.", es = "Hay menos de 40 casos."}
```
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsm.condition import Condition, Kind, Scope, parse
from nsm.errors import ConditionError, ConfigError, InputError, OptionError, nearest
from nsm.files import local_path

PUBLISHABLE, CAUTION, NOT_PUBLISHABLE = "publishable", "caution", "not_publishable"
VERDICTS = (PUBLISHABLE, CAUTION, NOT_PUBLISHABLE)
NUMBERS = ("order", "estimate", "se", "cv", "lower", "upper", "df", "deff", "n", "cases", "psus")
INPUTS = ("n_eff", "log_cv", "se_limit", "width", "relative_width", "complement_width", "n_nchs")
NAMES: dict[str, Kind] = {
    **dict.fromkeys((*NUMBERS, *INPUTS), "number"),
    **dict.fromkeys(("kind", "variable", "statistic", "category"), "text"),
    **dict.fromkeys(("planned", "justified"), "boolean"),
}
_FOLDER = Path(__file__).parent / "data" / "rules"
_CV = re.compile(r"cv\(\s*([0-9.]+)\s*,\s*([0-9.]+)\s*\)")
_RULE_KEYS = ("title", "reference", "kept", "table_share", "steps")
_STEP_KEYS = ("code", "when", "verdict", "text")

Text = Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One step of a rule: a condition, and the verdict where it holds."""

    code: str
    when: Condition
    verdict: str
    text: Text


@dataclass(frozen=True)
class Rule:
    """A quality rule.

    Parameters
    ----------
    steps
        In order; what passes all of them is publishable.
    kept
        The inputs that stay in the table beside the verdict.
    table_share
        The share of publishable cells that a table needs, or None.
    """

    name: str
    title: Text
    reference: str
    steps: tuple[Step, ...]
    kept: tuple[str, ...] = ("n_eff", "log_cv")
    table_share: float | None = None


def known_rules() -> tuple[str, ...]:
    """Return the names of the rules that nsm brings, besides `cv(a, b)`."""
    return tuple(sorted(p.stem for p in _FOLDER.glob("*.toml")))


def cv(a: float, b: float) -> Rule:
    """Return the rule that looks at the CV only: up to `a` publishable, above `b` not.

    Raises
    ------
    OptionError
        They are not fractions in order.
    """
    if not 0 < a <= b < 10:
        raise OptionError(
            "cv({a}, {b}): give two fractions in order, such as cv(0.15, 0.30).", a=a, b=b
        )
    middle = {
        "en": f"The CV is between {a:.1%} and {b:.1%}.",
        "es": f"El CV está entre {a:.1%} y {b:.1%}.",
    }
    above = {"en": f"The CV is above {b:.1%}.", "es": f"El CV supera {b:.1%}."}
    never = "kind != 'difference'"
    return Rule(
        f"cv({a:g}, {b:g})",
        {"en": f"CV {a:.0%} and {b:.0%}", "es": f"CV {a:.0%} y {b:.0%}"},
        "Coefficient of variation only.",
        (
            Step("cv", parse(f"{never} and (cv is missing or cv > {b!r})"), NOT_PUBLISHABLE, above),
            Step("cv_middle", parse(f"{never} and cv > {a!r}"), CAUTION, middle),
        ),
    )


def read_rule(rule: str | os.PathLike[str] | Mapping[str, Any] | Rule) -> Rule:
    """Return a rule by its name, from a TOML file, or from a mapping.

    Raises
    ------
    OptionError, ConfigError
        The name is unknown, or the description cannot be used.
    """
    if isinstance(rule, Rule):
        return rule
    if isinstance(rule, Mapping):
        return _from_mapping(rule, "own")
    text = os.fspath(rule)
    bounds = _CV.fullmatch(text)
    if bounds:
        return cv(float(bounds[1]), float(bounds[2]))
    if text in known_rules():
        return _from_file(_FOLDER / f"{text}.toml")
    if text.endswith(".toml"):
        return _from_file(local_path(text))
    raise OptionError(
        "There is no quality rule {rule!r}. {hint}",
        rule=text,
        hint=nearest(text, [*known_rules(), "cv(0.15, 0.30)"]),
    )


def _from_file(path: Path) -> Rule:
    try:
        described = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            "{file} cannot be read as TOML: {reason}", file=str(path), reason=str(error)
        ) from error
    return _from_mapping(described, path.stem)


def _from_mapping(described: Mapping[str, Any], name: str) -> Rule:
    known_keys(described, _RULE_KEYS, name)
    steps = described.get("steps")
    if not isinstance(steps, list) or not steps:
        raise ConfigError("The rule {rule!r} has no steps.", rule=name)
    kept = tuple(described.get("kept", ("n_eff", "log_cv")))
    for column in kept:
        if column not in INPUTS:
            raise ConfigError(
                "The rule {rule!r} keeps {column!r}, which is no input. {hint}",
                rule=name,
                column=column,
                hint=nearest(column, INPUTS),
            )
    share = described.get("table_share")
    if share is not None and not 0 <= share <= 1:
        raise ConfigError(
            "The rule {rule!r} has table_share = {share}; it is a fraction between 0 and 1.",
            rule=name,
            share=share,
        )
    return Rule(
        name,
        as_text(described.get("title", name)),
        str(described.get("reference", "")),
        tuple(_step(step, name) for step in steps),
        kept,
        share,
    )


def _step(described: Mapping[str, Any], rule: str) -> Step:
    known_keys(described, _STEP_KEYS, rule)
    for key in ("code", "when", "verdict"):
        if key not in described:
            raise ConfigError("A step of the rule {rule!r} lacks {key!r}.", rule=rule, key=key)
    verdict = described["verdict"]
    if verdict not in VERDICTS:
        raise ConfigError(
            "The rule {rule!r} gives the verdict {verdict!r}. {hint}",
            rule=rule,
            verdict=verdict,
            hint=nearest(verdict, VERDICTS),
        )
    try:
        when = parse(described["when"])
        when.check(Scope(NAMES), boolean=True)
    except (ConditionError, InputError) as error:
        raise ConfigError(
            "The step {step!r} of the rule {rule!r} cannot be read: {reason}",
            step=described["code"],
            rule=rule,
            reason=str(error),
        ) from error
    return Step(described["code"], when, verdict, as_text(described.get("text", described["when"])))


def known_keys(described: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Raise ConfigError for a key that nobody reads, with the nearest known one."""
    for key in described:
        if key not in known:
            raise ConfigError(
                "{where}: the key {key!r} is unknown. {hint}",
                where=where,
                key=key,
                hint=nearest(key, known),
            )


def as_text(text: str | Text) -> Text:
    """Return a text in each language, of one text or `{en = "...", es = "..."}`."""
    return {"en": text} if isinstance(text, str) else dict(text)


def in_language(text: str | Text, language: str) -> str:
    """Return the text in `language`, or in English, or in the one that there is."""
    if isinstance(text, str):
        return text
    return text.get(language) or text.get("en") or next(iter(text.values()), "")
