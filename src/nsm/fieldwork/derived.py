"""Derived variables: migrant status, origin, generation, duration; their definitions are data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import narwhals as nw

from nsm.condition import Condition, parse
from nsm.condition.tables import frame
from nsm.errors import FieldworkError, OptionError, nearest
from nsm.files import library
from nsm.questionnaire.source import read_yaml

if TYPE_CHECKING:
    import pandas as pd


@cache
def definitions() -> Mapping[str, Mapping[str, Any]]:
    """Return derived variable -> its definition."""
    return read_yaml(library("questionnaires") / "derived.yaml")


def derived_variables(language: str = "en") -> pd.DataFrame:
    """Return the derived variables with their definitions.

    Returns
    -------
    `variable, label, codes, definition, standard`.
    """
    import pandas as pd

    rows = []
    for name, each in definitions().items():
        codes = {**(each.get("copy") or {}), **(each.get("codes") or {})}
        said = "; ".join(f"{code}: {when}" for code, when in codes.items())
        if "value" in each:
            said = f"{each['value']}, where {each['where']}"
        elif "first" in each:
            said = " / ".join(each["first"])
        rows.append((name, each[language], ", ".join(map(str, codes)), said, each["standard"]))
    return pd.DataFrame(rows, columns=["variable", "label", "codes", "definition", "standard"])


def derive(
    persons: Any,
    *,
    home: str = "DOM",
    reference_year: int | None = None,
    only: tuple[str, ...] = (),
) -> Any:
    """Add derived variables to a table of persons.

    Nativity and citizenship stay two variables; unknown is a code of its own, and no row is
    dropped. A variable is made where the table has its columns; one that the table has already is
    made anew.

    Parameters
    ----------
    persons
        pandas, Polars, pyarrow, DuckDB, Spark: with `birth_country, mother_birth_country,
        father_birth_country`, and for more `citizenship, age, arrival_year`.
    home
        The country of the survey, ISO 3166-1 alpha-3.
    reference_year
        The year of the interviews, for generation and duration.
    only
        The variables to add; by default all that can be made.

    Returns
    -------
    The table of the same kind, with `nativity, citizenship_status, parents_abroad, status,
    status_detail, origin, generation, duration, duration_class`.

    Raises
    ------
    FieldworkError
        A variable of `only` needs a column that is not there.
    OptionError
        There is no such variable.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {
    ...         "birth_country": ["HTI", "DOM", "DOM"],
    ...         "mother_birth_country": ["HTI", "HTI", "DOM"],
    ...         "father_birth_country": ["HTI", "DOM", None],
    ...     }
    ... )
    >>> derive(table)[["status_detail", "origin"]].fillna("-").to_numpy().tolist()
    [['immigrant', 'HTI'], ['descendant_one', 'HTI'], ['unknown', '-']]
    """
    unknown = [name for name in only if name not in definitions()]
    if unknown:
        raise OptionError(
            "There is no derived variable {name!r}. {hint}",
            name=unknown[0],
            hint=nearest(unknown[0], definitions()),
        )
    constants: dict[str, Any] = {"home": home}
    if reference_year is not None:
        constants["reference_year"] = reference_year
    whole = frame(persons)
    for name, definition in definitions().items():
        if only and name not in only:
            continue
        conditions = _conditions(definition, constants)
        have = set(whole.collect_schema().names())
        lacking = {n for c in conditions.values() for n in c.names} - have
        lacking |= set(definition.get("copy") or ()) - have
        if not lacking:
            whole = whole.with_columns(_made(whole, definition, conditions, home).alias(name))
        elif only:
            raise FieldworkError(
                "{name!r} needs {columns}, which the table does not have.",
                name=name,
                columns=sorted(lacking),
            )
    return whole.to_native()


def _conditions(
    definition: Mapping[str, Any], constants: Mapping[str, Any]
) -> dict[str, Condition]:
    said = {**(definition.get("copy") or {}), **(definition.get("codes") or {})}
    said |= {name: f"{name} is not missing" for name in definition.get("first") or ()}
    said |= {key: definition[key] for key in ("value", "where") if key in definition}
    return {str(key): parse(str(text)).bind(constants) for key, text in said.items()}


def _made(
    whole: Any, definition: Mapping[str, Any], conditions: Mapping[str, Condition], home: str
) -> nw.Expr:
    """Return the expression of a variable: the first condition that is true decides."""
    if "value" in definition:
        chosen = conditions["where"].where(whole)
        return nw.when(chosen).then(conditions["value"].value_expr(whole))
    if "first" in definition:
        amount: Any = nw.lit(None, nw.Float64)
        for name, there in reversed(list(conditions.items())):
            known = nw.col(name).cast(nw.Float64)
            amount = nw.when(there.where(whole)).then(known).otherwise(amount)
        return amount
    otherwise = definition.get("otherwise")
    result: Any = nw.lit(otherwise, nw.String)
    copied = definition.get("copy") or {}
    for code, condition in reversed(list(conditions.items())):
        value = nw.col(code).cast(nw.String) if code in copied else nw.lit(_code(code, home))
        result = nw.when(condition.where(whole)).then(value).otherwise(result)
    return result


def _code(code: str, home: str) -> str:
    return home if code == "home" else code
