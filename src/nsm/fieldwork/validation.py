"""Validation: every rule of the form in one pass over each table, on any engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw
import pandas as pd

from nsm.condition.tables import Narwhals, frame, kinds_of
from nsm.errors import PREVIEWED, FieldworkError
from nsm.fieldwork.rules import Check, checks
from nsm.fieldwork.widen import ROW, structure, widened
from nsm.frame.findings import Finding, finding, findings_table
from nsm.questionnaire.model import Table
from nsm.questionnaire.questionnaire import Questionnaire

if TYPE_CHECKING:
    import pyarrow as pa

BY = ("area", "team", "interviewer")
FAILURES = ("table", "key", "code", "rule", "severity")
_SETTINGS: dict[str, Any] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class Validation(NamedTuple):
    """What the rules say of a delivery.

    Parameters
    ----------
    findings
        One row for each rule that is broken: `code, severity, where, count, message, examples`.
    failures
        One row for each broken rule and row: `table, key, code, rule, severity`, and the team,
        interviewer and area as far as the tables have them. No answers.
    tables
        Pandas tables with two columns more, `errors` and `warnings`: how many rules a row breaks.
        Nothing is dropped. Tables of other engines are not copied, and not here.
    """

    findings: pd.DataFrame
    failures: pd.DataFrame
    tables: dict[str, pd.DataFrame]


def validate(
    form: Questionnaire,
    tables: Mapping[str, Any],
    *,
    by: Sequence[str] = BY,
    reasons: pd.DataFrame | None = None,
    language: str = "en",
) -> Validation:
    """Hold the tables of a delivery against the questionnaire.

    Parameters
    ----------
    tables
        Table -> its rows, as `read_delivery` gives them: pandas, pyarrow, Polars, DuckDB, Spark,
        all of one engine.
    by
        Columns of the outermost table that the failures carry.
    reasons
        Why answers are missing, as `read_delivery` gives it: an answer that was not given for a
        reason that the form knows is no mistake.
    language
        Of the findings.

    Raises
    ------
    FieldworkError
        A table has no key, or columns that cannot be compared.
    """
    _require_keys(form, tables)
    with _on_one_engine(tables) as frames:
        results = {name: _tried(form, name, frames, by) for name in frames}
    pieces = [
        _long(form.tables[name], wanted, _with_keys(form, name, tables, found, by))
        for name, (found, wanted, _) in results.items()
    ]
    lacking = [check for _, _, lacking in results.values() for check in lacking]
    failures = _unexplained(pd.concat(pieces, ignore_index=True), reasons)
    rows = failures.pop(ROW) if ROW in failures else pd.Series(dtype="int64")
    marked = {
        name: _marked(table, failures["severity"][failures["table"] == name], rows)
        for name, table in tables.items()
        if isinstance(table, pd.DataFrame)
    }
    return Validation(_findings(form, failures, lacking, language), failures, marked)


def tally(failures: pd.DataFrame, by: str | Sequence[str]) -> pd.DataFrame:
    """Count failures by team, area, interviewer or rule.

    Returns
    -------
    The columns of `by`, then `errors, warnings, rows` (rows with any failure), the most first.
    """
    columns = [by] if isinstance(by, str) else list(by)
    grouped = failures.assign(
        errors=failures["severity"].eq("error"), warnings=failures["severity"].eq("warning")
    ).groupby(columns, dropna=False)
    counts = grouped.agg(
        errors=("errors", "sum"), warnings=("warnings", "sum"), rows=("key", "nunique")
    )
    return counts.reset_index().sort_values("errors", ascending=False, ignore_index=True)


def _require_keys(form: Questionnaire, tables: Mapping[str, Any]) -> None:
    for name, table in tables.items():
        if name not in form.tables:
            raise FieldworkError(
                "{name!r} is no table of {form!r}; it has {known}.",
                name=name,
                form=form.name,
                known=list(form.tables),
            )
        key = form.tables[name].key
        if key not in frame(table).collect_schema():
            raise FieldworkError(
                "The table {name!r} has no column {key!r}, which names its rows.",
                name=name,
                key=key,
            )


@contextmanager
def _on_one_engine(tables: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the tables as narwhals frames; those in memory go through DuckDB, in one query each."""
    whole = {name: frame(table) for name, table in tables.items()}
    if not all(
        each.implementation.is_pandas() or each.implementation.is_pyarrow()
        for each in whole.values()
    ):
        yield whole
        return
    import duckdb
    import pyarrow as pa

    with duckdb.connect(config=_SETTINGS) as base:
        found = {}
        for name, table in whole.items():
            try:
                arrow = table.to_arrow()
                numbered = arrow.append_column(ROW, pa.array(range(len(arrow)), pa.int64()))
                found[name] = frame(base.from_arrow(numbered))
            except (pa.ArrowInvalid, pa.ArrowTypeError, duckdb.Error) as error:
                raise FieldworkError(
                    "The table {name!r} has a column with values of several types: {reason} "
                    "Read it with `read_delivery`.",
                    name=name,
                    reason=str(error).splitlines()[0],
                ) from error
        yield found


def _tried(
    form: Questionnaire, name: str, frames: Mapping[str, Any], by: Sequence[str]
) -> tuple[pa.Table, list[Check], list[Check]]:
    """Try the rules of one table.

    Returns
    -------
    One column for each rule, true where a row breaks it; the rules that were tried; and those that
    lack a column. In memory, all rows with their number; elsewhere, the failing rows with keys.
    """
    table = form.tables[name]
    every = [*(check for check in checks(form) if check.table == name), *structure(form, table)]
    in_memory = ROW in frames[name].collect_schema()
    whole = widened(form, table, frames, every, () if in_memory else by)
    have = set(whole.collect_schema().names())
    wanted = [check for check in every if check.needs <= have]
    lacking = [check for check in every if not check.needs <= have]
    engine = Narwhals(dict(whole.collect_schema()), kinds_of(whole))
    names = [f"rule_{number}" for number in range(len(wanted))]
    tests = [check.broken(engine).alias(n) for check, n in zip(wanted, names, strict=True)]
    keep = [ROW] if in_memory else [c for c in (table.key, *by) if c in have]
    found = whole.select(*dict.fromkeys(keep), *tests)
    if tests and not in_memory:
        found = found.filter(reduce(or_, (nw.col(n) for n in names)))
    return found.lazy().collect("pyarrow").to_native(), wanted, lacking


def _with_keys(
    form: Questionnaire,
    name: str,
    tables: Mapping[str, Any],
    found: pa.Table,
    by: Sequence[str],
) -> pd.DataFrame:
    """Return the failing rows with their keys and the columns of `by`."""
    rules = [c for c in found.column_names if c.startswith("rule_")]
    if ROW not in found.column_names:
        return found.sort_by(form.tables[name].key).to_pandas()
    import pyarrow.compute as pc

    failing = reduce(pc.or_, (found[c] for c in rules))
    # An engine with several threads gives rows in any order.
    found = found.filter(failing).sort_by(ROW).to_pandas()
    own = frame(tables[name])
    first = next(iter(form.tables.values()))
    for column in dict.fromkeys((form.tables[name].key, *by)):
        if column in own.columns:
            found[column] = own[column].to_pandas().to_numpy()[found[ROW]]
        elif first.key in own.columns and column in frame(tables.get(first.name, own)).columns:
            upper = frame(tables[first.name]).select(first.key, column).to_pandas()
            known = upper.drop_duplicates(first.key).set_index(first.key)[column]
            keys = own[first.key].to_pandas().to_numpy()[found[ROW]]
            found[column] = known.reindex(keys).to_numpy()
    return found


def _unexplained(failures: pd.DataFrame, reasons: pd.DataFrame | None) -> pd.DataFrame:
    """Leave out blanks (V103) whose reason was recorded."""
    if reasons is None or not len(reasons):
        return failures
    known = pd.MultiIndex.from_frame(reasons[["table", "key", "question"]].astype(str))
    mine = pd.MultiIndex.from_frame(failures[["table", "key", "rule"]].astype(str))
    explained = failures["code"].eq("V103").to_numpy() & mine.isin(known)
    return failures[~explained].reset_index(drop=True)


def _long(table: Table, wanted: list[Check], broken: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each broken rule and row."""
    carried = [c for c in broken.columns if not c.startswith("rule_")]
    pieces = [pd.DataFrame(columns=[*FAILURES, *(c for c in carried if c != table.key)])]
    for number, check in enumerate(wanted):
        hit = broken.loc[broken[f"rule_{number}"].to_numpy(dtype=bool), carried]
        if len(hit):
            said = {
                "table": table.name,
                "key": hit[table.key],
                "code": check.code,
                "rule": check.name,
                "severity": check.severity,
            }
            others = {c: hit[c] for c in carried if c != table.key}
            pieces.append(pd.DataFrame({**said, **others}))
    return pd.concat(pieces, ignore_index=True)


def _marked(table: pd.DataFrame, severity: pd.Series, rows: pd.Series) -> pd.DataFrame:
    """Return a table with the number of rules that each row breaks."""
    found = {}
    for column, kind in (("errors", "error"), ("warnings", "warning")):
        hit = rows.loc[severity.index[severity == kind]]
        counts = hit.value_counts().reindex(range(len(table)), fill_value=0)
        found[column] = counts.to_numpy()
    return table.assign(**found)


def _findings(
    form: Questionnaire, failures: pd.DataFrame, lacking: list[Check], language: str
) -> pd.DataFrame:
    every = [*checks(form), *(c for table in form.tables.values() for c in structure(form, table))]
    known = {(check.code, check.table, check.name): check for check in every}
    found: list[Finding] = []
    for (code, table, name), rows in failures.groupby(["code", "table", "rule"], sort=False):
        check = known[str(code), str(table), str(name)]
        message, values = check.message, {**check.values, "count": len(rows)}
        if code in {"V106", "V107"}:
            said = language if language in form.languages else form.languages[0]
            message, values = "{text}", {"text": form.text(check.message, said)}
        shown = tuple(str(key) for key in rows["key"][:PREVIEWED])
        found.append(
            Finding(str(code), check.severity, f"{table}.{name}", len(rows), message, values, shown)
        )
    for table in dict.fromkeys(check.table for check in lacking):
        found += finding(
            "V100",
            "warning",
            table,
            list(dict.fromkeys(check.name for check in lacking if check.table == table)),
            "{count} rules could not be tried: the tables lack a column that they need.",
        )
    return findings_table(found, language)
