"""Any household survey or census file, with the columns that indicators read.

A small TOML says where the file is, how it was drawn, and how its columns become ours:

```toml
[data]
file = "nhanes_2017_2020.csv.gz"     # beside the TOML
home = "USA"                         # for migrant status: ISO 3166-1 alpha-3
year = 2018

[design]
weight = "WTINTPRP"
stratum = "SDMVSTRA"
psu = "SDMVPSU"

[columns]
age = "RIDAGEYR"                                            # a column, as it is
birth_country = {from = "DMDBORN4", rule = "1: USA; 2: ABROAD"}
insurance = {rule = "cases: any: HIQ011 == 1; none: HIQ011 == 2"}
```

Rules are those of a crosswalk. Migrant status and its kin are derived from the countries of birth
(`nsm.fieldwork.derive`), as in the survey of migrants.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nsm.errors import ColumnError, ConfigError, nearest
from nsm.estimation import Survey
from nsm.fieldwork.derived import derive
from nsm.files import local_path, read_table
from nsm.questionnaire.crosswalk import made_by, read_rule

if TYPE_CHECKING:
    import pandas as pd

_DATA = ("file", "home", "year", "notice")
_DESIGN = (
    *("census", "weight", "stratum", "psu", "fpc", "certainty", "probability", "pps"),
    *("replicates", "replication", "scale", "rscales", "rho", "mse", "single_psu"),
)
_COLUMN = ("from", "rule", "number")


def read_other(mapping: str | os.PathLike[str]) -> Survey:
    """Return the survey that a mapping describes.

    A census file says `census = true` in [design]; its standard errors are 0.

    Raises
    ------
    ConfigError
        A key is unknown or missing.
    ColumnError
        A column is not in the file.
    """
    file = local_path(mapping)
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            "{file} is not TOML: {reason}", file=str(file), reason=str(error)
        ) from error
    data = _section(said, "data", _DATA, file.name)
    design = _section(said, "design", _DESIGN, file.name)
    if "file" not in data:
        raise ConfigError(
            "{file}: {place} misses the key {key!r}.", file=file.name, place="[data]", key="file"
        )
    table = read_table(file.parent / local_path(str(data["file"]), exists=False))
    made = mapped(table, said.get("columns", {}), file.name)
    if "birth_country" in made.columns:
        made = _derived(made, data)
    return _drawn(made, design, file.name)


def _drawn(table: pd.DataFrame, design: Mapping[str, Any], file: str) -> Survey:
    """Return the survey by its design; a census has standard errors of 0, so it must say so."""
    if design.get("census") is True:
        if len(design) > 1:
            raise ConfigError(
                "{file}: a census has no other key in [design] than census = true.", file=file
            )
        return Survey(table.assign(census_weight=1.0), weight="census_weight", fpc="census_weight")
    if "weight" not in design and "probability" not in design:
        raise ConfigError(
            "{file}: [design] says neither weight nor census = true. Without weights the "
            "persons of the file stand for nobody else.",
            file=file,
        )
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in design.items()}
    return Survey(table, **given)


def _derived(table: pd.DataFrame, data: Mapping[str, Any]) -> pd.DataFrame:
    parents = ("mother_birth_country", "father_birth_country")
    unknown = {name: None for name in parents if name not in table.columns}
    full = table.assign(**unknown).astype(dict.fromkeys(unknown, "str"))
    made = derive(full, home=str(data.get("home", "")), reference_year=data.get("year"))
    return made.drop(columns=list(unknown))


def mapped(table: pd.DataFrame, columns: Mapping[str, Any], file: str) -> pd.DataFrame:
    """Return a table with further columns, made by rules."""
    from nsm.condition.tables import frame

    whole = frame(table)
    for name, given in columns.items():
        one = {"from": given} if isinstance(given, str) else given
        if not isinstance(one, Mapping) or not one:
            raise ConfigError(
                "{file}: [columns] {name} is {value!r}; it must be a column or a rule.",
                file=file,
                name=name,
                value=given,
            )
        _known(one, _COLUMN, f"[columns.{name}]", file)
        rule = read_rule(str(one.get("rule", "copy")))
        source = str(one.get("from", ""))
        have = list(whole.collect_schema().names())
        needed = rule.needs(source)
        missing = [column for column in needed if column not in have]
        if missing or not needed:
            raise ColumnError(
                "{file}: {name!r} is made of {columns}, which the data do not have. {hint}",
                file=file,
                name=name,
                columns=missing or [source],
                hint=nearest(missing[0] if missing else source, have),
            )
        made = made_by(whole, rule, source, numbers=bool(one.get("number", False)))
        whole = whole.with_columns(made.alias(name))
    return whole.to_native()


def _section(
    said: Mapping[str, Any], name: str, keys: tuple[str, ...], file: str
) -> Mapping[str, Any]:
    section = said.get(name, {})
    _known(said, ("data", "design", "columns"), "the file", file)
    _known(section, keys, f"[{name}]", file)
    return section


def _known(given: Mapping[str, Any], keys: tuple[str, ...], place: str, file: str) -> None:
    for key in given:
        if key not in keys:
            raise ConfigError(
                "{file}: {place} has an unknown key {key!r}. {hint}",
                file=file,
                place=place,
                key=key,
                hint=nearest(key, keys),
            )
