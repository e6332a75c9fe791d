r"""The registry of indicators: one file a family, and a country's own over it.

The files of nsm are YAML; a country's is TOML, one table for each indicator:

```toml
[employment_rate]            # one of nsm: only what differs
universe = "age >= 14"

[own_house]                  # a new one
name = {es = "Vivienda propia", en = "Own house"}
definition = {es = "...", en = "Persons in households that own their dwelling."}
statistic = "mean(\"tenure == 'owned'\")"
universe = "tenure is not missing"
of = "persons"
class = "module"
```
"""

from __future__ import annotations

import ast
import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from nsm.condition import parse
from nsm.errors import ConditionError, ConfigError, InputError, OptionError, nearest
from nsm.files import local_path
from nsm.language import SOURCE, translate

DIRECT, MODULE, PROXY, OUTSIDE = "direct", "module", "proxy", "outside"
CLASSES = {
    DIRECT: "direct",
    MODULE: "needs a module",
    PROXY: "proxy",
    OUTSIDE: "not from households",
}
OF = ("persons", "interviews", "selected")
IS_PROXY = "proxy, not the official indicator"
_FOLDER = Path(__file__).parent / "data"
_OWN = "own"
_SHARED = ("of", "disaggregations", "source")


@dataclass(frozen=True)
class Indicator:
    """A definition.

    Parameters
    ----------
    name, definition
        Language -> text.
    family
        Its file in the registry; `own` for a country's.
    statistic
        Expression of `nsm.Survey.estimate`; empty for what no household survey gives.
    universe
        Condition on a person, in the language of `nsm.condition`; everyone if empty.
    of
        Who is asked: `persons` (all who were screened), `interviews`, `selected` (one a household).
    variables
        Columns that the universe and the statistic read; found in them if not given.
    disaggregations
        Columns that its definition asks to be shown by.
    kind
        The key `class` in the files: `direct`, `module` (only where its module was asked), `proxy`
        (always labelled so), `outside` (not from households).
    proxy_of
        The official indicator that a proxy stands beside.
    standard, version, source
        What the definition follows.
    series
        Code of the global SDG series, where there is one.
    dimensions
        Dimension of that series -> code, of what the universe says: `AGE: Y15T24`.
    unit
        `fraction`, `persons`, `years` ...
    asks
        What a questionnaire must collect for it; see `nsm.questionnaire.checks.coverage`.
    """

    code: str
    name: Mapping[str, str]
    definition: Mapping[str, str]
    family: str = _OWN
    statistic: str = ""
    universe: str = ""
    of: str = "interviews"
    variables: tuple[str, ...] = ()
    disaggregations: tuple[str, ...] = ()
    kind: str = DIRECT
    proxy_of: str = ""
    standard: str = ""
    version: str = ""
    source: str = ""
    series: str = ""
    unit: str = ""
    dimensions: Mapping[str, str] | None = None
    asks: Mapping[str, Any] | None = None

    @property
    def computable(self) -> bool:
        """Whether it is estimated from persons."""
        return bool(self.statistic)

    def title(self, language: str = SOURCE) -> str:
        """Return the name; a proxy says that it is one."""
        said = self.name.get(language) or next(iter(self.name.values()))
        return f"{said} ({translate(IS_PROXY, language)})" if self.kind == PROXY else said

    def definition_in(self, language: str = SOURCE) -> str:
        """Return the definition."""
        return self.definition.get(language) or next(iter(self.definition.values()))


def read_registry(own: str | os.PathLike[str] | None = None) -> dict[str, Indicator]:
    """Return code -> indicator: those of nsm, with a country's own over or beside them.

    Parameters
    ----------
    own
        TOML: one table for each indicator. A code that nsm has needs only the keys that differ.

    Raises
    ------
    ConfigError
        A key or class is unknown or missing, or a universe or statistic cannot be read.

    Examples
    --------
    >>> read_registry()["8.6.1"].variables
    ('age', 'employed', 'attends', 'training')
    """
    found = dict(_brought())
    if own is None:
        return found
    file = local_path(own)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            "{file} is not TOML: {reason}", file=str(file), reason=str(error)
        ) from error
    for code, described in content.items():
        found[code] = _made(code, described, found.get(code), file.name)
    return found


def families(language: str = SOURCE) -> dict[str, str]:
    """Return family -> its title."""
    titles = {name: content["family"][language] for name, content in _files().items()}
    return {**titles, _OWN: translate("Indicators of the country's own", language)}


@cache
def _files() -> dict[str, Any]:
    import yaml

    order = ("population", "stay", "education", "living", "labour", "remittances", "sdg")
    return {
        name: yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        for name in order
    }


@cache
def _brought() -> dict[str, Indicator]:
    found = {}
    for family, content in _files().items():
        shared = {key: content[key] for key in _SHARED} | {"family": family}
        for code, described in content["indicators"].items():
            found[code] = _made(code, {**shared, **described}, None, f"{family}.yaml")
    return found


def _made(code: str, given: Any, known: Indicator | None, file: str) -> Indicator:
    if not isinstance(given, Mapping):
        raise ConfigError(
            "{file}: {code!r} is no table. Write [{code}] above what describes the indicator.",
            file=file,
            code=code,
        )
    values: dict[str, Any] = {}
    names = [f.name for f in fields(Indicator) if f.name not in {"code", "kind"}]
    lists = ("variables", "disaggregations")
    for key, value in given.items():
        if key not in {*names, "class"}:
            raise ConfigError(
                "{file}: the indicator {code!r} has an unknown key {key!r}. {hint}",
                file=file,
                code=code,
                key=key,
                hint=nearest(key, [*names, "class"]),
            )
        wanted: type = list if key in lists else str
        if key in {"name", "definition", "asks", "dimensions"}:
            wanted = Mapping
        if not isinstance(value, wanted):
            raise ConfigError(
                "{file}: {key} of the indicator {code!r} is {value!r}, which has the wrong type.",
                file=file,
                code=code,
                key=key,
                value=value,
            )
        values["kind" if key == "class" else key] = value
    values |= {key: tuple(values[key]) for key in lists if key in values}
    for key in ("name", "definition"):
        if known is None and not values.get(key):
            raise ConfigError(
                "{file}: the indicator {code!r} needs {key!r} as a table of languages.",
                file=file,
                code=code,
                key=key,
            )
    made = replace(known, **values) if known else Indicator(code, **values)
    for key, value, allowed in (("class", made.kind, CLASSES), ("of", made.of, OF)):
        if value not in allowed:
            raise ConfigError(
                "{file}: {key} of the indicator {code!r} is {value!r}. {hint}",
                file=file,
                key=key,
                code=code,
                value=value,
                hint=nearest(value, list(allowed)),
            )
    return made if "variables" in values else replace(made, variables=_variables(made, file))


def _variables(one: Indicator, file: str) -> tuple[str, ...]:
    """Return the columns that the universe and the statistic read, each once."""
    try:
        texts = [one.universe, *_arguments(one.statistic)]
        return tuple(dict.fromkeys(name for t in texts if t for name in parse(t).names))
    except (ConditionError, OptionError) as error:
        raise ConfigError(
            "{file}: the universe or statistic of the indicator {code!r} cannot be read: {reason}",
            file=file,
            code=one.code,
            reason=error,
        ) from error


def _arguments(statistic: str) -> list[str]:
    """Return the columns and conditions inside a statistic."""
    if not statistic:
        return []
    from nsm.estimation.expression import parse_statistic

    parse_statistic(statistic)
    found: list[object] = []
    for node in ast.walk(ast.parse(statistic.strip(), mode="eval")):
        if isinstance(node, ast.Call):
            said = [*node.args, *(k.value for k in node.keywords if k.arg != "missing")]
            found += [a.id for a in said if isinstance(a, ast.Name)]
            found += [a.value for a in said if isinstance(a, ast.Constant)]
    return [text for text in found if isinstance(text, str)]


def described(one: Indicator, language: str = SOURCE) -> dict[str, str]:
    """Return a definition as heading -> text; headings that say nothing are left out."""
    facts = {
        "code": one.code,
        "name": one.title(language),
        "definition": one.definition_in(language),
        "class": translate(CLASSES[one.kind], language),
        "proxy of": one.proxy_of,
        "of": translate(one.of, language),
        "universe": one.universe,
        "statistic": one.statistic,
        "variables": ", ".join(one.variables),
        "disaggregations": ", ".join(one.disaggregations),
        "unit": translate(one.unit, language),
        "standard": one.standard,
        "version": one.version,
        "source": one.source,
        "SDG series": one.series,
    }
    return {heading: text for heading, text in facts.items() if text}


def chosen(registry: Mapping[str, Indicator], codes: Collection[str]) -> list[Indicator]:
    """Return indicators by their codes; all that are estimated from persons if none is named.

    Raises
    ------
    OptionError
        A code is unknown.
    """
    for code in codes:
        if code not in registry:
            raise OptionError(
                "There is no indicator {code!r}. {hint}", code=code, hint=nearest(code, registry)
            )
    if not codes:
        return [one for one in registry.values() if one.computable]
    return [registry[code] for code in dict.fromkeys(codes)]


def checked(registry: Mapping[str, Indicator] | None) -> Mapping[str, Indicator]:
    """Return the registry that is given, or that of nsm."""
    if registry is None:
        return read_registry()
    if not registry:
        raise InputError("The registry has no indicator.")
    return registry
